"""The lock: from the moment its record is there, this unit never aims and never reads a colour card again.

Invariants:
    * The record lies beside the signing key, where only root may write; no account of the product that has a network
      or sees pixels can reach it, and no configuration names another place.
    * Whatever stands in its place locks: a record of another key, half a record, a folder. There is no form of it
      that unlocks, and no order, update, pairing or setting removes it.
    * It is signed by this unit's own key and says in which epoch it was made: evidence for whoever looks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Unfit
from appliance.protocol import signed_document
from appliance.protocol.sign import key_id, public_key_of
from appliance.protocol.values import BoothId, Epoch, UnitId
from appliance.settings.epoch import CREDENTIALS
from appliance.unit.inputs.plain_file import plain_bytes

CREDENTIAL: Final = "lock"
KIND: Final = "lock"
FORM: Final = 1
NOTHING_HANDED: Final = {CREDENTIAL: "none", "lock-too": "absent"}
"""What systemd hands in where there is no lock. Both are copies of one file: none can hold both words."""
_MOST_BYTES: Final = 1024
_FIX: Final = "a lock is for good; to set this unit up anew, flash its card"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRecord:
    """What a lock says of itself: the unit and epoch it was made for, and whether this unit's own key signed it."""

    unit: str
    epoch: int
    ours: bool


def path_beside(config_path: Path) -> Path:
    """Where the lock of the unit with this ``unit.toml`` is: not a setting."""
    return config_path.absolute().parent / CREDENTIALS / CREDENTIAL


def is_locked(config_path: Path) -> bool:
    """Whether this unit is locked: by the credential where systemd hands one in, else by the file.

    A place that may not be looked at counts as locked.
    """
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    if handed is not None and any(os.path.lexists(Path(handed) / name) for name in NOTHING_HANDED):
        told = {name: plain_bytes(Path(handed) / name, _MOST_BYTES) for name in NOTHING_HANDED}
        return any(told[name] != word.encode() for name, word in NOTHING_HANDED.items())
    try:
        os.lstat(path_beside(config_path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def refuse_where_locked(config_path: Path, what: str) -> None:
    """Unfit where this unit is locked; ``what`` is asked for in vain."""
    if is_locked(config_path):
        raise Unfit(f"this unit is locked: {what}", where="lock", fix=_FIX)


def lock(config_path: Path, *, booth: BoothId, unit: UnitId, epoch: Epoch, private_key: bytes) -> bool:
    """Lock this unit for good; False where it was. Unfit where the record cannot be written."""
    path = path_beside(config_path)
    if is_locked(config_path):
        return False
    document: dict[str, Any] = {
        "form": FORM,
        "booth": booth,
        "unit": unit,
        "key": key_id(public_key_of(private_key)).hex(),
        "epoch": epoch,
    }
    record = signed_document.seal(document, kind=KIND, private_key=private_key)
    atomic_files.write_durably(path, record, mode=atomic_files.SECRET)
    return True


def record_at(config_path: Path, public_key: bytes | None) -> LockRecord | None:
    """What the lock says of itself, for who looks; None where there is none. A damaged one is nobody's."""
    if not is_locked(config_path):
        return None
    untrusted = plain_bytes(path_beside(config_path), _MOST_BYTES) or b""
    ours = False
    try:
        if public_key:
            signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where="lock")
            ours = True
    except Refused:
        pass
    try:
        said = signed_document.peek(untrusted, where="lock")
    except Refused:
        said = {}
    epoch = said.get("epoch")
    return LockRecord(
        unit=str(said.get("unit", ""))[:24], epoch=epoch if type(epoch) is int else 0, ours=ours
    )
