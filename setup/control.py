"""Debian's control paragraphs and the dependency closure drawn from them.

Laws: no I/O; a package's libraries are followed, its scripts and accounts are not (nothing is installed, files
are only unpacked); the C library is never followed, since one beside the system's own cannot be loaded.
Source of the syntax: Debian Policy 5.1 (paragraphs), 7.1 (relations).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_NAME = re.compile(r"[a-z0-9][a-z0-9+.\-]+")
_NEVER_BESIDE_THE_SYSTEM = re.compile(r"libc6|libc-bin|libgcc-s\d|gcc-\d+-base|libstdc\+\+\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One version of a package; each need is a choice of names, the size is the download's, in bytes."""

    name: str
    version: str
    needs: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]
    size_bytes: int
    installed: bool


def paragraphs(text: str) -> Iterator[Mapping[str, str]]:
    """Yield the fields of each paragraph; continuation lines are joined to their field with a space."""
    fields: dict[str, str] = {}
    last = ""
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line[0].isspace():
            fields[last] = f"{fields.get(last, '')} {line.strip()}"
        else:
            last, _, value = line.partition(":")
            fields[last] = value.strip()


def relation(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the choices of a relation field, without versions and architectures.

    >>> relation("libc6 (>= 2.34), libsystemd0 | libelogind0 (>= 1), python3:any")
    (('libc6',), ('libsystemd0', 'libelogind0'), ('python3',))
    """
    clauses = (tuple(_NAME.findall(_bare(clause))) for clause in text.split(","))
    return tuple(names for names in clauses if names)


def _bare(clause: str) -> str:
    return re.sub(r"\([^)]*\)|\[[^\]]*\]|<[^>]*>|:[a-z0-9\-]+", " ", clause)


def packages(text: str) -> Iterator[Package]:
    """Yield the packages of an index, of `apt-cache show` or of dpkg's status file."""
    for fields in paragraphs(text):
        if "Package" in fields:
            yield Package(
                name=fields["Package"],
                version=fields.get("Version", ""),
                needs=relation(fields.get("Pre-Depends", "")) + relation(fields.get("Depends", "")),
                provides=tuple(names[0] for names in relation(fields.get("Provides", ""))),
                size_bytes=int(fields.get("Size", "0")),
                installed=fields.get("Status", "").endswith(" installed"),
            )


def closure(
    root: str, *, look_up: Callable[[frozenset[str]], Mapping[str, Package]], present: frozenset[str]
) -> tuple[Package, ...]:
    """Return the package `root` and the libraries it needs that are not present, `root` first.

    `look_up` returns the packages of the names it knows; `present` holds names the system has or provides.
    Of a choice the first name counts. Raises LookupError when `root` is not known.
    """
    found: dict[str, Package] = {}
    asked = {root}
    wanted = frozenset({root})
    while wanted:
        known = look_up(wanted)
        found.update({name: known[name] for name in sorted(wanted) if name in known})
        choices = [names for name in sorted(wanted) if name in known for names in known[name].needs]
        wanted = frozenset(
            name
            for names in choices
            if not present.intersection(names)
            for name in names[:1]
            if name not in asked and name.startswith("lib") and not _NEVER_BESIDE_THE_SYSTEM.fullmatch(name)
        )
        asked |= wanted
    if root not in found:
        raise LookupError(root)
    return tuple(found.values())
