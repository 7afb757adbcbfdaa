"""TOML tables, read key by key: each once, typed and within its range; what is left over is an error.

Invariants:
    * Every error is ``Unfit`` and names the file and the key.
    * A relative path is relative to the file that names it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.protocol.values import NAME_FORM, Seconds

T = TypeVar("T", bool, int, float, str)
N = TypeVar("N", int, float)

_MOST: Final = 2**53
"""Whole numbers below this are given where a float is asked for."""
_TIME_FORM: Final = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")


def time_of_day(text: str) -> Seconds | None:
    """Seconds since midnight of a time such as "18:30", 24:00 at the latest; None where it is no time of day.

    >>> time_of_day("9:05"), time_of_day("24:00"), time_of_day("24:01")
    (32700.0, 86400.0, None)
    """
    found = _TIME_FORM.fullmatch(text)
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 if found else 86_401
    return Seconds(float(seconds)) if seconds <= 86_400 else None


class Table:
    """One TOML table being read: each key once, typed; what is left at the end is an error."""

    def __init__(self, path: Path, name: str, untrusted: object) -> None:
        self._path = path
        self._name = name
        if not isinstance(untrusted, dict):
            raise self._unfit("", "must be a table")
        self._left: dict[str, object] = dict(untrusted)

    def _unfit(self, key: str, what: str) -> Unfit:
        spot = ".".join(part for part in (self._name, key) if part) or "the file"
        return Unfit(f"{spot} {what}", where=str(self._path), fix=f"edit {spot} in {self._path}")

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of ``key``; Unfit where it is missing without a default, or of another type."""
        if key not in self._left:
            if default is None:
                raise self._unfit(key, f"is missing ({kind.__name__})")
            return default
        value = self._left.pop(key)
        if kind is float and type(value) is int and abs(value) < _MOST:
            value = float(value)
        if type(value) is not kind:
            raise self._unfit(key, f"must be a {kind.__name__}, not {value!r}")
        return value

    def number(self, key: str, low: float, high: float, default: N | None = None, *, kind: type[N]) -> N:
        """A number in [low, high]."""
        value = self.get(key, kind, default)
        if not low <= value <= high:
            raise self._unfit(key, f"must lie between {low:g} and {high:g}, not {value!r}")
        return value

    def name(self, key: str) -> str:
        """A name of the form of ``NAME_FORM``."""
        value = self.get(key, str)
        if not NAME_FORM.fullmatch(value):
            raise self._unfit(key, f"must be a lower-case name such as corner-north, not {value!r}")
        return value

    def time_of_day(self, key: str) -> Seconds | None:
        """Seconds since midnight of a time such as "18:30" (24:00 at the latest); None where the key is not there."""
        text = self.get(key, str, "")
        if not text:
            return None
        seconds = time_of_day(text)
        if seconds is None:
            raise self._unfit(key, f'must be a time of day such as "18:30", not {text!r}')
        return seconds

    def path(self, key: str, default: Path | None = None) -> Path:
        """A path; a relative one is relative to the file's own directory. ``default`` is taken as it is."""
        written = self.get(key, str, None if default is None else "")
        return self._path.parent / written if written or default is None else default

    def renamed(self, names: Mapping[str, str]) -> None:
        """Read keys under the names that they had before; ``names`` maps old to new. Each is told in one line."""
        for old, new in names.items():
            if old in self._left and new in self._left:
                raise self._unfit(old, f"is the old name of {new}, which is there too")
            if old in self._left:
                self._left[new] = self._left.pop(old)
                spot = f"{self._name}.{old}" if self._name else old
                log(f"{self._path}: {spot} is called {new} now; the old name is still read", level=4)

    def table(self, key: str, *, optional: bool = False) -> Table:
        """The table under ``key``."""
        if key not in self._left and not optional:
            raise self._unfit(key, "is missing (table)")
        return Table(self._path, ".".join(filter(None, (self._name, key))), self._left.pop(key, {}))

    def keys_left(self) -> tuple[str, ...]:
        """The keys not read yet, in the order of the file."""
        return tuple(self._left)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Every table left under its own name."""
        for key in tuple(self._left):
            if not NAME_FORM.fullmatch(key):
                raise self._unfit(key, "is no lower-case name such as corner-north")
            yield key, self.table(key)

    def end(self) -> None:
        """Unfit where a key was not asked for."""
        for key in self._left:
            raise self._unfit(key, "is not a known key")

    def unfit(self, key: str, what: str) -> Unfit:
        """An error that names this table's ``key``."""
        return self._unfit(key, what)


def load(path: Path) -> Table:
    """The file at ``path`` as a table. Unfit where it cannot be read or is no TOML."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise Unfit(
            f"cannot read the file: {reason}", where=str(path), fix="name an existing file with --config"
        ) from None
    try:
        return Table(path, "", tomllib.loads(text))
    except (
        ValueError,
        RecursionError,
    ) as error:  # numbers of thousands of digits, and tables as deep, are no TOML
        raise Unfit(f"not TOML: {error}", where=str(path), fix="correct that line") from None
