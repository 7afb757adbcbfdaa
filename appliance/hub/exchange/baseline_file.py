"""Baselines that travel: what is usual on one corner, carried to another hub, signed and aggregate only.

Invariants:
    * What travels is ``BaselineState``: counts of things and of two things. No vector, nobody's time, no score.
      A hub exports the ``coarse`` counts that it stores, whole fives; the file is still for hubs, not for publishing.
    * Merging is exact: the sum of two states is the state of one hub that had seen both streets, as far as they say.
    * Cameras stay at home: a camera's own counts are taken over only within the same booth. Nor does calibration
      travel: tail probabilities are learnt anew where they are used, within a few hundred people.
    * Every file says whose people it holds, hub by hub, camera by camera and to the day; one of form 1 does not, and
      is taken to hold anybody of its booth.
    * What comes in is believed only under a key that somebody gave, in our vocabulary, and if it could be counts.
    * Pure: no file, no clock.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from appliance.base.errors import Refused, Rule, Unfit
from appliance.hub.clock import CLOCK_DAYS
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.lineage import ANY, Lineage, Span, named
from appliance.hub.statistics.baseline.state import (
    DAY,
    FIVE,
    HALF_LIFE,
    BaselineState,
    growth,
    merged,
    taken_out,
)
from appliance.hub.statistics.layout import FloatArray
from appliance.protocol import signed_document, vocabulary
from appliance.protocol.prior import WORDS_DIGEST, check_vocabulary
from appliance.protocol.sign import key_id, public_key_of
from appliance.protocol.values import COUNTER_LIMIT, NAME_FORM, TIME_STEP, BoothId, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.protocol.wire import KEY_ID_BYTES

KIND: Final = "baseline"
FORM: Final = 2
OLD_FORM: Final = 1
"""Says not whose people it holds: it overlaps with whatever else comes from the booth it names."""
FEW: Final = 5.0
AHEAD_SECONDS: Final = 3600.0
"""So far two machines' clocks may be apart."""
_KEYS: Final = frozenset(
    {
        "form",
        "vocabulary",
        "words",
        "booth",
        "made_at",
        "people",
        "instants",
        "pairs",
        "known",
        "cameras",
        "lineage",
    }
)
_OLD_KEYS: Final = _KEYS - {"lineage"}
_HUB_FORM: Final = re.compile(rf"(?P<booth>.+)/(?:[0-9a-f]{{{2 * KEY_ID_BYTES}}}|\{ANY})", re.ASCII)
_MOST_SPANS: Final = 4096
_MOST_HALF_LIVES: Final = 64.0
"""The anchor of a baseline is never further behind its latest day; it is moved long before."""
_LEVELS: Final = sum(len(attribute.levels) for attribute in ATTRIBUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFile:
    """A baseline on its way: of which booth, when it was packed (unix seconds), and what it knows.

    Its lineage names every hub: see ``hub_name``.
    """

    booth: BoothId
    made_at: int
    state: BaselineState


def _text(array: FloatArray) -> str:
    return base64.b64encode(array.astype("<f8").tobytes()).decode("ascii")


def hub_name(booth: BoothId, public_key: bytes) -> str:
    """What a hub is called in a lineage: its booth, and which key it signs with."""
    return f"{booth}/{key_id(public_key).hex()}"


def encode(one: BaselineFile, private_key: bytes, *, home: str = "") -> bytes:
    """The signed file of ``one``; the same baseline and key give the same bytes.

    ``home`` is this hub's name in the lineage, where that is not the one of ``private_key``.
    """
    state, home = one.state, home or hub_name(one.booth, public_key_of(private_key))
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
        "lineage": [[span.hub, span.unit, span.first, span.last] for span in named(state.lineage, home)],
    }
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def decode(untrusted: bytes, *, public_key: bytes, where: str) -> BaselineFile:
    """The baseline in a file signed with ``public_key``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION.
    """
    return _travelling(
        signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where=where),
        where,
        key_id(public_key).hex(),
    )


def inspect(untrusted: bytes, *, where: str) -> BaselineFile:
    """The baseline in a file whose signature nobody checked: to be shown, never to be used."""
    return _travelling(signed_document.peek(untrusted, where=where), where, ANY)


def _travelling(document: dict[str, Any], where: str, key: str) -> BaselineFile:
    old = document.get("form") == OLD_FORM
    check_vocabulary(document, *((OLD_FORM, _OLD_KEYS) if old else (FORM, _KEYS)), where)
    try:
        if old:
            document = document | {"lineage": _unknown(document, key)}
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
    state = replace(state, lineage=_lineage(document["lineage"], latest))
    if state.people and not state.lineage:
        raise ValueError("it holds people and says not whose")
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


def _unknown(document: dict[str, Any], key: str) -> list[list[object]]:
    """The lineage of a file that has none: anybody of its booth, until its last day."""
    _, latest, _ = struct.unpack("<3d", base64.b64decode(document["instants"], validate=True))
    known = math.isfinite(latest) and latest >= 0.0
    return [[f"{_name(document['booth'])}/{key}", ANY, 0, int(latest // DAY) if known else 0]]


def _lineage(rows: object, latest: float) -> Lineage:
    """The spans of a document; ValueError, TypeError where they cannot be."""
    if not isinstance(rows, list) or len(rows) > _MOST_SPANS:
        raise ValueError("no lineage")
    spans = []
    for hub, unit, first, last in rows:
        named_hub = _HUB_FORM.fullmatch(hub)
        if named_hub is None or not _count(first) <= _count(last) <= latest // DAY:
            raise ValueError("no span of days")
        _name(named_hub["booth"])
        spans.append(Span(hub=hub, unit=unit if unit == ANY else _name(unit), first=first, last=last))
    return tuple(sorted(set(spans)))


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
    return merged(home, _as_guest(guest, booth))


def taken_back(home: BaselineState, guest: BaselineFile, *, booth: BoothId) -> BaselineState:
    """``home`` without a guest that joined it earlier."""
    return taken_out(home, _as_guest(guest, booth))


def _as_guest(guest: BaselineFile, booth: BoothId) -> BaselineState:
    return guest.state if guest.booth == booth else replace(guest.state, cameras=())


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
        "lineage": [span.text() for span in one.state.lineage],
        "lineage_known": all(span.known for span in one.state.lineage),
        "small_cells": int(((cells > 0) & (cells < FEW)).sum()),
    }
