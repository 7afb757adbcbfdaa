"""Baselines that travel: what is usual on one corner, carried to another hub, signed and aggregate only.

Invariants:
    * What travels is ``BaselineState``: counts of things and of two things. No vector, nobody's time, no score.
      A hub exports the ``coarse`` counts that it stores, whole fives; the file is still for hubs, not for publishing.
    * Merging is exact: the sum of two states is the state of one hub that had seen both streets, as far as they say.
    * Cameras stay at home: a camera's own counts are taken over only within the same booth. Nor does calibration
      travel: tail probabilities are learnt anew where they are used, within a few hundred people.
    * What comes in is believed only under a key that somebody gave, in our vocabulary, and if it could be counts.
    * Pure: no file, no clock.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from appliance.base.errors import Refused, Rule, Unfit
from appliance.hub.clock import CLOCK_DAYS
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import FIVE, HALF_LIFE, BaselineState, growth, merged
from appliance.hub.statistics.layout import ATTRIBUTE_OF, STREET, FloatArray
from appliance.protocol import signed_document, vocabulary
from appliance.protocol.prior import PAIRS, WORDS_DIGEST, Lifts, check_vocabulary
from appliance.protocol.values import COUNTER_LIMIT, NAME_FORM, TIME_STEP, BoothId, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES

KIND: Final = "baseline"
FORM: Final = 1
FEW: Final = 5.0
AHEAD_SECONDS: Final = 3600.0
"""So far two machines' clocks may be apart."""
_KEYS: Final = frozenset(
    {"form", "vocabulary", "words", "booth", "made_at", "people", "instants", "pairs", "known", "cameras"}
)
_MOST_HALF_LIVES: Final = 64.0
"""The anchor of a baseline is never further behind its latest day; it is moved long before."""
_LEVELS: Final = sum(len(attribute.levels) for attribute in ATTRIBUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFile:
    """A baseline on its way: of which booth, when it was packed (unix seconds), and what it knows."""

    booth: BoothId
    made_at: int
    state: BaselineState


def _text(array: FloatArray) -> str:
    return base64.b64encode(array.astype("<f8").tobytes()).decode("ascii")


def encode(one: BaselineFile, private_key: bytes) -> bytes:
    """The signed file of ``one``; the same baseline and key give the same bytes."""
    state = one.state
    document: dict[str, Any] = {
        "form": FORM,
        "vocabulary": vocabulary.VERSION,
        "words": WORDS_DIGEST,
        "booth": one.booth,
        "made_at": one.made_at,
        "people": state.people,
        "instants": base64.b64encode(struct.pack("<3d", state.anchor, state.latest, state.weight)).decode(
            "ascii"
        ),
        "pairs": _text(state.pairs),
        "known": _text(state.known),
        "cameras": {unit: _text(row) for unit, row in state.cameras},
    }
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def decode(untrusted: bytes, *, public_key: bytes, where: str) -> BaselineFile:
    """The baseline in a file signed with ``public_key``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION.
    """
    return _travelling(
        signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where=where), where
    )


def inspect(untrusted: bytes, *, where: str) -> BaselineFile:
    """The baseline in a file whose signature nobody checked: to be shown, never to be used."""
    return _travelling(signed_document.peek(untrusted, where=where), where)


def _travelling(document: dict[str, Any], where: str) -> BaselineFile:
    check_vocabulary(document, FORM, _KEYS, where)
    try:
        return BaselineFile(
            booth=BoothId(_name(document["booth"])),
            made_at=_count(document["made_at"]),
            state=_state(document),
        )
    except (ValueError, TypeError, AttributeError, struct.error, binascii.Error):
        raise Refused(
            Rule.MALFORMED, "the counts contradict one another", where=where, fix="export the file again"
        ) from None


def _state(document: dict[str, Any]) -> BaselineState:
    anchor, latest, weight = struct.unpack("<3d", base64.b64decode(document["instants"], validate=True))
    state = BaselineState(
        anchor=Seconds(anchor),
        latest=Seconds(latest),
        people=_count(document["people"]),
        weight=weight,
        pairs=_array(document["pairs"], _LEVELS, _LEVELS),
        known=_array(document["known"], len(ATTRIBUTES), len(ATTRIBUTES)),
        cameras=tuple(
            (UnitId(_name(unit)), _array(row, _LEVELS)) for unit, row in sorted(document["cameras"].items())
        ),
    )
    _check_instants(state)
    for counts in (state.pairs, state.known):
        most = np.minimum.outer(np.diag(counts), np.diag(counts))
        if (counts != counts.T).any() or (counts > most + 1e-6).any():
            raise ValueError("two things are worn more often than one of them")
    # Each count is rounded to fives by itself, and what is forgotten is taken off what was rounded: five may differ.
    most_people = weight + FIVE * growth((latest - anchor) / HALF_LIFE)
    rows = (np.diag(state.pairs), np.diag(state.known), *(row for _, row in state.cameras))
    if any(row.max(initial=0.0) > most_people for row in rows):
        raise ValueError("something is worn, known or seen by a camera in more people than there are")
    return state


