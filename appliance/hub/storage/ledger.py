"""The ledger of releases: how much of a month's privacy budget is spent. A file beside the hub's database.

Invariants:
    * What a release costs is on the disk before its noise is drawn: a kill can waste budget, never gain it.
    * It is begun with the database that it stands beside, and never later: a copy of a database releases nothing.
    * A backup carries it; of what either knows to be spent the most stays. One that cannot be read, or is missing,
      stops every release.
    * Budget is counted in thousandths of epsilon: sums are exact.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance.base import atomic_files
from appliance.base.errors import Unavailable, Unfit
from appliance.protocol.values import BoothId, Seconds

LEDGER: Final = "releases.json"
"""Beside the hub's database."""
MONTHLY: Final = 3000
"""Thousandths of epsilon that a booth may spend in a calendar month (UTC)."""
_MONTH: Final = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """A release of ``month`` (YYYY-MM) cost ``milli`` thousandths of epsilon."""

    month: str
    milli: int


def month_of(now: Seconds) -> str:
    """The calendar month (UTC) of ``now``.

    >>> month_of(Seconds(1_795_964_400.0))
    '2026-11'
    """
    return time.strftime("%Y-%m", time.gmtime(now))


class Ledger:
    """The ledger of ``booth`` at ``path``."""

    def __init__(self, path: Path, booth: BoothId) -> None:
        self._path, self._booth = path, booth

    def begin(self) -> None:
        """Begin it with its database, which nothing was released from; one that is there stays as it is."""
        if self._path.exists():
            return
        first = Ledger(self._path.with_name(f".{self._path.name}.{os.getpid()}"), self._booth)
        first._write(())
        try:
            with suppress(FileExistsError):  # somebody began it meanwhile, and may have spent of it
                os.link(first._path, self._path)
        finally:
            first._path.unlink()

    def join(self, other: Ledger) -> None:
        """Take in the ledger of a backup: of each month what the one or the other has spent, whichever is more.

        Unfit where one of them cannot be read.
        """
        with atomic_files.alone(self._path.parent):
            ours = self._read() if self._path.exists() else ()
            theirs = other._read()
            months = sorted({one.month for one in (*ours, *theirs)})
            most = {month: max(_sum(ours, month), _sum(theirs, month)) for month in months}
            self._write(tuple(Spending(month=month, milli=milli) for month, milli in most.items()))

    def spent(self, month: str) -> int:
        """Thousandths of epsilon that are spent of ``month``. Unfit where the ledger cannot be read."""
        return _sum(self._read(), month)

    def spend(self, milli: int, now: Seconds) -> int:
        """Write down that a release costs ``milli``; what is left of the month then.

        Unavailable where it is more; Unfit where the ledger is missing or cannot be read.
        """
        month = month_of(now)
        with atomic_files.alone(self._path.parent):
            spendings = self._read()
            left = MONTHLY - _sum(spendings, month) - milli
            if milli <= 0 or left < 0:
                raise Unavailable(
                    f"the privacy budget of {month} has {(left + milli) / 1000:g} left, "
                    f"and the release costs {milli / 1000:g}",
                    where=str(self._path),
                    fix="choose a smaller --epsilon, or wait for the next month",
                )
            self._write((*spendings, Spending(month=month, milli=milli)))
        return left

    def _read(self) -> tuple[Spending, ...]:
        if not self._path.exists():
            raise Unfit(
                "the database has no ledger of releases beside it, so nothing is released",
                where=str(self._path),
                fix=f"run this on the hub itself, or bring {LEDGER} along from where the database was",
            )
        try:
            found: Any = json.loads(self._path.read_bytes())
            if found["v"] != 1 or found["booth"] != self._booth:
                raise ValueError("another booth's")  # noqa: TRY301 - one error for one broken file
            rows = tuple(Spending(month=month, milli=milli) for month, milli in found["spent"])
            if any(
                type(row.milli) is not int or row.milli <= 0 or not _MONTH.fullmatch(row.month)
                for row in rows
            ):
                raise ValueError("not a spending")  # noqa: TRY301
        except (OSError, ValueError, KeyError, TypeError):
            raise Unfit(
                "the ledger of releases cannot be read, so nothing is released",
                where=str(self._path),
                fix="restore the file from a copy; a new one would spend the month's budget again",
            ) from None
        return rows

    def _write(self, spendings: tuple[Spending, ...]) -> None:
        told = {"v": 1, "booth": self._booth, "spent": [[one.month, one.milli] for one in spendings]}
        atomic_files.write_durably(self._path, json.dumps(told).encode(), mode=atomic_files.SECRET)
        owner = self._path.parent.stat()
        with suppress(PermissionError):  # root began it for the hub
            os.chown(self._path, owner.st_uid, owner.st_gid)


def _sum(spendings: tuple[Spending, ...], month: str) -> int:
    return sum(one.milli for one in spendings if one.month == month)
