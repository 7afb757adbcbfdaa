"""What the hub orders one unit to do while it is set up: aim, watch again, leave zones out, lock.

Invariants:
    * An order is signed by the hub and names one unit, its key and its epoch. Whatever carries it out starts SENSE
      anew, which ends the epoch: no order is carried out twice, and none survives a start of SENSE.
    * By a clock that is set it is good for ``GOOD_SECONDS``: whoever holds it back cannot use it later.
    * No field can hold a text: a word of a closed list, small numbers, corners on a coarse grid.
    * Pure: no file, no clock.

A document of kind ``setup``: ``{"form": 1, "booth", "unit", "key": key identifier in hex, "epoch", "made_at": unix
seconds, "do", "minutes", "zones"}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Final, TypeGuard

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document
from appliance.protocol.aim import COLUMNS, MOST_MINUTES, ROWS
from appliance.protocol.values import COUNTER_LIMIT, BoothId, Epoch, UnitId

KIND: Final = "setup"
FORM: Final = 1
MOST_BYTES: Final = 4096
GOOD_SECONDS: Final = 120
MOST_ZONES: Final = 8
CORNERS: Final = (3, 8)
MOST_COVERED: Final = 0.8
"""Share of the picture that zones may cover: a camera that counts nobody is no camera."""
_KEYS: Final = frozenset({"form", "booth", "unit", "key", "epoch", "made_at", "do", "minutes", "zones"})

Zone = tuple[tuple[int, int], ...]
"""A polygon of 3 to 8 corners (column, row) on the picture's grid, edges included: 0 to 64, 0 to 36."""


