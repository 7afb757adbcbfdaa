"""The walls of process SENSE, one function each: it builds the wall and says whether it stands.

Invariants:
    * A wall that cannot be built is reported with the kernel's reason and how to fix it, never half-built.
    * No wall needs root; as root each is at least as high.
    * Nothing here can be undone by this process.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.base import landlock
from appliance.unit.sandbox import kernel, probes
from appliance.unit.sandbox.plan import SealPlan, Wall, WallState

_NAMESPACES: Final = kernel.CLONE_NEWNET | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
# Flags of mount(2). Those a user namespace may not clear (mount_namespaces(7)) must be named again.
_MS_PRIVATE_ALL: Final = 1 << 18 | 1 << 14
_MS_REMOUNT_READ_ONLY: Final = 1 << 5 | 1 << 12 | 1 | 2  # REMOUNT, BIND, RDONLY, NOSUID
_MS_KEPT: Final = {
    b"nodev": 4,
    b"noexec": 8,
    b"noatime": 1 << 10,
    b"nodiratime": 1 << 11,
    b"relatime": 1 << 21,
}
_HIGHEST_CAPABILITY: Final = 63
_NO_ROOT_LOCKED: Final = 0x2F  # SECBIT_NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, each with its lock

# Rights of linux/landlock.h. Reading stays free: what is read has no way out.
_WRITE_FILE: Final = 1 << 1
_IOCTL_DEVICE: Final = 1 << 15
_LANDLOCK_FILES: Final = {
    1: 0x1FF3,
    2: 0x3FF3,
    3: 0x7FF3,
    5: 0xFFF3,
}  # by version: execute, write, remove, make…
_LANDLOCK_TCP: Final = 3
_LANDLOCK_SCOPES: Final = 3  # abstract sockets and signals of others


def _stands(wall: Wall, why: str) -> WallState:
    return WallState(wall=wall, stands=True, why=why)


def _lacks(wall: Wall, why: str, fix: str = "") -> WallState:
    return WallState(wall=wall, stands=False, why=why, fix=fix)


def thread_count() -> int:
    """Return how many threads this process has."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208  only counted


def _read(path: str) -> str:
    """Return a small kernel file's text, or nothing where the kernel has no such file."""
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def forbid_swap() -> WallState:
    """See that pages cannot reach a swap device; lock them if one is on and locking is permitted."""
    if len(_read("/proc/swaps").splitlines()) == 1:  # one heading; no file proves nothing
        return _stands(Wall.SWAP, "no swap is on")
    group = _read("/proc/self/cgroup").rpartition("::")[2].lstrip("/")
    if _read(f"/sys/fs/cgroup/{group}/memory.swap.max") == "0":
        return _stands(Wall.SWAP, "the control group has none (MemorySwapMax=0)")
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        kernel.lock_memory()
    except (OSError, ValueError) as refusal:
        fix = "run under systemd with MemorySwapMax=0, or allow LimitMEMLOCK=infinity, or swapoff -a"
        return _lacks(Wall.SWAP, f"swap is on and memory is not locked ({refusal})", fix)
    return _stands(Wall.SWAP, "pages are locked")


def enter_namespaces(plan: SealPlan) -> WallState:
    """Leave the network, the writable disk, shared memory and the host's name behind.

    Where that cannot be done but was done for us (PrivateNetwork= and read-only mounts of systemd, or a container's),
    the wall stands too: what counts is that no mount can be written and no network but a loopback is in reach.
    """
    state = _own_namespaces(plan)
    if state.stands or Wall.NAMESPACES in plan.left_out or probes.namespace_breaches():
        return state
    return _stands(Wall.NAMESPACES, f"given from outside, as probed ({state.why})")


