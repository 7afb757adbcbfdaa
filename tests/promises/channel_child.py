"""A taken-over SENSE: seals itself as it does, then tries to hand a secret to whoever watches, by one channel each.

Started by test_channels.py: ``channel_child.py CHANNEL OUTLET``. It says ``ready`` on the outlet once it is sealed,
waits for a byte on its standard input, does what it can, says ``done`` and waits for the input to end.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import platform
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from appliance.unit.sandbox import stages  # noqa: E402  the path comes first
from appliance.unit.sandbox.plan import SealPlan  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
SECRET = random.Random(7).randbytes(64)  # noqa: S311 - to be recognised, not to be kept
PAUSE = 0.002
X86 = platform.machine() == "x86_64"
FILES = [Path(os.environ.get("CHANNEL_FILES", "/nowhere")) / str(number) for number in range(256)]
"""Files that anybody may read, and that nobody but us opens."""


def arguments_in_memory(where: tuple[int, int]) -> None:
    """Write the secret into the memory that once held the command line and the environment."""
    begin, end = where
    piece = SECRET[: max(0, end - begin - 1)]
    ctypes.memmove(begin, piece, len(piece))


def opens() -> None:
    """Open one of 256 readable files for each byte: inotify shows which."""
    for byte in SECRET:
        with contextlib.suppress(OSError):
            os.close(os.open(FILES[byte], os.O_RDONLY))


def evictions() -> None:
    """Evict or read pages of files: who maps the same file can tell which are in memory."""
    for number in (221, 223) if not X86 else (221, 187, 27):
        LIBC.syscall(ctypes.c_long(number), 0, 0, 4096, 4)


def signal_mask() -> None:
    """Block signals by number: SigBlk in /proc/PID/status."""
    for at in range(0, len(SECRET), 4):
        mask = (ctypes.c_uint64 * 16)(int.from_bytes(SECRET[at : at + 4], "little") << 30)
        LIBC.pthread_sigmask(2, ctypes.byref(mask), None)
        time.sleep(PAUSE)


def signal_handlers() -> None:
    """Ignore signals by number: SigIgn in /proc/PID/status."""
    LIBC.signal.restype = ctypes.c_void_p
    for byte in SECRET:
        LIBC.signal(34 + byte % 28, ctypes.c_void_p(1))
        time.sleep(PAUSE)


def affinity() -> None:
    """Choose processors: Cpus_allowed in /proc/PID/status."""
    for byte in SECRET:
        mask = (ctypes.c_ulong * 16)(1 + byte % 2)
        LIBC.sched_setaffinity(0, ctypes.sizeof(mask), ctypes.byref(mask))
        time.sleep(PAUSE)


def locked_pages() -> None:
    """Lock pages: VmLck in /proc/PID/status."""
    memory = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for byte in SECRET:
        LIBC.mlock(ctypes.c_void_p(base), ctypes.c_size_t(4096 * (1 + byte % 15)))
        time.sleep(PAUSE)


def threads() -> None:
    """Start threads: Threads in /proc/PID/status."""
    for byte in SECRET[:16]:
        for _ in range(byte % 7):
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=time.sleep, args=(PAUSE,), daemon=True).start()
        time.sleep(2 * PAUSE)


def thread_name() -> None:
    """Name itself: comm in /proc/PID."""
    for at in range(0, len(SECRET), 15):
        LIBC.prctl(15, SECRET[at : at + 15], 0, 0, 0)
        time.sleep(PAUSE)


def priority() -> None:
    """Change its priority: nice in /proc/PID/stat."""
    for byte in SECRET:
        LIBC.setpriority(0, 0, byte % 20)
        time.sleep(PAUSE)


def directory() -> None:
    """Change its directory: /proc/PID/cwd."""
    for byte in SECRET:
        with contextlib.suppress(OSError):
            os.chdir(("/", "/usr", "/etc", "/var")[byte % 4])
        time.sleep(PAUSE)


def complaints() -> None:
    """Write to standard error: the journal keeps it."""
    for _ in range(64):
        with contextlib.suppress(OSError):
            os.write(2, SECRET)
        with contextlib.suppress(OSError):
            os.writev(2, [SECRET])


def made_of(family: int, kind: int) -> Callable[[], None]:
    """Make a socket of a family."""

    def attempt() -> None:
        descriptor = LIBC.socket(family, kind, 0)
        if descriptor >= 0:
            os.write(int(sys.argv[2]), b"through")

    return attempt


def asked(x86: int, arm: int, *words: int) -> Callable[[], None]:
    """Make a system call by number that must not succeed."""

    def attempt() -> None:
        if LIBC.syscall(ctypes.c_long(x86 if X86 else arm), *map(ctypes.c_long, words)) >= 0:
            os.write(int(sys.argv[2]), b"through")

    return attempt


def shared_wakes() -> None:
    """Wake whoever waits on a page of the C library that both have mapped (futex without FUTEX_PRIVATE_FLAG)."""
    address = ctypes.cast(LIBC.getpid, ctypes.c_void_p).value or 0
    for _ in range(50):
        if (
            LIBC.syscall(
                ctypes.c_long(202 if X86 else 98), ctypes.c_void_p(address & ~3), 1, 1, None, None, 0
            )
            >= 0
        ):
            os.write(int(sys.argv[2]), b"through")


def shared_memory() -> None:
    """Fill memory that sysinfo(2) counts as shared, for anybody who asks."""
    with contextlib.suppress(OSError, ValueError):
        mmap.mmap(-1, 1 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        os.write(int(sys.argv[2]), b"through")


def pages_locked_as_mapped() -> None:
    """Map locked pages: VmLck in /proc/PID/status."""
    for byte in SECRET:
        with contextlib.suppress(OSError, ValueError):
            mmap.mmap(-1, 4096 * (1 + byte % 15), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x2000)
        time.sleep(PAUSE)


def mask_while_waiting() -> None:
    """Wait with a signal mask of one's own: SigBlk in /proc/PID/status, while it lasts."""
    pause = (ctypes.c_long * 2)(0, 5_000_000)
    for at in range(0, len(SECRET), 8):
        mask = (ctypes.c_uint64 * 1)(int.from_bytes(SECRET[at : at + 8], "little"))
        LIBC.syscall(ctypes.c_long(271 if X86 else 73), None, 0, pause, mask, 8)


