"""The sample street video: real pedestrians from Debian's package `opencv-doc`, kept in the cache directory.

Invariants: never committed (its licence is the package's, Apache-2.0 and BSD-3-Clause); only the one file is kept.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from setup.apt import fetch, take_file
from setup.voice import SetupError, megabytes, say

if TYPE_CHECKING:
    from setup.places import Places

_PACKAGE = "opencv-doc"
_NAME = "vtest.avi"
_INSTEAD = (
    "Pass a video of your own street:       make demo SOURCE=/path/to/street.mp4\n"
    "    or a camera of this machine:           make demo SOURCE=0\n"
    "    or put OpenCV's sample `vtest.avi` at  {street}"
)


def ready(where: Places) -> bool:
    """Tell whether the video is there."""
    return where.street.exists()


def provide(where: Places) -> None:
    """Put the video in its place. Raises SetupError that says what to pass instead."""
    instead = _INSTEAD.format(street=where.street)
    try:
        debs = fetch(_PACKAGE, cache=where.cache, step="street", libraries=False)
        taken = take_file(debs[0], _NAME, where.street)
    except SetupError as error:
        raise SetupError(f"the sample street video cannot be fetched.\n    {error}\n    {instead}") from error
    finally:
        shutil.rmtree(where.cache / "deb" / _PACKAGE, ignore_errors=True)
    if not taken:
        raise SetupError(f"this release's package {_PACKAGE} holds no {_NAME}.\n    {instead}")
    say("street", f"{where.street} ({megabytes(where.street.stat().st_size)})")