def _own_namespaces(plan: SealPlan) -> WallState:
    """Enter namespaces of our own.

    Tried first in a child, so that a refusal half-way (AppArmor lets a user namespace be made but not used)
    leaves this process as it was. Must be called while the process has one thread.
    """
    if not plan.namespaces or Wall.NAMESPACES in plan.left_out:
        return _lacks(Wall.NAMESPACES, "the plan does not use them")
    threads = thread_count()
    if threads > 1:
        fix = "call enclose() before importing numpy, OpenCV or anything else that starts threads"
        return _lacks(Wall.NAMESPACES, f"{threads} threads are running already", fix)
    refusal = 0
    for way, made_of in (
        (_enter_as_user, "own user, network, mount, IPC and UTS namespaces"),
        (_enter_as_root, "own network, mount, IPC and UTS namespaces"),
    ):
        failed = _tried_in_a_child(way)
        if not failed:
            way()
            return _stands(Wall.NAMESPACES, f"{made_of}; every mount read-only")
        refusal = refusal or failed
    return _lacks(Wall.NAMESPACES, f"refused by the kernel ({os.strerror(refusal)})", _mend_namespaces())


def _enter_as_user() -> None:
    """Enter through a user namespace in which this user is mapped to itself and can become nobody else."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(_NAMESPACES | kernel.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    _make_mounts_read_only()


def _enter_as_root() -> None:
    """Enter directly, for root where user namespaces are switched off."""
    kernel.unshare(_NAMESPACES)
    _make_mounts_read_only()


def _make_mounts_read_only() -> None:
    """Make every mount read-only: in one call, or one by one on kernels before 5.12 (Jetson's 5.10)."""
    try:
        kernel.make_mounts_read_only()
    except OSError as refusal:
        if refusal.errno != errno.ENOSYS:
            raise
        kernel.remount(b"/", _MS_PRIVATE_ALL)
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
            _, _, _, _, escaped, options, *_ = line.split(b" ")
            kept = sum(_MS_KEPT.get(option, 0) for option in options.split(b","))
            with contextlib.suppress(OSError):  # one hidden beneath another cannot be named; see below
                kernel.remount(
                    escaped.decode("unicode_escape").encode("latin-1"), _MS_REMOUNT_READ_ONLY | kept
                )
        if probes.writable_mounts():
            raise OSError(errno.EBUSY, "a mount stays writable") from refusal


def _tried_in_a_child(way: Callable[[], None]) -> int:
    """Return 0 if ``way`` works in a forked child, else the errno of its refusal."""
    child = os.fork()
    if child == 0:
        answer = errno.EPERM
        try:
            way()
            answer = 0
        except OSError as refusal:
            answer = refusal.errno or errno.EPERM
        finally:  # whatever happens, the child must not go on as if it were the parent
            os._exit(answer)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _mend_namespaces() -> str:
    """Say which of the known switches is in the way."""
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor forbids user namespaces to unprivileged programs (Ubuntu 23.10 and later): run under the "
            "systemd unit, or give this Python an AppArmor profile with 'userns,', or set "
            "kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return "set kernel.unprivileged_userns_clone=1, or run under the systemd unit"
    if _read("/proc/sys/user/max_user_namespaces") == "0":
        return "set user.max_user_namespaces above 0, or run under the systemd unit"
    return "run under the systemd unit; a container must allow unshare(2)"


def drop_capabilities(plan: SealPlan) -> WallState:
    """Empty the effective, permitted, inheritable, ambient and, where permitted, bounding sets."""
    if Wall.CAPABILITIES in plan.left_out:
        return _lacks(Wall.CAPABILITIES, "left out by the plan")
    bounded = "bounding set emptied"
    try:
        kernel.prctl(kernel.PR_SET_SECUREBITS, _NO_ROOT_LOCKED)
        for capability in range(_HIGHEST_CAPABILITY + 1):
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    except OSError as refusal:
        if refusal.errno != errno.EINVAL:  # EINVAL: past the kernel's last capability
            bounded = "bounding set left to no_new_privs"
    kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    kernel.drop_capabilities()
    return _stands(Wall.CAPABILITIES, f"none; {bounded}")


def forbid_new_privileges(plan: SealPlan) -> WallState:
    """Set no_new_privs."""
    if Wall.NO_NEW_PRIVS in plan.left_out:
        return _lacks(Wall.NO_NEW_PRIVS, "left out by the plan")
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    return _stands(Wall.NO_NEW_PRIVS, "set")


def forbid_dumps(plan: SealPlan) -> WallState:
    """Forbid core dumps and other processes' looking in.

    RLIMIT_CORE 0 alone does not stop a core_pattern that is a pipe (core(5)); the dumpable flag does.
    """
    if Wall.DUMP in plan.left_out:
        return _lacks(Wall.DUMP, "left out by the plan")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return _stands(Wall.DUMP, "not dumpable")


def hide_arguments(plan: SealPlan) -> WallState:
    """Take command line and environment out of everybody's sight, before /proc/self belongs to root."""
    if Wall.ARGUMENTS in plan.left_out:
        return _lacks(Wall.ARGUMENTS, "left out by the plan")
    try:
        kernel.hide_arguments()
    except OSError as refusal:
        why = f"the kernel refuses PR_SET_MM_MAP ({refusal.strerror})"
        return _lacks(Wall.ARGUMENTS, why, "use a kernel with CONFIG_CHECKPOINT_RESTORE")
    return _stands(Wall.ARGUMENTS, "hidden")


def restrict_files(plan: SealPlan) -> WallState:
    """Give up, by Landlock, every right to write, make, remove or execute, except writing to the plan's devices.

    Covers this thread and those it starts: so it is called while there is one.
    """
    if Wall.LANDLOCK in plan.left_out:
        return _lacks(Wall.LANDLOCK, "left out by the plan")
    try:
        version = landlock.version()
    except OSError as refusal:
        why = f"the kernel has it not or switched off ({refusal.strerror})"
        return _lacks(Wall.LANDLOCK, why, "boot with landlock in lsm= (CONFIG_SECURITY_LANDLOCK)")
    rights = _LANDLOCK_FILES[max(known for known in _LANDLOCK_FILES if known <= version)]
    ruleset = kernel.landlock_ruleset(rights, _LANDLOCK_TCP, _LANDLOCK_SCOPES, version)
    try:
        for path in (os.devnull, *plan.device_paths):
            _permit_device(ruleset, rights & (_WRITE_FILE | _IOCTL_DEVICE), path)
        kernel.landlock_enforce(ruleset)
    except OSError as refusal:
        return _lacks(Wall.LANDLOCK, f"refused by the kernel ({refusal.strerror})")
    finally:
        os.close(ruleset)
    return _stands(Wall.LANDLOCK, f"version {version}")


def _permit_device(ruleset: int, rights: int, path: str) -> None:
    """Permit using a device that exists; one that is not plugged in needs no permission."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISDIR(mode):
            kernel.landlock_permit(ruleset, rights, descriptor)
    finally:
        os.close(descriptor)


def forbid_new_code(plan: SealPlan) -> WallState:
    """Refuse memory that is writable and executable, at once or in turn."""
    if Wall.NO_NEW_CODE in plan.left_out:
        return _lacks(Wall.NO_NEW_CODE, "left out by the plan")
    try:
        kernel.prctl(kernel.PR_SET_MDWE, 1)
    except OSError:
        why = "by the system-call filter only; PR_SET_MDWE needs Linux 6.3"
        return _lacks(Wall.NO_NEW_CODE, why, "use Linux 6.3 or newer")
    return _stands(Wall.NO_NEW_CODE, "memory-deny-write-execute")


def limit_files(plan: SealPlan, highest_descriptor: int) -> WallState:
    """No file may grow; a few more may be opened, for reading."""
    if Wall.LIMITS in plan.left_out:
        return _lacks(Wall.LIMITS, "left out by the plan")
    room = highest_descriptor + 17
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft > room:
        hard = soft = room
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))
    return _stands(Wall.LIMITS, f"file size 0, descriptors below {room}")
