"""The form of every payload, beside the code that writes or reads it: a changed message fails the test against it.

Invariants:
    * What is signed is told in its decoded form too; the bytes themselves are in docs/wire.md.
    * Pure.
"""

from __future__ import annotations

from typing import Final

from appliance.asyncapi.forms import (
    ATTRIBUTE,
    COUNT,
    FIVES,
    NAME,
    NUMBER,
    PERCENT,
    TEXT,
    TIME,
    VERSION,
    WORD,
    YES_NO,
    Form,
    by_attribute,
    look,
    maybe,
    message,
    one_of,
    record,
    row,
    several,
    unit_keys,
    words_of,
)
from appliance.hub.alerts.alerts import OUTCOMES
from appliance.hub.records.acts import TOLD
from appliance.hub.records.trends import CLASSES, ENDS, LEAST, QUARTER, SHOWN, STRIP_SECONDS
from appliance.hub.setup.messages import Ask
from appliance.hub.setup.walk import PassEnd
from appliance.hub.staff.lead import ACTS
from appliance.hub.staff.notices import Condition
from appliance.hub.staff.shift import MOST_STOCK, Act
from appliance.pairing.requests import DIRECTIONS
from appliance.protocol import encryption, prior, receipt, vocabulary
from appliance.protocol import setup_order as setup
from appliance.protocol.acts import ActKind
from appliance.protocol.aim import AIM_BYTES, COLUMNS, MOST_MINUTES, ROWS
from appliance.protocol.fleet_report import COUNTED, FORM, ReportKind
from appliance.protocol.health import HEALTH_CODES
from appliance.protocol.setup_order import CORNERS, MOST_ZONES
from appliance.protocol.values import ALERT_FORM, COUNTER_LIMIT, TIME_STEP, AlertState, Dismissal, Lens
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.protocol.wire import HEALTH_VERSION, KEY_ID_BYTES, Kind
from appliance.settings.config import LANGUAGES, MOST_SIZES, SIZE_FORM

_COUNTER: Final = COUNT | {"maximum": COUNTER_LIMIT - 1}
_ALERT: Final[Form] = {"type": "string", "pattern": f"^{ALERT_FORM.pattern}$"}
_KEY_ID: Final[Form] = {"type": "string", "pattern": f"^[0-9a-f]{{{2 * KEY_ID_BYTES}}}$"}
_SIZE: Final[Form] = {"type": "string", "pattern": f"^{SIZE_FORM.pattern}$"}
_LINK: Final = one_of(("online", "offline"))
_ONLINE: Final = {"state": _LINK}


def statement() -> Form:
    """What an envelope says, decoded: ``[kind, version, epoch, seq, uptime, wall, code]``, the code as a number."""
    versions = (
        (Kind.OBSERVATION, vocabulary.VERSION, vocabulary.CAPACITY),
        (Kind.HEARTBEAT, HEALTH_VERSION, HEALTH_CODES),
    )
    counters = (_COUNTER | {"minimum": 1}, _COUNTER, _COUNTER, _COUNTER)
    return {
        "oneOf": [
            row({"const": int(kind)}, {"const": version}, *counters, COUNT | {"maximum": capacity - 1})
            for kind, version, capacity in versions
        ]
    }


def unit_status() -> Form:
    """What a unit's RELAY says of itself; its last will has no counts."""
    keys = _ONLINE | {"spooled": COUNT, "dropped": COUNT, "disk": {"const": "low"}}
    return message(keys, optional=("spooled", "dropped", "disk"))


def fleet_report(kind: ReportKind) -> Form:
    """A report's document, of one kind (``protocol/fleet_report.py``)."""
    day = record(dict.fromkeys(COUNTED, COUNT) | {"people": FIVES, "flags": FIVES}, optional=COUNTED)
    bodies: dict[ReportKind, Form] = {
        ReportKind.DAYS: {
            "type": "object",
            "patternProperties": {r"^\d{4}-\d{2}-\d{2}$": day},
            "additionalProperties": False,
        },
        ReportKind.BASELINE: record({"file": TEXT}),
        ReportKind.MOMENT: record(
            {
                "people": FIVES,
                **dict.fromkeys(("needs", "refused"), COUNT),
                "units": several(row(NAME, TEXT, _LINK)),
                "changes": several(row(TEXT, TEXT, PERCENT, PERCENT)),
            }
        ),
    }
    return record(
        {
            "form": {"const": FORM},
            "booth": NAME,
            "kind": {"const": kind.value},
            "epoch": _COUNTER,
            "seq": _COUNTER,
            "made_at": TIME,
            "body": bodies[kind],
        }
    )


