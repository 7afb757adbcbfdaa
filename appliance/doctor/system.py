"""The machine under the services: swap, core dumps, clock, disks."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.base.disk_space import LEAST_BYTES, LEAST_SHARE
from appliance.doctor.findings import Finding, good, note, unseen, wrong
from appliance.doctor.machine import Machine, Unseen

_TIMEX_BYTES: Final = 208
_TIME_ERROR: Final = 5
_BUILT: Final = 1_735_689_600
"""2025-01-01: no clock of this product was ever right that says less."""
STATES: Final = {
    "unit": ("/etc/leftfield", "/var/lib/leftfield"),
    "hub": ("/etc/leftfield", "/var/lib/leftfield", "/var/lib/mosquitto"),
}
"""Where each role keeps what it must not lose."""
_WORN: Final = 9
"""Of eMMC's life-time estimates (JESD84-B51, DEVICE_LIFE_TIME_EST): 0x0A and more is past nine tenths."""


def kernel_clock() -> bool | None:
    """Whether the kernel's clock is disciplined (adjtimex(2)); None where it may not be asked."""
    state = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if state < 0 else state < _TIME_ERROR


def clock_judged(*, synced: bool | None, now: float, container: bool, role: str) -> Finding:
    """What is to be said of a clock. Pure."""
    fix = (
        "chronyc sources shows what it follows; set it by hand: timedatectl set-time"
        if role == "hub"
        else "timedatectl timesync-status: a unit takes the time from its hub (NTP= in /etc/systemd/timesyncd.conf)"
    )
    if now < _BUILT:
        return wrong("clock.set", "says a year before this product", fix=fix)
    if synced is None:
        return unseen("clock.set", "the kernel may not be asked")
    if synced:
        return good("clock.set", "follows a time source")
    if container:
        return note("clock.set", "is the host's, for this is a container, and follows no time source")
    if role == "hub":
        return note("clock.set", "follows no time source: right only as it was set", fix=fix)
    return wrong("clock.set", "follows no time source", fix=fix)


def swap_judged(table: str, limits: dict[str, str]) -> Finding:
    """What is to be said of swap: /proc/swaps, and memory.swap.max of each service. Pure."""
    devices = [line.split()[0] for line in table.splitlines()[1:] if line.strip()]
    if not devices:
        return good("machine.swap", "no swap is on")
    free = sorted(name for name, limit in limits.items() if limit.strip() != "0")
    if free:
        fix = f"swapoff {' '.join(devices)}, and remove it from /etc/fstab (or apt purge dphys-swapfile)"
        return wrong("machine.swap", f"{', '.join(devices)} is on, and {', '.join(free)} may use it", fix=fix)
    return note("machine.swap", f"{', '.join(devices)} is on; no service of ours may use it")


def core_pattern_judged(pattern: str) -> Finding:
    """What is to be said of core dumps, for a piped pattern is not held by the limit (core(5)). Pure."""
    program = pattern.strip()
    if not program.startswith("|"):
        return good("machine.core-pattern", "core dumps would be files, which each service's limit forbids")
    if program.startswith("|/bin/false"):
        return good("machine.core-pattern", "core dumps go nowhere")
    if "systemd-coredump" in program:
        return note("machine.core-pattern", "systemd-coredump is there; it heeds each service's limit")
    fix = "write kernel.core_pattern=|/bin/false to /etc/sysctl.d/60-leftfield.conf; sysctl --system"
    return wrong("machine.core-pattern", f"core dumps are given to {program[1:].split(' ')[0]}", fix=fix)


def space_judged(place: str, found: os.statvfs_result) -> Finding:
    """What is to be said of a file system's room. Pure."""
    left, least = found.f_bavail * found.f_frsize, min(LEAST_BYTES, found.f_blocks * found.f_frsize // 10)
    if found.f_flag & os.ST_RDONLY:
        fix = "the kernel may have stopped writing after an error: dmesg; replace the card"
        return wrong("disk.space", "is mounted read-only", about=place, fix=fix)
    if left < least or (found.f_files and found.f_favail < found.f_files * LEAST_SHARE):
        return wrong(
            "disk.space", f"{left // 2**20} MB left", about=place, fix="free space, or use a larger card"
        )
    return good("disk.space", f"{left // 2**20} MB left", place)


def looked_at(machine: Machine, role: str, services: tuple[str, ...], now: float) -> Iterator[Finding]:
    """Swap, core dumps, clock and disks at ``now`` (unix seconds)."""
    try:
        yield swap_judged(machine.text("/proc/swaps") or "", _swap_limits(machine, services))
        yield core_pattern_judged(machine.need("/proc/sys/kernel/core_pattern"))
    except Unseen as why:
        yield unseen("machine.swap", str(why))
    container = machine.text("/run/systemd/container") is not None
    yield clock_judged(synced=kernel_clock(), now=now, container=container, role=role)
    for place in STATES[role]:
        try:
            yield space_judged(place, os.statvfs(machine.path(place)))
        except FileNotFoundError:
            continue
        except OSError as error:
            yield unseen("disk.space", error.strerror or "", place)
    try:
        yield health(machine)
    except Unseen as why:
        yield unseen("disk.health", str(why))


def _swap_limits(machine: Machine, services: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for service in services:
        group = machine.properties(service, "ControlGroup").get("ControlGroup", "")
        limit = machine.text(f"/sys/fs/cgroup{group}/memory.swap.max") if group else None
        found[service] = limit or "?"
    return found


def health(machine: Machine) -> Finding:
    """What file systems and cards say of their own errors and wear."""
    bad = []
    for name in machine.names("/sys/fs/ext4"):
        count = machine.text(f"/sys/fs/ext4/{name}/errors_count")
        if count and count.strip().isdigit() and int(count):
            bad.append(f"{name} has had {int(count)} errors")
    worn = 0
    for name in machine.names("/sys/block"):
        life = machine.text(f"/sys/block/{name}/device/life_time")
        for word in (life or "").split():
            worn = max(worn, int(word, 16))
            if int(word, 16) > _WORN:
                bad.append(f"{name} is near the end of its life")
    if bad:
        return wrong(
            "disk.health",
            "; ".join(dict.fromkeys(bad)),
            fix="replace the card soon; a hub: leftfield backup first",
        )
    return good("disk.health", f"no errors told{f', wear {worn} of 10' if worn else ''}")


def megabytes(path: Path) -> int:
    """The size of the disk of ``path``; 0 where it cannot be asked."""
    try:
        found = os.statvfs(path)
    except OSError:
        return 0
    return found.f_blocks * found.f_frsize // 2**20
