"""What staff's dismissals teach: which words of which camera to doubt, and for how long.

Formula: each dismissal for a wrong reading adds one fault to every (camera, attribute, word) that the alert's reasons
named, ``not_a_person`` one, ``costume`` a half; a gift halves them. Faults halve every ``HALF_LIFE``. A flag's tail
probability counts 2^min(faults, ``MOST_BITS``) times: each fault takes one bit from what that word can prove there.

Invariants:
    * Counts by camera and word; nothing of the person, and nothing that is not among the reasons. Faults decay once
      a day (UTC), so that what is stored tells no hour.
    * Bounded: no word is ever silenced, however often it was wrong. Decaying: a mended camera is believed again.
    * Pure: no I/O, no clock; ``now`` is an argument.

>>> feedback = Feedback()
>>> doubt = (DoubtedWord(unit=UnitId("north"), attribute="top.pattern", word="striped"),)
>>> feedback.dismissed(doubt, Dismissal.WRONG_READING, Seconds(0.0)); feedback.factor(doubt, Seconds(0.0))
2.0
>>> round(feedback.factor(doubt, HALF_LIFE), 2), feedback.factor((), Seconds(0.0))
(1.41, 1.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.hub.statistics.baseline.state import DAY
from appliance.protocol.values import Dismissal, Flag, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES

HALF_LIFE: Final = Seconds(7 * 24 * 3600.0)
MOST_BITS: Final = 3.0
MOST_FAULTS: Final = 6.0
"""Faults do not add up beyond this, so that doubt is gone to one bit within three half-lives."""
FAULTS: Final = {Dismissal.WRONG_READING: 1.0, Dismissal.NOT_A_PERSON: 1.0, Dismissal.COSTUME: 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtedWord:
    """A word of the vocabulary as said by one camera."""

    unit: UnitId
    attribute: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """``faults`` of a word, as they were at ``at``."""

    of: DoubtedWord
    faults: float
    at: Seconds


def words_of(flag: Flag) -> tuple[DoubtedWord, ...]:
    """The words that a flag's reasons rest on."""
    named = {pair for reason in flag.reasons for pair in reason.attributes}
    unit = flag.observation.unit
    return tuple(
        DoubtedWord(unit=unit, attribute=ATTRIBUTES[place].name, word=ATTRIBUTES[place].label(level))
        for place, level in sorted(named)
    )


def _day(now: Seconds) -> Seconds:
    return Seconds(now // DAY * DAY)


class Feedback:
    """Takes up the doubts that were stored."""

    def __init__(self, stored: Iterable[Doubt] = ()) -> None:
        self._doubts = {one.of: one for one in stored}
        self._changed: dict[DoubtedWord, Doubt] = {}

    def _faults(self, word: DoubtedWord, now: Seconds) -> float:
        doubt = self._doubts.get(word)
        return doubt.faults * math.exp2(-max(0.0, _day(now) - doubt.at) / HALF_LIFE) if doubt else 0.0

    def _set(self, word: DoubtedWord, faults: float, now: Seconds) -> None:
        self._doubts[word] = self._changed[word] = Doubt(
            of=word, faults=min(MOST_FAULTS, faults), at=_day(now)
        )

    def dismissed(self, words: Iterable[DoubtedWord], why: Dismissal, now: Seconds) -> None:
        """Staff found that an alert that rested on ``words`` was none."""
        for word in words if why in FAULTS else ():
            self._set(word, self._faults(word, now) + FAULTS[why], now)

    def gifted(self, words: Iterable[DoubtedWord], now: Seconds) -> None:
        """Staff met the person: the words were right."""
        for word in words:
            if word in self._doubts:
                self._set(word, self._faults(word, now) / 2, now)

    def factor(self, words: Iterable[DoubtedWord], now: Seconds) -> float:
        """By how much a tail probability that rests on ``words`` grows: 1 to 2 ** ``MOST_BITS``."""
        return math.exp2(min(MOST_BITS, max((self._faults(word, now) for word in words), default=0.0)))

    def news(self) -> tuple[Doubt, ...]:
        """What changed since it was last asked, to be stored."""
        changed, self._changed = tuple(self._changed.values()), {}
        return changed
