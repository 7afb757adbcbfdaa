"""Lineage of a baseline: whose counts it holds, as spans of days of one camera of one hub.

Invariants:
    * What is counted belongs to a span. Two baselines that share a day of a camera overlap: added up, somebody would
      count twice.
    * A hub is named by its booth and the identifier of the key it signs with, ``corner/0123456789abcdef``; its own
      spans have no name (``OWN``) until they leave it. ``ANY`` stands for what is not known: it overlaps with all.
    * Pure: no I/O, no clock.

>>> monday, later = Span(hub="a/0", unit="north", first=4, last=9), Span(hub="a/0", unit="north", first=9, last=12)
>>> first_overlap((monday,), (later,)) == (monday, later), first_overlap((monday,), ())
(True, None)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

OWN: Final = ""
ANY: Final = "*"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """The people that ``unit`` of ``hub`` saw from day ``first`` to day ``last`` (days since 1970, UTC)."""

    hub: str
    unit: str
    first: int
    last: int

    @property
    def known(self) -> bool:
        """Whether it says whose people these are."""
        return ANY not in (self.unit, self.hub.rpartition("/")[2])

    def overlaps(self, other: Span) -> bool:
        """Whether both may hold the same people."""
        return (
            _same_hub(self.hub, other.hub)
            and (self.unit == other.unit or ANY in (self.unit, other.unit))
            and self.first <= other.last
            and other.first <= self.last
        )

    def text(self) -> str:
        """As a person reads it: ``camera north of corner, 2026-10-03 to 2026-10-09``."""
        who = f"camera {self.unit}" if self.unit != ANY else "unknown cameras"
        since = f"{_date(self.first)} to" if self.first else "until"
        return f"{who} of {self.hub.rpartition('/')[0] or 'this hub'}, {since} {_date(self.last)}"


Lineage = tuple[Span, ...]


def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def _same_hub(one: str, other: str) -> bool:
    booth, _, key = one.rpartition("/")
    other_booth, _, other_key = other.rpartition("/")
    return booth == other_booth and (key == other_key or ANY in (key, other_key))


def extended(lineage: Iterable[Span], unit: str, day: int) -> Lineage:
    """``lineage`` of this hub with one more day of ``unit``; days that touch are one span."""
    touching = [
        span
        for span in lineage
        if span.hub == OWN and span.unit == unit and span.first - 1 <= day <= span.last + 1
    ]
    first = min((day, *(span.first for span in touching)))
    last = max((day, *(span.last for span in touching)))
    kept = [span for span in lineage if span not in touching]
    return tuple(sorted((*kept, Span(hub=OWN, unit=unit, first=first, last=last))))


def together(one: Iterable[Span], other: Iterable[Span]) -> Lineage:
    """The spans of both."""
    return tuple(sorted({*one, *other}))


def named(lineage: Iterable[Span], hub: str) -> Lineage:
    """``lineage`` with this hub's own spans under the name that it has elsewhere."""
    return tuple(sorted({span if span.hub != OWN else replace(span, hub=hub) for span in lineage}))


def first_overlap(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, Span] | None:
    """The first two spans that may hold the same people, if any."""
    others = tuple(other)
    return next(((here, there) for here in one for there in others if here.overlaps(there)), None)
