"""What installers' tablets ask while cameras are set up, read; and what they are told, written.

Invariants:
    * Reading gives a request or ``Refused`` (MALFORMED_REQUEST), nothing else. There is no field for a free text.
    * What is told has counts of right and wrong, never what somebody wore; by attribute only from three read passes
      on, because the counts of one pass are nearly the outfit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Any, Final

from appliance.base.errors import Refused, Rule
from appliance.hub.setup.walk import FEWEST_PASSES, WEARABLE, ClickTest, WalkCounts, WalkTest
from appliance.hub.staff.messages import VERSION, json_of
from appliance.protocol.aim import MOST_MINUTES
from appliance.protocol.setup_order import Zone, zones_in
from appliance.protocol.values import UnitId
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

MAX_REQUEST: Final = 2048
_KEYS: Final = frozenset({"v", "do", "unit", "minutes", "zones", "wear"})


@unique
class Ask(Enum):
    """What an installer can ask for."""

    AIM = "aim"
    WATCH = "watch"
    ZONES = "zones"
    LOCK = "lock"
    WALK = "walk"
    """Begin a walk test in these clothes."""
    PASS = "pass"  # noqa: S105 - somebody walks past
    END = "end"
    """End a test of either kind."""
    COUNT = "count"
    """Begin to count by hand."""
    CLICK = "click"
    """One passer-by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRequest:
    """``ask`` about ``unit``; ``minutes`` is for AIM, ``zones`` for ZONES, ``worn`` (attribute to level) for WALK."""

    ask: Ask
    unit: UnitId
    minutes: int = 0
    zones: tuple[Zone, ...] = ()
    worn: Mapping[int, int] = field(default_factory=dict, repr=False)


def request_in(untrusted: bytes) -> SetupRequest:
    """The request in ``untrusted`` (one JSON object). Refused (MALFORMED_REQUEST) where it is none."""
    if len(untrusted) > MAX_REQUEST:
        raise _malformed("it is too long")
    try:
        fields = json.loads(untrusted)
    except (ValueError, RecursionError):
        raise _malformed("it is not JSON") from None
    if not isinstance(fields, dict) or set(fields) - _KEYS or fields.get("v") != VERSION:
        raise _malformed("its fields are not those of a request")
    unit, minutes = fields.get("unit"), fields.get("minutes", 0)
    try:
        ask, zones, worn = (
            Ask(fields.get("do")),
            zones_in(fields.get("zones", [])),
            _worn(fields.get("wear", {})),
        )
    except ValueError as reason:
        raise _malformed(str(reason)) from None
    if (
        type(minutes) is not int
        or (1 <= minutes <= MOST_MINUTES) != (ask is Ask.AIM)
        or not isinstance(unit, str)
    ):
        raise _malformed("the unit is no name, or the minutes are none")
    if (zones and ask is not Ask.ZONES) or bool(worn) != (ask is Ask.WALK):
        raise _malformed("zones belong to zones, clothes to a walk")
    return SetupRequest(ask=ask, unit=UnitId(unit), minutes=minutes, zones=zones, worn=worn)


def _worn(untrusted: object) -> dict[int, int]:
    """What somebody wears: attribute to level, each of the vocabulary; ValueError for anything else."""
    worn = {}
    for name, word in untrusted.items() if isinstance(untrusted, dict) else [("", "")]:
        place = INDEX.get(name)
        if place not in WEARABLE or word not in ATTRIBUTES[place].levels:
            raise ValueError("a word is not in the vocabulary")
        worn[place] = ATTRIBUTES[place].level(word)
    return worn


def _malformed(what: str) -> Refused:
    return Refused(Rule.MALFORMED_REQUEST, what, where="setup request", fix="load the page again")


def answer(ask: Ask) -> bytes:
    """A request was carried out, or sent to its unit."""
    return json_of({"v": VERSION, "ok": True, "alert": None, "why": ask.value, "text": "done"})


def refusal(refused: Refused, why: str) -> bytes:
    """A request was refused; ``why`` is a word for the page."""
    told = {"v": VERSION, "ok": False, "alert": None, "why": why, "rule": int(refused.rule)}
    return json_of(told | {"text": f"{refused.what}. {refused.fix}".strip()})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSetup:
    """How one unit stands: what its heartbeat says, its tests and what they have shown."""

    unit: UnitId
    place: str
    looks: str
    state: str
    locked: bool
    card: bool
    walk: WalkTest | None
    counts: WalkCounts | None
    clicks: ClickTest | None


def telling(units: list[UnitSetup], now: float) -> bytes:
    """How every unit stands, for installers' tablets."""
    return json_of({"v": VERSION, "at": int(now), "units": [_unit(one, now) for one in units]})


def _unit(one: UnitSetup, now: float) -> dict[str, Any]:
    walk, counts = one.walk, one.walk.counts if one.walk else one.counts
    return {
        "unit": one.unit,
        "place": one.place,
        "looks": one.looks,
        "state": one.state,
        "locked": one.locked,
        "card": one.card,
        "walk": None
        if walk is None
        else {
            "left": max(0, int(walk.until - now)),
            "passing": walk.passing,
            "last": walk.last.value if walk.last else None,
        },
        "result": None if counts is None else _result(counts, card=one.card),
        "clicks": None if one.clicks is None else _clicks(one.clicks, now),
    }


def _result(counts: WalkCounts, *, card: bool) -> dict[str, Any]:
    low, high = counts.interval
    enough = counts.read >= FEWEST_PASSES
    rows = zip(ATTRIBUTES, counts.right, counts.wrong, counts.unsaid, strict=True)
    return {
        "passes": [counts.read, counts.nobody, counts.crowd],
        "right": sum(counts.right),
        "wrong": sum(counts.wrong),
        "unsaid": sum(counts.unsaid),
        "low": round(low, 3),
        "high": round(high, 3),
        "ready": counts.is_ready(card=card),
        "attributes": {attribute.name: numbers for attribute, *numbers in rows if enough and any(numbers)},
    }


def _clicks(test: ClickTest, now: float) -> dict[str, Any]:
    low, high = test.interval
    return {
        "left": max(0, int(test.until - now)),
        "clicks": test.clicks,
        "seen": test.seen,
        "low": round(low, 3),
        "high": round(high, 3),
    }
