"""Running processes, from /proc: their rights, filters, namespaces, mounts, descriptors and accounts.

Invariants:
    * `facts_of` reads, `judged` thinks: it is pure, and the same for a process of a test.
    * Of SENSE the child is looked at, which sees; its parent speaks for it.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from appliance.doctor.findings import Finding, good, unseen, wrong
from appliance.doctor.machine import Machine, Unseen

_NO_RIGHT: Final = 0
_SPACES: Final = ("mnt", "user", "ipc")
_RIGHTS: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
_KEPT: Final = (
    "pipe:", "/run/leftfield/pipe", "/dev/video", "/dev/media", "/dev/v4l", "/dev/dma", "/dev/null", "/dev/bus/usb",
    "/dev/apex",
)  # fmt: skip
"""What a process that sees may hold open for writing: pipes, the camera, the accelerator."""
_RESTART: Final = (
    "systemctl daemon-reload; systemctl restart {name}; if it stays, look for drop-ins: systemctl cat {name}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a service's process may do besides what all must not: ``writable`` matches its writable mounts."""

    writable: str = r"$^"
    seer: bool = False
    root: bool = False


SERVICES: Final = {
    "unit": {
        "leftfield-sense": Expected(seer=True),
        "leftfield-relay": Expected(writable=r"/var/lib/(private/)?leftfield/(spool|prior|orders)"),
    },
    "hub": {
        "mosquitto": Expected(writable=r"/var/lib/(private/)?mosquitto"),
        "leftfield-watch": Expected(writable=r"/var/lib/(private/)?leftfield/hub|/run/leftfield-hub"),
        "leftfield-pages": Expected(),
        "leftfield-desk": Expected(writable=r"/etc/leftfield|/run/leftfield-desk", root=True),
        "leftfield-offer": Expected(),
    },
}
"""The services of each role that run all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """One process as /proc shows it: ``threads`` are the fields of its threads' status files."""

    status: dict[str, str]
    threads: tuple[dict[str, str], ...]
    own_spaces: frozenset[str]
    """Namespaces that are not those of the first process."""
    writable: tuple[str, ...]
    """Mounts that are not read-only and that its account may write."""
    links: tuple[str, ...]
    """Network interfaces that it sees."""
    descriptors: tuple[tuple[str, str, bool], ...]
    """Number, what it is, whether it may be written."""
    core_limit: str
    unboxed: bool


