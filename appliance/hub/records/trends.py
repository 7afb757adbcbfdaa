"""Trends: what people wore in each stretch of the past twelve hours, as counts of crowds; and how rare the last were.

Formula: people are counted by quarter of an hour and word. Quarters that are over are told in spans: one after
the other is taken until ``ENOUGH`` people are together: a quiet street is told in hours, a busy one in quarters.
Everybody is in one span, so nobody can be found by subtracting spans. Of a span each cell is told in whole fives,
rounded down; cells below ``LEAST`` are added up to a rest, told by the same rule (small-cell suppression with the
rest as the only margin: Willenborg and de Waal 2001, Elements of Statistical Disclosure Control, chapter 4).

Invariants:
    * What leaves, to a screen or to the store, are spans and numbers of alerts: no cell of fewer than ``LEAST``
      people, and whole fives only. What is not told yet is in memory only.
    * The strip knows of each passer-by a step of five seconds, one of six classes of rarity, and whether the street
      is simulated: no clothes, no camera. It is in memory only, for ``STRIP_SECONDS``.
    * ``forget`` takes one person out of both.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from appliance.hub.statistics.layout import LEVELS, STREET, IntArray
from appliance.protocol.values import TIME_STEP, AlertId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

SHOWN: Final = (
    "top.colour", "bottom.colour", "top.pattern", "bottom.pattern", "lower.kind", "sleeves", "outer",
)  # fmt: skip
"""Attributes that have a history."""
QUARTER: Final = 900
KEPT_SECONDS: Final = 12 * 3600
ENOUGH: Final = 200
"""So many people at least are in a span; only a hub that stops tells one of fewer."""
LEAST: Final = 20
"""A cell of fewer people is not told."""
FIVE: Final = 5
STRIP_SECONDS: Final = 300
CLASSES: Final = 6
"""Classes of rarity: up to 1 in 4, 16, 64, 256, 1,024, and beyond."""
ENDS: Final = ("raised", "gifted", "declined", "not_found", "expired", "other")
"""What the timeline of alerts counts; ``other`` is dismissed or forgotten, together."""
_LONGEST: Final = 12
"""No span is longer, in quarters: the evening is not told together with the next morning."""
_REST: Final = "*"


def cell(number: int) -> int:
    """``number`` of people as it may be told: whole fives, rounded down; 0 below ``LEAST``.

    >>> [cell(number) for number in (0, 19, 20, 24, 25)]
    [0, 0, 20, 20, 25]
    """
    return number // FIVE * FIVE if number >= LEAST else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRows:
    """All that is stored of the quarter that begins at ``at`` (unix seconds): (what, number), in place of the old."""

    at: int
    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendSpan:
    """``people`` passed in ``quarters`` quarters from ``start`` (unix seconds).

    ``cells`` has for each attribute of ``SHOWN`` one number for each of its words in their order, and last the rest.
    All by the rule of ``cell``.
    """

    start: int
    quarters: int
    people: int
    cells: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """``number`` people of rarity ``kind`` (0 to ``CLASSES`` - 1), seen ``steps`` times ``TIME_STEP`` seconds ago."""

    steps: int
    kind: int
    simulated: bool
    number: int


@dataclass(slots=True, kw_only=True)
class _Span:
    """Counts of one quarter, or of a span that is told."""

    start: int
    quarters: int = 1
    told: bool = False
    people: int = 0
    levels: IntArray = field(default_factory=lambda: np.zeros(LEVELS, dtype=np.intp))
    rest: list[int] = field(default_factory=lambda: [0] * len(SHOWN))

    def cells(self) -> Iterator[tuple[int, ...]]:
        for place, name in enumerate(SHOWN):
            numbers = self.levels[STREET.block(INDEX[name])].tolist()
            rest = self.rest[place] + sum(number for number in numbers if number < LEAST)
            yield (*map(cell, numbers), cell(rest))

    def view(self) -> TrendSpan:
        return TrendSpan(
            start=self.start * QUARTER,
            quarters=self.quarters,
            people=cell(self.people),
            cells=tuple(self.cells()),
        )


_WORDS: Final = tuple(
    tuple(f"{name} {word}" for word in (*ATTRIBUTES[INDEX[name]].levels, _REST)) for name in SHOWN
)
_POSITION: Final = {
    what: STREET.offsets[INDEX[name]] + level
    for name, words in zip(SHOWN, _WORDS, strict=True)
    for level, what in enumerate(words[:-1])
}


class Trends:
    """The trends of one booth, taken up from ``stored``."""

    def __init__(self, stored: Iterable[TrendRows] = ()) -> None:
        self._spans: dict[int, _Span] = {}
        self._alerts: dict[int, Counter[str]] = {}
        self._dots: dict[int, Counter[tuple[int, bool]]] = {}
        self._behind: dict[AlertId, tuple[int, tuple[int, bool]]] = {}
        self._changed: set[int] = set()
        self._tellings = 0
        for one in stored:
            self._take_up(one)

    def _take_up(self, stored: TrendRows) -> None:
        quarter, rows = stored.at // QUARTER, dict(stored.rows)
        ends = Counter({end: rows[f"alert {end}"] for end in ENDS if f"alert {end}" in rows})
        if ends:
            self._alerts[quarter] = ends
        if "quarters" not in rows:
            return
        span = _Span(start=quarter, quarters=rows["quarters"], told=True, people=rows.get("people", 0))
        for what, position in _POSITION.items():
            span.levels[position] = rows.get(what, 0)
        span.rest = [rows.get(words[-1], 0) for words in _WORDS]
        self._cover(span)

    def _cover(self, span: _Span) -> None:
        self._spans.update(dict.fromkeys(range(span.start, span.start + span.quarters), span))

    def passed(
        self, levels: IntArray, seen_at: Seconds, *, bits: float, simulated: bool, now: Seconds
    ) -> None:
        """Somebody passed at ``seen_at`` whose believed readings stand at ``levels``, as rare as ``bits`` say."""
        if seen_at > now - KEPT_SECONDS:
            span = self._spans.get(int(seen_at // QUARTER))
            if span is None:
                span = _Span(start=int(seen_at // QUARTER))
                self._cover(span)
            span.people += 1
            span.levels[levels] += 1
            if span.told:
                self._changed.add(span.start)
        if seen_at > now - STRIP_SECONDS:
            self._dots.setdefault(int(seen_at // TIME_STEP), Counter())[kind_of(bits), simulated] += 1

    def raised(
        self, name: AlertId, raised_at: Seconds, *, seen_at: Seconds, bits: float, simulated: bool
    ) -> None:
        """An alert was raised for somebody counted before."""
        self._count_alert(raised_at, "raised")
        self._behind[name] = (int(seen_at // TIME_STEP), (kind_of(bits), simulated))

    def ended(self, raised_at: Seconds, how: str) -> None:
        """An alert that was raised at ``raised_at`` came to its end ``how`` (the value of its state)."""
        self._count_alert(raised_at, how if how in ENDS else "other")

    def _count_alert(self, raised_at: Seconds, what: str) -> None:
        quarter = int(raised_at // QUARTER)
        self._alerts.setdefault(quarter, Counter())[what] += 1
        self._changed.add(quarter)

    def forget(self, name: AlertId, levels: IntArray, seen_at: Seconds) -> None:
        """Take somebody behind an alert out again: the words, the dot. That somebody passed stays counted."""
        span = self._spans.get(int(seen_at // QUARTER))
        if span is not None:
            span.levels[levels] = np.maximum(0, span.levels[levels] - 1)
            self._changed.add(span.start)
        step, dot = self._behind.pop(name, (0, (0, False)))
        if step in self._dots:
            self._dots[step][dot] -= 1

    def tick(self, now: Seconds, *, last: bool = False) -> bool:
        """Let time pass: tell what is complete, drop what is old; ``last``: tell all. True where more is told."""
        before = self._tellings
        oldest, step = int((now - KEPT_SECONDS) // QUARTER), int((now - STRIP_SECONDS) // TIME_STEP)
        old = {quarter for quarter, span in self._spans.items() if span.start < oldest}
        old |= {quarter for quarter in self._alerts if quarter < oldest}
        self._changed |= old
        for quarter in old:
            self._spans.pop(quarter, None)
            self._alerts.pop(quarter, None)
        self._dots = {at: dots for at, dots in self._dots.items() if at >= step}
        self._behind = {name: behind for name, behind in self._behind.items() if behind[0] >= step}
        waiting: list[_Span] = []
        for quarter in sorted(self._spans):
            span = self._spans[quarter]
            running = quarter >= now // QUARTER and not last
            if span.told or running or (waiting and quarter - waiting[0].start >= _LONGEST):
                waiting = self._told(waiting) if last else []
            if not (span.told or running):
                waiting.append(span)
                if sum(one.people for one in waiting) >= ENOUGH:
                    waiting = self._told(waiting)
        if last:
            self._told(waiting)
        return self._tellings > before

    def _told(self, together: list[_Span]) -> list[_Span]:
        """Make one span of quarters that follow each other; the empty list, for those that come next."""
        if together:
            first, end = together[0].start, together[-1].start
            whole = _Span(start=first, quarters=end - first + 1, told=True)
            for one in together:
                whole.people += one.people
                whole.levels += one.levels
            self._cover(whole)
            self._changed.add(first)
            self._tellings += 1
        return []

    def news(self) -> tuple[TrendRows, ...]:
        """What changed since the last call, for the store; of what became too old no rows are left."""
        changed, self._changed = sorted(self._changed), set()
        return tuple(TrendRows(at=at * QUARTER, rows=self._rows(at)) for at in changed)

    def _rows(self, quarter: int) -> tuple[tuple[str, int], ...]:
        rows = [(f"alert {end}", number) for end, number in sorted(self._alerts.get(quarter, {}).items())]
        span = self._spans.get(quarter)
        if span is not None and span.told and span.start == quarter:
            told = span.view()
            rows += [("quarters", told.quarters), ("people", told.people)]
            for words, numbers in zip(_WORDS, told.cells, strict=True):
                rows += [(what, number) for what, number in zip(words, numbers, strict=True) if number]
        return tuple(rows)

    def spans(self) -> tuple[TrendSpan, ...]:
        """What is told, oldest first; spans do not overlap."""
        told = {span.start: span for span in self._spans.values() if span.told}
        return tuple(told[start].view() for start in sorted(told))

    def alerts(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(begin of the quarter in unix seconds, number of each of ``ENDS``) of each quarter with an alert."""
        return tuple(
            (quarter * QUARTER, tuple(ends[end] for end in ENDS))
            for quarter, ends in sorted(self._alerts.items())
        )

    def strip(self, now: Seconds) -> tuple[Dots, ...]:
        """Everybody of the last ``STRIP_SECONDS``, oldest first."""
        here, oldest = int(now // TIME_STEP), int((now - STRIP_SECONDS) // TIME_STEP)
        return tuple(
            Dots(steps=max(0, here - at), kind=kind, simulated=simulated, number=number)
            for at, dots in sorted(self._dots.items())
            for (kind, simulated), number in sorted(dots.items())
            if number > 0 and at >= oldest
        )


def kind_of(bits: float) -> int:
    """The class of rarity of ``bits``: two bits, a factor of four, each.

    >>> [kind_of(bits) for bits in (0.0, 1.9, 2.0, 9.9, 10.0, 30.0)]
    [0, 0, 1, 4, 5, 5]
    """
    return max(0, min(CLASSES - 1, int(bits // 2)))
