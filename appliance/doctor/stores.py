"""Stores: what each may keep and for how long, as it is set and as it is found.

Invariants:
    * Nothing that a store holds is told: ages, sizes and counts only.
    * The database is opened for reading, as WATCH leaves it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError
from appliance.doctor.findings import Finding, good, note, unseen, wrong
from appliance.doctor.machine import Machine, Unseen
from appliance.doctor.services import settings_of
from appliance.enrol import open_booth
from appliance.enrol.broker_store import DAMAGED, DAMAGED_SECONDS
from appliance.enrol.layout import broker_texts
from appliance.protocol.prior import OLDEST
from appliance.settings import config as configs
from appliance.settings.config import HubConfig, UnitConfig

_DAY: Final = 86_400
_HOUR: Final = 3600.0
_BROKER_STORE: Final = Path("/var/lib/mosquitto")
_ASIDE_DAYS: Final = 7
_TOLD_LATE: Final = 900.0
"""An alert that was claimed keeps its clothes for as long as a visit lasts, a quarter of an hour at most."""
_JOURNAL: Final = {"Storage": "volatile", "MaxRetentionSec": "7day", "ForwardToSyslog": "no"}
_WRITE_AGAIN: Final = "leftfield booth renew writes them anew; then systemctl restart mosquitto"


def journal_settings(machine: Machine) -> dict[str, str]:
    """What journald goes by: the main file, then all drop-ins by name, a later one over an earlier."""
    found: dict[str, str] = dict(settings_of(machine.text("/etc/systemd/journald.conf") or ""))
    drop_ins: dict[str, str] = {}
    for folder in ("/usr/lib", "/run", "/etc"):  # one name in two folders: the later folder's counts
        for name in machine.names(f"{folder}/systemd/journald.conf.d"):
            if name.endswith(".conf"):
                drop_ins[name] = f"{folder}/systemd/journald.conf.d/{name}"
    for name in sorted(drop_ins):
        found |= dict(settings_of(machine.text(drop_ins[name]) or ""))
    return found


def journal(machine: Machine) -> Iterator[Finding]:
    """The journal's settings, and what lies on the disk all the same."""
    told = journal_settings(machine)
    off = [f"{key}={told.get(key, 'not set')}" for key, value in _JOURNAL.items() if told.get(key) != value]
    if off:
        yield wrong(
            "store.journal", f"journald is set to {', '.join(off)}",
            fix="remove what sets it (systemd-analyze cat-config systemd/journald.conf shows it), "
            "then systemctl restart systemd-journald",
        )  # fmt: skip
    else:
        yield good("store.journal", "journald keeps in memory, 7 days at most")
    pid = machine.properties("systemd-journald", "MainPID").get("MainPID", "0")
    links = (machine.link(f"/proc/{pid}/fd/{number}") or "" for number in machine.names(f"/proc/{pid}/fd"))
    if any(link.startswith("/var/log/journal/") for link in links):
        yield wrong(
            "store.journal", "journald writes to the disk",
            fix="systemctl restart systemd-journald; then rm -r /var/log/journal",
        )  # fmt: skip
    elif machine.names("/var/log/journal"):
        yield note(
            "store.journal", "an old journal, from before this was installed, lies on the disk and is not written to",
            fix="rm -r /var/log/journal",
        )  # fmt: skip
    for place in ("/var/log/syslog", "/var/log/messages"):
        found = machine.stat(place)
        if found is not None and found.st_size:
            fix = f"apt purge rsyslog (or what writes it), then rm {place}"
            yield wrong("store.journal", f"a copy of the journal lies on the disk: {place}", fix=fix)


def broker(machine: Machine, directory: Path, now: float) -> Iterator[Finding]:
    """The broker's settings and rights against the register, and its store."""
    try:
        booth = replace(open_booth(machine.path(directory)), directory=directory)
        register = configs.register(machine.path(booth.register))
    except LeftfieldError as error:
        yield wrong("broker.settings", str(error), fix=error.fix or _WRITE_AGAIN)
        return
    texts = broker_texts(booth, register, machine.path(booth.broker_directory))
    if machine.text(booth.broker_config) != texts.pop("mosquitto.conf"):
        yield wrong(
            "broker.settings", f"{booth.broker_config} is not as this version writes it", fix=_WRITE_AGAIN
        )
    else:
        yield good("broker.settings", "as this version writes them: nobody anonymous, mutual TLS for units")
    off = [name for name, text in texts.items() if machine.text(booth.broker_directory / name) != text]
    if off:
        yield wrong("broker.rights", f"{', '.join(off)} do not follow the register", fix=_WRITE_AGAIN)
    else:
        yield good(
            "broker.rights",
            f"follow the register: {len(register.units)} units, {len(register.tablets)} tablets",
        )
    yield broker_store(machine, now)


