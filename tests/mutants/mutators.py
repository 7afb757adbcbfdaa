"""Mutants of a module: each changes one thing inside one function, as a mistake might.

Not mutated: module level and class bodies (constants are values, not thoughts), annotations, docstrings, the words of
errors and log lines, ``__repr__``.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_BINARY: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
_SWAPPED: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_WORDS_OF: Final = frozenset(
    {"log", "Refused", "Unfit", "Unavailable", "ValueError", "_unfit", "_refused", "_malformed"}
)
"""What takes words for people: they are not mutated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One changed function of ``file``: ``name`` is its qualified name, ``line`` where it was changed."""

    file: str
    name: str
    line: int
    what: str
    source: str
    """The whole module with the change."""
    function: str
    """The function's own source before the change, and the change's place in it: what a result depends on."""

    @property
    def title(self) -> str:
        """As a report names it."""
        return f"{self.file}:{self.line} {self.name}: {self.what}"


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree = ast.parse(source)
    for name, function in _functions(tree, ""):
        segment = ast.get_source_segment(source, function) or ""
        for number, (node, what, change) in enumerate(_changes(function)):
            undo = change()
            changed = ast.unparse(tree)
            undo()
            yield Mutant(
                file=file, name=name, line=getattr(node, "lineno", function.lineno), what=what, source=changed,
                function=f"{segment}#{number}",
            )  # fmt: skip


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    """Functions and methods, outermost only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name != "__repr__":
            yield f"{prefix}{child.name}", child


Change = Callable[[], Callable[[], None]]


def _changes(function: _Function) -> Iterator[tuple[ast.AST, str, Change]]:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    for statement in body:
        yield from _inside(statement, function, "body")


def _inside(node: ast.AST, parent: ast.AST, field: str) -> Iterator[tuple[ast.AST, str, Change]]:
    said = node.value if isinstance(node, ast.Expr) else node
    if field in {"annotation", "returns"} or isinstance(node, ast.Raise | ast.Assert) or _is_words(said):
        if isinstance(node, ast.Raise):
            yield node, "raise left out", _replaced(parent, field, node, ast.Pass())
        return
    yield from _of(node, parent, field)
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _inside(child, node, name)


def _is_words(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return True
    called = node.func if isinstance(node, ast.Call) else None
    name = (
        called.id
        if isinstance(called, ast.Name)
        else called.attr
        if isinstance(called, ast.Attribute)
        else ""
    )
    return name in _WORDS_OF


def _of(node: ast.AST, parent: ast.AST, field: str) -> Iterator[tuple[ast.AST, str, Change]]:
    yield from _of_operation(node, parent, field)
    yield from _of_value(node)
    yield from _of_statement(node, parent, field)


def _of_operation(node: ast.AST, parent: ast.AST, field: str) -> Iterator[tuple[ast.AST, str, Change]]:
    match node:
        case ast.Compare(ops=[only]):
            other = _COMPARE[type(only)]
            yield node, f"{type(only).__name__} is {other.__name__}", _set(node, "ops", [other()])
        case ast.BinOp() if type(node.op) in _BINARY:
            new = _BINARY[type(node.op)]
            yield node, f"{type(node.op).__name__} is {new.__name__}", _set(node, "op", new())
        case ast.AugAssign() if type(node.op) in _BINARY:
            new = _BINARY[type(node.op)]
            yield node, f"{type(node.op).__name__}= is {new.__name__}=", _set(node, "op", new())
        case ast.BoolOp():
            joined = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, f"{type(node.op).__name__} is {type(joined).__name__}", _set(node, "op", joined)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node, "sign or not left out", _replaced(parent, field, node, node.operand)


def _of_value(node: ast.AST) -> Iterator[tuple[ast.AST, str, Change]]:
    match node:
        case ast.Constant(value=bool() as truth):
            yield node, f"{truth} is {not truth}", _set(node, "value", not truth)
        case ast.Constant(value=int() | float() as number):
            yield node, f"{number} is {number + 1}", _set(node, "value", number + 1)
        case ast.Constant(value=str() | bytes() as text) if text:
            yield (
                node,
                "text is another",
                _set(node, "value", text + (b"X" if isinstance(text, bytes) else "X")),
            )
        case ast.Call(func=ast.Name(id=name)) if name in _SWAPPED:
            yield (
                node,
                f"{name} is {_SWAPPED[name]}",
                _set(node, "func", ast.Name(id=_SWAPPED[name], ctx=ast.Load())),
            )
        case ast.Slice(lower=ast.expr()):
            yield node, "slice from the start", _set(node, "lower", None)


def _of_statement(node: ast.AST, parent: ast.AST, field: str) -> Iterator[tuple[ast.AST, str, Change]]:
    match node:
        case ast.Return(value=ast.expr() as value) if not (
            isinstance(value, ast.Constant) and value.value is None
        ):
            nothing = ast.Constant(value=None)
            yield node, "gives None", _set(node, "value", nothing)
        case ast.Expr(value=ast.Call()):
            yield node, "call left out", _replaced(parent, field, node, ast.Pass())
        case ast.If() | ast.While() | ast.IfExp():
            yield (
                node,
                "condition turned round",
                _set(node, "test", ast.UnaryOp(op=ast.Not(), operand=node.test)),
            )
        case ast.Continue():
            yield node, "continue is break", _replaced(parent, field, node, ast.Break())
        case ast.Break():
            yield node, "break is continue", _replaced(parent, field, node, ast.Continue())


def _set(node: ast.AST, field: str, value: object) -> Change:
    def change() -> Callable[[], None]:
        before = getattr(node, field)
        setattr(node, field, value)
        return lambda: setattr(node, field, before)

    return change


def _replaced(parent: ast.AST, field: str, node: ast.AST, new: ast.AST) -> Change:
    new = copy.copy(new)

    def change() -> Callable[[], None]:
        held = getattr(parent, field)
        if not isinstance(held, list):
            setattr(parent, field, new)
            return lambda: setattr(parent, field, held)
        place = next(at for at, one in enumerate(held) if one is node)
        held[place] = new

        def undo() -> None:
            held[place] = node

        return undo

    return change
