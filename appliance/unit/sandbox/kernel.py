"""The few kernel calls the sandbox needs and Python 3.11 lacks, by ctypes over the C library alone.

Invariants:
    * One function per call; a failure is an OSError with the kernel's errno; nothing is decided here.
    * Everything is resolved at import: once sealed, no library can be loaded and no closure made.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from typing import Final

from appliance.base import landlock

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_CAPBSET_DROP: Final = 24
PR_SET_SECUREBITS: Final = 28
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
PR_SET_MDWE: Final = 65

AF_UNIX: Final = 1
AF_INET: Final = 2
AF_NETLINK: Final = 16
SOCK_STREAM: Final = 1
SOL_SOCKET: Final = 1
SO_DOMAIN: Final = 39

_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_MOUNT_SETATTR: Final = 442  # these three numbers are the same on every processor
_LANDLOCK_ADD_RULE: Final = 445
_LANDLOCK_RESTRICT_SELF: Final = 446
_SECCOMP_SET_MODE_FILTER: Final = 1
_SECCOMP_FILTER_FLAG_TSYNC: Final = 1
_CAPABILITY_VERSION_3: Final = 0x20080522


def _checked(answer: int) -> int:
    """Return a call's answer, or raise the OSError it stands for."""
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


def _call(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call by number; integers go as full words."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _checked(int(_LIBC.syscall(ctypes.c_long(number), *words)))


def prctl(operation: int, second: int = 0, third: int = 0) -> int:
    """Set or read an attribute of this process by integers; unused ones are zero, as the kernel demands."""
    words = [ctypes.c_ulong(word) for word in (second, third, 0, 0)]
    return _checked(int(_LIBC.prctl(ctypes.c_int(operation), *words)))


def unshare(flags: int) -> None:
    """Leave the namespaces named by CLONE_NEW* ``flags``, for new ones of our own."""
    _checked(int(_LIBC.unshare(ctypes.c_int(flags))))


def make_mounts_read_only() -> None:
    """Make every mount of this mount namespace read-only, without set-uid, and deaf to the outside's mounts.

    mount_setattr(2), Linux 5.12: all mounts or none.
    """
    read_only, no_suid, private = 0x1, 0x2, 1 << 18
    attributes = struct.pack("<QQQQ", read_only | no_suid, 0, private, 0)
    _call(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, len(attributes))


def remount(path: bytes, flags: int) -> None:
    """Change one mount's MS_* flags: mount(2) as every kernel has it."""
    _checked(int(_LIBC.mount(None, ctypes.c_char_p(path), None, ctypes.c_ulong(flags), None)))


def drop_capabilities() -> None:
    """Empty this thread's effective, permitted and inheritable capabilities: capset(2)."""
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    _checked(int(_LIBC.capset(header, bytes(24))))


def lock_memory() -> None:
    """Keep every page, now and later, from being swapped as soon as it is used: mlockall(2)."""
    current, future, on_fault = 1, 2, 4
    _checked(int(_LIBC.mlockall(ctypes.c_int(current | future | on_fault))))


def install_filter(program: bytes, seccomp_number: int) -> None:
    """Install a classic BPF program of 8-byte instructions on all threads at once: seccomp(2)."""
    instructions = ctypes.create_string_buffer(program, len(program))
    packed = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    culprit = _call(seccomp_number, _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, packed)
    if culprit:
        raise OSError(0, f"thread {culprit} already has another system-call filter")


def landlock_ruleset(fs_rights: int, net_rights: int, scopes: int, version: int) -> int:
    """Return the descriptor of a ruleset that denies these rights; fields the version lacks are left out."""
    size = 8 if version < 4 else 16 if version < 6 else 24  # the versions that grew the struct
    attributes = struct.pack("<QQQ", fs_rights, net_rights, scopes)[:size]
    return _call(landlock.CREATE_RULESET, attributes, size, 0)


def landlock_permit(ruleset: int, rights: int, path_descriptor: int) -> None:
    """Permit ``rights`` beneath an opened path after all."""
    path_beneath = 1
    _call(_LANDLOCK_ADD_RULE, ruleset, path_beneath, struct.pack("<Qi", rights, path_descriptor), 0)


def landlock_enforce(ruleset: int) -> None:
    """Restrict this thread, and those it will start, for ever."""
    _call(_LANDLOCK_RESTRICT_SELF, ruleset, 0)


def open_socket(family: int) -> int:
    """Call socket(2) for a stream; here because the sensing process must not be able to reach Python's module."""
    return _checked(int(_LIBC.socket(ctypes.c_int(family), ctypes.c_int(SOCK_STREAM), ctypes.c_int(0))))


def socket_family(descriptor: int) -> int:
    """Return the AF_* of a socket: getsockopt(2) SO_DOMAIN."""
    family, length = ctypes.c_int(0), ctypes.c_uint(ctypes.sizeof(ctypes.c_int))
    fd = ctypes.c_int(descriptor)
    _checked(int(_LIBC.getsockopt(fd, SOL_SOCKET, SO_DOMAIN, ctypes.byref(family), ctypes.byref(length))))
    return family.value


def hide_arguments() -> None:
    """Let /proc show no command line and no environment of this process: PR_SET_MM_MAP (prctl(2)), empty ranges.

    Needs no right, but a kernel with CONFIG_CHECKPOINT_RESTORE (Debian's has it); OSError where it is refused. What
    the process itself reads as its arguments stays.
    """
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start_code, end_code, start_stack = (int(fields[at - 3]) for at in (26, 27, 28))  # proc(5) counts from 1
    start_data, end_data, start_brk, arg_start = (int(fields[at - 3]) for at in (45, 46, 47, 48))
    _LIBC.sbrk.restype = ctypes.c_void_p
    brk = int(_LIBC.sbrk(0) or 0)
    # struct prctl_mm_map: code, data, brk, stack, arguments and environment, auxv, its size, the program's descriptor
    ranges = (start_code, end_code, start_data, end_data, start_brk, brk, start_stack)
    packed = struct.pack("<11QQIi", *ranges, *(arg_start,) * 4, 0, 0, -1)
    set_mm, set_mm_map = 35, 14
    given = ctypes.create_string_buffer(packed, len(packed))
    words = (ctypes.c_ulong(set_mm_map), given, ctypes.c_ulong(len(packed)), ctypes.c_ulong(0))
    _checked(int(_LIBC.prctl(ctypes.c_int(set_mm), *words)))


def trace_nobody() -> None:
    """Ask ptrace(2) to continue process 0: ESRCH where tracing is possible at all, EPERM where it is filtered."""
    trace_continue = 7
    no_process = ctypes.c_int(0)
    _checked(int(_LIBC.ptrace(ctypes.c_long(trace_continue), no_process, None, None)))


def map_executable() -> None:
    """Map one page that is writable and executable at once, as injected code would need; OSError if refused."""
    libc_mmap = _LIBC.mmap
    libc_mmap.restype = ctypes.c_void_p
    read_write_exec, private_anonymous = 7, 0x22
    address = libc_mmap(None, ctypes.c_size_t(4096), read_write_exec, private_anonymous, -1, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
