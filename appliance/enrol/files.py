"""The TOML files that ``appliance/settings/config.py`` reads, written: register, unit, hub.

Invariants:
    * Only what somebody chose is written; what is left out is config.py's default, which stands there alone.
    * What was written has been read back by config.py before anybody else can find it wanting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.base.atomic_files import PUBLIC, write_durably
from appliance.protocol.values import BoothId, UnitId
from appliance.settings import config
from appliance.settings.config import BrokerAddress, HubConfig, Register, UnitConfig

_Value = str | int | float | bool | Path | None
_HEAD: Final = "# Written by leftfield (appliance/enrol).\n"
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\"} | {
    chr(code): f"\\u{code:04x}" for code in (*range(32), 127)
}  # TOML 1.0, "String": all else may stand as it is


def write_register(path: Path, register: Register) -> None:
    """Put ``register`` at ``path`` (``register.toml``), at once or not at all."""
    tables = [
        _table(
            f"units.{unit.unit}",
            public_key=unit.public_key.hex(),
            place=unit.place,
            simulated=unit.simulated,
            revoked=unit.revoked,
        )
        for unit in register.units
    ]
    tables += [f"[tablets.{tablet}]\n" for tablet in register.tablets]
    write_durably(path, "\n".join([_HEAD, *tables]).encode("utf-8"), mode=PUBLIC)


def write_unit_config(
    path: Path,
    *,
    booth: BoothId,
    unit: UnitId,
    broker: BrokerAddress,
    source: str,
    width: int | None = None,
    height: int | None = None,
    frame_rate: int | None = None,
    repeat: bool | None = None,
    hurry: bool | None = None,
    models: Path | None = None,
    accelerator: str | None = None,
    threads: int | None = None,
    pipe: Path | None = None,
    spool: Path | None = None,
    spool_records: int | None = None,
    public_key: bytes | None = None,
    walls: str | None = None,
    hub_key: bytes | None = None,
    prior: Path | None = None,
    matrix: Path | None = None,
) -> UnitConfig:
    """Write ``unit.toml`` and give what config.py reads in it. Unfit where that cannot be used."""
    tables = [
        _HEAD,
        _table("unit", booth=booth, unit=unit),
        _table(
            "camera",
            source=source,
            width=width,
            height=height,
            frame_rate=frame_rate,
            repeat=repeat,
            hurry=hurry,
        ),
        _table("models", directory=models, accelerator=accelerator, threads=threads),
        _table("pipe", path=pipe),
        _broker(broker),
        _table("spool", directory=spool, records=spool_records),
        _table("sense", walls=walls),
        _table("relay", public_key=public_key.hex() if public_key else None),
        _table("prior", hub_key=hub_key.hex() if hub_key else None, path=prior),
        _table("card", matrix=matrix),
    ]
    write_durably(path, "\n".join(filter(None, tables)).encode("utf-8"), mode=PUBLIC)
    return config.unit_config(path)


def write_hub_config(
    path: Path,
    *,
    booth: BoothId,
    broker: BrokerAddress,
    register: Path,
    database: Path | None = None,
    young: int | None = None,
    hold_seconds: float | None = None,
    signing_key: Path | None = None,
    prior_key: Path | None = None,
    stock: int | None = None,
    staff: int | None = None,
    service_seconds: float | None = None,
    alert_seconds: float | None = None,
    floor: float | None = None,
    opens: str | None = None,
    closes: str | None = None,
    language: str | None = None,
) -> HubConfig:
    """Write ``hub.toml`` and give what config.py reads in it. Unfit where that cannot be used."""
    tables = [
        _HEAD,
        _table(
            "hub",
            booth=booth,
            register=register,
            database=database,
            young=young,
            hold_seconds=hold_seconds,
            language=language,
            signing_key=signing_key,
            prior_key=prior_key,
        ),
        _broker(broker),
        _table(
            "pacing",
            stock=stock,
            staff=staff,
            service_seconds=service_seconds,
            alert_seconds=alert_seconds,
            floor=floor,
            opens=opens,
            closes=closes,
        ),
    ]
    write_durably(path, "\n".join(filter(None, tables)).encode("utf-8"), mode=PUBLIC)
    return config.hub_config(path)


def _broker(broker: BrokerAddress) -> str:
    return _table(
        "broker",
        host=broker.host,
        port=broker.port,
        ca=broker.ca,
        certificate=broker.certificate,
        key=broker.key,
    )


def _table(name: str, **values: _Value) -> str:
    """One TOML table of what was chosen; empty where nothing was."""
    lines = [f"{key} = {toml(value)}\n" for key, value in values.items() if value is not None]
    return f"[{name}]\n{''.join(lines)}" if lines else ""


def toml(value: str | float | Path) -> str:
    """A value as TOML 1.0 writes it.

    >>> print(toml("two words"), toml(True), toml(0.005))
    "two words" true 0.005
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return f'"{"".join(_ESCAPES.get(letter, letter) for letter in str(value))}"'
