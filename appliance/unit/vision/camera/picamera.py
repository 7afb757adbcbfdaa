"""The camera module of a Raspberry Pi through picamera2, which is a package of the operating system.

Invariants:
    * None of picamera2's types leave this file; what leaves is a ``Frame``.
    * A missing package is ``Unfit`` and says how to install it; a camera that is away is ``Unavailable``.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.health import SourceKind
from appliance.settings.config import CameraConfig
from appliance.unit.vision.types import Frame

_WHERE: Final = "camera module"
_PATIENCE: Final = 5.0
"""Seconds without a picture after which the camera counts as away."""
_AWAY: Final = "check the ribbon cable (rpicam-hello --list-cameras); the unit tries again by itself"


def _library() -> Any:  # noqa: ANN401 - an untyped package, which stays in this file
    try:
        return importlib.import_module("picamera2")
    except ImportError:
        raise Unfit(
            "picamera2 is not installed",
            where=_WHERE,
            fix="apt-get install python3-picamera2 and make the virtual environment with "
            "--system-site-packages, or use the camera as /dev/video0",
        ) from None


class CameraModule:
    """A camera on the ribbon cable."""

    kind: Final = SourceKind.CAMERA

    def __init__(self, camera: CameraConfig) -> None:
        library = _library()
        if not library.Picamera2.global_camera_info():
            raise Unavailable("no camera module responds", where=_WHERE, fix=_AWAY)
        try:
            self._camera: Any = library.Picamera2()
            # The library names formats by their order in a word: BGR888 is R, G, B in memory.
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (camera.width, camera.height), "format": "BGR888"},
                    controls={"FrameRate": camera.frame_rate},
                    buffer_count=3,
                    queue=False,
                )
            )
            self._camera.start()
        except (RuntimeError, OSError, IndexError) as error:
            raise Unavailable(
                f"the camera module does not start ({error})", where=_WHERE, fix=_AWAY
            ) from None

    def close(self) -> None:
        """Stop the camera."""
        self._camera.close()

    def frames(self) -> Iterator[Frame]:
        """Frames as the camera gives them, stamped on arrival; Unavailable where none comes for five seconds."""
        while True:
            try:
                pixels = self._camera.capture_array("main", wait=_PATIENCE)
            except (TimeoutError, RuntimeError, OSError) as error:
                raise Unavailable(f"the camera module went away ({error})", where=_WHERE, fix=_AWAY) from None
            yield Frame(pixels=np.ascontiguousarray(pixels[..., :3]), at=time.monotonic())
