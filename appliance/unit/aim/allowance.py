"""How long this unit was aimed lately: root keeps count beside the epoch, so that no hub can have it aimed all day.

Invariants:
    * At most ``MOST_A_DAY`` minutes in ``DAY`` seconds, however many orders the hub signs. Written before the aiming
      begins, durably; a file that cannot be right is Unfit: whoever does not know aims nobody.
    * Time is the unit's own clock, set or not. Where it ran back, what lies ahead counts from now; where it jumps
      ahead, what was is forgotten.
    * Another order ends an aiming: what it did not use is given back, in whole minutes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.unit.inputs.plain_file import plain_bytes

FILE: Final = "aimed"
MOST_A_DAY: Final = 60
"""Minutes."""
DAY: Final = 86400
_MOST_BYTES: Final = 2048
_FORM: Final = re.compile(rb"(?:[0-9]{1,12} [0-9]{1,2}\n)*")


def take(path: Path, minutes: int, *, now: float) -> None:
    """Note an aiming of so many minutes from ``now`` (unix seconds). Refused (TOO_FAST) beyond the day's; Unfit."""
    before = _until_now(path, int(now))
    used = sum(lasted for _, lasted in before)
    if used + minutes > MOST_A_DAY:
        raise Refused(
            Rule.TOO_FAST,
            f"this unit was aimed {used} of {MOST_A_DAY} minutes in 24 hours: no {minutes} more",
            where="setup order",
            fix="ask for less, or wait a day",
        )
    _keep(path, [*before, (int(now), minutes)])


def end(path: Path, *, now: float) -> None:
    """An aiming under way ends now; nothing where there was none. Unfit."""
    if os.path.lexists(path):
        _keep(path, _until_now(path, int(now)))


def _until_now(path: Path, now: int) -> list[tuple[int, int]]:
    """The aimings of the last day as (unix second of its beginning, minutes), the last one ended now."""
    untrusted = plain_bytes(path, _MOST_BYTES + 1) if os.path.lexists(path) else b""
    if untrusted is None or len(untrusted) > _MOST_BYTES or not _FORM.fullmatch(untrusted):
        raise Unfit("the count of minutes aimed is damaged", where=str(path), fix=f"sudo rm {path}")
    pairs = [line.split() for line in untrusted.splitlines()]
    found = [(min(now, int(at)), int(lasted)) for at, lasted in pairs]
    ended = [(at, min(lasted, max(1, -((at - now) // 60)))) for at, lasted in found[-1:]]
    return [(at, lasted) for at, lasted in (*found[:-1], *ended) if now - at < DAY]


def _keep(path: Path, aimings: list[tuple[int, int]]) -> None:
    content = b"".join(b"%d %d\n" % one for one in aimings)
    atomic_files.write_durably(path, content, mode=atomic_files.SECRET)
