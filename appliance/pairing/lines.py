"""What hub and unit say to each other on the way to a pairing: one JSON object a line, each of one closed form.

Invariants:
    * Reading a line gives a message of exactly its form, or ``Refused``; nothing else.
    * No line is longer than ``MAX_LINE`` bytes. Binary fields travel as lower-case hexadecimal digits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from appliance.base.errors import Refused, Rule

VERSION: Final = 1
MAX_LINE: Final = 24_576
"""Bytes of a line, its end included: a sealed enrolment answer has about 7,000."""

_TEXT, _BYTES, _NUMBER = str, bytes, int
FORMS: Final[Mapping[str, Mapping[str, type]]] = {
    "hello": {"v": _NUMBER, "number": _TEXT, "signing_key": _BYTES, "tls_key": _BYTES},
    "wait": {},
    "offer": {"booth": _TEXT, "authority": _BYTES, "hub_key": _BYTES, "share": _BYTES},
    "share": {"share": _BYTES},
    "proof": {"proof": _BYTES},
    "sealed": {"body": _BYTES},
    "refused": {"why": _TEXT, "left": _NUMBER},
}
"""Every kind of line with its fields; ``refused`` is a courtesy that nothing relies on: ``left`` tries are left."""

Value = str | bytes | int


def line(kind: str, **fields: Value) -> bytes:
    r"""A line of one kind, its end included.

    >>> line("share", share=bytes(2))
    b'{"kind": "share", "share": "0000"}\n'
    """
    spelled = {key: value.hex() if isinstance(value, bytes) else value for key, value in fields.items()}
    return json.dumps({"kind": kind, **spelled}).encode("ascii") + b"\n"


class Line:
    """A line that was read: its kind, and its fields by type."""

    def __init__(self, kind: str, fields: Mapping[str, Value]) -> None:
        self.kind = kind
        self._fields = fields

    def text(self, key: str) -> str:
        """A field of text."""
        value = self._fields[key]
        assert isinstance(value, str)  # noqa: S101 - its form was checked when it was read
        return value

    def octets(self, key: str) -> bytes:
        """A field of bytes."""
        value = self._fields[key]
        assert isinstance(value, bytes)  # noqa: S101 - its form was checked when it was read
        return value

    def number(self, key: str) -> int:
        """A field of a whole number."""
        value = self._fields[key]
        assert isinstance(value, int)  # noqa: S101 - its form was checked when it was read
        return value


def read_line(untrusted: bytes, *kinds: str) -> Line:
    """The line in ``untrusted``, if it is of one of ``kinds``. Refused (MALFORMED_REQUEST) otherwise."""
    try:
        pairs = json.loads(untrusted.decode("ascii"), object_pairs_hook=_plain)
    except (ValueError, RecursionError):
        raise _malformed("it is not one JSON object in ASCII") from None
    if not isinstance(pairs, dict) or pairs.get("kind") not in kinds:
        raise _malformed(f"it is none of {', '.join(kinds)}")
    kind = str(pairs.pop("kind"))
    form = FORMS[kind]
    if set(pairs) != set(form):
        raise _malformed(f"its fields are not those of {kind}")
    return Line(kind, {key: _value(pairs[key], form[key], key) for key in form})


def _plain(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _value(untrusted: object, wanted: type, key: str) -> Value:
    if wanted is int and type(untrusted) is int and 0 <= untrusted < 65_536:
        return untrusted
    if wanted is str and isinstance(untrusted, str) and len(untrusted) <= 64 and untrusted.isascii():
        return untrusted
    if wanted is bytes and isinstance(untrusted, str):
        try:
            value = bytes.fromhex(untrusted)
        except ValueError:
            value = b""
        if value.hex() == untrusted:
            return value
    raise _malformed(f"the field {key} has not its form")


def _malformed(what: str) -> Refused:
    return Refused(Rule.MALFORMED_REQUEST, what, where="line of a pairing")
