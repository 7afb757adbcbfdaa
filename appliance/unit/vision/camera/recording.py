"""A recorded video file, in its own time: what its clock does, and what a file may be.

Invariants:
    * Its time never falls and never leaps: a clock that falls back (files joined together) goes on from where it was,
      and a gap (a camera that was off, a time lapse) is cut to one step.
    * A machine too slow for it gets every n-th picture, in the machine's own time; never none of them.
    * A file whose colours or pictures would be read wrongly is Unfit, with one line that says why.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from appliance.base.errors import Unfit
from appliance.protocol.health import SourceKind
from appliance.settings.config import CameraConfig
from appliance.unit.vision.camera.frame_source import Shrinking
from appliance.unit.vision.types import Frame

_FORMATS: Final = "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,ogg,yuv4mpegpipe"
_LATE: Final = 1.0
"""A picture this many frame periods late is dropped before it is converted."""
_STARVED: Final = 0.5
"""Seconds without a picture after which a late one is given all the same."""
_GAP: Final = 2.0
"""Seconds between two pictures that are a gap and not a slow camera."""
_HDR: Final = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of high dynamic range (ITU-T H.273 table 3)."""


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
            # A title in another encoding than UTF-8 is nothing to us.
            self._container: InputContainer = av.open(
                f"file:{path}", options=options, metadata_errors="replace"
            )
        except (FFmpegError, OSError) as error:
            raise self._undecodable(error) from None
        # A cover picture is a stream of one picture that never moves.
        films = [
            one for one in self._container.streams.video if not one.disposition & Disposition.attached_pic
        ]
        if not films:
            raise self._undecodable("it holds no pictures that move")
        self._stream: VideoStream = films[0]
        if self._stream.codec_context is None:
            raise self._undecodable("its codec is not known")
        if hdr := _HDR.get(int(self._stream.codec_context.color_trc or 0)):
            raise Unfit(
                f"it is a high dynamic range recording ({hdr}), whose colours would be read wrongly",
                where=self._where,
                fix="convert it to standard range (BT.709), or record without HDR",
            )
        # Slices and one thread: frame threads save a tenth of a millisecond and cost frames of delay.
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        self._shrinking = Shrinking(camera.width, camera.height)

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
        start = given = time.monotonic()
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
                    now = time.monotonic()
                    if now - given < _STARVED:
                        continue
                    # Too slow for this recording: from here on it runs in the machine's own time.
                    start, at = start - ahead, now
            given = time.monotonic()
            yield Frame(pixels=self._shrinking.pixels(picture), at=at)
        if last < 0:
            raise self._undecodable("not one picture came out of it")

    def _pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Each picture with its time in seconds since the first, growing on through repeats."""
        step = min(1.0, 1.0 / float(self._stream.average_rate or 25))
        media = -step
        for _ in itertools.count():
            shift: float | None = None
            for picture in self._decoded():
                stamp: float | None = picture.time
                usual = media + step
                if stamp is None:
                    media = usual
                else:
                    leap = 0.0 if shift is None else stamp + shift - media
                    if shift is None or leap < -step or leap > _GAP:  # begun, fallen back, or a gap
                        shift = usual - stamp
                    media = max(media, stamp + shift)
                yield media, picture
            if shift is None or not self._camera.repeat:
                return
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