def _check_instants(state: BaselineState) -> None:
    """ValueError where instants and weight cannot belong together; every number is finite and within its range."""
    anchor, latest, weight = state.anchor, state.latest, state.weight
    if not all(map(math.isfinite, (anchor, latest, weight))):
        raise ValueError("an instant or the weight is not a number")
    if not (0.0 <= anchor <= latest < COUNTER_LIMIT * TIME_STEP and anchor % HALF_LIFE == 0.0):
        raise ValueError("the instants lie outside the calendar, or in the wrong order")
    age = (latest - anchor) / HALF_LIFE
    if age > _MOST_HALF_LIVES:
        raise ValueError("the anchor lies too far back")
    # Nobody weighs more than on the latest day; rounding to fives may add half of five.
    if not 0.0 <= weight <= (state.people + FIVE) * growth(age):
        raise ValueError("the weight does not fit the number of people")


def _array(text: str, *shape: int) -> FloatArray:
    found: FloatArray = (
        np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(np.float64).reshape(shape)
    )
    if not np.isfinite(found).all() or (found < 0).any():
        raise ValueError("a count is negative or not a number")
    return found


def _count(number: object) -> int:
    if type(number) is not int or not 0 <= number < 2**53:
        raise ValueError("no count")
    return number


def _name(name: object) -> str:
    if not isinstance(name, str) or not NAME_FORM.fullmatch(name):
        raise ValueError("no name")
    return name


def check_age(one: BaselineFile, now: Seconds, *, where: str) -> None:
    """Whether a baseline is of a time that can count here at ``now``.

    Refused: FUTURE where it was packed, or somebody was seen, later than now. Unfit where its last sighting is more
    than ``CLOCK_DAYS`` ago: all of it has decayed, and what would be left is the belief that much is known.
    """
    ahead = max(float(one.made_at), one.state.latest) - now
    if ahead > AHEAD_SECONDS:
        raise Refused(
            Rule.FUTURE,
            f"the baseline is dated {ahead / 3600:,.1f} hours ahead of this machine's clock",
            where=where,
            fix="set the clock here, or set it on the hub it comes from and export again",
        )
    days = (now - one.state.latest) / 86_400.0
    if one.state.people and days > CLOCK_DAYS:
        raise Unfit(
            f"its last observation is {days:,.0f} days old; after {CLOCK_DAYS} days it is worth nothing",
            where=where,
            fix="let this hub collect for some days, or import a newer baseline",
        )


def joined(home: BaselineState, guest: BaselineFile, *, booth: BoothId) -> BaselineState:
    """The baseline of ``booth`` that would have seen both; cameras of another booth stay where they are."""
    state = guest.state if guest.booth == booth else replace(guest.state, cameras=())
    return merged(home, state)


def shares_of(state: BaselineState) -> tuple[tuple[float, ...], ...]:
    """The share of each level of each attribute among those in whom it could be told; smoothed by one person each."""
    counts = np.diag(state.pairs)
    rows, start = [], 0
    for attribute in ATTRIBUTES:
        row = counts[start : start + len(attribute.levels)] + 1.0
        rows.append(tuple((row / row.sum()).tolist()))
        start += len(attribute.levels)
    return tuple(rows)


def lifts_of(state: BaselineState) -> Lifts:
    """How many times more often than by chance each two levels go together, (k_ij + A) / (n_ij p_i p_j + A).

    A is half of five people: counts rounded to fives say no more (the gamma-Poisson shrinker of ``tables``).
    """
    shares = np.concatenate([np.array(row) for row in shares_of(state)])
    shrink = FEW / 2.0 * growth((state.latest - state.anchor) / HALF_LIFE)
    lift = (state.pairs + shrink) / (
        state.known[np.ix_(ATTRIBUTE_OF, ATTRIBUTE_OF)] * np.outer(shares, shares) + shrink
    )
    return {
        (one, other): tuple(map(tuple, lift[STREET.block(one), STREET.block(other)].tolist()))
        for one, other in PAIRS
    }


def summary(one: BaselineFile, now: Seconds) -> dict[str, Any]:
    """What a person wants to know of a baseline before taking it in."""
    baseline = Baseline(one.state)
    cells = one.state.pairs[np.triu_indices(_LEVELS)]
    return {
        "booth": one.booth,
        "made_at": one.made_at,
        "vocabulary": vocabulary.VERSION,
        "people": one.state.people,
        "weight_now": round(baseline.weight(now), 1),
        "last_seen": int(one.state.latest),
        "cameras": [unit for unit, _ in one.state.cameras],
        "usual": {row.attribute: row.word for row in baseline.usual(most=1)},
        "small_cells": int(((cells > 0) & (cells < FEW)).sum()),
    }
