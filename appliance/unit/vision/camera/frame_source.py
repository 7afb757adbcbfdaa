"""Where frames come from: a recorded file, a V4L2 camera, or a camera module; never a network.

Invariants:
    * A source is opened before SENSE seals itself; afterwards it only reads what is open.
    * FFmpeg may open plain files only, in a few named containers (``protocol_whitelist``, ``format_whitelist``).
    * A file that cannot be read is ``Unfit``; a camera that is away is ``Unavailable``.
    * A frame is never kept here: each is handed over once and forgotten.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from appliance.protocol.health import SourceKind
from appliance.settings.config import CameraConfig, refuse_network_source
from appliance.unit.vision.types import Frame, Pixels

_DEVICE: Final = re.compile(r"/dev/[A-Za-z0-9_/.:+@=,-]+")
"""A device node by any of its names: by-id and by-path have colons and plus signs."""
_TURNS: Final = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
CAMERA_AWAY: Final = "plug the camera in; the unit tries again by itself"


class Source(Protocol):
    """An opened camera or recording."""

    @property
    def kind(self) -> SourceKind:
        """What the frames are: a camera's, or a recording's."""

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, ``at`` never falling; ends where a recording ends. Unavailable, Unfit."""

    def close(self) -> None:
        """Let go of the device or file; frames end."""


def device_of(source: str) -> str | None:
    """The V4L2 device a source names (``0`` is /dev/video0), or None where it names none.

    >>> device_of("0"), device_of("/dev/video2"), device_of("street.mp4")
    ('/dev/video0', '/dev/video2', None)
    """
    if source.isdecimal():
        return f"/dev/video{source}"
    return source if _DEVICE.fullmatch(source) else None


def open_source(camera: CameraConfig, *, wait: Callable[[float], object] = time.sleep) -> Source:
    """Open what ``camera.source`` names. ``wait`` passes the time between a recording's frames.

    Unfit for a network address and for a file that is missing or no video; Unavailable for a camera that is away.
    """
    refuse_network_source(camera.source, "camera.source")
    if camera.source == "picamera2":
        from appliance.unit.vision.camera.picamera import CameraModule  # noqa: PLC0415 - only where such a camera is wanted

        return CameraModule(camera)
    from appliance.unit.vision.camera.recording import Recording  # noqa: PLC0415 - both build on this module
    from appliance.unit.vision.camera.video_device import VideoDevice  # noqa: PLC0415

    device = device_of(camera.source)
    return VideoDevice(device, camera) if device else Recording(camera, wait=wait)


def upright(pixels: Pixels, picture: VideoFrame) -> Pixels:
    """The pixels (h, w, 3) of ``picture``, turned as its metadata says: phones and cameras store them lying."""
    turn = _TURNS.get(round(picture.rotation) % 360)
    return pixels if turn is None else np.asarray(cv2.rotate(pixels, turn), np.uint8)


def one_field(pixels: Pixels) -> Pixels:
    """An interlaced picture (h, w, 3) from its first field alone, the other lines between them interpolated.

    Its two fields are 20 ms apart: whatever moves would be combed, and read as stripes.
    """
    height, width = pixels.shape[:2]
    return np.asarray(cv2.resize(pixels[::2], (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


class Shrinking:
    """Turns decoded pictures into RGB arrays no larger than width x height, the right way up."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._reformatter = VideoReformatter()

    def pixels(self, picture: VideoFrame) -> Pixels:
        """The picture as (height, width, 3) RGB, shrunk to fit; never enlarged."""
        scale = min(1.0, self._width / picture.width, self._height / picture.height)
        shown = self._reformatter.reformat(
            picture,
            width=max(2, round(picture.width * scale)),
            height=max(2, round(picture.height * scale)),
            format="rgb24",
            interpolation=Interpolation.AREA if scale < 1 else Interpolation.POINT,
            threads=1,  # behind the last filter no thread can be started
        )
        pixels = np.asarray(shown.to_ndarray(), np.uint8)
        return upright(one_field(pixels) if picture.interlaced_frame and scale == 1 else pixels, picture)
