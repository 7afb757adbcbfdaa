"""The public page's facts, made from the running configuration, the register and the vocabulary.

Invariants:
    * Nothing is written by hand that the software knows: words, cameras, times, the size of a message.
    * Without controller, contact and legal basis the page is closed, and says what is missing.
    * Pure but for ``HereFacts``, which reads ``hub.toml``, the register and WATCH's state anew when they change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from appliance.base.errors import LeftfieldError
from appliance.protocol import vocabulary
from appliance.protocol.sign import KEY_BYTES, Sealer
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    UnitId,
)  # fmt: skip
from appliance.settings import config as configs
from appliance.settings.config import HubConfig, Register
from appliance.settings.notice import stores

STALE_SECONDS: Final = 60
"""A state older than this is the state of a hub that is away."""
SILENT: Final = ("one_piece", "bag")
"""Attributes that the vocabulary has and no camera says at present."""
_MOST_STATE: Final = 4096
_LONGEST: Final = 3600
"""No time in force is longer, in seconds."""
_SAMPLE: Final = AttributeVector.of(
    top_colour="black", top_pattern="plain", bottom_colour="blue", bottom_pattern="plain",
    lower_kind="trousers", sleeves="long", outer="open", feet_colour="dark",
)  # fmt: skip


def sample(booth: BoothId) -> dict[str, Any]:
    """One made-up observation as a camera sends it: its words and its bytes."""
    sealer = Sealer(private_key=bytes(KEY_BYTES), booth=booth)
    made = Observation(
        unit=UnitId("sample"),
        epoch=Epoch(1),
        seq=Seq(1),
        seen=PhenomenonTime(uptime=Steps(720), wall=Steps(359_000_000)),
        vector=_SAMPLE,
    )
    envelope = sealer.seal(made)
    worn = {
        attribute.name: attribute.label(reading.level)
        for attribute, reading in zip(vocabulary.ATTRIBUTES, _SAMPLE.readings, strict=True)
        if reading.level
    }
    return {"worn": worn, "hex": envelope.hex(), "bytes": len(envelope)}


def facts(hub: HubConfig | None, register: Register, state: dict[str, Any] | None, booth: BoothId) -> bytes:
    """What the page says (``/here.json``); ``hub`` is None where its configuration cannot be read."""
    notice, missing = (hub.notice, hub.notice.missing) if hub else (None, ("hub.toml",))
    said: dict[str, Any] = {"v": 1, "booth": booth, "open": not missing, "missing": missing}
    if hub and notice and not missing:
        retention, alert, service = times(hub, state)
        kept = stores(retention_seconds=retention, alert_seconds=alert, service_seconds=service)
        said |= {
            "controller": notice.controller,
            "contact": notice.contact,
            "legal_basis": notice.legal_basis,
            "way_round": notice.way_round,
            "language": hub.language,
            "cameras": [
                {"place": unit.place, "looks": unit.looks, "simulated": unit.simulated}
                for unit in register.units
                if not unit.revoked
            ],
            "silent": SILENT,
            "bits": round(vocabulary.CAPACITY_BITS, 1),
            "retention": retention,
            "kept": [[one.name, one.seconds] for one in kept],
            "sample": sample(booth),
            "state": state,
        }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def times(hub: HubConfig, state: dict[str, Any] | None) -> tuple[float, float, float]:
    """Retention, life of an alert and time for a visit, in seconds: those in force, as WATCH says them.

    Where it says nothing, those of ``hub.toml``, which it takes up at its next start.
    """
    written = (hub.retention_seconds, hub.pacing.alert_seconds, hub.pacing.service_seconds)
    running = (state or {}).get("running")
    if not isinstance(running, dict):
        return written
    told = tuple(running.get(name) for name in ("retention", "alert", "service"))
    if not all(type(one) is int and 0 < one <= _LONGEST for one in told):
        return written
    retention, alert, service = (float(one) for one in told if one)
    return retention, alert, service


class HereFacts:
    """What ``/here.json`` says, from the ``hub.toml`` at ``path``; files that changed are read anew."""

    def __init__(self, path: Path | None, booth: BoothId) -> None:
        self._path, self._booth = path, booth
        self._stamp: tuple[object, ...] = ("never read",)
        self._hub: HubConfig | None = None
        self._register = Register(units=(), tablets=())

    def json(self, now: float) -> bytes:
        """The facts at ``now`` (unix seconds)."""
        self._read()
        return facts(self._hub, self._register, self._state(now), self._booth)

    def _read(self) -> None:
        if self._path is None:
            return
        stamp = (_stamp(self._path), _stamp(self._hub.register) if self._hub else None)
        if stamp == self._stamp:
            return
        try:
            self._hub = configs.hub_config(self._path)
            self._register = configs.register(self._hub.register)
        except (LeftfieldError, OSError):
            self._hub = None  # the page says that it is closed; the hub's own journal says why
        self._stamp = (_stamp(self._path), _stamp(self._hub.register) if self._hub else None)

    def _state(self, now: float) -> dict[str, Any] | None:
        """What WATCH told last; None where it told nothing, or nothing lately."""
        path = self._hub.notice.state if self._hub else None
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                told = json.loads(file.read(_MOST_STATE))
            lately = abs(now - float(told["at"])) <= STALE_SECONDS
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        return told if lately else None


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_mtime_ns, found.st_size
