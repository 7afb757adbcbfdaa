"""The probes: process SENSE, sealed, tries by every way it knows to let something out.

Invariants:
    * A probe asks the kernel; it trusts no report. What it manages to make it takes away again at once.
    * Every probe that gets through is told, not the first only.
    * No probe is needed for what would kill the process (see the deadly calls in syscalls.py): those are tried
      from outside, in tests/promises/.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from appliance.unit.sandbox import descriptors, kernel
from appliance.unit.sandbox.plan import Breach, SealPlan, Wall

_REBUILD: Final = "this is a fault of the appliance: report it with the kernel's version (uname -a)"
_NO_SECCOMP: Final = "use a kernel with CONFIG_SECCOMP_FILTER; in a container allow seccomp(2)"
_CLOSED_NUMBER: Final = 0x7FFF_FFF0  # a descriptor number nobody can have
_NOWHERE: Final = "/proc/self/leftfield-is-not-here"
_FILTERED: Final = errno.EPERM


def _gets_through(attempt: Callable[[], object], *, unless: frozenset[int] = frozenset()) -> bool:
    """Tell whether an attempt succeeds, or fails only for a reason other than ``unless`` (all errnos if empty)."""
    try:
        attempt()
    except OSError as refusal:
        return bool(unless) and refusal.errno not in unless
    return True


_ONLY_FILTER: Final = frozenset({_FILTERED})


def _open_socket(family: int) -> None:
    os.close(kernel.open_socket(family))


def _create(directory: str) -> None:
    name = f"{directory}/.leftfield-probe-{os.getpid()}"
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    os.unlink(name)  # noqa: PTH108  as near to the kernel as can be


def _create_nameless(directory: str) -> None:
    os.close(os.open(directory, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600))


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _memory_file() -> None:
    os.close(os.memfd_create("leftfield-probe"))


def _pipe() -> None:
    for fd in os.pipe():
        os.close(fd)


def _raise_limit() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    except ValueError as refusal:  # Python's word for EPERM here
        raise OSError(errno.EPERM, str(refusal)) from refusal


def _directories() -> tuple[str, ...]:
    """Return where a program would think of writing: temporary, shared memory, here, home, the models."""
    package = Path(__file__).resolve().parents[2]
    home = os.environ.get("HOME", "/")
    here = os.getcwd()  # noqa: PTH109  a string is wanted
    places = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", here, home)  # noqa: S108  to be refused there
    return tuple(dict.fromkeys((*places, str(package), str(package.parent / "models_tflite"))))


def _calls() -> Iterator[tuple[str, bool]]:
    """Yield each attempt by system call and whether it got through."""
    for name, family in (
        ("network", kernel.AF_INET),
        ("local", kernel.AF_UNIX),
        ("netlink", kernel.AF_NETLINK),
    ):
        yield f"a {name} socket could be made", _gets_through(lambda family=family: _open_socket(family))  # type: ignore[misc]
    yield "a file in memory could be made", _gets_through(_memory_file)
    yield "a pipe could be made", _gets_through(_pipe)
    yield "a process could be forked", _gets_through(_fork)
    yield (
        "a program could be executed",
        _gets_through(lambda: os.execv(_NOWHERE, [_NOWHERE]), unless=_ONLY_FILTER),  # noqa: S606
    )
    yield "a process could be traced", _gets_through(kernel.trace_nobody, unless=_ONLY_FILTER)
    yield (
        "a descriptor outside the plan could be written to",
        _gets_through(lambda: os.write(_CLOSED_NUMBER, b"?"), unless=_ONLY_FILTER),
    )
    yield "memory could be made writable and executable", _gets_through(kernel.map_executable)
    yield "a name could be removed", _gets_through(lambda: os.unlink(_NOWHERE), unless=_ONLY_FILTER)  # noqa: PTH108
    yield "a limit could be set", _gets_through(_raise_limit)


def _files() -> Iterator[str]:
    for directory in _directories():
        if _gets_through(lambda directory=directory: _create(directory)):  # type: ignore[misc]
            yield f"a file could be made in {directory}"
        if _gets_through(lambda directory=directory: _create_nameless(directory)):  # type: ignore[misc]
            yield f"a nameless file could be made in {directory}"


def _thread_statuses() -> Iterator[tuple[str, dict[str, str]]]:
    for task in sorted(os.listdir("/proc/self/task")):  # noqa: PTH208
        text = Path(f"/proc/self/task/{task}/status").read_text(encoding="utf-8", errors="replace")
        yield task, dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def _threads() -> Iterator[Breach]:
    """Every thread must show the filter, no_new_privs and no capability in /proc/self/task/*/status."""
    for thread, status in _thread_statuses():
        if status.get("Seccomp") != "2":
            yield Breach(
                wall=Wall.SECCOMP, what=f"thread {thread} has no system-call filter", fix=_NO_SECCOMP
            )
        if status.get("NoNewPrivs") != "1":
            yield Breach(wall=Wall.NO_NEW_PRIVS, what=f"thread {thread} could gain privileges", fix=_REBUILD)
        held = [name for name in ("CapEff", "CapPrm", "CapInh", "CapAmb") if int(status.get(name, "0"), 16)]
        if held:
            fix = "call enclose() before anything starts a thread"
            what = f"thread {thread} holds capabilities ({', '.join(held)})"
            yield Breach(wall=Wall.CAPABILITIES, what=what, fix=fix)


def writable_mounts() -> tuple[str, ...]:
    """Return the mount points where this process could write (proc(5), mountinfo).

    One that lies hidden beneath a read-only mount of the same place is out of reach, and not counted.
    """
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    fields = [line.split(b" ") for line in lines]
    names = [field[4].decode("unicode_escape") for field in fields if b"ro" not in field[5].split(b",")]
    return tuple(name for name in names if _is_writable_place(os.fsdecode(name.encode("latin-1"))))


def _is_writable_place(path: str) -> bool:
    try:
        return not os.statvfs(path).f_flag & os.ST_RDONLY
    except FileNotFoundError:
        return False
    except OSError:
        return True  # in doubt it is


def network_interfaces() -> tuple[str, ...]:
    """Return the names of the network interfaces this process can see."""
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii", errors="replace").splitlines()
    return tuple(line.partition(":")[0].strip() for line in lines[2:])


def namespace_breaches() -> tuple[Breach, ...]:
    """Look for a writable mount and for a network interface other than the loopback."""
    found = [f"{mount} is mounted writable" for mount in writable_mounts()]
    found += [f"network interface {name} is in reach" for name in network_interfaces() if name != "lo"]
    return tuple(Breach(wall=Wall.NAMESPACES, what=what, fix=_REBUILD) for what in found)


def _dump_and_limits() -> Iterator[Breach]:
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0) or kernel.prctl(3):  # PR_GET_DUMPABLE
        yield Breach(wall=Wall.DUMP, what="memory could be dumped or looked into", fix=_REBUILD)
    if resource.getrlimit(resource.RLIMIT_FSIZE) != (0, 0):
        yield Breach(wall=Wall.LIMITS, what="a file could grow", fix=_REBUILD)


def probe(plan: SealPlan, *, namespaced: bool) -> tuple[Breach, ...]:
    """Try every way out of the sealed process; an empty answer means all walls held.

    With ``namespaced`` the mounts and the network are looked at as well. Harmless where a wall is missing:
    whatever is made is removed.
    """
    breaches = [
        Breach(wall=Wall.DESCRIPTORS, what=leak, fix="close it before the seal, or name it in the plan")
        for leak in descriptors.survey(plan).leaks
    ]
    breaches += [
        Breach(wall=Wall.SECCOMP, what=what, fix=_NO_SECCOMP) for what, through in _calls() if through
    ]
    breaches += [Breach(wall=Wall.SECCOMP, what=what, fix=_NO_SECCOMP) for what in _files()]
    breaches += [*_threads(), *_dump_and_limits()]
    if namespaced:
        breaches += namespace_breaches()
    return tuple(breaches)