def _fields(text: str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def main_pid(machine: Machine, service: str, *, seer: bool) -> str | None:
    """The process of a service, of SENSE its child; None where it does not run. Unseen."""
    pid = machine.properties(service, "MainPID").get("MainPID", "0")
    if pid == "0":
        return None
    if seer:
        children = machine.need(f"/proc/{pid}/task/{pid}/children").split()
        return children[0] if children else pid  # --unboxed: what sees is the service's own process
    return pid


def facts_of(machine: Machine, pid: str) -> ProcessFacts:
    """Everything that is judged of process ``pid``. Unseen where one part may not be read."""
    at = f"/proc/{pid}"
    status = _fields(machine.need(f"{at}/status"))
    own = set()
    for space in (*_SPACES, "net"):
        seen, first = machine.link(f"{at}/ns/{space}"), machine.link(f"/proc/1/ns/{space}")
        if seen is None or first is None:
            raise Unseen(f"the namespaces of process {pid}")
        if seen != first:
            own.add(space)
    limits = machine.need(f"{at}/limits")
    core = re.search(r"^Max core file size\s+(\S+)\s+(\S+)", limits, re.MULTILINE)
    words = (machine.text(f"{at}/cmdline") or "").split("\0")
    return ProcessFacts(
        status=status,
        threads=tuple(
            _fields(machine.text(f"{at}/task/{thread}/status") or "") for thread in machine.names(f"{at}/task")
        ),
        own_spaces=frozenset(own),
        writable=tuple(_writable(machine, at, status)),
        links=tuple(line.split(":")[0].strip() for line in machine.need(f"{at}/net/dev").splitlines()[2:]),
        descriptors=tuple(_descriptors(machine, at)),
        core_limit=core[2] if core else "",
        unboxed="--unboxed" in words,
    )  # fmt: skip


def _writable(machine: Machine, at: str, status: dict[str, str]) -> Iterator[str]:
    uid, gid = (int(status[key].split()[1]) for key in ("Uid", "Gid"))
    groups = {gid, *map(int, status.get("Groups", "").split())}
    for line in machine.need(f"{at}/mountinfo").splitlines():
        parts = line.split(" ")
        place, options = parts[4].replace("\\040", " "), parts[5].split(",")
        if "rw" not in options or place.startswith(("/proc", "/sys")) or place == "/dev/null":
            continue
        if machine.read_only(f"{at}/root{place}"):  # of several mounts at one place the last one counts
            continue
        found = machine.stat(f"{at}/root{place}")
        if found is None or stat.S_ISCHR(found.st_mode):
            continue
        shift = 6 if found.st_uid == uid else 3 if found.st_gid in groups else 0
        if found.st_mode >> shift & 2:
            yield place


def _descriptors(machine: Machine, at: str) -> Iterator[tuple[str, str, bool]]:
    for number in machine.names(f"{at}/fd"):
        what = machine.link(f"{at}/fd/{number}")
        flags = re.search(r"^flags:\s*(\d+)", machine.text(f"{at}/fdinfo/{number}") or "", re.MULTILINE)
        if what is not None:
            yield number, what, bool(flags and int(flags[1], 8) & 3)


def judged(service: str, facts: ProcessFacts, expected: Expected) -> Iterator[Finding]:
    """What is to be said of a process. Pure."""
    fix = _RESTART.format(name=service)
    status = facts.status
    rights = [key for key in _RIGHTS if int(status.get(key, "1"), 16) != _NO_RIGHT]
    rights += [] if status.get("NoNewPrivs") == "1" else ["no NoNewPrivs"]
    open_threads = sum(one.get("Seccomp") != "2" for one in (*facts.threads, status))
    wanted = sorted({*_SPACES, *(("net",) if expected.seer else ())})
    shared = [space for space in wanted if space not in facts.own_spaces]
    beyond = [place for place in facts.writable if not re.fullmatch(expected.writable, place)]
    uid = status.get("Uid", "0").split()[0]
    rows = (
        (
            "process.rights",
            f"has {', '.join(rights)}" * bool(rights),
            "no capability in any set, and none to be gained",
        ),
        (
            "process.filter",
            f"{open_threads} threads run without a filter" * bool(open_threads),
            f"{status.get('Seccomp_filters', 'some')} filters of system calls on {len(facts.threads)} threads",
        ),
        (
            "process.namespaces",
            f"shares {', '.join(shared)} with the machine" * bool(shared),
            f"its own {', '.join(wanted)}",
        ),
        (
            "process.writable",
            f"may write {', '.join(beyond[:4])}" * bool(beyond),
            f"may write {', '.join(facts.writable) or 'nothing'}",
        ),
        (
            "process.dump",
            f"core dumps up to {facts.core_limit or '?'}" * (facts.core_limit != "0"),
            "no core dump",
        ),
        (
            "process.account",
            f"runs as account {uid}" * ((uid == "0") != expected.root),
            "root without a right of root" if expected.root else f"account {uid}",
        ),
    )
    for check, trouble, fine in (*rows, *(_of_a_seer(facts) if expected.seer else ())):
        yield wrong(check, trouble, about=service, fix=fix) if trouble else good(check, fine, service)


def _of_a_seer(facts: ProcessFacts) -> Iterator[tuple[str, str, str]]:
    """What more is asked of the process that sees: check, trouble or nothing, what is fine."""
    foreign = [link for link in facts.links if link != "lo"]
    said = "runs --unboxed" if facts.unboxed else f"sees {', '.join(foreign)}" * bool(foreign)
    yield "process.network", said, "sees a loopback and nothing else"
    held = [
        f"{number} ({what})"
        for number, what, writes in facts.descriptors
        if writes and not what.startswith(_KEPT)
    ]
    fine = f"{len(facts.descriptors)} open, none but pipes and the camera to be written"
    yield "process.descriptors", f"holds open {', '.join(held[:4])}" * bool(held), fine


def looked_at(machine: Machine, role: str) -> Iterator[Finding]:
    """Every process of the role's services."""
    for service, expected in SERVICES[role].items():
        try:
            pid = main_pid(machine, service, seer=expected.seer)
            if pid is not None:
                yield from judged(service, facts_of(machine, pid), expected)
        except Unseen as why:
            yield unseen("process.rights", f"its process could not be looked at: {why}", service)
