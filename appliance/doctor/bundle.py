"""The bundle for support: what a machine is and how its checks came out, in closed words and numbers alone.

Invariants:
    * Every string in it is a word of a closed list of this program, or a version of digits and dots. No text of a
      file, a journal, a status or a name of this booth gets in: `sealed` refuses whatever is no such leaf.
    * What is seen, worn or said changes nothing in it: two machines that differ in that alone give the same bundle.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from appliance import __version__
from appliance.doctor.findings import CHECKS, Finding, Verdict
from appliance.doctor.keys import NAMES
from appliance.doctor.machine import Machine, Unseen
from appliance.doctor.processes import SERVICES
from appliance.doctor.software import About
from appliance.doctor.system import STATES, megabytes
from appliance.settings.config import LANGUAGES, UnitConfig

_VERSION: Final = re.compile(r"\d{1,5}(\.\d{1,5}){0,3}", re.ASCII)
_LARGEST: Final = 10**9
_MODELS: Final = ("people", "pose", "garments", "pattern")
_SERVICES: Final = tuple(sorted({name for services in SERVICES.values() for name in services}))
_DISKS: Final = tuple(sorted({place for places in STATES.values() for place in places}))
_SYSTEMD: Final = (
    "active", "activating", "deactivating", "inactive", "failed", "reloading", "maintenance", "success", "exit-code",
    "signal", "core-dump", "watchdog", "timeout", "oom-kill", "resources", "protocol", "condition", "exec-condition",
    "start-limit-hit",
)  # fmt: skip
_SETTINGS: Final = (
    "required",
    "every",
    "auto",
    "cpu",
    "edgetpu",
    "camera",
    "picamera2",
    "recording",
    *LANGUAGES,
)
_PROCESSORS: Final = ("x86_64", "aarch64", "armv7l")
_KEYS: Final = (
    "bundle", "version", "role", "processor", "kernel", "python", "image", "systemd", "uptime_hours", "memory_mb",
    "findings", "check", "verdict", "about", "services", "state", "result", "restarts", "exit_status", "disks",
    "total_mb", "settings", "walls", "accelerator", "threads", "width", "height", "frame_rate", "source",
    "language", "warmup_people", "retention_seconds", "notice_missing",
)  # fmt: skip
WORDS: Final = frozenset(
    (
        "", "unit", "hub", "/etc/leftfield", *CHECKS, *(verdict.value for verdict in Verdict), *_SERVICES, *_DISKS,
        *NAMES, *_MODELS, *_SYSTEMD, *_SETTINGS, *_PROCESSORS, *_KEYS,
    )
)  # fmt: skip
"""Every string that a bundle can hold, besides versions."""


def word(text: str) -> str:
    """The text where it is a word of the closed list, else nothing."""
    return text if text in WORDS else ""


def _number(text: str | float) -> int:
    """A whole number within bounds; 0 where it is none."""
    try:
        return max(0, min(_LARGEST, int(float(text))))
    except (ValueError, OverflowError):
        return 0


def _version(text: str) -> str:
    found = _VERSION.match(text)
    return found[0] if found else ""


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def sealed(document: Mapping[str, object]) -> bytes:
    """The bundle as JSON. ValueError where a leaf is neither a closed word, a version, nor a number within bounds."""
    for leaf in _leaves(document):
        fine = (
            (leaf in WORDS or _VERSION.fullmatch(leaf) is not None)
            if isinstance(leaf, str)
            else isinstance(leaf, int) and 0 <= leaf <= _LARGEST
        )
        if not fine:
            raise ValueError(f"{leaf!r} must not be in a bundle")
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def made(machine: Machine, about: About, findings: Iterable[Finding]) -> bytes:
    """The bundle of this machine."""
    memory = re.search(r"MemTotal:\s+(\d+)", _text(machine, "/proc/meminfo"))
    try:
        systemd = re.search(r"systemd (\d+)", machine.run("systemctl", "--version"))
    except Unseen:
        systemd = None
    return sealed(
        {
            "bundle": 1,
            "version": _version(__version__),
            "role": word(about.role),
            "processor": word(platform.machine()),
            "kernel": _version(platform.release()),
            "python": _version(platform.python_version()),
            "image": _version(about.image.version) if about.image else "",
            "systemd": _number(systemd[1]) if systemd else 0,
            "uptime_hours": _number(float((_text(machine, "/proc/uptime") or "0").split()[0]) / 3600),
            "memory_mb": _number(memory[1]) // 1024 if memory else 0,
            "findings": [
                {"check": one.check, "verdict": one.verdict.value, "about": word(one.about)}
                for one in findings
            ],
            "services": {name: _service(machine, name) for name in SERVICES.get(about.role, ())},
            "disks": {place: _disk(machine, place) for place in STATES.get(about.role, ())},
            "settings": _settings(about),
        }
    )


def _text(machine: Machine, path: str) -> str:
    try:
        return machine.text(path) or ""
    except Unseen:
        return ""


def _service(machine: Machine, name: str) -> dict[str, object]:
    try:
        shown = machine.properties(name, "ActiveState", "Result", "NRestarts", "ExecMainStatus")
    except Unseen:
        shown = {}
    return {
        "state": word(shown.get("ActiveState", "")),
        "result": word(shown.get("Result", "")),
        "restarts": _number(shown.get("NRestarts", "0")),
        "exit_status": _number(shown.get("ExecMainStatus", "0")),
    }


def _disk(machine: Machine, place: str) -> dict[str, object]:
    """Its size alone: how much is free would tell how much was seen. Whether too little is, a finding says."""
    return {"total_mb": _number(megabytes(machine.path(place)))}


def _settings(about: About) -> dict[str, object]:
    """The settings that matter for a fault and name nobody and no place."""
    found = about.settings
    if found is None:
        return {}
    if isinstance(found, UnitConfig):
        camera = found.camera
        live = "camera" if camera.source.startswith("/dev/") or camera.source.isdecimal() else "recording"
        return {
            "walls": word(found.walls),
            "accelerator": word(found.accelerator),
            "threads": _number(found.threads),
            "width": _number(camera.width),
            "height": _number(camera.height),
            "frame_rate": _number(camera.frame_rate),
            "source": "picamera2" if camera.source == "picamera2" else live,
        }
    return {
        "language": word(found.language),
        "warmup_people": _number(found.warmup_people),
        "retention_seconds": _number(found.retention_seconds),
        "notice_missing": len(found.notice.missing),
    }
