"""`python3 -m setup demo|test`: do what lacks, say nothing about what does not.

Invariants: one set-up at a time per cache directory; a failure is one message and exit code 1.
"""

from __future__ import annotations

import fcntl
import sys
from typing import TYPE_CHECKING

from setup import broker, environment, postgres, street, system, web
from setup.places import Places, places
from setup.voice import SetupError, say

if TYPE_CHECKING:
    from typing import TextIO

_ELSEWHERE = "pass writable places, such as make demo VENV=~/leftfield-venv CACHE=~/leftfield-cache"
_USAGE = "usage: python3 -m setup demo [--no-street] | test | python | check-web"


def main(words: list[str]) -> int:
    """Bring the machine to what the named purpose needs; return the exit code."""
    if (
        not words
        or words[0] not in {"demo", "test", "python", "check-web"}
        or set(words[1:]) - {"--no-street"}
    ):
        print(_USAGE, file=sys.stderr)
        return 2
    if words[0] == "check-web":
        return _check_web()
    where, with_street = places(), "--no-street" not in words
    try:
        if _ready(where, purpose=words[0], with_street=with_street):
            return 0  # nothing is written: a ready checkout may be read-only, or another user's
        with _lock(where) as lock:
            _take_turns(lock)
            _set_up(where, purpose=words[0], with_street=with_street)
    except OSError as error:
        said = f"{error.filename or where.cache}: {error.strerror}"
        print(f"setup  stopped  {said}. Fix: {_ELSEWHERE}", file=sys.stderr)
        return 1
    except SetupError as error:
        print(f"setup  stopped  {error}", file=sys.stderr)
        return 1
    return 0


def _check_web() -> int:
    """Check the pages' JavaScript; the exit code."""
    try:
        web.check(places())
    except SetupError as error:
        print(f"web  {error}", file=sys.stderr)
        return 1
    return 0


def _ready(where: Places, *, purpose: str, with_street: bool) -> bool:
    """Tell whether nothing is left to do."""
    if purpose == "test" and not system.ready():
        return False
    if not environment.ready(where, "runtime" if purpose == "demo" else "dev"):
        return False
    if purpose != "demo" and not web.ready(where):
        return False
    if purpose == "test" and not postgres.ready(where):
        return False
    return purpose == "python" or (broker.ready(where) and (street.ready(where) or not with_street))


def _lock(where: Places) -> TextIO:
    where.cache.mkdir(parents=True, exist_ok=True)
    return (where.cache / "setup.lock").open("w", encoding="utf-8")


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
    if purpose != "demo" and not web.ready(where):
        web.provide(where)
        worked = True
    if purpose == "python":
        return
    if not broker.ready(where):
        broker.provide(where)
        worked = True
    if purpose == "test" and not postgres.ready(where):
        postgres.provide(where)
        worked = True
    if with_street and not street.ready(where):
        street.provide(where)
        worked = True
    if worked:
        say("ready", f"cache {where.cache}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
