"""``leftfield card read``: one process looks for the card inside SENSE's walls, another takes in the matrix.

May touch, inside: the camera, the write end of one pipe, and of one for complaints. Outside: their read ends.

Invariants:
    * The box is SENSE's (``box``): enclosed before a pixel library is loaded, sealed before a frame is looked at, or
      it does not look. Set-up is no exception.
    * Out of the box come words of a closed list and one matrix (``words``), 130 at most; all else ends it.
      Its complaints are passed on until it is sealed, and then thrown away (``complaints``).
    * The one outside believes nothing: it takes no record before the seal, counts and checks each, bounds the time,
      ends the box whatever that does, and writes only a matrix that could be right.
    * A frame lives in the round of the loop it came in; eight times 24 colours outlive it, until the matrix is made.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from appliance.base.errors import LeftfieldError, Unavailable, Unfit
from appliance.base.systemd import log
from appliance.settings.config import UnitConfig
from appliance.unit.card.complaints import Complaints
from appliance.unit.card.patches import Linear
from appliance.unit.card.words import (
    MOST,
    RECORD,
    CardWord,
    not_sealed,
    record_of_matrix,
    record_of_word,
    said_in,
    too_many,
)
from appliance.unit.inputs.colour_matrix import CameraMatrix
from appliance.unit.sandbox import box

if TYPE_CHECKING:  # these see pixels; at run time they are imported inside the enclosure
    from appliance.unit.vision.types import Frame

PACE: Final = 0.5
"""Least seconds between two words; more in a long look, so that its words last to the end."""
_GRACE: Final = 60.0
"""Seconds for libraries, walls and camera, before the time counts."""
_KILLED_WITHIN: Final = 5.0
"""Seconds that a killed box may hang in a driver before we go without it."""


def read(
    config: UnitConfig,
    wanted: dict[str, Linear],
    *,
    seconds: float,
    tell: Callable[[CardWord], None],
    debug: bool = False,
) -> CameraMatrix | int:
    """Look for the card for ``seconds``; the matrix, or the exit code of a box that has said why it stopped.

    ``wanted``: the patches' true colours. ``tell`` is given each word that differs from the last. Unavailable where
    no card could be read; Refused where the box said what it may not; Unfit where it broke down.
    """
    reader, outlet = os.pipe()
    listener, complain = os.pipe()
    child = os.fork()  # one thread, no pixel library: what the box starts with is this and nothing more
    if child == 0:
        os.dup2(complain, 2)
        for end in (reader, listener, complain):
            os.close(end)
        _be_the_box(config, wanted, outlet, seconds, debug=debug)
    os.close(outlet)
    os.close(complain)
    complaints = Complaints(_show)
    last, matrix, ended = CardWord.NO_CARD, None, False
    until = time.monotonic() + seconds + _GRACE
    before = signal.signal(signal.SIGTERM, _leave)  # so that the box is ended in any case
    try:
        for said in _records(reader, listener, complaints, until):
            if isinstance(said, CameraMatrix):
                matrix = said
                break
            if said is not last:
                tell(said)
            last = said
        else:
            ended = True
    finally:
        code = _ended(child, until if ended else 0.0)  # it has said all it may
        signal.signal(signal.SIGTERM, before)
        os.close(reader)
        os.close(listener)
    return matrix or _why_not(code, last, sealed=complaints.sealed)


def _why_not(code: int, last: CardWord, *, sealed: bool) -> int:
    """The exit code of a box that has said why it stopped; raised for it where it could not say so."""
    where = "card read"
    if code == 0:
        raise Unavailable(f"no colour matrix was found: {last.said}", where=where, fix=last.fix)
    if code not in {Unavailable.exit_code, Unfit.exit_code}:
        fix = "report this number" if sealed else "try again with leftfield --debug"
        raise Unfit(f"the card reader's box failed ({code})", where=where, fix=fix)
    if sealed:
        raise Unavailable("the camera delivers no frames", where=where, fix="check it, and try again")
    return code


def _leave(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _ended(child: int, until: float) -> int:
    """The exit code of the box, which is killed where it is still there at ``until`` (monotonic seconds)."""
    killed = False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            if killed:
                return -signal.SIGKILL
            os.kill(child, signal.SIGKILL)
            killed, until = True, time.monotonic() + _KILLED_WITHIN
        time.sleep(0.01)


def _show(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _records(
    reader: int, listener: int, complaints: Complaints, until: float
) -> Iterator[CardWord | CameraMatrix]:
    """What the box says, checked and counted, until it ends; its complaints on the way. Refused, Unavailable."""
    count = 0
    open_ends = [listener, reader]  # complaints first: they were written first
    while open_ends:
        ready, _, _ = select.select(open_ends, [], [], max(0.0, until - time.monotonic()))
        if not ready or time.monotonic() >= until:
            raise Unavailable(
                "the card reader's box does not stop", where="card read", fix="check the camera, try again"
            )
        untrusted = os.read(ready[0], RECORD if ready[0] == reader else 4096)
        if not untrusted:
            open_ends.remove(ready[0])
        elif ready[0] == listener:
            complaints.take(untrusted)
        else:
            if not complaints.sealed:
                raise not_sealed()
            count += 1
            if count > MOST:
                raise too_many(MOST)
            yield said_in(untrusted)
    complaints.end()


def _be_the_box(
    config: UnitConfig, wanted: dict[str, Linear], outlet: int, seconds: float, *, debug: bool
) -> None:
    """The forked process, which never returns: 0 where it has looked, else the exit code of what stopped it."""
    code = 70  # EX_SOFTWARE
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _look(config, wanted, outlet, seconds)
        code = 0
    except LeftfieldError as error:
        log(f"card: {error}", level=3)
        code = error.exit_code
    except BrokenPipeError:
        code = 0  # nobody waits for us any more
    except Exception as fault:  # noqa: BLE001 - a fault's own words could be pixels: its kind is said, no more
        log(f"card: the box failed ({type(fault).__name__})", level=3)
        if debug:
            traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _look(config: UnitConfig, wanted: dict[str, Linear], outlet: int, seconds: float) -> None:
    """Enclose, open, seal, and look until there is a matrix or the time is up."""
    plan = box.plan_for(config, outlet=outlet, record=RECORD, accelerator=False)
    enclosure = box.stand(plan)
    from appliance.unit.card.search import Search  # noqa: PLC0415
    from appliance.unit.vision.camera import frame_source, read_ahead  # noqa: PLC0415 - only inside the enclosure

    search = Search(wanted)
    search.warm_up()
    wait = threading.Event()
    source = read_ahead.ReadAhead(frame_source.open_source(config.camera, wait=wait.wait))
    box.seal(plan, enclosure, "card")
    try:
        _watch(source.frames(), search.step, outlet, seconds)
    finally:
        source.close()


def _watch(
    frames: Iterator[Frame], step: Callable[[Frame], CardWord | CameraMatrix], outlet: int, seconds: float
) -> None:
    """Each frame until a matrix is sent or the time is up; a word where it changes, no faster than ``PACE``."""
    until, told_at, left = time.monotonic() + seconds, 0.0, MOST - 2
    pace = max(PACE, seconds / left)
    told, said = None, CardWord.NO_CARD
    for frame in frames:
        found = step(frame)
        if isinstance(found, CameraMatrix):
            os.write(outlet, record_of_matrix(found))
            return
        said, now = found, time.monotonic()
        if now >= until:
            break
        if said is not told and now - told_at >= pace and left:
            os.write(outlet, record_of_word(said))
            told, told_at, left = said, now, left - 1
    if said is not told:
        os.write(outlet, record_of_word(said))
