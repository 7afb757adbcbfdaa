"""What a fuzz target is, and what it must never do.

A target takes bytes that anybody may have written and gives them to one of our parsers. It may raise the errors that
the parser documents, each said in one line; anything else, an assertion that fails, more than ``CPU_SECONDS`` or more
than ``GROWTH_BYTES`` is a find.
"""

from __future__ import annotations

import base64
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Refused

HERE: Final = Path(__file__).parent
CPU_SECONDS: Final = 5.0
"""Most that one input may cost; one of a campaign's machine is slow, so that this is much."""
GROWTH_BYTES: Final = 256 * 2**20
"""Most that a target may add to what the process ever held."""
MOST_BYTES: Final = 8192
"""Length of the longest input that is made up."""
ROOMS: Final = ("protocol", "letters", "files", "settings", "storage", "network")
_TARGETS: Final[dict[str, Target]] = {}

Run = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser: ``run`` gives it bytes, ``raises`` is what it documents, ``seeds`` are inputs that it accepts.

    ``slow`` is how many times fewer inputs ``make test`` gives it.
    """

    name: str
    run: Run
    raises: tuple[type[LeftfieldError], ...]
    seeds: Callable[[], list[bytes]]
    slow: int = 1


def target(
    seeds: Callable[[], list[bytes]], *raises: type[LeftfieldError], slow: int = 1
) -> Callable[[Run], Run]:
    """Make the function a target of its own name; it raises ``Refused`` where nothing else is said."""

    def made(run: Run) -> Run:
        name = run.__name__
        _TARGETS[name] = Target(name=name, run=run, raises=raises or (Refused,), seeds=seeds, slow=slow)
        return run

    return made


def targets() -> dict[str, Target]:
    """Every target by name."""
    for room in ROOMS:
        import_module(f"tests.fuzz.targets.{room}")
    return dict(sorted(_TARGETS.items()))


def kept(file: str) -> dict[str, list[bytes]]:
    """The inputs in ``corpus.txt`` or ``cases.txt`` by target: a line is a name and base64; # begins a remark."""
    found: dict[str, list[bytes]] = {}
    for line in (HERE / file).read_text("ascii").splitlines():
        name, _, text = line.partition("#")[0].strip().partition(" ")
        if name:
            found.setdefault(name, []).append(base64.b64decode(text, validate=True))
    return found


def check(one: Target, data: bytes) -> None:
    """Run ``one`` on ``data``; whatever comes out of this is a find."""
    try:
        one.run(data)
    except one.raises as error:
        said = str(error)
        assert "\n" not in said, f"more than one line: {said!r}"


def is_hex(text: str) -> bool:
    """Whether a text is whole bytes in lower-case hexadecimal digits."""
    return bool(text) and len(text) % 2 == 0 and set(text) <= set("0123456789abcdef")


class TooSlow(BaseException):
    """An input cost more than ``CPU_SECONDS``."""


@contextmanager
def bounded(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """TooSlow where the block takes more processor time than one input may."""

    def tell(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, tell)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def held() -> int:
    """The most bytes that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