@unique
class Do(Enum):
    """What a unit is to do."""

    AIM = "aim"
    """Send stick figures for some minutes, and observe nobody."""
    WATCH = "watch"
    """End aiming before its time."""
    ZONES = "zones"
    """Keep these zones where nobody counts, in place of those it had."""
    LOCK = "lock"
    """Never aim and never read a card again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupOrder:
    """One order to ``unit`` under the key named ``key``, in its ``epoch``.

    ``minutes`` is for AIM, ``zones`` for ZONES. ValueError where it holds what its word has no use for, or a number
    out of range.
    """

    unit: UnitId
    key: bytes
    epoch: Epoch
    made_at: int
    do: Do
    minutes: int = 0
    zones: tuple[Zone, ...] = ()

    def __post_init__(self) -> None:
        timed = 1 <= self.minutes <= MOST_MINUTES if self.do is Do.AIM else not self.minutes
        if not timed or (self.zones and self.do is not Do.ZONES):
            raise ValueError(f"{self.do.value} with {self.minutes} minutes and {len(self.zones)} zones")
        check_zones(self.zones)


def check_zones(zones: tuple[Zone, ...]) -> None:
    """ValueError unless these are zones that a unit can keep."""
    low, high = CORNERS
    inside = all(0 <= x <= COLUMNS and 0 <= y <= ROWS for zone in zones for x, y in zone)
    if len(zones) > MOST_ZONES or not inside or not all(low <= len(zone) <= high for zone in zones):
        raise ValueError("zones are at most 8, each of 3 to 8 corners on the grid")
    if covered(zones) > MOST_COVERED:
        raise ValueError("zones cover more than 80 % of the picture: draw them smaller")


def covered(zones: tuple[Zone, ...]) -> float:
    """Share of the grid's cells whose middle lies in a zone, 0 to 1.

    >>> covered((((0, 0), (32, 0), (32, 36), (0, 36)),))
    0.5
    """
    cells = ((column + 0.5, row + 0.5) for column in range(COLUMNS) for row in range(ROWS))
    return sum(any(within(zone, x, y) for zone in zones) for x, y in cells) / (COLUMNS * ROWS)


def within(zone: Zone, x: float, y: float) -> bool:
    """Whether a point of the grid lies in a zone: the crossings of a ray to the right are odd (the even-odd rule).

    >>> within(((0, 0), (8, 0), (8, 8), (0, 8)), 4.0, 4.0), within(((0, 0), (8, 0), (8, 8), (0, 8)), 9.0, 4.0)
    (True, False)
    """
    odd = False
    for (x1, y1), (x2, y2) in zip(zone, (*zone[1:], zone[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            odd = not odd
    return odd


def zones_in(untrusted: object) -> tuple[Zone, ...]:
    """Zones from nested lists, as JSON gives them; ValueError for anything else."""
    if not isinstance(untrusted, list) or len(untrusted) > MOST_ZONES:
        raise ValueError("no list of zones")
    zones = tuple(_zone_in(zone) for zone in untrusted)
    check_zones(zones)
    return zones


def _zone_in(untrusted: object) -> Zone:
    corners: list[tuple[int, int]] = []
    for corner in untrusted if isinstance(untrusted, list) and len(untrusted) <= CORNERS[1] else (None,):
        match corner:
            case [x, y] if _is_number(x) and _is_number(y):
                corners.append((x, y))
            case _:
                raise ValueError("a corner is no pair of numbers")
    return tuple(corners)


def sealed_order(order: SetupOrder, *, booth: BoothId, private_key: bytes) -> bytes:
    """The signed document."""
    document: dict[str, Any] = {
        "form": FORM,
        "booth": booth,
        "unit": order.unit,
        "key": order.key.hex(),
        "epoch": order.epoch,
        "made_at": order.made_at,
        "do": order.do.value,
        "minutes": order.minutes,
        "zones": [[list(corner) for corner in zone] for zone in order.zones],
    }
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def order_in(
    untrusted: bytes,
    *,
    public_key: bytes,
    booth: BoothId,
    unit: UnitId,
    key: bytes,
    where: str = "setup order",
) -> SetupOrder:
    """The order in a message, if the hub with ``public_key`` made it for ``unit`` under the key named ``key``.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED, OTHER_VERSION. Whether it is of this epoch and still good, the
    caller asks (``check_now``).
    """
    if len(untrusted) > MOST_BYTES:
        raise Refused(Rule.TOO_LONG, f"more than {MOST_BYTES} bytes", where=where)
    document = signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where=where)
    if document.get("form") != FORM:
        fix = "update the older side"
        raise Refused(Rule.OTHER_VERSION, "a form that this unit does not know", where=where, fix=fix)
    if (document.get("booth"), document.get("unit"), document.get("key")) != (booth, unit, key.hex()):
        raise Refused(Rule.FORGED, "it was made for another booth, unit or key", where=where)
    numbers = [document.get(name) for name in ("epoch", "made_at", "minutes")]
    if frozenset(document) != _KEYS or not all(_is_number(number) for number in numbers):
        raise Refused(Rule.MALFORMED, "a key or a number is missing", where=where)
    try:
        return SetupOrder(
            unit=unit,
            key=key,
            epoch=Epoch(document["epoch"]),
            made_at=document["made_at"],
            do=Do(document["do"]),
            minutes=document["minutes"],
            zones=zones_in(document["zones"]),
        )
    except ValueError as reason:
        raise Refused(Rule.MALFORMED, f"it is no order of the one form: {reason}", where=where) from None


def check_now(order: SetupOrder, *, epoch: int, now: float | None) -> None:
    """Refused (REPLAYED) where the order is of another epoch, or (EXPIRED) of another time.

    ``now`` is unix seconds, or None where the clock is not set.
    """
    if order.epoch != epoch:
        what = f"it was made in epoch {order.epoch}, and this is {epoch}"
        raise Refused(Rule.REPLAYED, what, where="setup order", fix="ask again on the tablet")
    if now is not None and abs(now - order.made_at) > GOOD_SECONDS:
        what = f"it was made {int(abs(now - order.made_at))} s from now"
        raise Refused(Rule.EXPIRED, what, where="setup order", fix="ask again on the tablet")


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < COUNTER_LIMIT
