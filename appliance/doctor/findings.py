"""Findings: what was looked at, what came of it, why it matters, how to mend it; and what a doctor's exit code says.

Invariants:
    * Pure. Every check has a name of the closed list `CHECKS`, which holds its promise and why it matters.
    * What is wrong has a fix; what could not be seen is said, and is never called good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final


@unique
class Verdict(Enum):
    """What came of a check; the value is how it is written."""

    GOOD = "good"
    NOTE = "note"
    """Not as strict as it could be, and nothing is broken by it."""
    UNSEEN = "unseen"
    """It could not be looked at: too few rights, or no such tool."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A thing that is looked at: the promise it is evidence for (1 to 11), and why it matters."""

    promise: int
    why: str


PROMISES: Final = (
    "No frame leaves memory", "Only words of a closed list", "Nothing above the shoulders", "No set-up exception",
    "Signed where made, forged refused", "Nothing is lost", "The hub can only give what it has",
    "An exception is objective", "What is published protects the rare", "A human decides",
    "No internet, recovers by itself",
)  # fmt: skip

CHECKS: Final = {
    "process.rights": Check(promise=1, why="a process with rights of root can undo its own walls"),
    "process.filter": Check(promise=1, why="without a filter a process that was taken over may ask for anything"),
    "process.namespaces": Check(promise=1, why="in its own namespaces a process sees no other's files or users"),
    "process.network": Check(promise=1, why="what sees pixels must have no way to a network"),
    "process.writable": Check(promise=1, why="what can be written can carry a picture out of memory"),
    "process.descriptors": Check(promise=1, why="an open file or socket stays a way out behind every wall"),
    "process.dump": Check(promise=1, why="a core dump is the whole memory of a process as a file"),
    "process.account": Check(promise=1, why="with an account of its own no process can touch another's files"),
    "service.active": Check(promise=11, why="a booth sees, keeps and tells only while all its services run"),
    "service.status": Check(promise=11, why="what a service waits for is not being done"),
    "service.unit-file": Check(promise=1, why="what systemd is told besides our unit file can take walls away"),
    "machine.swap": Check(promise=1, why="memory that is swapped out lies on a disk"),
    "machine.core-pattern": Check(promise=1, why="a program that collects core dumps gets the memory of others"),
    "walls.required": Check(promise=1, why="a unit that may see without a wall will one day do so"),
    "models.hashes": Check(promise=3, why="another model could read what this product promises never to read"),
    "models.place": Check(promise=3, why="models from elsewhere are vouched for by whoever put them there"),
    "config.readable": Check(promise=11, why="without its settings a machine does nothing"),
    "keys.modes": Check(promise=5, why="whoever can read a key can speak in its owner's name"),
    "keys.match": Check(promise=5, why="a key that does not belong to its certificate opens nothing"),
    "certificate.lifetime": Check(promise=11, why="an expired certificate cuts tablets or units off"),
    "certificate.authority": Check(promise=5, why="a certificate of another booth is believed by nobody here"),
    "broker.settings": Check(promise=7, why="settings changed by hand can let strangers in or keep messages longer"),
    "broker.rights": Check(promise=5, why="rights that do not follow the register let the removed speak on"),
    "store.journal": Check(promise=7, why="a journal on the disk keeps for months what must go after days"),
    "store.broker": Check(promise=7, why="what the broker held of alerts must not lie there longer than stated"),
    "store.database": Check(promise=7, why="single observations must be gone once they are counted"),
    "store.spool": Check(promise=6, why="what waits in the spool is not yet safe, and is about single people"),
    "store.prior": Check(promise=3, why="an old prior makes the unit read clothes by the habits of another season"),
    "network.firewall": Check(promise=11, why="the firewall stands between the booth's network and every port"),
    "network.listening": Check(promise=11, why="each port that listens is a door"),
    "network.ssh": Check(promise=4, why="whoever can log in as root can put other software in place"),
    "clock.set": Check(promise=5, why="a clock that is not set makes alerts late and receipts doubtful"),
    "disk.space": Check(promise=6, why="a full disk loses what comes next"),
    "disk.health": Check(promise=6, why="a worn card loses what it holds"),
    "notice.complete": Check(promise=9, why="people must be told who watches, why, and whom to ask"),
    "software.version": Check(promise=11, why="the version says which faults are mended"),
}  # fmt: skip
"""Every check there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found: ``what`` is the evidence, a sentence without a full stop, ``about`` the thing's name."""

    check: str
    verdict: Verdict
    what: str
    about: str = ""
    fix: str = ""

    def __post_init__(self) -> None:
        if self.check not in CHECKS:
            raise ValueError(f"there is no check {self.check}")
        if self.verdict is Verdict.WRONG and not self.fix:
            raise ValueError(f"{self.check} is wrong and has no fix")

    def lines(self) -> tuple[str, ...]:
        """As a person reads it."""
        word = self.verdict.value.upper() if self.verdict is Verdict.WRONG else self.verdict.value
        named = f"{self.about}: {self.what}" if self.about else self.what
        more = [f"    why: {CHECKS[self.check].why}"] if self.verdict is Verdict.WRONG else []
        more += [f"    fix: {self.fix}"] if self.fix else []
        return (f"  {word:6} {named}  [{self.check}]", *more)

    def document(self) -> dict[str, object]:
        """As a program reads it."""
        check = CHECKS[self.check]
        return {
            "check": self.check, "promise": check.promise, "verdict": self.verdict.value, "about": self.about,
            "what": self.what, "why": check.why, "fix": self.fix,
        }  # fmt: skip


def good(check: str, what: str, about: str = "") -> Finding:
    """It is as it must be."""
    return Finding(check=check, verdict=Verdict.GOOD, what=what, about=about)


def note(check: str, what: str, about: str = "", fix: str = "") -> Finding:
    """Worth knowing."""
    return Finding(check=check, verdict=Verdict.NOTE, what=what, about=about, fix=fix)


def wrong(check: str, what: str, *, fix: str, about: str = "") -> Finding:
    """It is not as it must be."""
    return Finding(check=check, verdict=Verdict.WRONG, what=what, about=about, fix=fix)


def unseen(check: str, what: str, about: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(check=check, verdict=Verdict.UNSEEN, what=what, about=about, fix="run it as root")


def exit_code(findings: Iterable[Finding]) -> int:
    """78 where something is wrong; 75 where nothing is but not all could be seen; else 0 (sysexits.h)."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.WRONG in verdicts:
        return 78
    return 75 if Verdict.UNSEEN in verdicts else 0


def report(findings: Iterable[Finding], heading: str) -> str:
    """All findings for a person, by promise; the counts last."""
    found = list(findings)
    lines = [heading]
    for number, promise in enumerate(PROMISES, 1):
        own = [finding for finding in found if CHECKS[finding.check].promise == number]
        if own:
            lines += ["", f"promise {number}: {promise}"]
            lines += [line for finding in own for line in finding.lines()]
    counts = {verdict: sum(finding.verdict is verdict for finding in found) for verdict in Verdict}
    told = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
    untold = [str(n) for n in range(1, 12) if all(CHECKS[one.check].promise != n for one in found)]
    lines += ["", told]
    if untold:
        lines.append(
            f"promises {', '.join(untold)}: nothing here to look at; their evidence are the program's tests"
        )
    return "\n".join(lines) + "\n"
