"""The pairing desk: cameras that wait call here; an installer's request is carried out with the one it names.

Invariants:
    * A request is tried once on each waiting camera of its number, and on no other.
    * A camera that has not proved the code gets nothing but this side's share and proof.
    * The letters of the enrolment are those of `leftfield enrol`; the same checks let a unit in (``enrol.booth``).
    * Few visitors, short lines, short waits: strangers can neither fill the desk nor hold it up. Where it is full,
      who calls from an address with fewer places gets one of those of the address that has most.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.base.errors import LeftfieldError, Refused, Rule
from appliance.base.systemd import log
from appliance.enrol.booth import accept_request, open_booth, revoke_unit
from appliance.enrol.desk_access import authority_fingerprint
from appliance.enrol.layout import BoothDirectory
from appliance.enrol.request import read_request as read_letter
from appliance.pairing.exchange import HubExchange, HubIdentity, Sealed, UnitIdentity
from appliance.pairing.lines import VERSION, Line, line, read_line
from appliance.pairing.requests import PairAnswer, PairRequest
from appliance.protocol.pairing_code import SIGNS
from appliance.protocol.values import TabletId
from appliance.settings import config

MOST_VISITORS: Final = 32
MOST_OF_ONE_ADDRESS: Final = 4
WAIT_SECONDS: Final = 10.0
"""A waiting camera is told so this often; it calls again after three times as long without a word."""
AGAIN_SECONDS: Final = 2.0
"""A camera whose code was typed wrong is back in this time."""
_LOOK_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 5.0
"""A camera has so long for one step of the exchange: a tablet waits eight seconds for its answer."""


@dataclass(eq=False, slots=True)
class _Job:
    """A request that one camera is to carry out, and where its answer goes."""

    request: PairRequest
    answer: asyncio.Future[PairAnswer]


class _Visitor:
    """One call of a camera: what it said it is, and the way to speak to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.address = str(writer.get_extra_info("peername", ("",))[0])
        self.leaving = False
        self._heard: asyncio.Future[bytes] | None = None
        self.job: asyncio.Future[_Job] = asyncio.get_running_loop().create_future()
        self.unit = UnitIdentity(number="", signing_key=b"", tls_key=b"")

    async def greet(self) -> None:
        """Hear who it says it is. Refused (MALFORMED_REQUEST) where it says anything else."""
        hello = await self.hear("hello")
        number = hello.text("number")
        if hello.number("v") != VERSION or len(number) != 4 or not set(number) <= set(SIGNS):
            raise Refused(Rule.MALFORMED_REQUEST, "that is no greeting of this version", where="desk")
        self.unit = UnitIdentity(
            number=number, signing_key=hello.octets("signing_key"), tls_key=hello.octets("tls_key")
        )

    def say(self, kind: str, **fields: str | bytes | int) -> None:
        """Send a line."""
        self._writer.write(line(kind, **fields))

    async def hear(self, *kinds: str) -> Line:
        """The next line. EOFError where it hung up, TimeoutError where it says nothing, Refused for a bad line."""
        self._heard = self._heard or asyncio.ensure_future(self._reader.readline())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                untrusted = await asyncio.shield(self._heard)
        except ValueError:
            raise Refused(Rule.TOO_LONG, "a line is too long", where="desk") from None
        self._heard = None
        if not untrusted.endswith(b"\n"):
            raise EOFError
        return read_line(untrusted, *kinds)

    async def wait(self) -> _Job:
        """Until there is a job for it. EOFError where it hangs up or says anything before."""
        self._heard = self._heard or asyncio.ensure_future(self._reader.readline())
        while not self.job.done():
            self.say("wait")
            await self._writer.drain()
            either: set[asyncio.Future[Any]] = {self.job, self._heard}
            await asyncio.wait(either, timeout=WAIT_SECONDS, return_when="FIRST_COMPLETED")
            if self._heard.done() and not self.job.done():
                raise EOFError
        return self.job.result()

    def leave(self) -> None:
        """Make room: whoever waits for this visitor finds that it hung up."""
        self.leaving = True
        self._writer.close()

    def close(self) -> None:
        """Hang up."""
        if self._heard is not None:
            self._heard.cancel()
        if not self.job.done():
            self.job.cancel()
        self._writer.close()


