"""How rare a passer-by's outfit is: three lenses, one calibrated tail probability.

Formula: ``lenses`` looks at the outfit through ``tables``; ``calibration`` turns what it sees into a tail probability
among people seen as completely.

Invariants:
    * Score, then update: nobody is measured against counts that contain them.
    * A score counts as far as it holds by the readings that are SURE *and* by all that are at least FAIR: what is
      unsure makes nobody an exception, and leaving it out makes nobody one either. In the ranking of those who are
      none it does count (``_UNSURE_BITS``). Everything known updates, by its weight.
    * *Unique is not exceptional*: nearly half of all real outfits are unique as wholes. A score only means something
      next to the scores of others who were seen as completely (``BANDS`` strata by visibility).
    * What one camera alone suddenly sees everywhere is a fault of the camera (``guard``); what all see since an hour
      is the weather (``lately``). Neither makes exceptions.
    * Tables may lag behind the baseline by a few people, never run ahead of it.
    * What only serves the moment (``lately``, ``guard``) stays in memory; ``forget`` purges all alike.
    * Pure: no I/O, no clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.change.camera_faults import CameraFaultDetector
from appliance.hub.statistics.conformal import ConformalCalibrator, RecordedScores
from appliance.hub.statistics.layout import STREET, EncodedVector, FloatArray, IntArray, encode
from appliance.hub.statistics.lenses.chow_liu import Edges
from appliance.hub.statistics.lenses.lenses import LEAST, LENS_OF, RANGES, TOGETHER, together
from appliance.hub.statistics.lenses.score_tables import Tables, tables_of
from appliance.protocol.values import AttributeVector, Lens, Seconds, UnitId

SHORT_TERM_HALF_LIFE: Final = Seconds(2400.0)
"""The second baseline's half-life: forty minutes, a shower of rain."""
_MOST_LAG: Final = 128
"""Tables are computed anew after this many people at the latest; sooner while the baseline is young."""
_TREE_LAG: Final = 8192
"""The same for the tree, whose shape changes slowly."""
_WORTH_ASKING: Final = 0.1
"""Up to this p a score is looked at again by SURE readings alone."""
_BENEFIT: Final = 0.3
"""The part of the bits resting on FAIR readings alone that still counts in the ranking; in p it never does."""
_UNSURE_BITS: Final = 6.0
"""All that is known, LOW readings too, may lift somebody in the ranking this far, and no further: one in 64.

Above it only what is surely seen counts. Without this whoever was read unsurely ranks with the plainest."""
Bits = tuple[float, float, float, float]
_NOTHING: Final[Bits] = (0.0, 0.0, 0.0, RANGES[3][0])
_NO_EVIDENCE: Final[Bits] = (0.0, 0.0, 0.0, 0.0)
_BAND_OF: Final = tuple(STREET.band(known) for known in range(STREET.attributes + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How rare: ``p`` in (0, 1] is calibrated, ``bits`` is -log2 p, ``lens`` saw it, ``lenses`` are the three p.

    ``raw`` are the lenses' scores in bits before calibration (pair: its deficit), for tests. ``strength`` ranks: it
    is what p is calibrated from, and does not end where p does. ``looks`` is what the histograms remember.
    """

    p: float
    bits: float
    lens: Lens
    lenses: tuple[float, float, float]
    raw: tuple[float, float, float]
    strength: float = 0.0
    looks: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReceipt:
    """How somebody was counted, for ``forget``: as what, which scores, as which of the camera's people."""

    one: EncodedVector
    scores: RecordedScores
    counted_at: Seconds
    """When it was counted, on the clock of the baseline."""
    counted_briefly_at: Seconds
    """The same on that of the short-term baseline."""
    number: int
    """As which of the camera's people; 0 where no camera is watched for faults."""


class Rarity:
    """Scores vectors against ``baseline`` and keeps both up to date; takes up ``bins`` where given.

    ``bins`` is a (BANDS, HISTOGRAMS, BINS) array: histograms by visibility band and look. Who only judges what others
    encoded need not watch the cameras for faults: ``watches`` False.
    """

    def __init__(self, baseline: Baseline, bins: FloatArray | None = None, *, watches: bool = True) -> None:
        self.baseline, self._watches = baseline, watches
        self.guard = CameraFaultDetector(baseline)
        self._short_term_baseline = Baseline(layout=baseline.layout, half_life=SHORT_TERM_HALF_LIFE)
        self._tails = ConformalCalibrator(RANGES, bins=bins)
        self._tables: Tables | None = None
        self._tables_due = 0
        self._edges: Edges | None = None
        self._tree_due = 0

    def encode(self, vector: AttributeVector, unit: UnitId) -> EncodedVector:
        """The positions of a vector's readings, without those that this camera is not to be believed at present."""
        return encode(vector, self.guard.masked(unit))

    def score_and_learn(self, vector: AttributeVector, unit: UnitId, seen_at: Seconds) -> Score:
        """Score, then update: the score of a vector seen by ``unit`` at ``seen_at``."""
        one = self.encode(vector, unit)
        score = self.score(one)
        self.update(one, score, unit, seen_at)
        return score

    def update(self, one: EncodedVector, score: Score, unit: UnitId, seen_at: Seconds) -> CountReceipt:
        """Make what was scored part of what is usual; how it was counted, for ``forget``."""
        scores = self._tails.add(self._band(one.fair), score.looks)
        return CountReceipt(
            one=one,
            scores=scores,
            counted_at=self.baseline.count(one, unit, seen_at),
            counted_briefly_at=self._short_term_baseline.count(one, unit, seen_at),
            number=self.guard.count(one, unit) if self._watches else 0,
        )

    def forget(
        self, vector: AttributeVector, unit: UnitId, seen_at: Seconds, counted: CountReceipt | None
    ) -> None:
        """Take out again what ``update`` put in, from all that counts.

        Without ``counted`` (somebody counted before a restart) only the stored counts hold anything of them.
        """
        if counted is None:
            self.baseline.forget(encode(vector), unit, seen_at)
        else:
            self.baseline.forget(counted.one, unit, counted.counted_at)
            self._short_term_baseline.forget(counted.one, unit, counted.counted_briefly_at)
            self._tails.remove(counted.scores)
            if counted.number:
                self.guard.forget(counted.one, unit, counted.number)
        self.settle()

    def follow_clock(self, now: Seconds, stepped: float = 0.0) -> None:
        """Take note of the hub's clock before a batch; see ``Baseline.follow_clock``."""
        self.baseline.follow_clock(now, stepped)
        self._short_term_baseline.follow_clock(now, stepped)

    def score(self, one: EncodedVector) -> Score:
        """The score of what is worn; changes nothing that is kept."""
        tables = self._fresh_tables()
        band = self._band(one.fair)
        raw, evidence = self._look(one.fair, band, tables)
        strength = surely = together(evidence)
        levels, place = one.fair, band
        p = self._tails.p(band, TOGETHER, strength)
        looked = raw
        if len(one.sure) < len(one.fair) and p <= _WORTH_ASKING:
            # Rare by what was probably seen; is it, by what was surely seen?
            levels, place = one.sure, self._band(one.sure)
            raw, evidence = self._look(one.sure, place, tables)
            surely = min(strength, together(evidence))
            strength = surely + _BENEFIT * (strength - surely)
            p = self._tails.p(band, TOGETHER, surely)
        if strength < _UNSURE_BITS and len(one.known) > len(levels):
            perhaps = together(self._look(one.known, self._band(one.known), tables)[1])
            strength = max(strength, min(_UNSURE_BITS, perhaps))
        tail, (one_bits, two_bits, clash_bits, all_bits) = self._tails.p, raw
        single = tail(place, 0, one_bits) if one_bits >= LEAST[0] else 1.0
        deficit = tail(place, 1, two_bits) if two_bits >= LEAST[1] else 1.0
        clash = tail(place, 2, clash_bits) if clash_bits >= LEAST[2] else 1.0
        whole = tail(place, 3, all_bits) if all_bits >= LEAST[3] else 1.0
        return Score(
            p=p,
            bits=-math.log2(p),
            lens=LENS_OF[evidence.index(max(evidence))],
            lenses=(single, min(deficit, clash), whole),
            raw=(raw[0], raw[1], raw[3]),
            strength=strength,
            looks=(*looked, surely),
        )

    def _band(self, levels: IntArray) -> int:
        return _BAND_OF[len(levels)]

    def _look(self, levels: IntArray, band: int, tables: Tables) -> tuple[Bits, Bits]:
        """The four looks at ``levels``: their bits, and the evidence these are."""
        size = len(levels)
        if not size:
            return _NOTHING, _NO_EVIDENCE
        cells = ((levels * tables.layout.levels)[:, None] + levels).reshape(-1)
        deficits, wholes = tables.looks.take(cells, axis=1)
        raw = (
            float(np.maximum.reduce(tables.single.take(levels))),
            float(np.maximum.reduce(deficits)),
            float(np.maximum.reduce(np.add.reduce(deficits.reshape(size, size), axis=1))),
            float(np.add.reduce(wholes)),
        )
        single, deficit, clash, whole = raw
        evidence = self._tails.evidence
        return raw, (
            evidence(band, 0, single) if single >= LEAST[0] else 0.0,
            evidence(band, 1, deficit) if deficit >= LEAST[1] else 0.0,
            evidence(band, 2, clash) if clash >= LEAST[2] else 0.0,
            evidence(band, 3, whole) if whole >= LEAST[3] else 0.0,
        )

    def _fresh_tables(self) -> Tables:
        people = self.baseline.people
        if self._tables is None or people >= self._tables_due:
            now = Seconds(self.baseline.latest)
            if people >= self._tree_due:
                self._edges, self._tree_due = None, people + min(_TREE_LAG, max(64, people // 4))
            self._tables = tables_of(self.baseline, now, self._short_term_baseline, self._edges)
            self._edges = self._tables.edges
            self._tails.settle()
            self._tables_due = people + min(_MOST_LAG, max(1, people // 16))
        return self._tables

    def settle(self) -> None:
        """Compute tables and tree anew at the next score, as somebody would who takes up the state from the store."""
        self._tables, self._tables_due, self._tree_due = None, 0, 0

    def bins(self) -> FloatArray:
        """The (BANDS, HISTOGRAMS, BINS) histograms, for the store."""
        return self._tails.bins()
