"""What this process holds open or mapped: closing the rest at the start, and the survey of what is left at the seal.

Invariants:
    * A descriptor that could carry a frame out is named, never quietly tolerated.
    * So is memory that another process could see: a shared mapping that is, or can be made, writable outlives its
      descriptor and every wall, and no system call is needed to write to it. None is tolerated but a device's of the
      plan; not even one without a name, for a process forked before may hold it too.
    * Libraries keep private descriptors (event counters, timers, memory for the camera): those lead nowhere,
      because the sockets that could hand them to another process are gone.
"""

from __future__ import annotations

import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.unit.sandbox import kernel
from appliance.unit.sandbox.plan import SealPlan

_PRIVATE: Final = ("anon_inode:[eventpoll]", "anon_inode:[timerfd]", "anon_inode:sync_file")
_EVENT_COUNTER: Final = "anon_inode:[eventfd]"
_CAMERA_MEMORY: Final = ("/memfd:", "/dmabuf:")
_SMAPS: Final = Path("/proc/self/smaps")
_COMPLAINT_LIMIT: Final = 8192  # Python's text layer writes stderr in blocks of at most this
_COUNTER_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The descriptors found open: which may be written and by how much, what to listen on, what leaks."""

    writable: tuple[tuple[int, int], ...]
    listening: tuple[int, ...]
    leaks: tuple[str, ...]
    highest: int


def close_the_rest(kept: frozenset[int]) -> int:
    """Close every descriptor not in ``kept``; return how many were open.

    Descriptors 0, 1 and 2 that are not kept become a read-only /dev/null, so that nothing opened later takes
    their numbers and is written to by mistake.
    """
    extra = [fd for fd, _ in _open_descriptors() if fd not in kept]
    for fd in extra:
        os.close(fd)
    for fd in (0, 1, 2):
        if fd not in kept:
            null = os.open(os.devnull, os.O_RDONLY)
            if null != fd:
                os.dup2(null, fd, inheritable=False)
                os.close(null)
    return len(extra)


def _open_descriptors() -> tuple[tuple[int, str], ...]:
    """Return the open descriptors and what each leads to, without the one used for looking."""
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  a Path would be built only to be taken apart
        try:
            found.append((int(name), os.readlink(f"/proc/self/fd/{name}")))  # noqa: PTH115
        except FileNotFoundError:
            continue  # the descriptor listdir itself used
    return tuple(sorted(found))


def _is_under(target: str, paths: tuple[str, ...]) -> bool:
    return any(Path(target).is_relative_to(path) for path in paths)


def survey(plan: SealPlan) -> Survey:
    """Look at every open descriptor and judge it against ``plan``."""
    writable = [(plan.outlet, plan.outlet_limit), (plan.complaints, _COMPLAINT_LIMIT)]
    if plan.buttons is not None:
        writable.append((plan.buttons, 1))
    listening: list[int] = []
    leaks: list[str] = []
    found = _open_descriptors()
    for fd, target in found:
        if fd in dict(writable):
            leaks += _judge_kept(fd, target, plan)
        elif target == _EVENT_COUNTER:
            writable.append((fd, _COUNTER_BYTES))
        elif _is_netlink_for_usb(fd, target, plan):
            listening.append(fd)
        elif not _leads_nowhere(fd, target, plan):
            leaks.append(f"descriptor {fd} can be written to and leads to {target}")
    leaks += shared_memory(plan)
    missing = {fd for fd, _ in writable} - {fd for fd, _ in found}
    leaks += [f"descriptor {fd} of the plan is not open" for fd in sorted(missing)]
    highest = max((fd for fd, _ in found), default=2)
    return Survey(writable=tuple(writable), listening=tuple(listening), leaks=tuple(leaks), highest=highest)


def shared_memory(plan: SealPlan) -> list[str]:
    """Name every mapping that others may see and this process may write, or may come to write with mprotect(2).

    proc(5), smaps: of VmFlags ``sh`` is there for memory shared with write access to the file, ``mw`` where writing
    may be allowed. (maps shows the present protection only, and an ``s`` for harmless read-only files as well.)
    """
    try:
        lines = _SMAPS.read_bytes().splitlines()
    except OSError as refusal:
        return [f"the kernel does not tell what is mapped ({refusal.strerror}; CONFIG_PROC_PAGE_MONITOR)"]
    devices = {os.readlink(f"/proc/self/fd/{fd}") for fd in plan.devices}  # noqa: PTH115  kernel's own words
    found, target = [], ""
    for line in lines:
        first, *rest = line.split(maxsplit=5)
        if b"-" in first and not first.endswith(b":"):  # address-range permissions offset device inode [name]
            target = os.fsdecode(rest[4]) if len(rest) > 4 else "memory without a name"
        elif first == b"VmFlags:" and {b"sh", b"mw"} <= set(b" ".join(rest).split()):
            found.append(target)
    return [
        f"shared memory can be written to and is {target}"
        for target in dict.fromkeys(found)
        if not (target in devices or _is_camera_memory(target, plan) or _is_under(target, plan.device_paths))
    ]


def _is_camera_memory(target: str, plan: SealPlan) -> bool:
    """Tell whether it is memory that a camera's library made and hands to nobody but the driver."""
    return bool(plan.device_paths) and target.startswith(_CAMERA_MEMORY)


def misplaced(plan: SealPlan) -> tuple[str, ...]:
    """Return what is wrong with the channels of ``plan``, or mapped already; empty where all is as it should be."""
    buttons = () if plan.buttons is None else (plan.buttons,)
    channels = {plan.outlet, plan.complaints, *buttons}
    found = dict(_open_descriptors())
    wrong = [f"descriptor {fd} of the plan is not open" for fd in sorted(plan.kept - set(found))]
    for fd in sorted(fd for fd in channels if fd in found):
        wrong += _judge_kept(fd, found[fd], plan)
    return (*wrong, *shared_memory(plan))


def _judge_kept(fd: int, target: str, plan: SealPlan) -> list[str]:
    """A kept descriptor must be a channel of its kind, never a file."""
    mode = os.fstat(fd).st_mode
    if fd in {plan.outlet, plan.buttons}:
        write_only = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
        if not (stat.S_ISFIFO(mode) and write_only):
            return [f"the outlet (descriptor {fd}) is not the write end of a pipe but {target}"]
    elif stat.S_ISSOCK(mode):
        if kernel.socket_family(fd) != kernel.AF_UNIX:
            return [f"complaints (descriptor {fd}) go to a network socket"]
    elif not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return [
            f"complaints (descriptor {fd}) go to the file {target}; use a pipe, a terminal or the journal"
        ]
    return []


def _is_netlink_for_usb(fd: int, target: str, plan: SealPlan) -> bool:
    """Tell whether it is the socket by which a USB library learns of plugging; useless in an empty network."""
    uses_usb = any(Path(path).is_relative_to("/dev/bus/usb") for path in plan.device_paths)
    return uses_usb and target.startswith("socket:") and kernel.socket_family(fd) == kernel.AF_NETLINK


def _leads_nowhere(fd: int, target: str, plan: SealPlan) -> bool:
    """Tell whether no byte written to the descriptor could reach anybody."""
    if fd in plan.devices or target in _PRIVATE or target == os.devnull:
        return True
    if target.startswith("socket:"):
        return False
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        return True
    if _is_camera_memory(target, plan):
        return True
    return stat.S_ISCHR(os.fstat(fd).st_mode) and _is_under(target, plan.device_paths)
