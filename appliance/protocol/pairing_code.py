"""The code on a unit's label: twelve signs in three groups, such as 7K3M-9PQX-2HTD (Crockford's base 32).

Invariants:
    * The first group is public: the unit says it, so that the tablet can tell two waiting units apart. The other two
      are the secret: 40 bits, enough for five tries.
    * What a person may mistype is read as it was meant: small letters, O for 0, I and L for 1, spaces and dashes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from appliance.base.errors import Refused, Rule

SIGNS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet (https://www.crockford.com/base32.html): no I, L, O or U."""
_LENGTH: Final = 12
_GROUP: Final = 4
_AS_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": "", "\n": "", "\t": ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCode:
    """A unit's code: ``number`` (four signs, public) and ``secret`` (eight signs)."""

    number: str
    secret: str

    def __str__(self) -> str:
        return f"{self.number}-{self.secret[:_GROUP]}-{self.secret[_GROUP:]}"

    def __repr__(self) -> str:
        return f"PairingCode({self.number}-****-****)"


def new_code() -> PairingCode:
    """A new code from the system's random numbers: 60 bits, 40 of them secret."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(_LENGTH))
    return PairingCode(number=signs[:_GROUP], secret=signs[_GROUP:])


def parse(typed: str) -> PairingCode:
    """The code that somebody typed or scanned. Refused (MALFORMED_REQUEST) where it is none.

    >>> str(parse("7k3m 9pqx 2htd"))
    '7K3M-9PQX-2HTD'
    """
    signs = typed[:64].upper().translate(_AS_MEANT)
    if len(signs) != _LENGTH or not all(sign in SIGNS for sign in signs):
        raise Refused(
            Rule.MALFORMED_REQUEST,
            "that is no pairing code: twelve letters and digits in three groups, such as 7K3M-9PQX-2HTD",
            where="pairing",
            fix="type it as the label has it",
        )
    return PairingCode(number=signs[:_GROUP], secret=signs[_GROUP:])
