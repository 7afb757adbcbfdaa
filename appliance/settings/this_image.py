"""This image: what the card image that this machine was made from says of itself.

Invariants:
    * Read from the checked root only; a machine that was set up otherwise has no such file, and is told so.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit

ABOUT: Final = Path("/usr/share/leftfield/image.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThisImage:
    """Role, processor (Debian's name), version, time made (unix seconds), release key (None: takes no updates)."""

    role: str
    arch: str
    version: str
    made: int
    release_key: bytes | None
    ssh: bool


def read(path: Path = ABOUT) -> ThisImage | None:
    """What the image says; None on a machine that was made from none. Unfit where the file is not of its one form."""
    try:
        about = tomllib.loads(path.read_text("utf-8"))
        key = bytes.fromhex(about["release_key"])
        return ThisImage(
            role=about["role"], arch=about["arch"], version=about["version"], made=int(about["made"]),
            release_key=key if len(key) == 32 else None, ssh=bool(about["ssh"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unfit(f"cannot be read ({error})", where=str(path), fix="flash this machine again") from None


def require(path: Path = ABOUT) -> ThisImage:
    """What the image says. Unfit on a machine that was made from none."""
    found = read(path)
    if found is None:
        raise Unfit(
            "this machine was made from no image: its system is updated by its packages",
            where="update",
            fix="apt install the newer leftfield package",
        )
    return found