class Desk:
    """The desk of one booth. ``changed`` is called when another set of cameras waits."""

    def __init__(self, booth: BoothDirectory, changed: Callable[[], None] = lambda: None) -> None:
        self._booth = booth
        self._changed = changed
        self._calls: list[_Visitor] = []
        self._visitors: list[_Visitor] = []
        self._addresses: Counter[str] = Counter()
        self._hub = HubIdentity(
            booth=booth.booth, authority=authority_fingerprint(booth), hub_key=booth.hub_key() or b""
        )

    def waiting(self) -> tuple[str, ...]:
        """The public numbers of the cameras that wait, in order."""
        return tuple(sorted({visitor.unit.number for visitor in self._visitors}))

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call, from the greeting to the end."""
        visitor = _Visitor(reader, writer)
        address = visitor.address
        full = sum(self._addresses.values()) >= MOST_VISITORS
        if self._addresses[address] >= MOST_OF_ONE_ADDRESS or (full and not self._made_room(address)):
            writer.close()
            return
        self._addresses[address] += 1
        self._calls.append(visitor)
        try:
            await visitor.greet()
            self._visitors.append(visitor)
            self._changed()
            await self._serve(visitor, await visitor.wait())
        except Refused as refusal:
            log(f"a visitor of the desk: {refusal}", level=4)
        except (OSError, EOFError):
            pass
        finally:
            visitor.close()
            self._addresses[address] -= 1
            self._calls.remove(visitor)
            if visitor in self._visitors:
                self._visitors.remove(visitor)
                self._changed()

    def _made_room(self, address: str) -> bool:
        """Let the first that waits of the address with most places go, where ``address`` has two fewer."""
        held = Counter(one.address for one in self._calls if not one.leaving)
        most, places = held.most_common(1)[0]
        idle = [one for one in self._calls if one.address == most and not one.leaving and not one.job.done()]
        if places < held[address] + 2 or not idle:
            return False
        idle[0].leave()
        return True

    async def pair(self, request: PairRequest) -> PairAnswer:
        """Carry out a request with the cameras of its number that wait: the answer of the one that knew the code."""
        chosen = await self._waiting_as(request.code.number)
        if not chosen:
            return PairAnswer(
                ok=False,
                why="nobody",
                text=f"No camera {request.code.number} waits. Is it switched on and on this network?",
            )
        if refusal := self._name_taken(request, {visitor.unit.signing_key for visitor in chosen}):
            return PairAnswer(ok=False, why="name", text=refusal)
        jobs = []
        for visitor in chosen:  # all at once: one that answers slowly must not hold up another one
            jobs.append(_Job(request, asyncio.get_running_loop().create_future()))
            visitor.job.set_result(jobs[-1])
        answers = [await job.answer for job in jobs]
        return next((answer for answer in answers if answer.ok), answers[-1])

    async def _waiting_as(self, number: str) -> list[_Visitor]:
        """The cameras that wait with this number: one that was just refused needs a moment to call again."""
        for _ in range(int(AGAIN_SECONDS / _LOOK_SECONDS)):
            if chosen := [one for one in self._visitors if one.unit.number == number and not one.job.done()]:
                return chosen
            await asyncio.sleep(_LOOK_SECONDS)
        return []

    def _name_taken(self, request: PairRequest, keys: set[bytes]) -> str:
        """Why the name cannot be given to a camera with one of ``keys``, before it is asked; else nothing."""
        register = config.register(self._booth.register)
        for row in register.units:
            if row.unit == request.unit and not row.revoked and row.public_key not in keys:
                return f"The name {row.unit} is another camera's. Choose another."
            if row.unit == request.unit and row.revoked:
                return f"The name {row.unit} was revoked and is not given again. Choose another."
        if TabletId(request.unit) in (*register.tablets, *register.rooms):
            return f"The name {request.unit} is a tablet's. Choose another."
        if request.replaces and all(row.unit != request.replaces for row in register.units):
            return f"No camera is called {request.replaces}, so there is none to replace."
        return ""

    async def _serve(self, visitor: _Visitor, job: _Job) -> None:
        answer = PairAnswer(
            ok=False,
            why="away",
            text="The camera hung up in the middle. Wait until it is back, then try again.",
        )
        try:
            answer = await self._carry_out(visitor, job.request)
        except Refused as refusal:
            log(f"pairing {visitor.unit.number}: {refusal}", level=4)
            answer = _answer_of(refusal)
        except LeftfieldError as error:
            log(f"pairing {visitor.unit.number}: {error}", level=3)
            answer = PairAnswer(ok=False, why="hub", text=f"The hub could not do it: {error}")
        finally:
            if not job.answer.done():
                job.answer.set_result(answer)

    async def _carry_out(self, visitor: _Visitor, request: PairRequest) -> PairAnswer:
        """The exchange and the letters. Refused, OSError or EOFError where it does not come to its end."""
        exchange = HubExchange(secret=request.code.secret, hub=self._hub, unit=visitor.unit)
        hub = self._hub
        visitor.say(
            "offer", booth=hub.booth, authority=hub.authority, hub_key=hub.hub_key, share=exchange.share
        )
        visitor.say("proof", proof=exchange.prove((await visitor.hear("share")).octets("share")))
        heard = await visitor.hear("proof", "refused")
        if heard.kind == "refused":
            return _wrong(heard.number("left"))
        sealed = exchange.check(heard.octets("proof"))
        return await self._enrol(visitor, sealed, request)

    async def _enrol(self, visitor: _Visitor, sealed: Sealed, request: PairRequest) -> PairAnswer:
        name = json.dumps({"booth": self._booth.booth, "unit": request.unit}).encode()
        visitor.say("sealed", body=sealed.seal(name))
        letter = sealed.open((await visitor.hear("sealed")).octets("body"))
        booth = open_booth(self._booth.directory)
        _check_same(letter, booth, request, visitor.unit)
        answer = await asyncio.to_thread(
            accept_request, booth, letter, place=request.place, looks=request.looks
        )
        visitor.say("sealed", body=sealed.seal(answer))
        sealed.open((await visitor.hear("sealed")).octets("body"))
        if request.replaces and request.replaces != request.unit:
            await asyncio.to_thread(revoke_unit, booth, request.replaces)
        log(f"paired {request.unit} (number {visitor.unit.number})")
        return PairAnswer(
            ok=True, why="paired", text=f"{request.unit} is paired. It starts to watch within a minute."
        )


def _check_same(letter: bytes, booth: BoothDirectory, request: PairRequest, unit: UnitIdentity) -> None:
    """Refused (FORGED) where the letter asks for another name, or brings other keys than were proved."""
    asked = read_letter(letter, booth.booth)
    tls_key = asked.tls_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    same = (asked.unit, asked.public_key, hashlib.sha256(tls_key).digest())
    if same != (request.unit, unit.signing_key, unit.tls_key):
        raise Refused(
            Rule.FORGED,
            "the camera asks for another name or brings other keys than it proved",
            where="pairing",
        )


def _wrong(left: int) -> PairAnswer:
    if not left:
        text = "That code was wrong, and it was the last try. A person at the camera must make a new code."
        return PairAnswer(ok=False, why="dead", text=text)
    tries = "1 try is" if left == 1 else f"{left} tries are"
    return PairAnswer(ok=False, why="code", left=left, text=f"That code is wrong. {tries} left.")


def _answer_of(refusal: Refused) -> PairAnswer:
    if refusal.rule is Rule.WRONG_CODE:
        text = "What called with this number is not the camera with this code. Look for what else is on this network."
        return PairAnswer(ok=False, why="impostor", text=text)
    why = "name" if refusal.rule in {Rule.NAME_TAKEN, Rule.REVOKED} else "refused"
    return PairAnswer(ok=False, why=why, text=f"{refusal.what}. {refusal.fix}".strip())
