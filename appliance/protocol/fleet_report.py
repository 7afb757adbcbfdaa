"""A booth's reports to its fleet: counts of crowds and how the booth is, signed by the hub. Never a person.

A report is a sealed document of kind ``fleet-report``: ``{"form": 1, "booth", "kind", "epoch", "seq", "made_at",
"body"}``. ``epoch`` counts the hub's starts, ``seq`` its reports since. There are three kinds:

* ``days``: ``{day: {what: number}}``, what the booth counted on each of its last days, all of the day so far;
* ``baseline``: ``{"file": base64 of the zlib stream (RFC 1950) of a signed baseline}``;
* ``moment``: how the booth and its cameras are now, in closed words.

Invariants:
    * Each report says all there is of its kind, and nothing needs an earlier one: one that is lost is mended by the
      next, one that comes twice changes nothing, and their order does not matter.
    * A report fits into a packet of the broker. It is believed only under the key of the booth in its topic.
    * Pure: no file, no clock, no numpy.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document
from appliance.protocol.health import UnitState
from appliance.protocol.values import COUNTER_LIMIT, NAME_FORM, BoothId
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

DOCUMENT: Final = "fleet-report"
FORM: Final = 1
MOST_BYTES: Final = 32_000
"""No report is longer: the broker's packets end at 32 KiB."""
FLEET_ROOT: Final = "leftfield-fleet/1"
"""Topics of the fleet's own broker: ``leftfield-fleet/1/<booth>/<kind>``."""
DAYS_TOLD: Final = 9
"""Days in a ``days`` report: a fleet that was away for a week misses nothing."""
COUNTED: Final = (
    "people", "flags", "alerts", "gifted", "declined", "not_found", "dismissed", "expired", "forgotten",
)  # fmt: skip
"""What is counted by day. People and flags are whole fives; the rest is what the booth itself did."""
_KEYS: Final = frozenset({"form", "booth", "kind", "epoch", "seq", "made_at", "body"})
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST: Final = 2**40
MOST_A_DAY: Final = 10_000_000
"""No booth counts more of anything in a day."""
_MOST_UNPACKED: Final = signed_document.MAX_DOCUMENT
_FIX: Final = "update the older side; a booth says the same again within the hour"


class ReportKind(Enum):
    """What a report is of; the value is the last word of its topic."""

    DAYS = "days"
    BASELINE = "baseline"
    MOMENT = "moment"


