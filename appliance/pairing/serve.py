"""The desk as a process: cameras call on one port, tablets ask over the broker, a command on the hub by a socket.

May touch: the booth's directory (the authority signs certificates), its port, the broker on this machine.

Invariants:
    * A tablet is heard only on its own topic, which the broker gives to installers' tablets alone.
    * A request that is retained, or older than this process, is never carried out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Refused, Unavailable, Unfit
from appliance.base.systemd import Notifier, log, stop_requested
from appliance.enrol.booth import open_booth
from appliance.enrol.desk_access import desk_broker
from appliance.enrol.layout import BoothDirectory
from appliance.enrol.names import DESK
from appliance.mqtt import Link, LinkReport, Message, Will
from appliance.pairing.desk import Desk
from appliance.pairing.finder import announced
from appliance.pairing.lines import MAX_LINE
from appliance.pairing.requests import MAX_REQUEST, PairAnswer, read_request
from appliance.protocol import topics
from appliance.protocol.acts import ActKind
from appliance.protocol.values import TabletId
from appliance.settings import config
from appliance.settings.acts_file import note

_POLL_SECONDS: Final = 0.2
_LINE_LIMIT: Final = 4 * MAX_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPlan:
    """Where the desk listens: address and port for cameras, a socket for the command on this machine.

    ``announce`` is whether it says so by multicast DNS.
    """

    directory: Path
    host: str
    port: int
    socket: Path | None = None
    announce: bool = True


def main(plan: DeskPlan) -> int:
    """Run until told to stop; 0. Unfit where it cannot start."""
    asyncio.run(_run(plan))
    return 0


async def _run(plan: DeskPlan) -> None:
    stop = stop_requested()
    booth = open_booth(plan.directory)
    tablets = _Tablets(booth)
    desk = Desk(booth, tablets.changed)
    notifier = Notifier()
    async with contextlib.AsyncExitStack() as stack:
        cameras = await _listening(desk, plan)
        await stack.enter_async_context(cameras)
        port = cameras.sockets[0].getsockname()[1]
        if plan.socket:
            await stack.enter_async_context(_command_socket(desk, plan.socket, booth.directory))
        if plan.announce:
            try:
                await stack.enter_async_context(announced(booth.booth, port))
            except Unavailable as away:
                log(f"not announced: {away}", level=4)
        stack.callback(tablets.link.stop)
        tablets.link.start()
        log(f"pairing desk of booth {booth.booth} listens on port {port}")
        notifier.say("READY=1", "STATUS=no camera waits")
        while not stop.is_set():
            await tablets.attend(desk)
            tablets.report.take()
            waiting = ", ".join(desk.waiting())
            notifier.say("WATCHDOG=1", f"STATUS={f'waiting: {waiting}' if waiting else 'no camera waits'}")


async def _listening(desk: Desk, plan: DeskPlan) -> asyncio.Server:
    try:
        return await asyncio.start_server(desk.visit, plan.host, plan.port, limit=MAX_LINE)
    except OSError as error:
        raise Unfit(
            f"cannot listen: {error.strerror or error}",
            where=f"{plan.host} port {plan.port}",
            fix="stop what listens there, or choose another --port",
        ) from None


@contextlib.asynccontextmanager
async def _command_socket(desk: Desk, path: Path, directory: Path) -> AsyncIterator[None]:
    """Answer the command ``leftfield pair accept``; the socket is its owner's alone."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            async with asyncio.timeout(5):
                untrusted = await reader.readline()
            answer = await _answer(desk, untrusted)
            if answer.ok:
                note(directory, ActKind.PAIR)
            writer.write(answer.payload() + b"\n")
            await writer.drain()
        writer.close()

    await asyncio.to_thread(path.unlink, missing_ok=True)
    server = await asyncio.start_unix_server(visit, path, limit=_LINE_LIMIT)
    await asyncio.to_thread(path.chmod, 0o600)
    async with server:
        yield


async def _answer(desk: Desk, untrusted: bytes) -> PairAnswer:
    try:
        return await desk.pair(read_request(untrusted))
    except Refused as refusal:
        return PairAnswer(ok=False, why="refused", text=f"{refusal.what}. {refusal.fix}".strip())
    except LeftfieldError as error:
        log(str(error), level=3)
        return PairAnswer(ok=False, why="hub", text=f"The hub could not do it: {error}")


class _Tablets:
    """The desk's side of the broker: hears installers, says who waits."""

    def __init__(self, booth: BoothDirectory) -> None:
        self._booth = booth
        self._new = True
        self.link = Link(
            address=desk_broker(booth),
            name=DESK,
            will=Will(topic=topics.pairing(booth.booth), payload=_waiting(())),
            subscriptions=(topics.staff(booth.booth, TabletId("+"), topics.PAIR_LEAF),),
        )
        self.report = LinkReport(self.link, "desk")
        self._asked: set[asyncio.Task[None]] = set()

    def changed(self) -> None:
        """Another set of cameras waits."""
        self._new = True

    async def attend(self, desk: Desk) -> None:
        """Hear what tablets ask, for a moment, and say who waits where that changed."""
        for message in await asyncio.to_thread(self.link.messages, wait=_POLL_SECONDS):
            self.link.acknowledge(message)
            if not message.retained:
                task = asyncio.ensure_future(self._carry_out(desk, message))
                self._asked.add(task)
                task.add_done_callback(self._asked.discard)
        if self.link.connected_again() or (self._new and self.link.up):
            self._new = False
            self.link.publish(topics.pairing(self._booth.booth), _waiting(desk.waiting()), retain=True)

    async def _carry_out(self, desk: Desk, message: Message) -> None:
        try:
            name, leaf = topics.named_in(message.untrusted_topic, self._booth.booth, "staff")
        except Refused:
            return
        if leaf != topics.PAIR_LEAF or name not in config.register(self._booth.register).installers:
            return
        answer = await _answer(desk, message.untrusted_payload)
        log(f"{name} asked to pair a camera: {answer.why}")
        if answer.ok:
            note(self._booth.directory, ActKind.PAIR, who=name)
        with contextlib.suppress(Unavailable):
            self.link.publish(
                topics.staff(self._booth.booth, TabletId(name), "answer"),
                answer.payload(),
                correlation=message.untrusted_correlation[:64],
            )


def _waiting(numbers: tuple[str, ...]) -> bytes:
    return json.dumps({"v": 1, "waiting": list(numbers)}).encode()
