"""The hub's receipt to one unit: which of its statements are admitted for good, so that it may forget them.

The hub says it after each batch that it stored, at most once a second, signed, on a retained topic that only this
unit reads. RELAY keeps a statement until a receipt covers it: neither the broker's acknowledgement nor the time that
has passed says that the hub has it.

Invariants:
    * A receipt covers only what is on the hub's disk, or what the hub can never admit any more (closed epochs).
    * What is not told is not covered: a receipt that would grow too long tells less, never more.
    * It is believed only under the hub's key, for this booth, this unit and this unit's key.
    * Pure: no file, no clock.

A document of kind ``receipt``: ``{"form": 1, "booth", "unit", "key": key identifier in hex, "admitted": how many,
"floor": epochs below are closed, "epochs": [[epoch, end, [[first, end], …]], …]}``. Of an epoch, every number below
``end`` is covered but those in the gaps (half open).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeGuard

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document
from appliance.protocol.values import COUNTER_LIMIT, BoothId, UnitId

KIND: Final = "receipt"
FORM: Final = 1
MOST_BYTES: Final = 16_384
"""No receipt is longer, signed and all."""
MOST_EPOCHS: Final = 64
MOST_GAPS: Final = 128
"""Of one epoch."""
_MOST_GAPS_IN_ALL: Final = 384
_KEYS: Final = frozenset({"form", "booth", "unit", "key", "admitted", "floor", "epochs"})
_FIX: Final = "update the hub's software, or enrol this unit again"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReceipt:
    """Of ``epoch`` every number below ``end`` is covered, but those in ``gaps``: (first, end), lowest first."""

    epoch: int
    end: int
    gaps: tuple[tuple[int, int], ...]

    def covers(self, seq: int) -> bool:
        """Whether ``seq`` is covered."""
        place = bisect_right(self.gaps, (seq, COUNTER_LIMIT + 1)) - 1
        return seq < self.end and not (place >= 0 and seq < self.gaps[place][1])


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionReceipt:
    """What the hub has of ``unit`` under ``key`` (its identifier); ``admitted`` counts, ``floor`` closes epochs."""

    unit: UnitId
    key: bytes
    admitted: int
    floor: int
    epochs: tuple[EpochReceipt, ...]

    def covers(self, epoch: int, seq: int) -> bool:
        """Whether the statement with this number need not be kept."""
        return epoch < self.floor or any(one.epoch == epoch and one.covers(seq) for one in self.epochs)


def told(epoch: int, end: int, gaps: Sequence[tuple[int, int]]) -> EpochReceipt:
    """The receipt of one epoch; where it has too many gaps, of what lies below the first that is not told.

    >>> told(1, 10, [(2, 4)]).covers(4), told(1, 10, [(2, 4)]).covers(3)
    (True, False)
    """
    rest = gaps[MOST_GAPS:]
    return EpochReceipt(epoch=epoch, end=rest[0][0] if rest else end, gaps=tuple(gaps[:MOST_GAPS]))


def sealed_receipt(receipt: AdmissionReceipt, *, booth: BoothId, private_key: bytes) -> bytes:
    """The signed document; newest epochs first, as many as fit."""
    epochs, gaps = [], 0
    for one in sorted(receipt.epochs, key=lambda one: -one.epoch)[:MOST_EPOCHS]:
        gaps += len(one.gaps)
        if gaps > _MOST_GAPS_IN_ALL:
            break
        epochs.append([one.epoch, one.end, [list(gap) for gap in one.gaps]])
    document: dict[str, Any] = {
        "form": FORM,
        "booth": booth,
        "unit": receipt.unit,
        "key": receipt.key.hex(),
        "admitted": receipt.admitted,
        "floor": receipt.floor,
        "epochs": epochs,
    }
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def receipt_in(
    untrusted: bytes, *, public_key: bytes, booth: BoothId, unit: UnitId, key: bytes, where: str = "receipt"
) -> AdmissionReceipt:
    """The receipt in a message, if the hub with ``public_key`` made it for ``unit`` under the key named ``key``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION.
    """
    if len(untrusted) > MOST_BYTES:
        raise Refused(Rule.TOO_LONG, f"more than {MOST_BYTES} bytes", where=where, fix=_FIX)
    document = signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where=where)
    if document.get("form") != FORM:
        raise Refused(Rule.OTHER_VERSION, "a form that this unit does not know", where=where, fix=_FIX)
    if (document.get("booth"), document.get("unit"), document.get("key")) != (booth, unit, key.hex()):
        raise Refused(Rule.FORGED, "it was made for another booth, unit or key", where=where, fix=_FIX)
    epochs = document.get("epochs")
    numbers = [document.get("admitted"), document.get("floor")]
    if frozenset(document) != _KEYS or not isinstance(epochs, list) or len(epochs) > MOST_EPOCHS:
        raise _malformed(where)
    if not all(_is_number(one) for one in numbers):
        raise _malformed(where)
    return AdmissionReceipt(
        unit=unit,
        key=key,
        admitted=document["admitted"],
        floor=document["floor"],
        epochs=tuple(_epoch_in(one, where) for one in epochs),
    )


def _epoch_in(untrusted: object, where: str) -> EpochReceipt:
    match untrusted:
        case [epoch, end, list() as gaps] if _is_number(epoch) and _is_number(end) and len(gaps) <= MOST_GAPS:
            edges = [edge for gap in gaps if isinstance(gap, list) and len(gap) == 2 for edge in gap]
            well = len(edges) == 2 * len(gaps) and all(_is_number(edge) for edge in edges)
            if well and all(one < other for one, other in pairwise(edges)):
                return EpochReceipt(epoch=epoch, end=end, gaps=tuple((first, last) for first, last in gaps))
    raise _malformed(where)


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= 2**53


def _malformed(where: str) -> Refused:
    return Refused(Rule.MALFORMED, "it is no receipt of the one form", where=where, fix=_FIX)
