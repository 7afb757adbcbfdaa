"""The machine that is looked at: its files, its processes, and what its own tools say; nothing is ever changed.

Invariants:
    * Everything is read through here, so that a test can put another root and other tools in its place.
    * What may not be read, or no tool can tell, is `Unseen`; what is not there is None. The two are never mixed up.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 2**22
"""Nothing that is read here is larger."""
_PART: Final = 65536
"""Read at once: the kernel has no memory for larger reads of its settings."""
_PATIENCE: Final = 20.0
Run = Callable[[tuple[str, ...]], str]


class Unseen(Exception):
    """It could not be looked at; the words say why."""


def _run(words: tuple[str, ...]) -> str:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", check=False, timeout=_PATIENCE,
            stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
    except FileNotFoundError:
        raise Unseen(f"there is no program {words[0]}") from None
    except (OSError, subprocess.TimeoutExpired):
        raise Unseen(f"{words[0]} does not answer") from None
    if done.returncode:
        raise Unseen(
            f"{words[0]} refuses: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ''}"
        )
    return done.stdout


class Machine:
    """A machine below ``root``; ``run`` runs one of its programs and gives its output, or raises Unseen."""

    def __init__(self, root: Path = Path("/"), run: Run = _run) -> None:
        self.root = root
        self._run = run

    def path(self, absolute: str | Path) -> Path:
        """Where a path of the machine is seen from here."""
        return self.root / str(absolute).lstrip("/")

    def bytes(self, absolute: str | Path) -> bytes | None:
        """The first bytes of a file; None where there is none. Unseen where it may not be read."""
        try:
            with self.path(absolute).open("rb", buffering=0) as file:
                parts: list[bytes] = []
                while sum(map(len, parts)) < MOST_BYTES and (part := file.read(_PART)):
                    parts.append(part)
                return b"".join(parts)
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return None
        except OSError as error:
            raise Unseen(f"{absolute}: {error.strerror}") from None

    def text(self, absolute: str | Path) -> str | None:
        """The text of a file; None where there is none. Unseen where it may not be read."""
        content = self.bytes(absolute)
        return None if content is None else content.decode("utf-8", "replace")

    def need(self, absolute: str | Path) -> str:
        """The text of a file that has to be there. Unseen where it is not, or may not be read."""
        text = self.text(absolute)
        if text is None:
            raise Unseen(f"there is no {absolute}")
        return text

    def names(self, absolute: str | Path) -> tuple[str, ...]:
        """The names in a directory, sorted; none where there is none. Unseen where it may not be read."""
        try:
            return tuple(sorted(os.listdir(self.path(absolute))))  # noqa: PTH208 - names are all that is wanted
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return ()
        except OSError as error:
            raise Unseen(f"{absolute}: {error.strerror}") from None

    def stat(self, absolute: str | Path) -> os.stat_result | None:
        """What the file system says of a path, links followed; None where there is none. Unseen."""
        try:
            return self.path(absolute).stat()
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return None
        except OSError as error:
            raise Unseen(f"{absolute}: {error.strerror}") from None

    def read_only(self, absolute: str | Path) -> bool:
        """Whether nothing can be written at a path as it is mounted; True where it is not there. Unseen."""
        try:
            return bool(os.statvfs(self.path(absolute)).f_flag & os.ST_RDONLY)
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return True
        except OSError as error:
            raise Unseen(f"{absolute}: {error.strerror}") from None

    def link(self, absolute: str | Path) -> str | None:
        """Where a link leads; None where there is none. Unseen."""
        try:
            return os.readlink(self.path(absolute))  # noqa: PTH115 - of /proc, where it is no path
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError as error:
            raise Unseen(f"{absolute}: {error.strerror}") from None

    def run(self, *words: str) -> str:
        """What a program of the machine says. Unseen where it is missing, refuses or does not answer."""
        return self._run(words)

    def properties(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit as systemd has it loaded."""
        said = self.run("systemctl", "show", unit, "--property", ",".join(names))
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
