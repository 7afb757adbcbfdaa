"""What staff pages and the hub say to each other: strict JSON, both ways.

Invariants:
    * A request is a value or ``Refused`` (MALFORMED_REQUEST), never anything else; nothing longer than
      ``MAX_REQUEST`` bytes is read.
    * An alert that has ended is told without what was worn and without its reasons.
    * What is unknown is left out of a look, not spelled.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final

from appliance.base.errors import Refused, Rule
from appliance.hub.alerts.alerts import OUTCOMES, AlertRefused, TrackedAlert
from appliance.hub.staff.catalogue import Catalogue
from appliance.hub.staff.shift import LONGEST_NOTE, MOST_MINUTES, MOST_STAFF, MOST_STOCK, Act, ShiftAct
from appliance.protocol import topics
from appliance.protocol.values import (
    ALERT_FORM,
    TIME_STEP,
    Alert,
    AlertId,
    AlertState,
    AttributeVector,
    BoothId,
    Dismissal,
    Flag,
    Reason,
    TabletId,
)
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings.config import SIZE_FORM

VERSION: Final = 1
MAX_REQUEST: Final = 256
"""No request about an alert is longer, in bytes;"""
MAX_SHIFT_REQUEST: Final = 640
"""one about the shift may carry a note."""
MAX_CORRELATION: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A tablet wants to go."""

    tablet: TabletId
    alert: AlertId


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A tablet gives its alert back."""

    tablet: TabletId
    alert: AlertId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A tablet says how its alert ended; one of ``OUTCOMES``, ``why`` only with DISMISSED, ``size`` with GIFTED."""

    tablet: TabletId
    alert: AlertId
    outcome: AlertState
    why: Dismissal | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """A tablet passes on that somebody wants to be forgotten."""

    tablet: TabletId
    alert: AlertId


AlertRequest = Claim | Release | Ending | Forget
Request = AlertRequest | ShiftAct


def _malformed(what: str, where: str) -> Refused:
    return Refused(Rule.MALFORMED_REQUEST, what, where=where, fix="reload the staff page")