def receipt_document() -> Form:
    """A receipt's document."""
    gap = row(_COUNTER, COUNT)
    epoch = row(_COUNTER, COUNT, several(gap, maxItems=receipt.MOST_GAPS))
    return record(
        {
            "form": {"const": receipt.FORM},
            "booth": NAME,
            "unit": NAME,
            "key": _KEY_ID,
            "admitted": COUNT,
            "floor": COUNT,
            "epochs": several(epoch, maxItems=receipt.MOST_EPOCHS),
        }
    )


def prior_document() -> Form:
    """A prior's document."""
    share = COUNT | {"minimum": 1, "maximum": 1000}
    shares = {
        one.name: several(share, minItems=len(one.levels), maxItems=len(one.levels)) for one in ATTRIBUTES
    }
    return record(
        {
            "form": {"const": prior.FORM},
            "vocabulary": {"const": vocabulary.VERSION},
            "words": {"const": prior.WORDS_DIGEST},
            "booth": NAME,
            "made_at": TIME,
            "people": COUNT,
            "shares": record(shares),
            "lifts": TEXT | {"contentEncoding": "base64"},
        }
    )


def encryption_document() -> Form:
    """The document of the hub's encryption key."""
    return record(
        {
            "form": {"const": encryption.FORM},
            "booth": NAME,
            "made_at": TIME,
            "key": TEXT | {"pattern": "^[0-9a-f]{64}$"},
        }
    )


def acts() -> Form:
    """Who did what: minute, name of a tablet or account, what, of which unit or tablet.

    Of what is done with alerts the day (UTC).
    """
    kinds: Form = {"enum": [kind.value for kind in ActKind]}
    return message({"booth": NAME, "at": TIME, "acts": several(row(TIME, TEXT, kinds, TEXT), maxItems=TOLD)})


def hub_status() -> Form:
    """Whether the hub is there."""
    return message(_ONLINE)


def board() -> Form:
    """What staff see of the booth."""
    usual = record({"attribute": ATTRIBUTE, "word": WORD, "share": NUMBER})
    notice = record({"condition": words_of(Condition), "place": TEXT, "title": TEXT, "todo": TEXT})
    note = record({"text": TEXT, "by": NAME, "at": TIME})
    shift = record(
        {
            "paused_until": maybe(TIME),
            "closed": YES_NO,
            "sizes": several(record({"size": _SIZE, "left": COUNT}), maxItems=MOST_SIZES),
            "note": maybe(note),
        }
    )
    return message(
        {
            "booth": NAME,
            "at": TIME,
            "simulated": YES_NO,
            "people": record({"today": COUNT, "total": COUNT}),
            "flags_today": COUNT,
            "alerts": record({"open": COUNT, "today": COUNT, "gifted": COUNT}),
            "baseline": record({"weight": NUMBER, "ready": YES_NO, "needs": COUNT}),
            "stock": COUNT,
            "staff": COUNT,
            "staff_free": COUNT,
            "units": several(record(unit_keys())),
            "usual": several(usual),
            "notices": several(notice),
            "language": one_of(LANGUAGES),
            "retention": COUNT,
            "shift": shift,
            "last_alert": maybe(record({"id": _ALERT, "text": TEXT, "at": TIME})),
        }
    )


def trends() -> Form:
    """What people wore in the past hours, as counts of crowds: each is 0, or whole fives of ``LEAST`` and more."""
    cell: Form = {"oneOf": [{"const": 0}, FIVES | {"minimum": LEAST}]}
    share = row(PERCENT, PERCENT, PERCENT) | {"description": "share and both ends of its interval, per cent"}
    return message(
        {
            "booth": NAME,
            "at": TIME,
            "quarter": {"const": QUARTER},
            "least": {"const": LEAST},
            "starts": several(TIME),
            "quarters": several(COUNT | {"minimum": 1}),
            "people": several(FIVES),
            "cells": by_attribute(SHOWN, several(cell), rest=True),
            "usual": by_attribute(SHOWN, share),
            "recent": by_attribute(SHOWN, share),
            "movers": several(row(ATTRIBUTE, WORD, PERCENT, PERCENT)),
            "changes": several(row(ATTRIBUTE, WORD, PERCENT, PERCENT, TIME)),
            "ends": {"const": list(ENDS)},
            "alerts": several(row(TIME, several(COUNT, minItems=len(ENDS), maxItems=len(ENDS)))),
        }
    )


