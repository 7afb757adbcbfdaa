"""Who may be called what: one name space for units, tablets and the booth's own roles.

Invariants:
    * The broker knows everybody by one word (certificate subject or tablet name) and uses it as the client
      identifier; two of the same word would throw each other out. So no word is ever given twice.
    * A role's word can be given to nobody else.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from appliance.base.errors import Unfit
from appliance.protocol.values import NAME_FORM

HUB: Final = "hub"
BROKER: Final = "broker"
PAGES: Final = "pages"
DESK: Final = "desk"
METRICS: Final = "metrics"

RESERVED: Final = frozenset(
    {HUB, BROKER, PAGES, DESK, METRICS, "watch", "sense", "relay", "root", "admin", "booth", "authority", "unit",
     "tablet", "staff"}
)  # fmt: skip
"""Words that are no unit's and no tablet's."""

_HOST_FORM: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_name(name: str, *, what: str) -> str:
    """The same name, if a unit or tablet may have it; else Unfit."""
    if not NAME_FORM.fullmatch(name):
        raise Unfit(
            f"{name!r} is not a valid name: at most 24 lower-case letters, digits and -, a letter first",
            where=what,
            fix="choose one such as corner-north",
        )
    if name in RESERVED:
        raise Unfit(f"the name {name} is reserved", where=what, fix="choose one such as corner-north")
    return name


def check_booth(name: str) -> str:
    """The same name, if a booth may have it; else Unfit."""
    if not NAME_FORM.fullmatch(name):
        raise Unfit(
            f"{name!r} is not a valid booth name", where="booth", fix="choose one such as market-street"
        )
    return name


def check_place(place: str) -> str:
    """The same words for people, if they are 1 to 60 printable characters; else Unfit."""
    if not 1 <= len(place) <= 60 or not place.isprintable():
        raise Unfit(
            f"{place!r} is not 1 to 60 printable characters",
            where="place",
            fix="write it as staff say it, such as: north corner",
        )
    return place


def host(text: str) -> str | Address:
    """An address, or a lower-case host name; Unfit for anything else."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    name = text.lower()
    if not _HOST_FORM.fullmatch(name):
        raise Unfit(
            f"{text!r} is neither an address nor a host name",
            where="host",
            fix="use a name or address such as booth.local or 10.0.0.2",
        )
    return name
