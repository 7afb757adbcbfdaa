"""From enrolment to the first frame: a source that is there, and the commands that start the unit.

Law: the commands are complete; whoever pastes them has a unit that runs.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Final

from appliance.base import landlock
from appliance.enrol.home import UnitHome

BY_SYSTEMD: Final = "  systemctl enable --now leftfield-pipe.socket leftfield-relay leftfield-sense\n"


def source_of(given: str) -> tuple[str, str]:
    """The source as unit.toml names it (``0`` is /dev/video0, a file has its whole path), and what is doubtful."""
    source = f"/dev/video{given}" if given.isdecimal() else given
    if source == "picamera2":
        return source, ""
    path = Path(source.removeprefix("file://")).absolute()
    if source.startswith("/dev/"):
        return source, "" if path.exists() else f"there is no camera {source} here yet; the unit waits for it"
    return str(path), "" if path.is_file() else f"there is no video {path}; SENSE does not start without it"


def by_hand(unit: UnitHome) -> str:
    """The commands that start the unit where systemd does not, with pipe and spool in its own directory."""
    pipe, directory, settings = (
        shlex.quote(str(path)) for path in (unit.directory / "pipe", unit.directory, unit.config)
    )
    sealed = f"CREDENTIALS_DIRECTORY={shlex.quote(str(unit.credentials))}"
    return (
        f"  test -p {pipe} || mkfifo -m 600 {pipe}\n"
        f"  leftfield relay --config {settings} &\n"
        f"  leftfield epoch --directory {directory} && {sealed} leftfield sense --config {settings}\n"
    )


def walls_of_this_kernel(*, quiet: bool = False) -> str:
    """``every`` where the kernel has what systemd/leftfield-sense.service cannot bring: Landlock, and PR_SET_MDWE.

    What is lacking is said on standard error unless ``quiet``. Nobody relies on this answer: SENSE builds and probes
    its walls at each start, and refuses where it was wrong.
    """
    try:
        has_landlock = landlock.version() > 0
    except OSError:
        has_landlock = False
    version = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    missing = [
        what
        for what, has in (
            ("Landlock", has_landlock),
            ("Linux 6.3 or newer", version >= (6, 3)),
            (
                "CONFIG_CHECKPOINT_RESTORE",
                Path("/proc/self/timers").exists(),
            ),  # a file that comes with it (proc(5))
        )
        if not has
    ]
    if missing and not quiet:
        sys.stderr.write(
            f"this kernel lacks {' and '.join(missing)}: SENSE will do with the required walls\n"
        )
    return "required" if missing else "every"
