"""Where frames come from: a recorded file, a V4L2 camera, or a camera module; never a network.

Invariants:
    * A source is opened before SENSE seals itself; afterwards it only reads what is open.
    * FFmpeg may open plain files only, in a few named containers (``protocol_whitelist``, ``format_whitelist``).
    * A file that cannot be read is ``Unfit``; a camera that is away is ``Unavailable``.
    * A frame is never kept here: each is handed over once and forgotten.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.health import SourceKind
from appliance.settings.config import CameraConfig, refuse_network_source
from appliance.unit.vision.types import Frame, Pixels

_FORMATS: Final = "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,ogg,yuv4mpegpipe"
_DEVICE: Final = re.compile(r"/dev/[A-Za-z0-9_/.-]+")
_TURNS: Final = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
_LATE: Final = 1.0
"""A file's frame this many frame periods late is dropped before it is converted."""
_CAMERA_AWAY: Final = "plug the camera in; the unit tries again by itself"


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
    device = device_of(camera.source)
    return VideoDevice(device, camera) if device else Recording(camera, wait=wait)


def upright(pixels: Pixels, picture: VideoFrame) -> Pixels:
    """The pixels (h, w, 3) of ``picture``, turned as its metadata says: phones and cameras store them lying."""
    turn = _TURNS.get(round(picture.rotation) % 360)
    return pixels if turn is None else np.asarray(cv2.rotate(pixels, turn), np.uint8)


class _Shrinking:
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
        return upright(np.asarray(shown.to_ndarray(), np.uint8), picture)


class Recording:
    """A video file, in its own time (or in a ``hurry``), once or again and again."""

    kind: Final = SourceKind.RECORDING

    def __init__(self, camera: CameraConfig, *, wait: Callable[[float], object] = time.sleep) -> None:
        self._camera = camera
        self._where = camera.source
        self._wait = wait
        path = Path(camera.source.removeprefix("file://"))
        if not path.is_file():
            raise Unfit(
                "there is no such video file",
                where=self._where,
                fix="pass SOURCE=/path/to/a/video.mp4, or 0",
            )
        options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
        try:
            self._container: InputContainer = av.open(f"file:{path}", options=options)
        except (FFmpegError, OSError) as error:
            raise self._undecodable(error) from None
        if not self._container.streams.video:
            raise self._undecodable("it holds no pictures")
        self._stream: VideoStream = self._container.streams.video[0]
        # Slices and one thread: frame threads save a tenth of a millisecond and cost frames of delay.
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        self._shrinking = _Shrinking(camera.width, camera.height)

    def _undecodable(self, why: object) -> Unfit:
        return Unfit(
            f"cannot be decoded as video ({why})",
            where=self._where,
            fix="convert it to H.264 in an MP4 file, or name another file",
        )

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Frames at ``frame_rate`` at most, stamped with the recording's own clock from now on.

        In a hurry every one of them comes; else one that is late by a period is dropped. Unfit where nothing at
        all could be decoded.
        """
        period = 1.0 / self._camera.frame_rate
        start = time.monotonic()
        due, last = 0.0, -period
        for media, picture in self._pictures():
            if media < due - period / 4:
                continue
            due = max(due + period, media + period / 2)
            at = start + media
            last = max(last, media)
            if not self._camera.hurry:
                ahead = at - time.monotonic()
                if ahead > 0:
                    self._wait(ahead)
                elif ahead < -_LATE * period:
                    continue
            yield Frame(pixels=self._shrinking.pixels(picture), at=at)
        if last < 0:
            raise self._undecodable("not one picture came out of it")

    def _pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Each picture with its time in seconds since the first, growing on through repeats."""
        step = 1.0 / float(self._stream.average_rate or 25)
        offset = 0.0
        for _ in itertools.count():
            first: float | None = None
            media = offset - step
            for picture in self._decoded():
                stamp = picture.time
                if first is None:
                    first = stamp or 0.0
                elapsed = offset + stamp - first if stamp is not None else media + step
                media = max(media, elapsed)
                yield media, picture
            if first is None or not self._camera.repeat:
                return
            offset = media + step
            self._container.seek(0)

    def _decoded(self) -> Iterator[VideoFrame]:
        """Decode to the end; damage in the middle of a file costs the damaged pictures, not the process."""
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except EndOfFile:
                return
            except FFmpegError:
                continue


class VideoDevice:
    """A camera behind V4L2 (a USB or CSI camera at /dev/videoN)."""

    kind: Final = SourceKind.CAMERA

    def __init__(self, device: str, camera: CameraConfig) -> None:
        self._where = device
        options = {"video_size": f"{camera.width}x{camera.height}", "framerate": str(camera.frame_rate)}
        if not Path(device).exists():
            raise Unavailable("there is no such camera", where=device, fix=_CAMERA_AWAY)
        try:
            self._container: InputContainer = av.open(device, format="v4l2", options=options)
            self._stream: VideoStream = self._container.streams.video[0]
        except PermissionError:
            raise Unfit(
                "permission denied for the camera", where=device, fix="add the user to the group video"
            ) from None
        except (FFmpegError, OSError, IndexError) as error:
            raise Unavailable(f"the camera does not open ({error})", where=device, fix=_CAMERA_AWAY) from None
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        self._shrinking = _Shrinking(camera.width, camera.height)

    def close(self) -> None:
        """Close the device."""
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Frames as the camera gives them, stamped on arrival; Unavailable where it stops giving them."""
        try:
            for packet in self._container.demux(self._stream):
                for picture in packet.decode():
                    yield Frame(pixels=self._shrinking.pixels(picture), at=time.monotonic())
        except (FFmpegError, OSError) as error:
            raise Unavailable(
                f"the camera went away ({error})", where=self._where, fix=_CAMERA_AWAY
            ) from None
        raise Unavailable("the camera delivers no more frames", where=self._where, fix=_CAMERA_AWAY)
