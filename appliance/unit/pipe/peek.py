"""RELAY's end of the one-way pipe: look first, take away only what is safe.

Invariants:
    * What was looked at stays in the pipe, and the pipe outlives RELAY (systemd holds it): whoever is killed before
      ``take`` leaves everything to the successor.
    * Never blocks, and holds nothing back: what was copied is given whole.

tee(2) copies between pipes without taking away; Python has no call for it.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

from appliance.base.errors import Unfit

_NONBLOCK: Final = 2
"""SPLICE_F_NONBLOCK of splice(2)."""
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.tee.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint)
_LIBC.tee.restype = ctypes.c_ssize_t


class PipePeek:
    """The read end ``descriptor`` of a pipe, which must not block. Unfit where it is no pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._copy_out, self._copy_in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self.look(1)
        except BlockingIOError:
            pass
        except OSError as error:
            self.close()
            raise Unfit(
                f"what RELAY was given to read is no pipe: {error.strerror}",
                where=f"descriptor {descriptor}",
                fix="start relay through its socket unit (systemctl start leftfield-pipe.socket), or mkfifo it",
            ) from None

    def look(self, most: int) -> bytes:
        """The first ``most`` bytes that lie in the pipe, or fewer; they stay there. Empty where nobody writes to it.

        BlockingIOError where nothing lies there and somebody may write.
        """
        while True:
            count = int(_LIBC.tee(self._descriptor, self._copy_in, most, _NONBLOCK))
            if count >= 0:
                break
            number = ctypes.get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))  # which is BlockingIOError for EAGAIN
        copied = bytearray()
        while len(copied) < count:
            copied += os.read(self._copy_out, count - len(copied))
        return bytes(copied)

    def take(self, count: int) -> None:
        """Take away ``count`` bytes that were looked at."""
        while count > 0:
            count -= len(os.read(self._descriptor, count))

    def close(self) -> None:
        """Close what was made here; the pipe itself stays open."""
        os.close(self._copy_out)
        os.close(self._copy_in)
