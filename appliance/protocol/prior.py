"""The prior of a unit: how common each word is on this corner, and which go together; signed, and aggregate only.

A unit should weigh what its models see against what people here usually wear: measured before the design, the largest
single gain in precision. WATCH says it once a day on a retained topic (``hub/bulletin``), and ``leftfield baseline
prior`` writes the same file for who would rather carry it; RELAY keeps it, and SENSE reads and verifies it once, at
its start, before it seals itself (``unit/shelf``). What comes later waits for the next start.

Invariants:
    * One share per word of the vocabulary, in thousandths, never 0; and for each two words how many times more often
      than by chance they are worn together, in quarters of a bit, from whole fives of people. Nothing is impossible,
      and nobody can be read out of it. No three things, no camera, no time of day.
    * It is believed only under the hub's key, for this booth, in this vocabulary.
    * Pure: no file, no clock, no numpy.
"""

from __future__ import annotations

import base64
import hashlib
import math
import reprlib
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document, vocabulary
from appliance.protocol.values import BoothId
from appliance.protocol.vocabulary import ATTRIBUTES

KIND: Final = "prior"
FORM: Final = 1
MOST_BYTES: Final = 8192
"""No prior is longer, signed and all; this vocabulary's has about 4,000."""
OLDEST: Final = 60 * 86_400
"""A prior older than this, in seconds, is of another season: the shipped one is better."""
WORDS_DIGEST: Final = hashlib.sha256(
    "\n".join(f"{one.name}={','.join(one.levels)}" for one in ATTRIBUTES).encode("ascii")
).hexdigest()[:16]
"""Identifies the vocabulary's words themselves, beside its number."""
MOST: Final = 2**40
"""Seconds and people are below this."""
_KEYS: Final = frozenset({"form", "vocabulary", "words", "booth", "made_at", "people", "shares", "lifts"})
PAIRS: Final = tuple(combinations(range(len(ATTRIBUTES)), 2))
"""Every two attributes, in the order in which their lifts are written."""
_GRAIN: Final = 4.0
_CELLS: Final = sum(len(ATTRIBUTES[one].levels) * len(ATTRIBUTES[other].levels) for one, other in PAIRS)
Lifts = dict[tuple[int, int], tuple[tuple[float, ...], ...]]
"""By two attributes, the first before the second: one row for each level of the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """``shares[a][l]`` is the share in (0, 1) of level l + 1 of attribute a among those in whom it could be told.

    ``lifts[a, b][i][j]`` is how many times more often than by chance level i + 1 of a goes with j + 1 of b, in
    [2**-32, 2**32).
    ``people`` is about how many it rests on; ``made_at`` is unix seconds.
    """

    booth: BoothId
    made_at: int
    people: int
    shares: tuple[tuple[float, ...], ...]
    lifts: Lifts


def sealed_prior(
    *,
    booth: BoothId,
    made_at: int,
    people: int,
    shares: tuple[tuple[float, ...], ...],
    lifts: Lifts,
    private_key: bytes,
) -> bytes:
    """The signed file. Shares are rounded to thousandths, one at least; ``people`` down to two figures.

    Lifts are rounded to quarters of a bit, in a byte each (two's complement).
    """
    grain = 10 ** max(0, len(str(people)) - 2)
    bits = [round(_GRAIN * math.log2(lift)) for pair in PAIRS for row in lifts[pair] for lift in row]
    document: dict[str, Any] = {
        "form": FORM,
        "vocabulary": vocabulary.VERSION,
        "words": WORDS_DIGEST,
        "booth": booth,
        "made_at": made_at,
        "people": people // grain * grain,
        "shares": {
            attribute.name: [max(1, round(1000 * share)) for share in row]
            for attribute, row in zip(ATTRIBUTES, shares, strict=True)
        },
        "lifts": base64.b64encode(bytes(max(-128, min(127, one)) % 256 for one in bits)).decode("ascii"),
    }
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def prior_in(untrusted: bytes, *, public_key: bytes, booth: BoothId, where: str = "prior") -> Prior:
    """The prior in a file, if the hub with ``public_key`` made it for ``booth``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION, OUTSIDE_VOCABULARY.
    """
    if len(untrusted) > MOST_BYTES:
        raise Refused(
            Rule.TOO_LONG, f"more than {MOST_BYTES} bytes", where=where, fix="export it again on the hub"
        )
    document = signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where=where)
    check_vocabulary(document, FORM, _KEYS, where)
    if document["booth"] != booth:
        raise Refused(
            Rule.FORGED, "the file was made for another booth", where=where, fix="use the file of this booth"
        )
    shares, numbers = document["shares"], (document["made_at"], document["people"])
    if not isinstance(shares, dict) or any(type(one) is not int or not 0 <= one < MOST for one in numbers):
        raise Refused(Rule.MALFORMED, "a number or a table is missing", where=where, fix="make it again")
    rows = [shares.get(attribute.name) for attribute in ATTRIBUTES]
    if len(shares) != len(ATTRIBUTES) or not all(
        isinstance(row, list)
        and len(row) == len(attribute.levels)
        and all(type(share) is int and 1 <= share <= 1000 for share in row)
        for row, attribute in zip(rows, ATTRIBUTES, strict=True)
    ):
        raise Refused(
            Rule.OUTSIDE_VOCABULARY, "the shares do not fit the vocabulary", where=where, fix="make it again"
        )
    return Prior(
        booth=booth,
        made_at=numbers[0],
        people=numbers[1],
        shares=tuple(tuple(share / sum(row) for share in row) for row in rows if row),
        lifts=_lifts(document["lifts"], where),
    )


def _lifts(untrusted: object, where: str) -> Lifts:
    try:
        spelled = base64.b64decode(untrusted, validate=True) if isinstance(untrusted, str) else b""
    except ValueError:
        spelled = b""
    if len(spelled) != _CELLS:
        raise Refused(Rule.MALFORMED, "the lifts do not fit the vocabulary", where=where, fix="make it again")
    bits = iter(one - 256 if one > 127 else one for one in spelled)
    return {
        (one, other): tuple(
            tuple(math.exp2(next(bits) / _GRAIN) for _ in ATTRIBUTES[other].levels)
            for _ in ATTRIBUTES[one].levels
        )
        for one, other in PAIRS
    }


def check_vocabulary(document: dict[str, Any], form: int, keys: frozenset[str], where: str) -> None:
    """Refused (MALFORMED, OTHER_VERSION) unless ``document`` has these keys, this form and our vocabulary."""
    numbers = document.get("form"), document.get("vocabulary")
    if numbers != (form, vocabulary.VERSION) or any(type(one) is not int for one in numbers):
        raise Refused(
            Rule.OTHER_VERSION,
            # Anybody wrote it: it is shown shortened.
            f"form {reprlib.repr(numbers[0])} of vocabulary {reprlib.repr(numbers[1])}, not {form} of "
            f"{vocabulary.VERSION}",
            where=where,
            fix="update the older side and export the file again",
        )
    if frozenset(document) != keys or document["words"] != WORDS_DIGEST:
        raise Refused(Rule.MALFORMED, "unknown keys or words", where=where, fix="make it again")