def _refuse_number(_text: str) -> Any:  # noqa: ANN401 - the JSON reader's own signature
    raise ValueError("not a number of JSON")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _object_in(untrusted: bytes, keys: frozenset[str], where: str, most: int) -> dict[str, Any]:
    if len(untrusted) > most:
        raise _malformed(f"{len(untrusted)} bytes, at most {most}", where)
    try:
        # No number of these messages has more than nine digits, or a fraction.
        found = json.loads(
            untrusted.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except (ValueError, RecursionError):
        raise _malformed("it is not JSON of the one form", where) from None
    if not isinstance(found, dict) or frozenset(found) != keys:
        raise _malformed(f"it must have exactly the keys {', '.join(sorted(keys))}", where)
    if type(found["v"]) is not int or found["v"] != VERSION:
        raise _malformed("its version is not 1", where)
    return found


_KEYS: Final = {
    "claim": frozenset({"v", "alert"}),
    "release": frozenset({"v", "alert"}),
    "outcome": frozenset({"v", "alert", "outcome", "why"}),
    "shift": frozenset({"v", "act", "value", "size"}),
    "forget": frozenset({"v", "alert"}),
}


def request_in(untrusted_topic: str, untrusted: bytes, booth: BoothId) -> Request:
    """The request a tablet makes. Refused: WRONG_TOPIC, MALFORMED_REQUEST."""
    name, leaf = topics.named_in(untrusted_topic, booth, "staff")
    if leaf not in _KEYS:
        raise Refused(Rule.WRONG_TOPIC, "the topic takes no requests", where=name)
    if leaf == "shift":
        return _shift_in(_object_in(untrusted, _KEYS[leaf], name, MAX_SHIFT_REQUEST), TabletId(name))
    keys = _KEYS[leaf] | ({"size"} if leaf == "outcome" and b'"size"' in untrusted else frozenset())
    found = _object_in(untrusted, keys, name, MAX_REQUEST)
    tablet, alert = TabletId(name), found["alert"]
    if not isinstance(alert, str) or not ALERT_FORM.fullmatch(alert):
        raise _malformed("its alert is no name of an alert", name)
    if leaf == "claim":
        return Claim(tablet=tablet, alert=AlertId(alert))
    if leaf == "release":
        return Release(tablet=tablet, alert=AlertId(alert))
    if leaf == "forget":
        return Forget(tablet=tablet, alert=AlertId(alert))
    return _ending_in(found, tablet, AlertId(alert))


def _ending_in(found: dict[str, Any], tablet: TabletId, alert: AlertId) -> Ending:
    name = str(tablet)
    outcome = next((one for one in OUTCOMES if one.value == found["outcome"]), None)
    why = next((one for one in Dismissal if one.value == found["why"]), None)
    if outcome is None or (why is None) != (found["why"] is None):
        raise _malformed("its outcome or its reason is not one of the list", name)
    if why is not None and outcome is not AlertState.DISMISSED:
        raise _malformed("only a dismissal has a reason", name)
    size = found.get("size")
    if size is not None and (outcome is not AlertState.GIFTED or not _is_size(size)):
        raise _malformed("only a gift has a size, of 1 to 8 letters or digits", name)
    return Ending(tablet=tablet, alert=alert, outcome=outcome, why=why, size=size)


def _is_size(untrusted: object) -> bool:
    return isinstance(untrusted, str) and SIZE_FORM.fullmatch(untrusted) is not None


_MOST: Final = {Act.PAUSE: MOST_MINUTES, Act.STAFF: MOST_STAFF, Act.STOCK: MOST_STOCK}


def _shift_in(found: dict[str, Any], tablet: TabletId) -> ShiftAct:
    """An act of the shift, each with the one kind of value that it takes. Refused: MALFORMED_REQUEST."""
    act = next((one for one in Act if one.value == found["act"]), None)
    value, size = found["value"], found["size"]
    if act is None or (size is not None and not (act is Act.STOCK and _is_size(size))):
        raise _malformed("its act or its size is not one of the list", tablet)
    if act in _MOST:
        if type(value) is not int or not (act is Act.PAUSE) <= value <= _MOST[act]:
            raise _malformed("its number is missing, or too large", tablet)
        return ShiftAct(tablet=tablet, act=act, number=value, size=size)
    if act is Act.NOTE:
        if not isinstance(value, str) or len(value) > LONGEST_NOTE or not (value.isprintable() or not value):
            raise _malformed(f"its note has more than {LONGEST_NOTE} printable characters", tablet)
        return ShiftAct(tablet=tablet, act=act, text=value)
    if value is not None:
        raise _malformed("this act takes no value", tablet)
    return ShiftAct(tablet=tablet, act=act)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayStatus:
    """What a unit's RELAY says of itself; the last will leaves the counts out as 0."""

    online: bool
    spooled: int
    dropped: int
    disk_low: bool = False


def relay_status_in(untrusted: bytes, where: str) -> RelayStatus:
    """The status of a unit's RELAY. Refused: MALFORMED_REQUEST."""
    keys = frozenset({"v", "state"})
    if b'"spooled"' in untrusted:
        keys |= {"spooled", "dropped"}
    if b'"disk"' in untrusted:
        keys |= {"disk"}
    found = _object_in(untrusted, keys, where, MAX_REQUEST)
    counts = (found.get("spooled", 0), found.get("dropped", 0))
    if (
        found["state"] not in ("online", "offline")
        or found.get("disk", "low") != "low"
        or any(type(count) is not int or not 0 <= count < 2**53 for count in counts)
    ):
        raise _malformed("its state or counts are not of the list", where)
    return RelayStatus(
        online=found["state"] == "online", spooled=counts[0], dropped=counts[1], disk_low="disk" in found
    )


def json_of(message: dict[str, Any]) -> bytes:
    """The bytes of a message: compact UTF-8 JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def look_of(vector: AttributeVector) -> dict[str, str]:
    """What is worn, in words, by attribute; what is unknown is left out."""
    return {
        attribute.name: attribute.label(reading.level)
        for attribute, reading in zip(ATTRIBUTES, vector.readings, strict=True)
        if reading.level
    }


def _reason(reason: Reason, vector: AttributeVector, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "lens": reason.lens.value,
        "attributes": {
            ATTRIBUTES[place].name: ATTRIBUTES[place].label(level) for place, level in reason.attributes
        },
        "one_in": reason.one_in,
        "text": catalogue.sentence(reason, vector),
    }


def headline(flag: Flag, catalogue: Catalogue) -> str:
    """The first reason, in words."""
    return catalogue.sentence(flag.reasons[0], flag.observation.vector)


def alert_telling(held: TrackedAlert, *, boxed: bool | None, catalogue: Catalogue) -> bytes:
    """An alert as staff read it; ``boxed`` says whether its unit runs behind its walls, None before it has said."""
    alert = held.alert
    told: dict[str, Any] = {
        "v": VERSION,
        "id": alert.alert,
        "state": alert.state.value,
        "raised_at": round(alert.raised_at),
        "expires_at": math.ceil(alert.expires_at),
    }
    if not alert.state.ended:
        told["place"], told["simulated"], told["boxed"] = alert.place, alert.simulated, boxed
        flag = alert.flag
        vector = flag.observation.vector if flag else None
        told["seen_ago"] = (
            max(0, round((alert.raised_at - held.seen_at) / TIME_STEP) * TIME_STEP) if flag else None
        )
        told["unit"] = held.unit
        told["rarity"] = {
            "p": round(flag.p, 6) if flag else None,
            "bits": round(flag.bits, 1) if flag else None,
            "one_in": flag.reasons[0].one_in if flag else None,
        }
        told["reasons"] = [_reason(one, vector, catalogue) for one in flag.reasons] if flag and vector else []
        told["look"] = look_of(vector) if vector else {}
    told["held_by"] = alert.held_by
    return json_of(told)


def answer(alert: Alert, text: str, *, why: str = "") -> bytes:
    """A request was granted; ``why`` is ``nothing_left`` where there was nothing but counts to forget."""
    told = {"v": VERSION, "ok": True, "alert": alert.alert, "state": alert.state.value, "text": text}
    return json_of(told | ({"why": why} if why else {}))


def shift_answer(act: ShiftAct, text: str) -> bytes:
    """What was asked of the shift is done."""
    return json_of({"v": VERSION, "ok": True, "act": act.act.value, "text": text})


def refusal(refused: Refused) -> bytes:
    """A request was refused, and why; ``why`` and ``by`` say it to a page that speaks another language."""
    told: dict[str, Any] = {"v": VERSION, "ok": False, "rule": int(refused.rule), "text": refused.what}
    if isinstance(refused, AlertRefused):
        told |= {"why": refused.why, "by": refused.by}
    return json_of(told)
