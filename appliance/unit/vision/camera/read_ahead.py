"""Reads the next frame while the present one is being looked at, and notices when none comes.

Invariants:
    * One frame ahead, no more: frames do not pile up, and each is let go as soon as the next is asked for.
    * A source that stays silent for ``patience`` seconds is ``Unavailable``, even if its driver hangs.
    * What the reading thread raises is raised to whoever asks for frames.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Final

from appliance.base.errors import LeftfieldError, Unavailable, Unfit
from appliance.protocol.health import SourceKind
from appliance.unit.vision.camera.frame_source import Source
from appliance.unit.vision.types import Frame

PATIENCE: Final = 10.0
_LOOK_UP: Final = 0.25
_JOIN: Final = 2.0


class ReadAhead:
    """A source whose frames are read by a thread of their own."""

    def __init__(self, source: Source, *, patience: float = PATIENCE) -> None:
        self._source = source
        self._patience = patience
        self._read: queue.Queue[Frame | LeftfieldError | None] = queue.Queue(maxsize=1)
        self._closed = threading.Event()
        self._wanted = threading.Event()
        # Started before the walls are shut, and waiting: afterwards no thread can be started.
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    @property
    def kind(self) -> SourceKind:
        """What the frames are."""
        return self._source.kind

    def frames(self) -> Iterator[Frame]:
        """Frames in order; Unavailable where the source is, or stays silent; Unfit where it is. Call once."""
        self._wanted.set()
        while True:
            try:
                found = self._read.get(timeout=self._patience)
            except queue.Empty:
                raise Unavailable(
                    f"no frame for {self._patience:g} seconds",
                    where="camera",
                    fix="check the camera and its cable",
                ) from None
            if found is None:
                return
            if isinstance(found, LeftfieldError):
                raise found
            yield found
            del found

    def close(self) -> None:
        """End the thread and let go of the source; a thread that hangs in its driver is left to the process's end."""
        self._closed.set()
        self._wanted.set()
        self._thread.join(_JOIN)
        if not self._thread.is_alive():
            self._source.close()

    def _run(self) -> None:
        """Once frames are wanted: hand over every one, then None, or the error."""
        self._wanted.wait()
        if self._closed.is_set():
            return
        last: LeftfieldError | None = Unfit(
            "the frame reader failed", where="camera", fix="report the traceback above"
        )
        try:
            for frame in self._source.frames():
                if not self._put(frame):
                    return
            last = None
        except LeftfieldError as error:
            last = error
        finally:
            self._put(last)

    def _put(self, found: Frame | LeftfieldError | None) -> bool:
        """Wait for room; False once closed."""
        while not self._closed.is_set():
            try:
                self._read.put(found, timeout=_LOOK_UP)
            except queue.Full:
                continue
            return True
        return False
