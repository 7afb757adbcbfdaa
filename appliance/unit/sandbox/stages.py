"""Sealing process SENSE from inside, with no root and no systemd: enclose, seal, probe, or refuse.

Invariants:
    * Seal or refuse: ``seal_or_refuse`` returns only if every required wall stands and no probe got through.
    * Two stages, because the kernel makes a user namespace only for a process with one thread, and because
      cameras and accelerators must be opened in between:

      1. ``enclose`` comes first of all, before numpy, OpenCV, PyAV or LiteRT are imported (they start threads).
         It closes what is not kept, leaves the network and every writable mount, drops capabilities, sets
         no_new_privs and Landlock, forbids dumps. From here on nothing reaches the network or the disk.
      2. ``seal`` comes last, when libraries, models, camera and accelerator are open and not one frame has been
         looked at. It sets RLIMIT_FSIZE 0, forbids new executable memory and puts the system-call filter
         on all threads. After it no library can be loaded, no device opened for writing, no process made.

    * Required everywhere: descriptors, dump, limits, capabilities, no new privileges, system calls, nothing new.
      The second line (namespaces, Landlock, no new code, swap) is required where unit.toml says ``walls = "every"``.

Before the seal, run one made-up frame through the whole pipeline: numpy, PyAV and others load parts of themselves
at first use (numpy.random, av.subtitles, …), and after the seal such a load fails with "failed to map segment".

What is given up: a camera that was pulled out cannot be opened again inside the seal, so SENSE ends and is
started anew. The pipe and the buttons
remain outlets, so records are small (``outlet_limit``), and RELAY lets only what opens under this unit's public key
on to disk and network, 21 records a second (seal_check.py). Nothing is written to complaints any more.
On a Raspberry Pi, libcamera makes memory files and libusb a netlink socket while they open; both happen between
the stages and are recognised by the survey (descriptors.py). A socket for USB plugging can hear nothing in the
empty network: an accelerator that re-enumerates after its firmware load must have been loaded by another process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from appliance.base.errors import Unfit
from appliance.unit.sandbox import descriptors, kernel, seccomp, shut, walls
from appliance.unit.sandbox.plan import (
    EVERY_WALL,
    REQUIRED,
    Breach,
    SealPlan,
    SealReport,
    Wall,
    WallState,
)
from appliance.unit.sandbox.probes import namespace_breaches
from appliance.unit.sandbox.probes import probe as _probe
from appliance.unit.sandbox.syscalls import Machine

__all__ = [
    "EVERY_WALL",
    "NOT_ENCLOSED",
    "REQUIRED",
    "Breach",
    "Enclosure",
    "SealPlan",
    "SealReport",
    "Wall",
    "WallState",
    "enclose",
    "probe",
    "seal",
    "seal_or_refuse",
]

_WHERE: Final = "sandbox of process SENSE"
_REPORT: Final = "this is a fault of the appliance: report it with the kernel's version (uname -a)"

# Which device requests (ioctl type byte) a device path brings with it
_FAMILIES: Final = (
    ("/dev/video", (ord("V"),)),
    ("/dev/v4l", (ord("V"),)),
    ("/dev/media", (ord("|"), ord("V"))),
    ("/dev/dma_heap", (ord("H"), ord("b"))),
    ("/dev/bus/usb", (ord("U"),)),
    ("/dev/apex_", (0x7F,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """What the first stage built."""

    walls: tuple[WallState, ...]
    milliseconds: float

    @property
    def namespaced(self) -> bool:
        """Whether the network and the writable disk are out of reach already."""
        return any(state.wall is Wall.NAMESPACES and state.stands for state in self.walls)


NOT_ENCLOSED: Final = Enclosure(walls=(), milliseconds=0.0)
"""For a process that skipped the first stage: only the required walls can stand."""


def _machine() -> Machine:
    """Return this processor, or raise Unfit: a filter for another one would let everything through."""
    name = os.uname().machine
    try:
        return Machine(name)
    except ValueError:
        known = ", ".join(machine.value for machine in Machine)
        raise Unfit(
            f"no system-call filter is written for processor {name}",
            where=_WHERE,
            fix=f"use a 64-bit system on one of: {known}",
        ) from None


def _load_stack_unwinder() -> None:
    """Load the library the C library would load at the first thread's end, when nothing can be loaded any more."""
    try:
        ctypes.CDLL("libgcc_s.so.1")
    except OSError:
        return  # a C library without it does not ask for it


