"""From a track's glances to one attribute vector. Pure.

Invariants:
    * Posterior = prior x tempered likelihoods. Glances at one person are not independent: T of them with errors
      correlated by R count as T^2 / sum R, which is T / (1 + (T - 1) rho) where all are correlated alike. Views that
      are far apart, in time or in size, are less alike: R_st = rho (KEPT + (1 - KEPT) 2^-d), d = seconds between
      them / ``VIEW_SECONDS`` + octaves of height between them / ``VIEW_OCTAVES``.
    * The prior is ``usual``'s, counted for what is SURE, mild for what is said at all.
    * SURE is what is jointly sure: two words that hardly ever go together need better evidence each, or every slip
      of an eye would be a rare combination.
    * Present or not is asked before which: a second colour, or a pattern, is there where all its words together are
      likelier than ``none`` or ``plain``; then which is asked among its words. A sure pattern of no likely kind is
      ``patterned``; a second colour cannot be the first one.
    * What stays below one half is ``unknown``: better nothing than wrong. So is all of ``UNSAID``.
    * The order of the glances does not matter.

Sources: effective number of correlated samples (Kish, *Survey Sampling*, 1965, section 5.4, the design effect);
temperature (Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017, section 4.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from appliance.protocol.prior import Lifts
from appliance.protocol.values import UNKNOWN, AttributeVector, Reading
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX, Confidence
from appliance.unit.vision.attributes.priors import EVEN, RARE, SHIPPED, Calibration, Usual
from appliance.unit.vision.types import AttributeReading

_SURE: Final = 0.9
"""The lower border of SURE (vocabulary)."""
_UNDECIDED: Final = 0.4
"""A pattern all of whose kinds are less likely is of no kind that could be told; below one half a gap is left, so
that nobody's word turns from the one to the other by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """When a glance was made (monotonic seconds) and how high the person stood in the frame (pixels, > 0)."""

    at: float
    height: float


KEPT: Final = 0.5
"""How much of the correlation is left however far two views are apart: light, camera and cloth stay the same."""
VIEW_SECONDS: Final = 5.0
"""Measured on the sample street video (21 people, 723 glances): readings of the top's colour correlate by .90 half a
second apart, .77 at 3.5 s, .69 at 6 s, .60 at 11 s; of the bottom's by .84, .73, .68, .63. What people truly wear is
in that, so ``KEPT`` and ``VIEW_OCTAVES`` could not be measured and are chosen."""
VIEW_OCTAVES: Final = 0.5
Shares = tuple[float, ...]
"""A probability per level of an attribute."""
UNSAID: Final = frozenset(INDEX[name] for name in ("one_piece", "bag"))
"""Attributes that are read no better than by chance, and so are not said (models_tflite/garments.md)."""
_FIRST_OF: Final = {INDEX[f"{where}.accent"]: INDEX[f"{where}.colour"] for where in ("top", "bottom")}
"""Second colours with their first ones, whose levels are the same without ``none``."""
_PATTERNS: Final = frozenset(INDEX[f"{where}.pattern"] for where in ("top", "bottom"))
_PATTERNED: Final = ATTRIBUTES[INDEX["top.pattern"]].levels.index("patterned")
ALIKE: Final = View(at=0.0, height=1.0)


def worth(views: Sequence[View], correlation: float) -> float:
    """What one of several glances counts, in (0, 1]: the T glances together count T times as much.

    >>> alike, apart = [ALIKE] * 3, [View(at=60.0 * place, height=100.0) for place in range(3)]
    >>> worth(alike, 0.5), round(worth(apart, 0.5), 3)
    (0.5, 0.667)
    """
    return 1.0 / (1.0 + correlation * _others_like(views))


def _others_like(views: Sequence[View]) -> float:
    """How many other glances a glance is like, in the mean."""
    seen = [(view.at / VIEW_SECONDS, math.log2(view.height) / VIEW_OCTAVES) for view in views]
    between = sum(
        KEPT + (1 - KEPT) * 2 ** -(abs(at - its_at) + abs(size - its_size))
        for (at, size), (its_at, its_size) in combinations(seen, 2)
    )
    return 2.0 * between / max(1, len(views))


def posterior(
    readings: Sequence[AttributeReading], calibration: Calibration, views: Sequence[View] = ()
) -> tuple[float, ...]:
    """Posterior over the levels of one attribute from its readings; the prior where there are none.

    ``views`` are those of the readings; without them all are taken to be alike.
    """
    return _posterior(readings, calibration, _others_like(views or (ALIKE,) * len(readings)))


def _posterior(readings: Sequence[AttributeReading], calibration: Calibration, others_like: float) -> Shares:
    weight = 1.0 / (1.0 + calibration.correlation * others_like) / calibration.temperature
    logs = [math.log(max(share, 1e-12)) for share in calibration.prior]
    for reading in readings:
        for level, likelihood in enumerate(reading.likelihood):
            logs[level] += weight * math.log(max(likelihood, 1e-9))
    highest = max(logs)
    raw = [math.exp(log - highest) for log in logs]
    total = sum(raw)
    return tuple(share / total for share in raw)


def describe(
    glances: Sequence[Sequence[AttributeReading]], usual: Usual = SHIPPED, views: Sequence[View] = ()
) -> AttributeVector:
    """The vector of one person from all glances at them; an attribute nobody read is unknown.

    ``views`` has one for each glance; without them all glances are taken to be of one view.
    """
    return _vector(_mild(glances, usual, views), usual)


