"""Zones in the picture where nobody counts: the pavement opposite, a mannequin. Kept on the unit, applied by SENSE.

Invariants:
    * Geometry alone: whoever's feet are in a zone is not there, in every mode. Nothing is read of them.
    * The file is digits, commas and line ends under a fixed head, in one spelling. A file that is none is
      Unfit: to watch what somebody has left out would break their word.
    * Read once, before the walls stand.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.protocol.aim import COLUMNS, ROWS
from appliance.protocol.setup_order import Zone, check_zones, within
from appliance.settings.config import UnitConfig
from appliance.unit.inputs.plain_file import plain_bytes

CREDENTIAL: Final = "zones"
_NONE: Final = b"none"
_HEAD: Final = "leftfield zones 1"
_MOST_BYTES: Final = 1024
_LINE: Final = re.compile(r"[0-9]{1,2},[0-9]{1,2}(?: [0-9]{1,2},[0-9]{1,2}){2,7}")
_MEND: Final = "draw the zones again on the tablet, or remove the file"


def in_any(zones: tuple[Zone, ...], x: float, y: float, extent: tuple[int, int]) -> bool:
    """Whether a point in pixels lies in a zone, of a picture with ``extent`` (width, height) pixels."""
    width, height = extent
    # The last row of pixels is still in the picture: feet at its edge stand in a zone that reaches there.
    column, row = min(x, width - 0.5) * COLUMNS / width, min(y, height - 0.5) * ROWS / height
    return any(within(zone, column, row) for zone in zones)


def spelled(zones: tuple[Zone, ...]) -> bytes:
    """The zones as their file.

    >>> print(spelled((((0, 0), (9, 0), (0, 9)),)).decode(), end="")
    leftfield zones 1
    0,0 9,0 0,9
    """
    lines = (" ".join(f"{x},{y}" for x, y in zone) for zone in zones)
    return "".join(f"{line}\n" for line in (_HEAD, *lines)).encode("ascii")


def zones_in(untrusted: bytes, where: str) -> tuple[Zone, ...]:
    """The zones in a file's bytes. Unfit, with ``where``, for all but what ``spelled`` writes."""
    text = untrusted.decode("ascii", "replace") if len(untrusted) <= _MOST_BYTES else ""
    head, *lines = text.split("\n")
    if head != _HEAD or not all(_LINE.fullmatch(line) for line in lines[:-1]):
        raise Unfit("the file holds no zones of version 1", where=where, fix=_MEND)
    corners = ([tuple(map(int, corner.split(","))) for corner in line.split()] for line in lines[:-1])
    zones = tuple(tuple((x, y) for x, y in zone) for zone in corners)
    try:
        check_zones(zones)
    except ValueError as reason:
        raise Unfit(f"the zones cannot be right: {reason}", where=where, fix=_MEND) from None
    if spelled(zones) != untrusted:
        raise Unfit("the zones are not in canonical form", where=where, fix=_MEND)
    return zones


def kept_at(path: Path, zones: tuple[Zone, ...]) -> None:
    """Write the zones to ``path``, whole or not at all; its directory is made. Unfit where that cannot be."""
    if not path.parent.is_dir():
        atomic_files.make_directory(path.parent, mode=atomic_files.PUBLIC_DIRECTORY)
    atomic_files.write_durably(path, spelled(zones), mode=atomic_files.PUBLIC)


def taken(settings: UnitConfig) -> tuple[tuple[Zone, ...], str]:
    """The zones SENSE leaves out from here on, and one line that says so. Unfit where they are nonsense.

    The credential where there is one (``none`` says that there are none), else the file where they are kept.
    """
    handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", os.devnull)) / CREDENTIAL
    for path in (handed, settings.zones):
        untrusted = plain_bytes(path, _MOST_BYTES + 1)
        if untrusted is not None:
            break
    if untrusted is None or untrusted.strip() == _NONE:
        return (), "everybody in the picture counts"
    zones = zones_in(untrusted, str(path))
    return zones, f"nobody counts in {len(zones)} zones of the picture"
