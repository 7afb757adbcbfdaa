"""What is usual here: decayed counts of things worn, one by one and two by two. Nothing per person.

Formula: every vector adds w_i g to the count of each level i it has and w_i w_j g to each pair (i, j), with
w the reading's confidence weight and g = 2^((seen - anchor) / half-life); dividing by g(now) gives counts in which
an observation one half-life old counts half (forward decay: Cormode, Shkapenyuk, Srivastava and Xu 2009, ICDE).
What is unknown is masked: each count is held against the weight of those in whom both attributes were known.

Invariants:
    * The state is what ``BaselineState`` says and no more. It counts how often what was worn, but a rare thing worn
      once is a person: so g changes once a day and tells no hour; what is written down is ``coarse`` (``counts``);
      and ``forget`` takes one vector out again, exactly.
    * A baseline whose half-life is shorter than a day follows the clock closely, and is never written down.
    * Weights and g are dyadic fractions, so sums of doubles are exact while counts stay moderate: the order of
      arrival does not matter, and merging two baselines equals one that had seen both streams.
    * An observation counts at the time it was seen, not when it arrived: late is as good as fresh.
    * Pure: no I/O, no clock.

>>> from appliance.protocol.values import AttributeVector, Seconds, UnitId
>>> baseline = Baseline()
>>> for colour in ("black", "black", "blue"):
...     baseline.update(AttributeVector.of(top_colour=colour), UnitId("north"), Seconds(0.0))
>>> [(one.word, round(one.share, 2)) for one in baseline.usual(most=2)]
[('black', 0.67), ('blue', 0.33)]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.hub.statistics.baseline.lineage import extended
from appliance.hub.statistics.baseline.own_time import OwnTime
from appliance.hub.statistics.baseline.rows import counted_together
from appliance.hub.statistics.baseline.state import DAY, HALF_LIFE, BaselineState, growth
from appliance.hub.statistics.layout import STREET, EncodedVector, FloatArray, IntArray, Layout, encode
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES

_STRIDE: Final = 8
"""The anchor moves by this many half-lives at once; counts are then divided by 2**8, which is exact."""

_LONG: Final = 500.0
"""After this many half-lives nothing is left."""

_MOST_WAITING: Final = 256
_ONES: Final = np.ones(4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualWord:
    """One thing usually worn here, and the share of those in whom it could be told."""

    attribute: str
    word: str
    share: float


class Baseline:
    """What is usual here; see the file's opening. Takes up ``state`` where one is given.

    What is counted waits in a short list and is added up when somebody looks: adding up a hundred at once costs
    what adding up three one by one does, and the sums are the same, exactly.
    """

    def __init__(
        self, state: BaselineState | None = None, layout: Layout = STREET, half_life: Seconds = HALF_LIFE
    ) -> None:
        self.layout = layout
        self._half_life = half_life
        self._grain = DAY if half_life >= DAY else Seconds(0.0)
        self.people = state.people if state else 0
        self.latest: float = state.latest if state else 0.0
        self._anchor: float = state.anchor if state and state.people else math.nan
        self._weight = state.weight if state else 0.0
        self._pairs = state.pairs.copy() if state else np.zeros((layout.levels, layout.levels))
        self._known = state.known.copy() if state else np.zeros((layout.attributes, layout.attributes))
        self._cameras = {unit: row.copy() for unit, row in state.cameras} if state else {}
        self._grown_at, self._grown = math.nan, 1.0
        self._time = OwnTime(min(DAY, half_life / 8.0))
        self._waiting: list[tuple[EncodedVector, UnitId, float]] = []
        self._lineage = state.lineage if state else ()
        self._days: dict[UnitId, float] = {}
        """The day last noted in the lineage, by camera."""

    def update(self, vector: AttributeVector, unit: UnitId, seen_at: Seconds) -> None:
        """Count one vector seen by ``unit`` at ``seen_at``."""
        self.count(encode(vector), unit, seen_at)

    def count(self, one: EncodedVector, unit: UnitId, seen_at: Seconds) -> Seconds:
        """The same for a vector already laid out as positions; the instant it was counted at, for ``forget``."""
        counted_at = self.counted_at(seen_at)
        self._put(one, unit, self._growth(counted_at))
        self.people += 1
        self._note(unit, counted_at)
        return counted_at

    def _note(self, unit: UnitId, counted_at: float) -> None:
        """Whose people these are, to the day."""
        day = self._grained(counted_at)
        self.latest = max(self.latest, day)
        if self._grain and self._days.get(unit) != day:
            self._days[unit] = day
            self._lineage = extended(self._lineage, unit, int(day // DAY))

    def forget(self, one: EncodedVector, unit: UnitId, counted_at: Seconds) -> None:
        """Take out again what ``count`` put in; that somebody passed stays counted in ``people``.

        Exact where both happen in one life of this object. A baseline taken up from ``coarse`` counts holds a
        vector only roughly: there no count is left below zero.
        """
        self._put(one, unit, -self._growth(counted_at))
        self._add_up()
        self._weight = max(0.0, self._weight)
        for array in (self._pairs, self._known, *self._cameras.values()):
            np.maximum(array, 0.0, out=array)

    def _put(self, one: EncodedVector, unit: UnitId, g: float) -> None:
        self._waiting.append((one, unit, g))
        self._weight += g
        if len(self._waiting) >= _MOST_WAITING:
            self._add_up()

    def count_rows(self, levels: NDArray[np.int32], unit: UnitId, seen_at: Seconds) -> None:
        """Count many at once, all seen at ``seen_at``: (n, attributes) levels from 0, -1 where unknown."""
        counted_at = self.counted_at(seen_at)
        g = self._growth(counted_at)
        known = levels >= 0
        counts = counted_together(levels, known, self.layout)
        singles = np.diag(counts) * g
        self._pairs += counts * g
        told = known.astype(np.float32)
        self._known += (told.T @ told) * g
        row = self._cameras.setdefault(unit, np.zeros(self.layout.levels))
        row += singles
        self._weight += g * len(levels)
        self.people += len(levels)
        self._note(unit, counted_at)

    def _add_up(self) -> None:
        """Add what waits to the counts: the one-hot rows H of all, weighted, as one product."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        lengths = [len(one.known) for one, _, _ in waiting]
        rows = np.repeat(np.arange(len(waiting)), lengths)
        levels = np.concatenate([one.known for one, _, _ in waiting])
        weights = np.concatenate(
            [_ONES[:length] if one.weights is None else one.weights
             for (one, _, _), length in zip(waiting, lengths, strict=True)]
        )  # fmt: skip
        growth = np.array([g for _, _, g in waiting])
        single = weights * growth[rows]
        for matrix, width, places in (
            (self._pairs, self.layout.levels, levels),
            (self._known, self.layout.attributes, self.layout.attribute_of[levels]),
        ):
            hot = np.zeros((len(waiting), width))
            hot[rows, places] = weights
            np.add(matrix, hot.T @ (hot * growth[:, None]), out=matrix)
            # On the diagonal a reading counts by its weight, not by the square of it.
            diagonal = matrix.reshape(-1)[:: width + 1]
            diagonal += np.bincount(places, single - weights * single, minlength=width)
        units = [unit for _, unit, _ in waiting]
        for unit in dict.fromkeys(units):
            row = self._cameras.setdefault(unit, np.zeros(self.layout.levels))
            mine = np.array([one == unit for one in units])[rows]
            row += np.bincount(levels[mine], single[mine], minlength=self.layout.levels)

    def _grained(self, at: float) -> float:
        return math.floor(at / self._grain) * self._grain if self._grain else at

    def _growth(self, at: float) -> float:
        """The growth g on the day of an instant; moves the anchor first where g would grow too large."""
        at = self._grained(at)
        if at == self._grown_at:
            return self._grown
        if math.isnan(self._anchor):
            self._anchor = math.floor(at / self._half_life) * self._half_life
        strides = math.floor((at - self._anchor) / (_STRIDE * self._half_life))
        if strides > 0:
            self._move_anchor(strides)
        self._grown_at, self._grown = at, growth((at - self._anchor) / self._half_life)
        return self._grown

    def _move_anchor(self, strides: int) -> None:
        self._add_up()
        self._grown_at = math.nan
        self._anchor += strides * _STRIDE * self._half_life
        scale = math.ldexp(1.0, -_STRIDE * strides)
        for array in (self._pairs, self._known, *self._cameras.values()):
            np.multiply(array, scale, out=array)
        self._weight *= scale

    def _decay(self, now: float) -> float:
        """What stored counts are multiplied with to be counts on the day of ``now``, or of the latest sighting.

        Never an overflow: ``now`` may be any number, and before the latest sighting nothing has decayed.
        """
        if math.isnan(self._anchor):
            return 1.0
        age = (max(self._grained(self._time.own(now)), self.latest) - self._anchor) / self._half_life
        return 1.0 / growth(age) if age < _LONG else 0.0

    def follow_clock(self, now: Seconds, stepped: float = 0.0) -> None:
        """Take note of the hub's clock before a batch at ``now``, set ahead by ``stepped`` s since the last.

        A clock that is behind costs nothing, one that was set ahead nothing if it is set back within a day: see
        ``OwnTime``. What was not seen to be set (over a restart) is believed: older sightings decay by as much.
        """
        self._time.follow(now, None if math.isnan(self._anchor) else self.latest, stepped)

    def counted_at(self, seen_at: Seconds) -> Seconds:
        """When a sighting counts, on the baseline's own time."""
        return self._time.counted_at(seen_at)

    def weight(self, now: Seconds) -> float:
        """How many people the baseline rests on at ``now``, the older ones counting less."""
        return self._weight * self._decay(now)

    def needs(self, warmup_people: int, now: Seconds) -> int:
        """How many more people must be seen before anybody may be called an exception; 0 when ready."""
        return max(0, math.ceil(warmup_people - self.weight(now) - 0.5))

    def singles(self, now: Seconds) -> tuple[FloatArray, FloatArray]:
        """(count, weight) at ``now`` of each level: arrays (levels,)."""
        self._add_up()
        decay = self._decay(now)
        return np.diag(self._pairs) * decay, np.diag(self._known)[self.layout.attribute_of] * decay

    def among(self, levels: IntArray, now: Seconds) -> tuple[FloatArray, FloatArray]:
        """(count, weight) at ``now`` of each pair among ``levels``: two (m, m) arrays, singles on the diagonal."""
        self._add_up()
        attributes = self.layout.attribute_of[levels]
        decay = self._decay(now)
        return (
            self._pairs[np.ix_(levels, levels)] * decay,
            self._known[np.ix_(attributes, attributes)] * decay,
        )

    def matrices(self, now: Seconds) -> tuple[FloatArray, FloatArray]:
        """(count, weight) at ``now``: of every pair of levels, singles on the diagonal; of every two attributes."""
        self._add_up()
        decay = self._decay(now)
        return self._pairs * decay, self._known * decay

    def camera(self, unit: UnitId, now: Seconds) -> FloatArray:
        """Count at ``now`` of each level as seen by ``unit`` alone: (levels,)."""
        self._add_up()
        row = self._cameras.get(unit)
        return np.zeros(self.layout.levels) if row is None else row * self._decay(now)

    def usual(self, *, most: int) -> tuple[UsualWord, ...]:
        """The ``most`` common levels of each attribute with their shares, commonest first (the street only)."""
        self._add_up()
        found: list[UsualWord] = []
        for position, attribute in enumerate(ATTRIBUTES):
            weight = float(self._known[position, position])
            if weight <= 0:
                continue
            start = self.layout.offsets[position]
            counts = np.diag(self._pairs)[start : start + len(attribute.levels)]
            order = np.argsort(-counts, kind="stable")[:most]
            found += [
                UsualWord(
                    attribute=attribute.name,
                    word=attribute.levels[level],
                    share=min(1.0, float(counts[level]) / weight),
                )
                for level in order.tolist()
                if counts[level] > 0
            ]
        return tuple(found)

    def state(self) -> BaselineState:
        """All it knows, as copies."""
        self._add_up()
        return BaselineState(
            anchor=Seconds(0.0 if math.isnan(self._anchor) else self._anchor),
            latest=Seconds(self.latest),
            people=self.people,
            weight=self._weight,
            pairs=self._pairs.copy(),
            known=self._known.copy(),
            cameras=tuple((unit, row.copy()) for unit, row in sorted(self._cameras.items())),
            lineage=self._lineage,
        )
