"""Made-up inputs from good ones: bytes, tokens and whole JSON values are changed; the same dice, the same input."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.fuzz.target import MOST_BYTES

_TOKEN: Final = re.compile(rb"[A-Za-z0-9_.+-]+|\"[^\"\n]*\"|[^\sA-Za-z0-9]")
_HARD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2**31, 2**32 - 1, 2**53, 2**63, 2**64, 10**400, 0.0, -0.0, 1.5, 1e308, 5e-324,
    float("inf"), float("nan"), "", "\0", "\n", "\ud800", "\u00b2", "a" * 300, "../x", [], {}, [[]], [0, 0], {"": 0},
)  # fmt: skip
_TOKENS: Final = (
    b"0", b"-1", b"+1", b"1e308", b"nan", b"inf", b"-inf", b"9" * 40, b"9" * 400, b"9" * 4400, b"true", b"null",
    b'""', b'"\\u0000"', b'"\\ud800"', b"\xc2\xb2", b"\xff", b"\0", b"[" * 1200, b"{" * 40, b'{"a":' * 400,
    b"1979-05-27", b"25:61", b"..", b"/", b"//[", b"%00", b"\r\n", b"\n\n", b"'''", b"=", b",", b";", b"*",
)  # fmt: skip


def mutated(data: bytes, dice: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """``data`` changed in one to four places; ``others`` are inputs of the same kind, to take pieces from."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        change = dice.choice((_bytes, _bytes, _token, _json, _span))
        data = _splice(data, dice, others) if others and dice.random() < 0.1 else change(data, dice)
    return data[:MOST_BYTES]


def _bytes(data: bytes, dice: random.Random) -> bytes:
    found = bytearray(data or b"\0")
    at = dice.randrange(len(found))
    kind = dice.randrange(4)
    if kind == 0:
        found[at] ^= 1 << dice.randrange(8)
    elif kind == 1:
        found[at] = dice.randrange(256)
    elif kind == 2:
        found[at:at] = dice.randbytes(dice.choice((1, 2, 4, 8)))
    else:
        size = dice.choice((1, 2, 4, 8))
        number = dice.choice((0, 1, (1 << 8 * size) - 1, 1 << 8 * size - 1, (1 << 8 * size - 1) - 1))
        found[at : at + size] = number.to_bytes(size, dice.choice(("big", "little")))
    return bytes(found)


def _span(data: bytes, dice: random.Random) -> bytes:
    start, end = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data[:start],
        lambda: data[:start] + data[end:],
        lambda: data[:end] + data[start:end] + data[end:],
        lambda: data[:start] + bytes(end - start) + data[end:],
    )
    return dice.choice(changes)()


def _splice(data: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    other = dice.choice(others)
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]


def _token(data: bytes, dice: random.Random) -> bytes:
    places = [found.span() for found in _TOKEN.finditer(data[:MOST_BYTES])]
    if not places:
        return dice.choice(_TOKENS)
    start, end = dice.choice(places)
    other_start, other_end = dice.choice(places)
    new = dice.choice((dice.choice(_TOKENS), data[other_start:other_end]))
    return data[:start] + new + data[dice.choice((start, end, end)) :]


def _json(data: bytes, dice: random.Random) -> bytes:
    """One node of a JSON text replaced, removed or doubled; anything else is left to the other changes."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return _bytes(data, dice)
    places: list[tuple[Any, Any]] = []
    waiting = [found]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        places += [(node, key) for key in keys]
        waiting += [node[key] for key in keys]
    if not places:
        return json.dumps(dice.choice(_HARD)).encode("utf-8", "replace")
    node, key = dice.choice(places)
    kind = dice.randrange(6)
    if kind == 0:
        del node[key]
    elif kind == 1:
        other, place = dice.choice(places)
        node[key] = json.loads(json.dumps(other[place])) if place != key else dice.choice(_HARD)
    elif kind == 2 and isinstance(node[key], str):
        node[key] = _bytes(node[key].encode("utf-8", "replace"), dice).decode("latin-1")
    elif kind == 3 and isinstance(node[key], int):
        node[key] += dice.choice((-1, 1, 5, 1000))
    else:
        node[key] = dice.choice(_HARD)
    return json.dumps(found).encode("utf-8", "replace")
