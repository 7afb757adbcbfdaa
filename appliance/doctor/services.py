"""Services: whether they run, what they wait for, and whether anything besides our unit files was told to systemd.

Invariants:
    * A drop-in may change what a service costs (memory, niceness, restarts); whatever else it sets takes away a wall
      until a person has looked at it, and is wrong here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from appliance.doctor.findings import Finding, good, note, unseen, wrong
from appliance.doctor.machine import Machine, Unseen
from appliance.doctor.processes import SERVICES

SHIPPED: Final = "/usr/lib/systemd/system"
_OURS: Final = {
    "mosquitto": (f"{SHIPPED}/mosquitto.service.d/leftfield.conf",),
}
_HARMLESS: Final = frozenset(
    {
        "After", "Before", "Wants", "Description", "Documentation", "Nice", "CPUWeight", "CPUQuota", "IOWeight",
        "MemoryMax", "MemoryHigh", "TasksMax", "Restart", "RestartSec", "RestartSteps", "RestartMaxDelaySec",
        "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec", "WatchdogSec", "StartLimitIntervalSec",
        "OOMScoreAdjust", "LogRateLimitIntervalSec", "LogRateLimitBurst",
    }
)  # fmt: skip
_EDGE_TPU: Final = {
    "SupplementaryGroups=plugdev", "DeviceAllow=char-usb_device rw", "DeviceAllow=char-apex rw",
    "BindReadOnlyPaths=-/dev/bus/usb -/dev/apex_0",
}  # fmt: skip
_WAITS: Final = re.compile(r"^waiting: |DEGRADED|SET ASIDE|REFUSED|DISK NEARLY FULL|broker", re.ASCII)
_SHOWN: Final = (
    "ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts", "StatusText", "FragmentPath", "DropInPaths",
    "NeedDaemonReload",
)  # fmt: skip


def settings_of(text: str) -> list[tuple[str, str]]:
    r"""Keys and values of a unit file, continued lines joined.

    >>> settings_of("[Service]\n# a\nUser=root\nExecStart=a \\\n  b\n")
    [('User', 'root'), ('ExecStart', 'a b')]
    """
    joined = re.sub(r"\\\n\s*", "", text)
    lines = (line.strip() for line in joined.splitlines())
    return [
        (key.strip(), value.strip())
        for key, equals, value in (
            line.partition("=") for line in lines if line[:1] not in {"", "#", ";", "["}
        )
        if equals
    ]


def drop_in_judged(service: str, path: str, text: str) -> Finding:
    """What is to be said of one drop-in that is not ours. Pure."""
    told = settings_of(text)
    weakens = sorted(
        {key for key, value in told if key not in _HARMLESS and f"{key}={value}" not in _EDGE_TPU}
    )
    if weakens:
        return wrong(
            "service.unit-file",
            f"{path} sets {', '.join(weakens)}",
            about=service,
            fix=f"look at it, then rm {path} && systemctl daemon-reload && systemctl restart {service}",
        )
    if any(f"{key}={value}" in _EDGE_TPU for key, value in told):
        return note("service.unit-file", f"{path} lets it use an Edge TPU", service)
    return note(
        "service.unit-file",
        f"{path} changes {', '.join(sorted({key for key, _ in told})) or 'nothing'}",
        service,
    )


def looked_at(machine: Machine, role: str) -> Iterator[Finding]:
    """Every service of the role."""
    for service in SERVICES[role]:
        try:
            shown = machine.properties(service, *_SHOWN)
            yield from _running(service, shown)
            yield from _told(machine, service, shown)
        except Unseen as why:
            yield unseen("service.active", str(why), service)


def _running(service: str, shown: dict[str, str]) -> Iterator[Finding]:
    state, restarts = shown.get("ActiveState", ""), shown.get("NRestarts", "0")
    fix = f"journalctl --unit {service} says why; then systemctl restart {service}"
    if state != "active":
        how = f"{state or 'not installed'} ({shown.get('Result', '')}, status {shown.get('ExecMainStatus', '?')})"
        yield wrong("service.active", f"is {how}", about=service, fix=fix)
        return
    yield good("service.active", f"active, {restarts} restarts by itself", service)
    status = shown.get("StatusText", "")
    if _WAITS.search(status):
        fix = f"do what the status says; journalctl --unit {service} has the fix"
        yield wrong("service.status", status, about=service, fix=fix)


def _told(machine: Machine, service: str, shown: dict[str, str]) -> Iterator[Finding]:
    """What systemd was told of a service, and where."""
    fragment = shown.get("FragmentPath", "")
    clean = True
    if fragment and Path(fragment).parent not in {Path(SHIPPED), Path("/lib/systemd/system")}:
        clean = False
        fix = f"rm {fragment} && systemctl daemon-reload && systemctl restart {service}"
        yield wrong(
            "service.unit-file",
            f"the unit file is {fragment}, not the one that came with it",
            about=service,
            fix=fix,
        )
    for path in shown.get("DropInPaths", "").split():
        if path in _OURS.get(service, ()) or path.replace("/lib/", "/usr/lib/", 1) in _OURS.get(service, ()):
            continue
        clean = False
        yield drop_in_judged(service, path, machine.text(path) or "")
    if shown.get("NeedDaemonReload") == "yes":
        clean = False
        yield wrong(
            "service.unit-file", "its files were changed since systemd read them", about=service,
            fix=f"systemctl daemon-reload, then systemctl restart {service}",
        )  # fmt: skip
    if clean:
        yield good("service.unit-file", "the unit file that came with it, and no drop-in besides", service)
