"""A mutant put into a running process: the code of one function is replaced where it is, whoever has imported it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any


class Stillborn(Exception):
    """The mutant cannot be put in place: nothing is said about it."""


def put(module: str, source: str, name: str) -> None:
    """Replace the code of function ``name`` of ``module`` by that of the same name in ``source``. Stillborn."""
    try:
        whole = compile(source, sys.modules[module].__file__ or module, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Stillborn(str(error)) from None
    new = next((one for one in _codes(whole) if one.co_qualname == name), None)
    if new is None:
        raise Stillborn("no code of this name")
    try:
        _function(module, name).__code__ = new
    except ValueError as error:  # another number of free variables
        raise Stillborn(str(error)) from None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)


def _function(module: str, name: str) -> FunctionType:
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = vars(found).get(part)
        if found is None:
            raise Stillborn("it is not there at run time")
    while not isinstance(found, FunctionType):
        found = next(
            (
                inner
                for way in ("__wrapped__", "__func__", "fget", "func")
                if (inner := getattr(found, way, None))
            ),
            None,
        )
        if found is None:
            raise Stillborn("no function")
    while isinstance(inner := getattr(found, "__wrapped__", None), FunctionType):
        found = inner
    return found
