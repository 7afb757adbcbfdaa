"""Whether this kernel has Landlock: asked by the call that would use it, for securityfs may not be mounted."""

from __future__ import annotations

import ctypes
import os
from typing import Final

CREATE_RULESET: Final = 444
"""landlock_create_ruleset(2); the number is the same on every processor."""
_VERSION_FLAG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def version() -> int:
    """Return the kernel's Landlock ABI version, from 1; OSError where it has none or it is switched off."""
    no_size, flag = ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG)
    answer = int(_LIBC.syscall(ctypes.c_long(CREATE_RULESET), None, no_size, flag))
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