def reads_of_standard_input() -> None:
    """Read what stands for standard output: /dev/null, which others may watch."""
    with contextlib.suppress(OSError):
        os.read(1, 1)
        os.write(int(sys.argv[2]), b"through")


def signals_to_itself() -> None:
    """End by a signal without a name: whoever reports it must not stumble."""
    for number in (40, 50, 10, 12):
        LIBC.kill(os.getpid(), number)


def old_gate() -> None:
    """Enter the kernel by the 32-bit gate (int 0x80, getpid) from executable bytes that are there already."""
    lib = Path("/proc/self/maps")  # cannot be opened any more: a gadget must be found blindly
    with contextlib.suppress(OSError):
        lib.read_bytes()
        os.write(int(sys.argv[2]), b"through")


CHANNELS: dict[str, Callable[[], None]] = {
    "opens": opens,
    "evictions": evictions,
    "signal mask": signal_mask,
    "signal handlers": signal_handlers,
    "affinity": affinity,
    "locked pages": locked_pages,
    "threads": threads,
    "thread name": thread_name,
    "priority": priority,
    "directory": directory,
    "complaints": complaints,
    "own maps": old_gate,
    "shared wakes": shared_wakes,
    "shared memory": shared_memory,
    "pages locked as mapped": pages_locked_as_mapped,
    "mask while waiting": mask_while_waiting,
    "reads of standard input": reads_of_standard_input,
    "signals to itself": signals_to_itself,
    "socket AF_ALG": made_of(38, 5),
    "socket AF_VSOCK": made_of(40, 1),
    "socket AF_NETLINK": made_of(16, 3),
    "message queue (POSIX)": asked(240, 180, 0, 0o102, 0o600, 0),
    "message queue (System V)": asked(68, 186, 0, 0o1600),
    "semaphore (System V)": asked(64, 190, 0, 1, 0o1600),
    "memory file": asked(319, 279, 0, 0),
    "pipe": asked(293, 59, 0, 0),
    "event counter": asked(290, 19, 0, 0),
    "signal file": asked(289, 74, -1, 0, 8, 0),
    "inotify": asked(294, 26, 0),
    "fanotify": asked(300, 262, 0, 0),
    "pidfd": asked(434, 434, os.getppid(), 0),
    "process group": asked(109, 154, 0, 0),
    "session": asked(112, 157),
    "file lock": asked(73, 32, 0, 2),
    "timer": asked(222, 107, 0, 0, 0),
    "set time limit": asked(160, 164, 0, 0),
    "umask": asked(95, 166, 0),
    "personality": asked(135, 92, 0x0400000),
    "i/o priority": asked(251, 30, 1, 0, 0),
    "scheduler": asked(144, 119, 0, 3, 0),
    "memory policy": asked(238, 237, 0, 0, 0),
    "another filter": asked(317, 277, 1, 1, 0),
    "V4L2: set a control": asked(16, 29, 0, 0xC008561C, 0),
    "V4L2: set a format": asked(16, 29, 0, 0xC0D05605, 0),
    "media: set up a link": asked(16, 29, 0, 0xC0347C03, 0),
}
DEADLY = {
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "io_uring": (425, 425),
    "bpf": (321, 280),
    "process_vm_writev": (311, 271),
    "x32 write": (0x40000000 | 1, 40),
}


def arguments_range() -> tuple[int, int]:
    """Where the command line lies, as /proc says before it is hidden."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[45]), int(fields[46])


def main() -> None:
    """Seal, wait, try, wait."""
    channel, outlet = sys.argv[1], int(sys.argv[2])
    where = arguments_range()
    plan = SealPlan(
        outlet=outlet,
        readable=(0,),
        device_paths=("/dev/video0",) if "V4L2" in channel else (),
        look_around="LOOK_AROUND" in os.environ,
    )
    stages.seal_or_refuse(plan, stages.enclose(plan))
    os.write(outlet, b"ready")
    os.read(0, 1)
    if channel == "arguments":
        arguments_in_memory(where)
        time.sleep(0.1)
    elif channel in DEADLY:
        LIBC.syscall(ctypes.c_long(DEADLY[channel][0 if X86 else 1]), 0, 0, 0, 0, 0, 0)
        os.write(outlet, b"through")
    else:
        CHANNELS[channel]()
    os.write(outlet, b"done")
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
