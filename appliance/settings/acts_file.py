"""What commands and the pairing desk did: lines in one file of the booth's directory, until the hub takes them in.

Invariants:
    * The file is only added to; with the next act, what is older than ``KEPT_SECONDS`` is left out of it.
    * What is older, or of a time that cannot be, is not read: a wrong line neither stops the hub nor empties its log.
    * An act that cannot be written is said, and stops nothing: the act itself is done.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import time
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.protocol.acts import KEPT_SECONDS, MOST_NAME, Act, ActKind

FILE: Final = "acts.jsonl"
_MOST_BYTES: Final = 512 * 1024
_AHEAD_SECONDS: Final = 60
"""How far a clock may have been ahead when an act was written down."""


def account() -> str:
    """Who calls: the account behind sudo where there is one."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def note(directory: Path, kind: ActKind, *, of: str = "", who: str = "") -> None:
    """Write an act into the booth's ``directory``; what cannot be written is said, and stops nothing."""
    act = Act.now(kind, who or account(), time.time(), of=of, mark=secrets.token_hex(8))
    line = json.dumps([act.mark, *act.row]).encode() + b"\n"
    path = directory / FILE
    try:
        found, latest = _lines(directory), int(time.time()) + _AHEAD_SECONDS
        kept = [one for one in found if act.at - KEPT_SECONDS <= one.at <= latest]
        if len(kept) < len(found) or (path.exists() and path.stat().st_size > _MOST_BYTES):
            lines = [json.dumps([one.mark, *one.row]).encode() + b"\n" for one in kept]
            atomic_files.write_durably(path, b"".join(lines), mode=atomic_files.PUBLIC)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, atomic_files.PUBLIC)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except (OSError, Unfit) as error:
        log(f"acts: {kind.value} is not written down: {error}", level=4)


def noted(directory: Path) -> tuple[Act, ...]:
    """The acts of the last ``KEPT_SECONDS`` in the booth's ``directory``; lines that are none are passed over.

    OSError where the file cannot be read.
    """
    now = int(time.time())
    found = _lines(directory)
    if wrong := sum(not 0 <= one.at <= now + _AHEAD_SECONDS for one in found):
        log(f"acts: impossible times in {FILE}, lines not read: {wrong}; check the clock", level=4)
    return tuple(one for one in found if max(0, now - KEPT_SECONDS) <= one.at <= now + _AHEAD_SECONDS)


def _lines(directory: Path) -> tuple[Act, ...]:
    """Every line that has the form of an act, of whatever time."""
    try:
        lines = (directory / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    found = []
    for line in lines:
        try:
            mark, at, who, kind, of = json.loads(line)
            act = Act(at=at, kind=ActKind(kind), who=who, of=of, mark=mark)
        except (ValueError, TypeError, RecursionError):
            continue
        texts = (act.mark, act.who, act.of)
        if act.mark and type(at) is int and all(type(one) is str and len(one) <= MOST_NAME for one in texts):
            found.append(act)
    return tuple(found)
