"""The unit's side of a pairing as a process: find the hub, wait, prove the code, keep the answer, end.

Invariants:
    * It listens on nothing: the unit calls the hub.
    * A try is counted on the disk before its proof is answered.
    * ``unit.toml`` is written last: from then on the unit is enrolled, and this process has no more work.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.base.systemd import Notifier, log
from appliance.enrol import authority, home
from appliance.enrol.finish import write_settings
from appliance.pairing.exchange import HubIdentity, Sealed, UnitExchange, UnitIdentity
from appliance.pairing.finder import MOST_FOUND, Finder, Found
from appliance.pairing.lines import MAX_LINE, VERSION, Line, line, read_line
from appliance.pairing.tries import CodeOnUnit
from appliance.protocol.pairing_code import PairingCode
from appliance.protocol.values import BoothId, UnitId

CALL_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 30.0
"""The hub says that it waits every ten seconds; after so long without a word the unit calls again."""
LOOK_UP_SECONDS: Final = 2.0
"""The hub waits longer than this for the unit's last word."""
AGAIN_SECONDS: Final = 2.0
SOON_SECONDS: Final = 0.2
"""After a wrong code: whoever typed it looks at the tablet and types again; five tries bound it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """What a unit is paired with: its directory, its camera, and where its hub is if it was told (else it looks)."""

    directory: Path
    source: str
    hub: Found | None = None
    systemd: bool = True


class WaitingUnit:
    """One unit that waits to be paired: its code, its keys. Unfit where its directory cannot be used."""

    def __init__(self, plan: UnitPlan) -> None:
        self.plan = plan
        self.code = CodeOnUnit(plan.directory)
        self.home = home.UnitHome(directory=plan.directory)
        self._code: PairingCode = self.code.read()
        home.make_keys(self.home)
        tls = authority.load_key(
            atomic_files.read(self.home.link / home.TLS_KEY, fix="flash the unit again"), where="tls.key"
        )
        spki = tls.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.identity = UnitIdentity(
            number=self._code.number,
            signing_key=self.home.public_key(),
            tls_key=hashlib.sha256(spki).digest(),
        )

    @property
    def hello(self) -> bytes:
        """What the unit says first."""
        return line(
            "hello",
            v=VERSION,
            number=self.identity.number,
            signing_key=self.identity.signing_key,
            tls_key=self.identity.tls_key,
        )

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """One call with a hub, to the end: the unit's new name. Refused where the other side breaks a rule."""
        writer.write(self.hello)
        while (said := await _hear(reader, "wait", "offer")).kind == "wait":
            pass
        hub = HubIdentity(
            booth=said.text("booth"), authority=said.octets("authority"), hub_key=said.octets("hub_key")
        )
        exchange = UnitExchange(
            secret=self._code.secret, hub=hub, unit=self.identity, untrusted_share=said.octets("share")
        )
        writer.write(line("share", share=exchange.share))
        untrusted_proof = (await _hear(reader, "proof")).octets("proof")
        try:
            self.code.count_one()
            proof, sealed = exchange.prove(untrusted_proof)
        except Refused:
            writer.write(line("refused", why="code", left=self.code.left()))
            await writer.drain()
            raise
        self.code.give_back()
        writer.write(line("proof", proof=proof))
        return await self._enrol(reader, writer, sealed, hub)

    async def _enrol(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sealed: Sealed, hub: HubIdentity
    ) -> str:
        """The two letters of an enrolment, sealed; the hub has proved the code."""
        told = _object(sealed.open((await _hear(reader, "sealed")).octets("body")))
        booth, unit = BoothId(told.get("booth", "")), UnitId(told.get("unit", ""))
        if booth != hub.booth:
            raise Refused(Rule.FORGED, "the hub speaks for another booth than it proved", where="pairing")
        letter = home.make_request(self.home, booth=booth, unit=unit)
        writer.write(line("sealed", body=sealed.seal(letter)))
        untrusted_answer = sealed.open((await _hear(reader, "sealed")).octets("body"))
        answer = home.install_answer(self.home, untrusted_answer)
        root = x509.load_pem_x509_certificate(answer.ca.encode("ascii"))
        if root.fingerprint(SHA256()) != hub.authority or bytes.fromhex(answer.hub_key) != hub.hub_key:
            raise Refused(Rule.FORGED, "the answer holds other keys than the hub proved", where="pairing")
        host = answer.host if await _resolves(answer.host) else str(writer.get_extra_info("peername")[0])
        write_settings(self.home, answer, source=self.plan.source, systemd=self.plan.systemd, host=host)
        self.code.use_up()
        writer.write(line("sealed", body=sealed.seal(b"done")))
        await writer.drain()
        return str(unit)


