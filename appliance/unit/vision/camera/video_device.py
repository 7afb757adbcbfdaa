"""A camera behind V4L2 (a USB or CSI camera at /dev/videoN): what it gives is taken, what it damages is skipped.

Invariants:
    * One damaged picture costs that picture. With no good one for `PATIENCE` seconds the camera is away.
    * The size that the driver chose is the size that is read, whatever was asked for.
    * It is opened once, before the walls; afterwards the next picture is all that is asked of the driver.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.health import SourceKind
from appliance.settings.config import CameraConfig
from appliance.unit.vision.camera.frame_source import CAMERA_AWAY, Shrinking
from appliance.unit.vision.types import Frame

_PASSING: Final = frozenset({errno.EAGAIN, errno.EIO, errno.EINTR, errno.ETIMEDOUT})
"""Errors of one picture; of EIO the interface says "temporary problems like signal loss" (VIDIOC_DQBUF)."""
_PAUSE: Final = 0.02
PATIENCE: Final = 5.0
"""Seconds without a good picture after which the camera counts as away."""
_RAW_BITS: Final = 16
_USB_BITS_A_SECOND: Final = 192_000_000
"""What a USB 2.0 camera can carry (24 MB/s of isochronous data, USB 2.0 section 5.6.3); more comes late."""


class VideoDevice:
    """An open V4L2 camera. Unavailable where it is away, Unfit where it may not be used."""

    kind: Final = SourceKind.CAMERA

    def __init__(self, device: str, camera: CameraConfig) -> None:
        self._where = device
        self.damaged = 0
        """Pictures that were skipped so far."""
        if not Path(device).exists():
            raise Unavailable("there is no such camera", where=device, fix=CAMERA_AWAY)
        self._first: Packet[VideoStream] | None = None
        self._container, self._stream = self._opened(camera)
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        self._shrinking = Shrinking(camera.width, camera.height)

    def _opened(self, camera: CameraConfig) -> tuple[InputContainer, VideoStream]:
        """The camera in the first way of `_ways` that it takes."""
        error: Exception | None = None
        for options in _ways(camera):
            try:
                container = av.open(self._where, format="v4l2", options=options)
                stream = container.streams.video[0]
                if self._fits(container, stream):
                    return container, stream
                container.close()
            except PermissionError:
                raise Unfit(
                    "permission denied for the camera",
                    where=self._where,
                    fix="add the user to the group video",
                ) from None
            except (FFmpegError, OSError, IndexError) as refusal:
                error = refusal
        why = f"the camera does not open ({error or 'its pictures are of another size than it says'})"
        raise Unavailable(why, where=self._where, fix=CAMERA_AWAY)

    def _fits(self, container: InputContainer, stream: VideoStream) -> bool:
        """Whether raw pictures have the bytes that their announced size needs.

        A driver may choose another size than it was asked for, and FFmpeg then goes on with the one asked for. Only
        the number of bytes is looked at; the picture is decoded later, like every other.
        """
        context = stream.codec_context
        if context.name != "rawvideo" or context.pix_fmt is None:
            return True
        for packet in container.demux(stream):
            if packet.size:
                bits = VideoFormat(context.pix_fmt, context.width, context.height).padded_bits_per_pixel
                fits = packet.size == context.width * context.height * bits // 8
                # Kept only where its container stays open: its bytes are the driver's, and go with it.
                self._first = packet if fits else None
                return fits
        return False

    def close(self) -> None:
        """Close the device."""
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Frames as the camera gives them, stamped on arrival; Unavailable where it stops giving good ones."""
        good = time.monotonic()
        first, self._first = self._first, None
        packets = chain([first] if first is not None else [], self._packets())
        for packet in packets:
            pictures = _decoded(packet)
            for picture in pictures or ():
                good = time.monotonic()
                yield Frame(pixels=self._shrinking.pixels(picture), at=good)
            if pictures is None:
                self.damaged += 1
                if time.monotonic() - good > PATIENCE:
                    raise Unavailable(
                        f"no good picture for {PATIENCE:g} seconds, {self.damaged} damaged ones",
                        where=self._where,
                        fix="check the cable and the hub that it is plugged into",
                    )
        raise Unavailable("the camera delivers no more frames", where=self._where, fix=CAMERA_AWAY)

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """What the driver gives, one after the other; None for what it calls damaged. Unavailable where it fails."""
        while True:
            try:
                yield from self._container.demux(self._stream)
            except InvalidDataError:
                yield None
            except (FFmpegError, OSError) as error:
                if error.errno in _PASSING:
                    time.sleep(_PAUSE)
                    yield None
                    continue
                raise Unavailable(
                    f"the camera went away ({error.strerror})", where=self._where, fix=CAMERA_AWAY
                ) from None
            else:
                return


def _ways(camera: CameraConfig) -> Iterator[dict[str, str]]:
    """How a camera is asked, the best first: as configured; without a size, where the driver has chosen one.

    Raw pictures that a USB camera cannot carry in time are asked for as MJPEG first.
    """
    asked = {"video_size": f"{camera.width}x{camera.height}", "framerate": str(camera.frame_rate)}
    if camera.width * camera.height * camera.frame_rate * _RAW_BITS > _USB_BITS_A_SECOND:
        yield {**asked, "input_format": "mjpeg"}
    yield asked
    yield {"framerate": str(camera.frame_rate)}
    yield {}


def _decoded(packet: Packet[VideoStream] | None) -> list[av.VideoFrame] | None:
    """The pictures in a packet; None where it is damaged: empty, flagged by the driver, or not decodable."""
    if packet is None or not packet.size or packet.is_corrupt:
        return None
    try:
        return [picture for picture in packet.decode() if isinstance(picture, av.VideoFrame)]
    except FFmpegError:
        return None
