"""Machine's memory of updates: the highest release it believed, what it is trying, what it undid.

Invariants:
    * Three small files on the state partition, written whole; without them a machine has seen nothing. One that
      cannot be read counts as none: nobody can log in to remove it, and what runs still forbids a downgrade.
    * A try that does not run after a restart was undone: nobody has to be there to say so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.base import atomic_files
from appliance.settings.this_image import ThisImage
from appliance.update.release import Machine, Release

STATE: Final = Path("/var/lib/leftfield/update")
SEEN: Final = "seen.json"
TRYING: Final = "trying.json"
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
TRIES: Final = "tries.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A release that was put in place: its number and version, and the boot in which that was."""

    number: int
    version: str
    boot: str


def machine(image: ThisImage, state: Path = STATE, boot_id: Path = BOOT_ID) -> Machine:
    """Who would be updated."""
    seen = _read(state / SEEN).get("number", 0)
    trial = trying(state)
    undone = trial is not None and trial.version != image.version and trial.boot != _boot(boot_id)
    undone = undone and not tries_left(state)
    return Machine(
        role=image.role, arch=image.arch, version=image.version, seen=seen,
        failed=trial.number if trial is not None and undone else 0,
    )  # fmt: skip


def trying(state: Path = STATE) -> Trial | None:
    """What was put in place last, if anything was."""
    found = _read(state / TRYING)
    if not found:
        return None
    return Trial(number=found["number"], version=found["version"], boot=found["boot"])


def believe(release: Release, state: Path = STATE) -> None:
    """Remember that ``release`` was believed: none with a lower number is from now on."""
    _write(state / SEEN, {"number": release.number})


def begin_trial(release: Release, state: Path = STATE, boot_id: Path = BOOT_ID) -> None:
    """Remember that ``release`` is about to be started."""
    _write(state / TRYING, {"number": release.number, "version": release.version, "boot": _boot(boot_id)})


def tries_left(state: Path = STATE) -> int:
    """How often what was put in place may still be started by this machine's own count (``tryboot``)."""
    found: int = _read(state / TRIES).get("left", 0)
    return found


def grant_tries(left: int, state: Path = STATE) -> None:
    """Remember that what was put in place may be started ``left`` times more."""
    _write(state / TRIES, {"left": left})


def _boot(boot_id: Path) -> str:
    return boot_id.read_text("ascii").strip()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    forms: dict[str, dict[str, type]] = {
        SEEN: {"number": int},
        TRYING: {"number": int, "version": str, "boot": str},
        TRIES: {"left": int},
    }
    wanted = forms[path.name]
    whole = isinstance(found, dict) and {name: type(value) for name, value in found.items()} == wanted
    return found if whole else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_files.write_durably(path, json.dumps(content).encode(), mode=atomic_files.PUBLIC)