def _check_channels(plan: SealPlan) -> None:
    """Raise Unfit for channels that are files or closed, or memory shared already, while it can still be said."""
    wrong = descriptors.misplaced(plan)
    if wrong and Wall.DESCRIPTORS not in plan.left_out:
        raise Unfit(
            "refusing to open the camera: " + "; ".join(wrong),
            where=_WHERE,
            fix="give SENSE a pipe as outlet, and a pipe, a terminal or the journal for errors (2>&1 | cat), "
            "and map no file for writing",
        )


def enclose(plan: SealPlan) -> Enclosure:
    """Build the first stage. Call with one thread, before any library that starts threads is imported.

    Raises Unfit, before anything is closed, on a processor without a filter and for channels that are none, such
    as complaints redirected to a file: after the seal that could not even be said, for no file can grow.
    """
    start = time.perf_counter()
    _machine()
    _check_channels(plan)
    _load_stack_unwinder()
    if Wall.DESCRIPTORS not in plan.left_out:
        descriptors.close_the_rest(plan.kept)
    swap = walls.forbid_swap()  # before capabilities go
    namespaces = walls.enter_namespaces(plan)
    built = (
        swap,
        namespaces,
        walls.drop_capabilities(plan),  # after namespaces, which bring a full set with them
        walls.forbid_new_privileges(plan),
        walls.restrict_files(plan),  # needs no_new_privs
        walls.hide_arguments(plan),
        walls.forbid_dumps(plan),  # last: /proc/self then belongs to root, and uid_map could not be written
    )
    _check_namespaces(namespaces)
    if (
        plan.buttons is not None
    ):  # a new user namespace has cleared it: SENSE ends with the process that speaks for it
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    return Enclosure(walls=built, milliseconds=(time.perf_counter() - start) * 1000)


def _check_namespaces(state: WallState) -> None:
    """Raise Unfit if the kernel said yes to the namespaces but the network or a writable mount is still there."""
    breaches = namespace_breaches() if state.stands else ()
    if breaches:
        raise Unfit(
            "refusing to open the camera: " + "; ".join(breach.what for breach in breaches),
            where=_WHERE,
            fix=breaches[0].fix,
        )


def seal(plan: SealPlan, enclosure: Enclosure = NOT_ENCLOSED) -> SealReport:
    """Build the second stage, on all threads, for ever; does not judge (see ``seal_or_refuse``).

    Raises Unfit on a processor without a filter.
    """
    start = time.perf_counter()
    machine = _machine()
    _load_stack_unwinder()
    built = list(enclosure.walls)
    if not built:
        built += [
            walls.forbid_swap(),
            WallState(wall=Wall.NAMESPACES, stands=False, why="enclose() was not called"),
            walls.drop_capabilities(plan),
            walls.forbid_new_privileges(plan),
            walls.hide_arguments(plan),
            walls.forbid_dumps(plan),
        ]
    found = descriptors.survey(plan)
    why = "; ".join(found.leaks) or f"{len(found.writable)} may be written to"
    built.append(WallState(wall=Wall.DESCRIPTORS, stands=not found.leaks, why=why))
    built.append(walls.limit_files(plan, found.highest))
    built.append(walls.forbid_new_code(plan))
    state, steps = _filter(plan, found, machine)
    built.append(state)
    milliseconds = (time.perf_counter() - start) * 1000
    return SealReport(walls=tuple(built), filter_steps=steps, milliseconds=milliseconds)


