"""What an installer asks of the pairing desk, from a tablet or on the hub itself, and what the desk answers.

Invariants:
    * Reading a request gives a request or ``Refused``, nothing else.
    * An answer says in words what happened and what to do; it never repeats the code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

from appliance.base.errors import Refused, Rule, Unfit
from appliance.enrol.names import check_name, check_place
from appliance.protocol.pairing_code import PairingCode, parse
from appliance.protocol.values import UnitId

MAX_REQUEST: Final = 1024
DIRECTIONS: Final = (
    "",
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)
"""Which way a camera looks; nothing where nobody said."""
_KEYS: Final = frozenset({"v", "code", "unit", "place", "looks", "replaces"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRequest:
    """Pair the unit with this code as ``unit``; it hangs at ``place`` and looks to ``looks``.

    ``replaces`` is a unit that it takes the place of, and that is revoked once the new one is in; else empty.
    """

    code: PairingCode = field(repr=False)
    unit: UnitId
    place: str
    looks: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAnswer:
    """What became of a request: ``why`` is a word for programs, ``text`` a sentence for people.

    ``left`` is how many tries are left where the code was wrong.
    """

    ok: bool
    why: str
    text: str
    left: int = 0

    def payload(self) -> bytes:
        """As it travels, to a tablet or to a command."""
        fields = {"ok": self.ok, "alert": None, "why": self.why, "left": self.left, "text": self.text}
        return json.dumps({"v": 1, **fields}).encode()


def read_request(untrusted: bytes) -> PairRequest:
    """The request in ``untrusted`` (one JSON object). Refused (MALFORMED_REQUEST) where it is none."""
    if len(untrusted) > MAX_REQUEST:
        raise _malformed("it is too long")
    try:
        fields = json.loads(untrusted)
    except (ValueError, RecursionError):
        raise _malformed("it is not JSON") from None
    if not isinstance(fields, dict) or set(fields) - _KEYS or fields.get("v") != 1:
        raise _malformed("its fields are not those of a request to pair")
    texts = {key: fields.get(key, "") for key in _KEYS - {"v"}}
    if not all(isinstance(value, str) for value in texts.values()):
        raise _malformed("a field is not a text")
    try:
        unit = check_name(texts["unit"], what="camera's name")
        place = check_place(texts["place"])
    except Unfit as unfit:
        raise Refused(Rule.MALFORMED_REQUEST, unfit.what, where=unfit.where, fix=unfit.fix) from None
    if texts["looks"] not in DIRECTIONS:
        raise _malformed(f"a camera looks {', '.join(DIRECTIONS[1:])}, or nowhere in particular")
    return PairRequest(
        code=parse(texts["code"]),
        unit=UnitId(unit),
        place=place,
        looks=texts["looks"],
        replaces=texts["replaces"],
    )


def _malformed(what: str) -> Refused:
    return Refused(Rule.MALFORMED_REQUEST, what, where="request to pair")