def may_be_rare(
    glances: Sequence[Sequence[AttributeReading]], usual: Usual, views: Sequence[View] = ()
) -> bool:
    """True where another look may settle whether a word is worn that fewer than ``RARE`` wear.

    Asked of the evidence, without the prior: a rare word that the prior still silences is just what is looked for. No
    further look is asked for once the word is SURE, or likelier not to be worn by the evidence alone.
    """
    mild = _mild(glances, usual, views)
    said = _vector(mild, usual)
    for place, shares in enumerate(mild):
        if shares is None:
            continue
        even = _by_another(shares, usual.calibrations[place].prior, EVEN[place])
        best = max(range(len(even)), key=even.__getitem__)
        sure = said.readings[place].level == best + 1 and said.readings[place].confidence is Confidence.SURE
        if not sure and even[best] >= 0.5 and usual.counted[place][best] < RARE:
            return True
    return False


def _mild(
    glances: Sequence[Sequence[AttributeReading]], usual: Usual, views: Sequence[View]
) -> list[Shares | None]:
    """By attribute, the posterior under the mild prior; None where nothing was read or nothing may be said."""
    by_attribute: list[list[AttributeReading]] = [[] for _ in ATTRIBUTES]
    seen_in: list[list[int]] = [[] for _ in ATTRIBUTES]
    for number, glance in enumerate(glances):
        for reading in glance:
            by_attribute[reading.attribute].append(reading)
            seen_in[reading.attribute].append(number)
    if len(views) not in {0, len(glances)}:
        raise ValueError(f"{len(views)} views of {len(glances)} glances")
    every = views or (ALIKE,) * len(glances)
    # Most attributes are read in the same glances: how alike those are is worked out once.
    alike = {which: _others_like([every[number] for number in which]) for which in set(map(tuple, seen_in))}
    return [
        _posterior(readings, constants, alike[tuple(which)]) if readings and place not in UNSAID else None
        for place, (readings, constants, which) in enumerate(
            zip(by_attribute, usual.calibrations, seen_in, strict=True)
        )
    ]


def _vector(mild: Sequence[Shares | None], usual: Usual) -> AttributeVector:
    """What is said of these posteriors."""
    asked: list[Shares | None] = []
    strict: list[Shares | None] = []
    for place, shares in enumerate(mild):
        if shares is None:
            asked.append(None)
            strict.append(None)
            continue
        counted = _by_another(shares, usual.calibrations[place].prior, usual.counted[place])
        first = mild[_FIRST_OF[place]] if place in _FIRST_OF else None
        for kept, found in zip((asked, strict), _which(place, shares, counted, first), strict=True):
            kept.append(found)
    return AttributeVector(
        readings=tuple(_said(place, asked, strict, usual.lifts) for place in range(len(mild)))
    )


def _which(
    place: int, shares: Shares, counted: Shares, first: Shares | None
) -> tuple[Shares, Shares] | tuple[None, None]:
    """Both posteriors of an attribute once it is settled whether there is anything at all; None: nothing to be said.

    Where something is there: kinds of patterns of which none is likely are one, ``patterned``, if any is sure; a
    second colour that looks most like the ``first`` one is nothing that could be said, any other is not the first.
    """
    if shares[0] >= 0.5:
        return shares, counted
    if place in _PATTERNS and max(shares[1:]) < _UNDECIDED and 1 - shares[0] >= _SURE:
        return _of_no_kind(shares), _of_no_kind(counted)
    if first is None:
        return shares, counted
    same = 1 + max(range(len(first)), key=first.__getitem__)
    if shares[same] == max(shares[1:]):
        return None, None
    return _without(shares, same), _without(counted, same)


def _of_no_kind(shares: Shares) -> Shares:
    """A pattern's posterior with all its kinds under ``patterned``."""
    return tuple(
        one if not level else 1 - shares[0] if level == _PATTERNED else 0.0
        for level, one in enumerate(shares)
    )


def _without(shares: Shares, level: int) -> Shares:
    """The posterior if it is not this level."""
    rest = max(1 - shares[level], 1e-12)
    return tuple(0.0 if place == level else share / rest for place, share in enumerate(shares))


def _by_another(shares: Sequence[float], prior: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    """The same evidence weighed by another prior."""
    raw = [share * instead / one for share, one, instead in zip(shares, prior, other, strict=True)]
    return tuple(share / sum(raw) for share in raw)


def _said(
    place: int,
    mild: Sequence[Shares | None],
    strict: Sequence[Shares | None],
    lifts: Lifts,
) -> Reading:
    """The likeliest level with its class of confidence, or unknown; SURE where it is strictly and jointly sure."""
    shares = mild[place]
    if shares is None:
        return UNKNOWN
    best = max(range(len(shares)), key=shares.__getitem__)
    confidence = Confidence.of(shares[best])
    if confidence is Confidence.SURE and jointly(place, best, strict, lifts) < _SURE:
        confidence = Confidence.FAIR
    return UNKNOWN if confidence is None else Reading(level=best + 1, confidence=confidence)


def jointly(place: int, level: int, told: Sequence[Shares | None], lifts: Lifts) -> float:
    """The least posterior of ``level`` of attribute ``place`` if each other attribute in turn is looked at with it.

    With s_i and t_j the posteriors of the two by themselves and L_ij their lift, the posterior of i in the pair is
    s_i sum_j t_j L_ij, over the sum of that over all i. Where no lift is known: the posterior by itself.
    """
    mine = told[place] or ()
    least = mine[level]
    for other, theirs in enumerate(told):
        rows = lifts.get((min(place, other), max(place, other)))
        if rows is None or theirs is None:
            continue
        columns = rows if place < other else tuple(zip(*rows, strict=True))
        weights = [
            share * sum(t * lift for t, lift in zip(theirs, row, strict=True))
            for share, row in zip(mine, columns, strict=True)
        ]
        least = min(least, weights[level] / sum(weights))
    return least