def _filter(plan: SealPlan, found: descriptors.Survey, machine: Machine) -> tuple[WallState, int]:
    """Install the system-call filter; return how it stands and its length."""
    if Wall.SECCOMP in plan.left_out:
        return WallState(wall=Wall.SECCOMP, stands=False, why="left out by the plan"), 0
    families = {
        family
        for path in plan.device_paths
        for prefix, families in _FAMILIES
        if path.startswith(prefix)
        for family in families
    }
    policy = seccomp.Policy(
        writable=found.writable,
        vectored=(plan.complaints,),
        listening=found.listening,
        ioctl_families=tuple(sorted(families)),
        pid=os.getpid(),
    )
    program = seccomp.compile_policy(policy, machine)
    try:
        seccomp.install(program, machine)
    except OSError as refusal:
        why = f"the kernel refuses the filter ({refusal.strerror})"
        fix = "use a kernel with CONFIG_SECCOMP_FILTER; in a container allow seccomp(2)"
        return WallState(wall=Wall.SECCOMP, stands=False, why=why, fix=fix), 0
    return WallState(wall=Wall.SECCOMP, stands=True, why=f"filter of {len(program)} steps"), len(program)


def _shut(plan: SealPlan) -> WallState:
    """Put up the last filter, and see that it stands; the probes, which need to look around, are through."""
    if Wall.SHUT in plan.left_out:
        return WallState(wall=Wall.SHUT, stands=False, why="left out by the plan")
    if plan.look_around:
        return WallState(wall=Wall.SHUT, stands=True, why="left away to look around (tests only)")
    try:
        steps = shut.install(plan, _machine())
    except OSError as refusal:
        why = f"the kernel refuses the last filter ({refusal.strerror})"
        return WallState(wall=Wall.SHUT, stands=False, why=why, fix="report it with the kernel's version")
    try:
        os.close(os.open("/", os.O_RDONLY))
    except PermissionError:
        return WallState(wall=Wall.SHUT, stands=True, why=f"filter of {steps} steps more")
    return WallState(wall=Wall.SHUT, stands=False, why="a directory could be opened", fix=_REPORT)


def probe(plan: SealPlan, enclosure: Enclosure = NOT_ENCLOSED) -> tuple[Breach, ...]:
    """Try every way out; see probes.py. Mounts and network are judged where namespaces stand or are required."""
    return _probe(plan, namespaced=enclosure.namespaced or Wall.NAMESPACES in plan.required)


def seal_or_refuse(
    plan: SealPlan,
    enclosure: Enclosure = NOT_ENCLOSED,
    *,
    tell: Callable[[SealReport], None] = lambda _: None,
) -> SealReport:
    """Seal, then try every way out, then shut; return the report only if no way was found.

    ``tell`` is given the report before the last filter, behind which nothing can be told any more. Raises Unfit that
    names each wall that is missing or let a probe through, and how to fix it. The caller must not open its eyes then:
    the walls that do stand stay.
    """
    _check_channels(plan)
    report = seal(plan, enclosure)
    breaches = probe(plan, enclosure)
    required = (REQUIRED | plan.required) - {Wall.SHUT}
    _refuse(
        [
            *((f"{state.wall.value}: {state.why}", state.fix) for state in _lacking(report.walls, required)),
            *((f"{breach.wall.value}: {breach.what}", breach.fix) for breach in breaches),
            *((f"{wall.value}: never built", "call enclose() first") for wall in _unbuilt(report, required)),
        ]
    )
    tell(report)
    state = _shut(plan)
    _refuse([(f"{state.wall.value}: {state.why}", state.fix)] if not state.stands else [])
    return replace(report, walls=(*report.walls, state))


def _lacking(walls_built: tuple[WallState, ...], required: frozenset[Wall]) -> list[WallState]:
    return [state for state in walls_built if not state.stands and state.wall in required]


def _unbuilt(report: SealReport, required: frozenset[Wall]) -> list[Wall]:
    return sorted(required - {state.wall for state in report.walls}, key=lambda wall: wall.value)


def _refuse(faults: list[tuple[str, str]]) -> None:
    """Unfit where there is a fault: each is what is wrong, and its fix."""
    if faults:
        raise Unfit(
            "refusing to open the camera: " + "; ".join(dict.fromkeys(what for what, _ in faults)),
            where=_WHERE,
            fix="; ".join(dict.fromkeys(fix for _, fix in faults if fix)),
        )
