"""The video the demo looks at: named rightly, there, and one that opens; looked at before anything is started.

Law: the demo's own process never loads what decodes video; a process of its own opens the source and closes it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Unavailable, Unfit
from appliance.settings.config import CameraConfig, refuse_network_source

OPENING_SECONDS: Final = 20.0
_PASS: Final = "pass a video of people walking (make demo SOURCE=/path.mp4), or a webcam (make demo SOURCE=0)"  # noqa: S105 - no password


def is_live(source: str) -> bool:
    """Whether ``source`` names a camera: a number, a device, or a camera module."""
    return source.isdecimal() or source.startswith("/dev/") or source == "picamera2"


def check_source(source: str) -> str:
    """The same source, if it opens: a device, a number of a webcam, or a video file. Else Unfit or Unavailable."""
    if not source:
        raise Unfit(
            "no video source was given",
            where="--source",
            fix="pass a video of people walking (--source /path.mp4), or a webcam (--source 0)",
        )
    refuse_network_source(source, "--source")
    if not is_live(source):
        path = Path(source.removeprefix("file://"))
        if not path.is_file():
            raise Unfit(f"there is no video {path}", where="--source", fix=_PASS)
        source = str(path.absolute())
    try:
        tried = subprocess.run(
            [sys.executable, "-m", "appliance.demo.source", source],
            check=False,
            capture_output=True,
            text=True,
            timeout=OPENING_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{source} did not open in time", where="--source", fix=_PASS) from None
    if tried.returncode:
        family = Unavailable if tried.returncode == Unavailable.exit_code else Unfit
        why = (tried.stderr.splitlines() or ["it does not open"])[-1]
        raise family(f"{source}: {why}", where="--source", fix=_PASS)
    return source


def main(source: str) -> int:
    """Open ``source`` as SENSE would, and close it; the reason goes to standard error where that fails."""
    from appliance.unit.vision.camera.frame_source import open_source  # noqa: PLC0415 - only in the process that opens it

    camera = CameraConfig(source=source, width=1280, height=720, frame_rate=15, repeat=False, hurry=False)
    try:
        open_source(camera).close()
    except LeftfieldError as error:
        sys.stderr.write(f"{error.what}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