def live() -> Form:
    """How the booth is now; a dot is steps ago, class of rarity, simulated or not, and how many."""
    dot = row(COUNT, COUNT | {"maximum": CLASSES - 1}, {"enum": [0, 1]}, COUNT | {"minimum": 1})
    pacing = dict.fromkeys(("stock", "staff", "staff_free"), COUNT)
    pacing |= {"opens": TIME, "closes": TIME, "people": FIVES, "gifts": maybe(COUNT), "finish": maybe(TIME)}
    return message(
        {
            "booth": NAME,
            "at": TIME,
            "step": {"const": TIME_STEP},
            "window": {"const": STRIP_SECONDS},
            "dots": several(dot),
            "simulated": YES_NO,
            "people": FIVES,
            "alerts": record(dict.fromkeys(("today", "waiting", "claimed", "gifted"), COUNT)),
            "baseline": record({"people": FIVES, "needs": COUNT}),
            "pacing": record(pacing),
            "units": several(
                record(unit_keys() | {"spooled": COUNT, "dropped": COUNT, "clock": maybe(YES_NO)})
            ),
            "refused": several(row(COUNT, COUNT)),
        }
    )


def lead() -> Form:
    """What only the lead's tablets are told."""
    refused = several(row(COUNT, COUNT))
    unit = record(
        {"place": TEXT, "missing": COUNT, "dropped": COUNT, "clock": maybe(YES_NO), "refused": refused}
    )
    change = record({"attribute": ATTRIBUTE, "word": WORD, "now": PERCENT, "usual": PERCENT})
    return message(
        {
            "booth": NAME,
            "at": TIME,
            "units": several(unit),
            "strangers": refused,
            "changes": several(change),
            "tablets": several(record({"tablet": NAME, **dict.fromkeys(ACTS, COUNT)})),
        }
    )


def alert() -> Form:
    """An alert while it is open, with what was worn; and as it is told for a minute after its end, without."""
    always = {
        "id": _ALERT,
        "raised_at": TIME,
        "expires_at": TIME,
        "held_by": maybe(NAME),
    }
    reason = record(
        {"lens": words_of(Lens), "attributes": look(), "one_in": maybe(COUNT | {"minimum": 1}), "text": TEXT}
    )
    rarity = {"p": maybe(NUMBER), "bits": maybe(NUMBER), "one_in": maybe(COUNT)}
    open_keys = {
        "place": TEXT,
        "simulated": YES_NO,
        "boxed": maybe(YES_NO),
        "seen_ago": maybe(COUNT | {"multipleOf": TIME_STEP}),
        "unit": NAME,
        "rarity": record(rarity),
        "reasons": several(reason),
        "look": look(),
    }
    opened = one_of(state.value for state in AlertState if not state.ended)
    ended = one_of(state.value for state in AlertState if state.ended)
    return {"oneOf": [message(always | {"state": opened} | open_keys), message(always | {"state": ended})]}


def claim() -> Form:
    """A claim, an alert given back, or that somebody wants to be forgotten."""
    return message({"alert": _ALERT})


def outcome() -> Form:
    """How an alert ended."""
    ends = one_of(end.value for end in OUTCOMES)
    keys = {"alert": _ALERT, "outcome": ends, "why": maybe(words_of(Dismissal)), "size": maybe(_SIZE)}
    return message(keys, optional=("size",))


def shift() -> Form:
    """What a tablet says of the shift."""
    value: Form = {"oneOf": [COUNT | {"maximum": MOST_STOCK}, TEXT, {"type": "null"}]}
    return message({"act": words_of(Act), "value": value, "size": maybe(_SIZE)})