def broker_store(machine: Machine, now: float) -> Finding:
    """What was set aside of the broker's store, and for how long."""
    damaged = machine.stat(_BROKER_STORE / DAMAGED)
    if damaged is None:
        return good("store.broker", "nothing set aside; what it holds is written over every 30 s")
    days = (now - damaged.st_mtime) / _DAY
    if now - damaged.st_mtime > DAMAGED_SECONDS:
        return wrong(
            "store.broker",
            f"a damaged store has been kept for {days:.0f} days",
            fix=f"rm {_BROKER_STORE / DAMAGED}",
        )
    return note(
        "store.broker",
        f"a damaged store, {days:.0f} days old; it is removed after a week at the broker's start",
    )


def database(machine: Machine, hub: HubConfig, now: float) -> Iterator[Finding]:
    """What the hub's database still holds of single people."""
    path = machine.path(hub.database)
    if machine.stat(hub.database) is None:
        yield wrong(
            "store.database",
            f"there is no {hub.database}",
            fix="systemctl start leftfield-watch, or leftfield restore",
        )
        return
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            (live,) = db.execute("SELECT count(*) FROM live").fetchone()
            (worn,) = db.execute(
                "SELECT count(*) FROM alert WHERE code IS NOT NULL AND seen_at < ?",
                (now - hub.retention_seconds - _TOLD_LATE,),
            ).fetchone()
    except sqlite3.Error as error:
        yield unseen("store.database", f"{hub.database}: {error}")
        return
    written = max(
        (found.st_mtime for one in ("", "-wal") if (found := machine.stat(f"{hub.database}{one}"))),
        default=now,
    )
    yield from database_judged(live=live, worn=worn, idle=now - written, retention=hub.retention_seconds)


def database_judged(*, live: int, worn: int, idle: float, retention: float) -> Iterator[Finding]:
    """What is to be said of a database: rows not yet counted, old alerts with clothes, seconds since a write."""
    start = "systemctl restart leftfield-watch: it erases them at its start"
    if live and idle > _HOUR:
        yield wrong(
            "store.database", f"{live} single observations have waited for {idle / _HOUR:.0f} h", fix=start
        )
    elif worn:
        yield wrong("store.database", f"{worn} alerts keep their clothes past their time", fix=start)
    else:
        yield good(
            "store.database",
            f"{live} observations not yet counted, no old alert with clothes; kept {retention:.0f} s at most",
        )


def spool(machine: Machine, unit: UnitConfig, now: float) -> Iterator[Finding]:
    """What waits on a unit, and what was set aside there."""
    names = machine.names(unit.spool)
    found = {name: at for name in names if (at := machine.stat(unit.spool / name)) is not None}
    oldest = max((now - at.st_mtime for name, at in found.items() if name.startswith("aside-")), default=0.0)
    waiting = sum(name.startswith("from-") for name in found)
    size = sum(at.st_size for at in found.values())
    if oldest > _ASIDE_DAYS * _DAY:
        yield wrong(
            "store.spool", f"records that could not be read have been kept for {oldest / _DAY:.0f} days",
            fix=f"rm {unit.spool}/aside-*",
        )  # fmt: skip
    else:
        yield good("store.spool", f"{waiting} files, {size // 1024} kB")
    prior = machine.stat(unit.prior)
    if prior is None:
        yield note("store.prior", "none has come from the hub yet: the shipped one is used")
        return
    days = (now - prior.st_mtime) / _DAY
    if now - prior.st_mtime > OLDEST:
        fix = "check that RELAY reaches the hub and that WATCH runs; a new one comes within a day"
        yield wrong("store.prior", f"{days:.0f} days old: it is not believed any more", fix=fix)
    else:
        yield good("store.prior", f"{max(0.0, days):.0f} days old")


def looked_at(
    machine: Machine, directory: Path, settings_found: UnitConfig | HubConfig, now: float
) -> Iterator[Finding]:
    """Every store of this machine at ``now`` (unix seconds)."""
    parts: list[tuple[str, Callable[[], Iterator[Finding]]]] = [("store.journal", lambda: journal(machine))]
    if isinstance(settings_found, UnitConfig):
        parts.append(("store.spool", lambda: spool(machine, settings_found, now)))
    else:
        parts.append(("broker.settings", lambda: broker(machine, directory, now)))
        parts.append(("store.database", lambda: database(machine, settings_found, now)))
    for check, look in parts:
        try:
            yield from look()
        except Unseen as why:
            yield unseen(check, re.sub(r"\s+", " ", str(why)))