async def wait(plan: UnitPlan) -> str:
    """Look for hubs and call each until one has paired this unit: its new name. Unfit where it cannot be paired."""
    unit = WaitingUnit(plan)
    if not unit.code.left():
        unit.code.count_one()
    notifier = Notifier()
    log(f"waiting to be paired as {unit.identity.number}; type the label's code on an installer's tablet")
    notifier.say("READY=1", f"STATUS=waiting to be paired as {unit.identity.number}")
    async with contextlib.AsyncExitStack() as stack:
        finder = Finder()
        if plan.hub is None:
            await stack.enter_async_context(finder.looking())
        calls = await stack.enter_async_context(_Calls.open(unit))
        while True:
            calls.begin((plan.hub,) if plan.hub else finder.hubs)
            notifier.say("WATCHDOG=1")
            if name := await calls.wait():
                return name


class _Calls:
    """The calls under way, one for each hub that was found."""

    def __init__(self, unit: WaitingUnit) -> None:
        self._unit = unit
        self._under_way: dict[Found, asyncio.Task[str]] = {}

    @staticmethod
    @contextlib.asynccontextmanager
    async def open(unit: WaitingUnit) -> AsyncIterator[_Calls]:
        """Calls that end with the block."""
        calls = _Calls(unit)
        try:
            yield calls
        finally:
            for call in calls._under_way.values():
                call.cancel()
            await asyncio.gather(*calls._under_way.values(), return_exceptions=True)

    def begin(self, hubs: tuple[Found, ...]) -> None:
        """Call those of ``hubs`` that are not being called."""
        for hub in hubs:
            if hub not in self._under_way and len(self._under_way) < MOST_FOUND:
                self._under_way[hub] = asyncio.ensure_future(_call(self._unit, hub))

    async def wait(self) -> str:
        """For up to a second: the unit's new name where a call has paired it. Unfit passes through."""
        if not self._under_way:
            await asyncio.sleep(0.5)
            return ""
        calls = self._under_way.values()
        done, _ = await asyncio.wait(calls, timeout=1.0, return_when="FIRST_COMPLETED")
        self._under_way = {hub: call for hub, call in self._under_way.items() if call not in done}
        return next(filter(None, (call.result() for call in done)), "")


async def _call(unit: WaitingUnit, hub: Found) -> str:
    """Call one hub; the unit's new name, or nothing where the call came to nothing. Unfit passes through."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            reader, writer = await asyncio.open_connection(hub.host, hub.port, limit=MAX_LINE)
    except OSError:
        await asyncio.sleep(AGAIN_SECONDS)
        return ""
    try:
        return await unit.speak(reader, writer)
    except Refused as refusal:
        log(str(refusal), level=4)
        if refusal.rule is Rule.WRONG_CODE and not unit.code.left():
            raise Unfit(refusal.what, where="pairing", fix=refusal.fix) from None
        await asyncio.sleep(SOON_SECONDS if refusal.rule is Rule.WRONG_CODE else AGAIN_SECONDS)
        return ""
    except (OSError, EOFError):
        await asyncio.sleep(AGAIN_SECONDS)
        return ""
    finally:
        writer.close()


async def _hear(reader: asyncio.StreamReader, *kinds: str) -> Line:
    """The next line of the other side. EOFError where it hung up; Refused where the line breaks a rule."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            untrusted = await reader.readline()
    except ValueError:  # longer than the limit
        raise Refused(Rule.TOO_LONG, "a line is too long", where="pairing") from None
    if not untrusted.endswith(b"\n"):
        raise EOFError
    return read_line(untrusted, *kinds)


async def _resolves(host: str) -> bool:
    """Whether this machine finds ``host`` soon: one without multicast DNS in its name service keeps the address."""
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _object(sealed_text: bytes) -> Mapping[str, str]:
    try:
        found = json.loads(sealed_text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Refused(Rule.MALFORMED_REQUEST, "the sealed message is no object of texts", where="pairing")
    return found
