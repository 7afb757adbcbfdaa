"""The three families of error, and nothing else.

Invariants:
    * ``Refused`` is theirs: untrusted input broke a numbered rule. It never stops a process.
    * ``Unfit`` is ours: configuration, a model or provisioning is wrong. It always stops the process, loudly.
    * ``Unavailable`` is nobody's: something is away for now; trying again is right.
    * Each carries what happened, where, and how to fix it, and says so in one line.
"""

from __future__ import annotations

from enum import IntEnum, unique


class LeftfieldError(Exception):
    """Base of the three families: what happened, where, and how to fix it.

    The attributes hold plain sentences without a full stop; ``str()`` joins them to one line. ``exit_code`` is what
    a command ends with (sysexits.h): 78 for what is ours to fix, 75 for "try again", 65 for refused input.
    """

    exit_code = 78

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. Fix: {self.fix}" if self.fix else line


@unique
class Rule(IntEnum):
    """The numbered rules of the one door. A refusal names exactly one; numbers are never used again."""

    TOO_LONG = 1
    """The envelope is longer than any envelope can be."""
    MALFORMED = 2
    """The bytes are not a COSE_Sign1 of the one form (RFC 9052 section 4.2) in deterministic CBOR."""
    UNKNOWN_KEY = 3
    """The key identifier is not in the register."""
    FORGED = 4
    """The Ed25519 signature (RFC 8032 section 5.1.7) does not verify for this booth."""
    WRONG_TOPIC = 5
    """The envelope came on another unit's topic."""
    REVOKED = 6
    """The unit is enrolled but revoked."""
    REPLAYED = 7
    """This (unit, epoch, seq) has been admitted before, or is older than the replay window."""
    ROLLED_BACK = 8
    """The epoch is lower than the oldest epoch still open for this unit."""
    FUTURE = 9
    """The phenomenon time lies ahead of the hub's clock by more than is allowed."""
    OTHER_VERSION = 10
    """The vocabulary or wire version is not one this hub speaks."""
    OUTSIDE_VOCABULARY = 11
    """The attribute code names no attribute vector of the vocabulary."""
    WEAK_KEY = 12
    """A public key at enrolment is non-canonical or of low order (RFC 8032 section 5.1.3)."""
    MALFORMED_REQUEST = 13
    """A request (a tablet's, or to be enrolled) is not of the one form."""
    NOT_YOURS = 14
    """A tablet asked for what the alert's state or its holder does not permit."""
    TOO_FAST = 15
    """The sender exceeds its rate."""
    NAME_TAKEN = 16
    """Somebody else is enrolled under this name or with this key."""
    TWO_HOLDERS = 17
    """This (unit, epoch, seq) was admitted with another content: two devices hold the unit's key."""
    UNREADABLE = 18
    """A message is encrypted to a key that this hub has not, or was changed on its way."""
    WRONG_CODE = 20
    """A pairing code is wrong, used up or dead, or the exchange was changed on its way."""
    WRONG_TARGET = 30
    """An update is for another role or processor, or needs a version in between."""
    OUTDATED = 31
    """An update is older than what runs here or was offered before."""
    EXPIRED = 32
    """An update's signed document has expired."""
    FAILED_BEFORE = 33
    """An update was tried on this machine and undone."""
    DAMAGED = 34
    """An update's part is cut off, or is not the part that was signed."""


class Refused(LeftfieldError):
    """Untrusted input broke a numbered rule."""

    exit_code = 65

    def __init__(self, rule: Rule, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.rule = rule

    def __str__(self) -> str:
        return f"refused R{self.rule:02d} {self.rule.name.lower()}: {super().__str__()}"


class Unfit(LeftfieldError):
    """Configuration, a model, a wall or provisioning is wrong: stop, say so, lose nothing."""


class Unavailable(LeftfieldError):
    """Away for now: a camera, an accelerator, the broker. Try again."""

    exit_code = 75