def answer() -> Form:
    """The hub's answer to a request, and the desk's to a request to pair."""
    done = {"ok": {"const": True}, "alert": _ALERT, "state": words_of(AlertState), "text": TEXT}
    granted = message(done | {"why": {"const": "nothing_left"}}, optional=("why",))
    told = message({"ok": {"const": True}, "act": words_of(Act), "text": TEXT})
    no = {"ok": {"const": False}, "rule": COUNT, "text": TEXT, "why": TEXT, "by": maybe(NAME)}
    refused = message(no, optional=("why", "by"))
    paired = message(
        {"ok": YES_NO, "alert": {"type": "null"}, "why": TEXT, "left": COUNT, "text": TEXT},
    )
    nobody: Form = {"alert": {"type": "null"}, "text": TEXT}
    set_up = message({"ok": {"const": True}, "why": words_of(Ask)} | nobody)
    not_set_up = message({"ok": {"const": False}, "why": TEXT, "rule": COUNT} | nobody)
    return {"oneOf": [granted, told, refused, paired, set_up, not_set_up]}


def pair() -> Form:
    """An installer's request to pair a camera."""
    keys = {"code": TEXT, "unit": NAME, "place": TEXT, "looks": one_of(DIRECTIONS), "replaces": TEXT}
    return message(keys, optional=("looks", "replaces"))


def _zones() -> Form:
    corner = row(COUNT | {"maximum": COLUMNS}, COUNT | {"maximum": ROWS})
    return several(several(corner, minItems=CORNERS[0], maxItems=CORNERS[1]), maxItems=MOST_ZONES)


def setup_request() -> Form:
    """What an installer asks while a camera is set up."""
    minutes = COUNT | {"minimum": 1, "maximum": MOST_MINUTES}
    keys = {"do": words_of(Ask), "unit": NAME, "minutes": minutes, "zones": _zones(), "wear": look()}
    return message(keys, optional=("minutes", "zones", "wear"))


def setup_order() -> Form:
    """The hub's order to one unit."""
    minutes = COUNT | {"maximum": MOST_MINUTES}
    named = {"form": {"const": setup.FORM}, "booth": NAME, "unit": NAME, "key": _KEY_ID}
    return record(
        named
        | {
            "epoch": _COUNTER,
            "made_at": TIME,
            "do": words_of(setup.Do),
            "minutes": minutes,
            "zones": _zones(),
        }
    )


def aim_records() -> Form:
    """Stick figures and views: each ``AIM_BYTES`` bytes."""
    return {"type": "string", "contentEncoding": "binary", "description": f"records of {AIM_BYTES} bytes"}


def setups() -> Form:
    """How every camera stands while it is set up."""
    share: Form = {"type": "number", "minimum": 0, "maximum": 1}
    walk = record({"left": COUNT, "passing": YES_NO, "last": maybe(words_of(PassEnd))})
    counts = {"right": COUNT, "wrong": COUNT, "unsaid": COUNT, "low": share, "high": share, "ready": YES_NO}
    numbers = dict.fromkeys((one.name for one in ATTRIBUTES), row(COUNT, COUNT, COUNT))
    each: Form = {"type": "object", "additionalProperties": False, "properties": numbers}
    result = record(counts | {"passes": row(COUNT, COUNT, COUNT), "attributes": each})
    clicks = record({"left": COUNT, "clicks": COUNT, "seen": COUNT, "low": share, "high": share})
    stands = {"unit": NAME, "place": TEXT, "looks": one_of(DIRECTIONS), "state": unit_keys()["state"]}
    stands |= {"locked": YES_NO, "card": YES_NO}
    tests = {"walk": maybe(walk), "result": maybe(result), "clicks": maybe(clicks)}
    return message({"at": TIME, "units": several(record(stands | tests))})


def pairing() -> Form:
    """Which cameras wait."""
    return message({"waiting": several(TEXT)})


def home_assistant() -> Form:
    """A description in the device form of Home Assistant's MQTT discovery, of the keys that are used."""
    component: Form = {
        "type": "object",
        "required": ["platform", "unique_id", "state_topic", "value_template", "name"],
        "properties": {"platform": one_of(("sensor", "binary_sensor"))},
    }
    return record(
        {
            "device": {"type": "object", "required": ["identifiers", "name"]},
            "origin": record({"name": TEXT, "sw_version": TEXT}),
            "components": {"type": "object", "additionalProperties": component},
            "qos": VERSION,
            "availability_topic": TEXT,
            "availability_template": TEXT,
        },
        optional=("availability_topic", "availability_template"),
    )