_KINDS: Final = frozenset(kind.value for kind in ReportKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReport:
    """One report: ``made_at`` is in unix seconds, ``body`` plain JSON of the kind's form."""

    booth: BoothId
    kind: ReportKind
    epoch: int
    seq: int
    made_at: int
    body: dict[str, Any]


def topic(booth: BoothId, kind: ReportKind) -> str:
    """Where the fleet's broker has it."""
    return f"{FLEET_ROOT}/{booth}/{kind.value}"


def sealed_report(report: FleetReport, *, private_key: bytes) -> bytes:
    """The signed document. ValueError where it is longer than ``MOST_BYTES``."""
    document = {
        "form": FORM,
        "booth": report.booth,
        "kind": report.kind.value,
        "epoch": report.epoch,
        "seq": report.seq,
        "made_at": report.made_at,
        "body": report.body,
    }
    sealed = signed_document.seal(document, kind=DOCUMENT, private_key=private_key)
    if len(sealed) > MOST_BYTES:
        raise ValueError(f"a {report.kind.value} report of {len(sealed)} bytes, at most {MOST_BYTES}")
    return sealed


def report_in(untrusted_topic: str, untrusted: bytes, *, public_key: bytes) -> FleetReport:
    """The report in a message, if the holder of ``public_key`` made it for this topic.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION, WRONG_TOPIC.
    """
    where = untrusted_topic[:80]
    if len(untrusted) > MOST_BYTES:
        raise Refused(Rule.TOO_LONG, f"more than {MOST_BYTES} bytes", where=where, fix=_FIX)
    document = signed_document.open_sealed(untrusted, kind=DOCUMENT, public_key=public_key, where=where)
    if document.get("form") != FORM:
        raise Refused(Rule.OTHER_VERSION, "a form that this fleet does not know", where=where, fix=_FIX)
    if frozenset(document) != _KEYS:
        raise _malformed(where)
    booth, kind = document["booth"], document["kind"]
    if untrusted_topic != f"{FLEET_ROOT}/{booth}/{kind}":
        raise Refused(Rule.WRONG_TOPIC, "it was made for another topic", where=where, fix=_FIX)
    numbers = document["epoch"], document["seq"], document["made_at"]
    if kind not in _KINDS or not all(type(one) is int and 0 <= one < COUNTER_LIMIT for one in numbers):
        raise _malformed(where)
    body = document["body"]
    if not isinstance(body, dict) or not _FORMS[ReportKind(kind)](body, numbers[2]):
        raise _malformed(where)
    return FleetReport(
        booth=BoothId(booth),
        kind=ReportKind(kind),
        epoch=numbers[0],
        seq=numbers[1],
        made_at=numbers[2],
        body=body,
    )


def booth_in(untrusted_topic: str) -> BoothId:
    """The booth that a topic names. Refused (WRONG_TOPIC) where it names none."""
    booth = untrusted_topic.removeprefix(f"{FLEET_ROOT}/").partition("/")[0]
    if not untrusted_topic.startswith(f"{FLEET_ROOT}/") or not NAME_FORM.fullmatch(booth):
        raise Refused(Rule.WRONG_TOPIC, "it names no booth", where=untrusted_topic[:80])
    return BoothId(booth)


def days_body(days: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The body of a ``days`` report from counts by day; only what ``COUNTED`` names, people in whole fives below."""
    fives = ("people", "flags")
    return {
        day: {what: n // 5 * 5 if what in fives else n for what, n in counts.items() if what in COUNTED}
        for day, counts in days.items()
    }


def baseline_body(file: bytes) -> dict[str, Any]:
    """The body of a ``baseline`` report from a signed baseline file."""
    return {"file": base64.b64encode(zlib.compress(file, 9)).decode("ascii")}


def baseline_of(report: FleetReport) -> bytes:
    """The baseline file in a ``baseline`` report. Refused (MALFORMED) where nothing can be unpacked."""
    where, reader = f"{report.booth}/{report.kind.value}", zlib.decompressobj()
    try:
        packed = base64.b64decode(report.body["file"], validate=True)
        file = reader.decompress(packed, _MOST_UNPACKED)
    except (ValueError, zlib.error, binascii.Error):
        raise _malformed(where) from None
    if not reader.eof or reader.unused_data:  # cut off, too long, or with something behind it
        raise _malformed(where)
    return file


def _is_days(body: dict[str, Any], made_at: int) -> bool:
    rows = [(day, counts) for day, counts in body.items() if isinstance(counts, dict)]
    if len(rows) != len(body) or len(body) > DAYS_TOLD:
        return False
    cells = [(what, number) for _, counts in rows for what, number in counts.items()]
    good = all(what in COUNTED and type(number) is int and 0 <= number < MOST_A_DAY for what, number in cells)
    return good and all(_is_day(day, made_at) for day in body)


def _is_day(untrusted: str, made_at: int) -> bool:
    """Whether it is a day of the calendar, and of those that a report made then can tell of."""
    if not _DAY.fullmatch(untrusted):
        return False
    try:
        day = date.fromisoformat(untrusted)
    except ValueError:
        return False
    made = datetime.fromtimestamp(made_at, tz=UTC).date()
    return abs((made - day).days) <= DAYS_TOLD


def _is_baseline(body: dict[str, Any], _made_at: int) -> bool:
    return frozenset(body) == {"file"} and isinstance(body["file"], str)


_NUMBERS: Final = ("people", "needs", "refused")
_STATES: Final = frozenset({*(state.name.lower() for state in UnitState), "silent", "tested"})
_LINKS: Final = frozenset({"online", "offline"})


def _is_moment(body: dict[str, Any], _made_at: int) -> bool:
    if frozenset(body) != {*_NUMBERS, "units", "changes"}:
        return False
    numbers = [body[name] for name in _NUMBERS]
    if not all(type(one) is int and 0 <= one < _MOST for one in numbers):
        return False
    units, changes = body["units"], body["changes"]
    if not isinstance(units, list) or not isinstance(changes, list) or len(units) > 256 or len(changes) > 32:
        return False
    return all(map(_is_unit, units)) and all(map(_is_change, changes))


def _is_unit(untrusted: object) -> bool:
    """A camera's name, its state and its link, in the closed words."""
    match untrusted:
        case [str() as name, str() as state, str() as link]:
            return bool(NAME_FORM.fullmatch(name)) and state in _STATES and link in _LINKS
    return False


def _is_change(untrusted: object) -> bool:
    """A word of the vocabulary, its share now and its usual share, in per cent."""
    match untrusted:
        case [str() as name, str() as word, int() as now, int() as usual]:
            known = name in INDEX and word in ATTRIBUTES[INDEX[name]].levels
            return known and all(type(one) is int and 0 <= one <= 100 for one in (now, usual))
    return False


_FORMS: Final = {
    ReportKind.DAYS: _is_days,
    ReportKind.BASELINE: _is_baseline,
    ReportKind.MOMENT: _is_moment,
}


def _malformed(where: str) -> Refused:
    return Refused(Rule.MALFORMED, "it is no report of the one form", where=where, fix=_FIX)
