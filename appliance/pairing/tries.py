"""How often somebody has tried a code on this unit: five wrong proofs, then the code is dead.

Invariants:
    * A try is written down before it is answered: pulling the plug gives nobody another one.
    * A code that was used is gone; a code that is dead stays dead until a person at the unit makes a new one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.protocol.pairing_code import PairingCode, parse

MOST_TRIES: Final = 5
CODE_FILE: Final = "pairing.code"
TRIES_FILE: Final = "pairing.tries"
_FIX: Final = "on the unit: sudo leftfield pair renew (or flash it again)"


class CodeOnUnit:
    """The pairing code in a unit's directory (``/etc/leftfield``), with the tries that were made on it."""

    def __init__(self, directory: Path) -> None:
        self._code = directory / CODE_FILE
        self._tries = directory / TRIES_FILE

    def read(self) -> PairingCode:
        """The code. Unfit where there is none, or it cannot be read."""
        try:
            return parse(atomic_files.read(self._code, fix=_FIX).decode("ascii", "replace"))
        except Refused:
            raise Unfit("it holds no pairing code", where=str(self._code), fix=_FIX) from None

    def write(self, code: PairingCode) -> None:
        """A new code, untried."""
        atomic_files.write_durably(self._code, f"{code}\n".encode("ascii"), mode=atomic_files.SECRET)
        self._tries.unlink(missing_ok=True)

    def left(self) -> int:
        """How many tries are left; a count that cannot be read is taken for none."""
        if not self._tries.exists():
            return MOST_TRIES
        try:
            tried = self._tries.read_bytes().strip()
        except OSError:
            return 0
        return max(0, MOST_TRIES - int(tried)) if tried.isdigit() and len(tried) < 3 else 0

    def count_one(self) -> None:
        """Write down one more try. Refused (WRONG_CODE) where none is left."""
        left = self.left()
        if not left:
            raise Refused(
                Rule.WRONG_CODE, f"{MOST_TRIES} wrong tries: this code is dead", where="pairing", fix=_FIX
            )
        atomic_files.write_durably(
            self._tries, f"{MOST_TRIES - left + 1}\n".encode("ascii"), mode=atomic_files.SECRET
        )

    def give_back(self) -> None:
        """The proof held: whoever is there knows the code, and this was no guess."""
        left = self.left()
        if left < MOST_TRIES:
            number = f"{MOST_TRIES - left - 1}\n".encode("ascii")
            atomic_files.write_durably(self._tries, number, mode=atomic_files.SECRET)

    def use_up(self) -> None:
        """The code has done its work, and nobody can use it again."""
        for path in (self._code, self._tries):
            path.unlink(missing_ok=True)
