"""The TOML files that ``appliance/settings/config.py`` reads, written: register, unit, hub.

Invariants:
    * Only what somebody chose is written; what is left out is config.py's default, which stands there alone.
    * What was written has been read back by config.py before anybody else can find it wanting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

from appliance.base.atomic_files import PUBLIC, write_durably
from appliance.settings import config
from appliance.settings.config import (
    BrokerAddress,
    CameraConfig,
    HubConfig,
    PacingConfig,
    Register,
    UnitConfig,
)
from appliance.settings.fleet import FleetConfig
from appliance.settings.notice import NoticeConfig

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
            looks=unit.looks or None,
        )
        for unit in register.units
    ]
    tables += [
        _table(
            f"tablets.{tablet}",
            installer=tablet in register.installers or None,
            lead=tablet in register.leads or None,
        )
        or f"[tablets.{tablet}]\n"
        for tablet in register.tablets
    ]
    tables += [f"[tablets.{screen}]\nroom = true\n" for screen in register.rooms]
    write_durably(path, "\n".join([_HEAD, *tables]).encode("utf-8"), mode=PUBLIC)


_UNIT_KEYS: Final = {
    "unit": {"booth": "booth", "unit": "unit"},
    "models": {"directory": "models", "accelerator": "accelerator", "threads": "threads"},
    "pipe": {"path": "pipe"},
    "spool": {"directory": "spool", "records": "spool_records"},
    "sense": {"walls": "walls"},
    "relay": {"public_key": "public_key", "encryption_required": "encryption_required"},
    "prior": {"hub_key": "hub_key", "path": "prior"},
    "card": {"matrix": "matrix"},
    "setup": {"order": "order", "zones": "zones"},
}
"""Keys of ``unit.toml`` by table, and the field of `UnitConfig` that each holds."""
_HUB_KEYS: Final = {
    "hub": {
        name: name
        for name in (
            "booth",
            "register",
            "database",
            "warmup_people",
            "retention_seconds",
            "collect",
            "language",
            "signing_key",
            "prior_key",
        )
    },
    "integrations": {"home_assistant": "home_assistant"},
}
"""The same of ``hub.toml`` and `HubConfig`."""


def write_unit_config(path: Path, unit: UnitConfig) -> UnitConfig:
    """Write ``unit.toml`` and give what config.py reads in it. Unfit where that cannot be used."""
    tables = [*_tables(unit, _UNIT_KEYS), _own(unit.camera, "camera"), _own(unit.broker, "broker")]
    write_durably(path, "\n".join(filter(None, [_HEAD, *tables])).encode("utf-8"), mode=PUBLIC)
    return config.unit_config(path)


def write_hub_config(path: Path, hub: HubConfig) -> HubConfig:
    """Write ``hub.toml`` and give what config.py reads in it. Unfit where that cannot be used."""
    tables = [*_tables(hub, _HUB_KEYS), _own(hub.broker, "broker"), _own(hub.pacing, "pacing")]
    tables += [
        _own(hub.notice, "notice"),
        _own(hub.fleet, "fleet"),
        _table("sizes", **dict(hub.pacing.sizes)),
    ]
    write_durably(path, "\n".join(filter(None, [_HEAD, *tables])).encode("utf-8"), mode=PUBLIC)
    return config.hub_config(path)


def _tables(settings: UnitConfig | HubConfig, keys: Mapping[str, Mapping[str, str]]) -> list[str]:
    chosen = _chosen(settings)
    return [
        _table(name, **{key: chosen[field] for key, field in fields.items() if field in chosen})
        for name, fields in keys.items()
    ]


def _own(
    settings: CameraConfig | BrokerAddress | PacingConfig | NoticeConfig | FleetConfig, name: str
) -> str:
    """A table of its own, whose keys are the fields' names."""
    return _table(name, **_chosen(settings))


def _chosen(
    settings: UnitConfig
    | HubConfig
    | CameraConfig
    | BrokerAddress
    | PacingConfig
    | NoticeConfig
    | FleetConfig,
) -> dict[str, _Value]:
    """What differs from the default, as it is written: keys in hexadecimal digits, times of day as HH:MM."""
    found: dict[str, _Value] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value == field.default or value is None:
            continue
        if isinstance(value, bytes):
            value = value.hex()
        if field.name in {"opens", "closes"}:
            value = f"{int(value) // 3600:02d}:{int(value) % 3600 // 60:02d}"
        if isinstance(value, str | int | float | Path):
            found[field.name] = value
    return found


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
