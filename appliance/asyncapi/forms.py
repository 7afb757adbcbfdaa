"""Pieces of JSON Schema (draft 7) of which the payloads' forms are made; words and limits come from the code.

Invariants:
    * An object has exactly the keys that are written: a key more or less is another form.
    * Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from appliance.protocol.health import FPS_LIMIT, Accelerator, SourceKind, UnitState
from appliance.protocol.values import NAME_FORM
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

Form = dict[str, Any]
COUNT: Final[Form] = {"type": "integer", "minimum": 0}
NUMBER: Final[Form] = {"type": "number"}
TIME: Final[Form] = COUNT | {"description": "unix time in seconds"}
TEXT: Final[Form] = {"type": "string"}
YES_NO: Final[Form] = {"type": "boolean"}
NAME: Final[Form] = {"type": "string", "pattern": f"^{NAME_FORM.pattern}$"}
VERSION: Final[Form] = {"const": 1}
PERCENT: Final[Form] = {"type": "integer", "minimum": 0, "maximum": 100}
FIVES: Final[Form] = COUNT | {"multipleOf": 5, "description": "people, in whole fives"}


def record(keys: dict[str, Form], *, optional: Iterable[str] = ()) -> Form:
    """An object of exactly these ``keys``, of which the ``optional`` may be missing."""
    missing = frozenset(optional)
    return {
        "type": "object",
        "properties": keys,
        "required": [key for key in keys if key not in missing],
        "additionalProperties": False,
    }


def message(keys: dict[str, Form], *, optional: Iterable[str] = ()) -> Form:
    """A JSON message of version 1."""
    return record({"v": VERSION, **keys}, optional=optional)


def several(of: Form, **limits: int) -> Form:
    """An array of things of one form."""
    return {"type": "array", "items": of, **limits}


def row(*of: Form) -> Form:
    """An array that has one thing of each form, in this order."""
    return {"type": "array", "items": list(of), "additionalItems": False, "minItems": len(of)}


def maybe(form: Form) -> Form:
    """That, or null."""
    return {"oneOf": [{"type": "null"}, form]}


def one_of(words: Iterable[str]) -> Form:
    """A word of a list."""
    return {"type": "string", "enum": list(words)}


def words_of(kind: type[Enum]) -> Form:
    """The value of a member of ``kind``."""
    return one_of(str(member.value) for member in kind)


def by_attribute(names: Iterable[str], form: Form, *, rest: bool = False) -> Form:
    """An object by attribute, then by word; ``rest`` allows the rest, which is called ``*``."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {
                "type": "object",
                "additionalProperties": False,
                "properties": dict.fromkeys((*ATTRIBUTES[INDEX[name]].levels, *("*" * rest)), form),
            }
            for name in names
        },
    }


def look() -> Form:
    """What is worn: one word of the vocabulary for each attribute that is known."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {one.name: one_of(one.levels) for one in ATTRIBUTES},
    }


ATTRIBUTE: Final = one_of(one.name for one in ATTRIBUTES)
WORD: Final = one_of(sorted({word for one in ATTRIBUTES for word in one.levels}))


def unit_keys() -> dict[str, Form]:
    """One unit, as the board and the big screen have it."""
    return {
        "unit": NAME,
        "place": TEXT,
        "link": one_of(("online", "offline")),
        "state": one_of([*(state.name.lower() for state in UnitState), "silent", "tested"]),
        "source": one_of(kind.name.lower() for kind in SourceKind),
        "accelerator": one_of(kind.name.lower() for kind in Accelerator),
        "boxed": maybe(YES_NO),
        "simulated": YES_NO,
        "fps": COUNT | {"maximum": FPS_LIMIT - 1},
        "heard_ago": maybe(COUNT),
        **dict.fromkeys(("admitted", "refused", "repeated", "missing"), COUNT),
        "locked": YES_NO,
    }
