"""`python3 -m setup demo|test`: do what lacks, say nothing about what does not.

Laws: one set-up at a time per cache directory; a failure is one message and exit code 1.
"""

from __future__ import annotations

import fcntl
import sys
from typing import TYPE_CHECKING

from setup import broker, environment, street, system
from setup.places import Places, places
from setup.voice import SetupError, say

if TYPE_CHECKING:
    from typing import TextIO

_USAGE = "usage: python3 -m setup demo [--no-street] | test | python"


def main(words: list[str]) -> int:
    """Bring the machine to what the named purpose needs; return the exit code."""
    if not words or words[0] not in {"demo", "test", "python"} or set(words[1:]) - {"--no-street"}:
        print(_USAGE, file=sys.stderr)
        return 2
    where = places()
    where.cache.mkdir(parents=True, exist_ok=True)
    try:
        with (where.cache / "setup.lock").open("w", encoding="utf-8") as lock:
            _take_turns(lock)
            _set_up(where, purpose=words[0], with_street="--no-street" not in words)
    except SetupError as error:
        print(f"setup  stopped  {error}", file=sys.stderr)
        return 1
    return 0


def _take_turns(lock: TextIO) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting", "another set-up is at work in this checkout")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _set_up(where: Places, *, purpose: str, with_street: bool) -> None:
    kind = "runtime" if purpose == "demo" else "dev"
    if purpose == "test" and not system.ready():  # first, so that a machine that cannot go on says so at once
        system.provide()
    worked = False
    if not environment.ready(where, kind):
        environment.provide(where, kind)
        worked = True
    if purpose == "python":
        return
    if not broker.ready(where):
        broker.provide(where)
        worked = True
    if with_street and not street.ready(where):
        street.provide(where)
        worked = True
    if worked:
        say("ready", f"cache {where.cache}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
