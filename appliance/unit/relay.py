"""Process RELAY: takes sealed records off the pipe, keeps them safe, and hands them to the broker in order.

May touch: the read end of the pipe, the spool directory, the file it keeps the hub's prior in, the broker's address,
its own TLS client key, the unit's and the hub's public keys. May not: devices, the signing key (it can delay or drop,
and gaps in seq show it, but not forge), pixels, models.

Invariants:
    * Only what opens under the unit's public key goes on, and the pipe is read no faster than gate.py allows: RELAY
      is no way out for anything but statements, whatever has become of SENSE.
    * First the disk, then the pipe, then the network: what crossed the pipe is durable before it is taken off it
      (``intake``), and before it is published.
    * What is new is published when a slot of the five-second grid begins, and at no other time (``publisher``).
    * The network never holds up the pipe: whatever the broker does, the pipe is read.
    * What is published is encrypted to the hub (``hub_cipher``): the broker carries opaque bytes of one length.
    * Five things come the other way, and none into SENSE: the hub's prior (``prior_file``), signed, kept for SENSE's
      next start; its receipts and its encryption key, signed; its orders while the unit is set
      up (``orders``), signed, put down for root; and whether it is there. Everything else is let fall.
    * Stick figures of a unit that is aimed pass a gate of their own (``aim_gate``) and touch no disk.
    * A record leaves the spool when the hub says that it has it (``receipt_keeping``), not before; it may be sent
      twice, and the hub admits it once. A broker that has no right for us, or no hub, is a broker that is away.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Final

from appliance.base import disk_space
from appliance.base.errors import LeftfieldError, Refused, Unavailable, Unfit
from appliance.base.systemd import Notifier, inherited_descriptor, log, stop_requested
from appliance.mqtt import Link, LinkReport, Message, Will
from appliance.protocol import topics
from appliance.protocol.receipt import receipt_in
from appliance.protocol.sign import key_id
from appliance.settings import config
from appliance.settings.config import UnitConfig
from appliance.unit import clocks
from appliance.unit.grid import LAG, slot, until_next
from appliance.unit.inputs import prior_file
from appliance.unit.outbox import orders
from appliance.unit.outbox.aim_gate import AimGate
from appliance.unit.outbox.hub_cipher import HubCipher
from appliance.unit.outbox.intake import IDLE_SECONDS, Intake
from appliance.unit.outbox.publisher import Publisher
from appliance.unit.outbox.seal_check import SealCheck, gate_of
from appliance.unit.outbox.spool import Spool

BUSY_SECONDS: Final = 0.02
STATUS_SECONDS: Final = 5.0
_COMPLAINTS: Final = 16
"""Different complaints about what the hub says, at most, in the life of a RELAY."""
AIM_SECONDS: Final = 2
"""A stick figure is of this moment: the broker gives it to nobody later."""
FAREWELL_SECONDS: Final = 3.0
"""How long a stopping relay waits for the broker to take what is left."""


class Status:
    """What RELAY says of itself, retained: at every birth, and on the grid when it changed."""

    def __init__(self, link: Link, topic: str) -> None:
        self._link = link
        self._topic = topic
        self._said: tuple[int, int, bool] | None = None
        self._slot = -1
        self.disk_low = False

    @staticmethod
    def payload(state: str, spooled: int, dropped: int, *, disk_low: bool = False) -> bytes:
        """The status as JSON; an older hub does not know the word about the disk: it is said only where it is so."""
        status = {"v": 1, "state": state, "spooled": spooled, "dropped": dropped}
        return json.dumps(status | ({"disk": "low"} if disk_low else {})).encode()

    def say(self, spooled: int, dropped: int, *, now: float) -> None:
        """Say it where it is due. ``now`` is monotonic, in seconds."""
        if self._link.connected_again():
            self._said = None
        elif slot(now, LAG) == self._slot:
            return
        said = (spooled, dropped, self.disk_low)
        if self._link.up and self._said != said:
            payload = self.payload("online", spooled, dropped, disk_low=self.disk_low)
            self._link.publish(self._topic, payload, retain=True)
            self._said, self._slot = said, slot(now, LAG)

    def look_at(self, spool: Path) -> None:
        """See whether the disk of ``spool`` is nearly full; the journal is told once."""
        before, self.disk_low = self.disk_low, disk_space.nearly_full(spool)
        if self.disk_low and not before:
            log(f"relay: {disk_space.told(spool)}", level=4)

    def farewell(self, spooled: int, dropped: int) -> None:
        """The last word of an orderly end; the will is for the other ends."""
        self._link.publish(self._topic, self.payload("offline", spooled, dropped), retain=True)


class Inbound:
    """What the hub says to this unit: its prior, put on the shelf; its receipts and status, told to ``outbound``."""

    def __init__(
        self, settings: UnitConfig, link: Link, outbound: Publisher, cipher: HubCipher, aim_gate: AimGate
    ) -> None:
        self._settings = settings
        self._link = link
        self._outbound = outbound
        self._cipher = cipher
        self._aim_gate = aim_gate
        self._said: set[str] = set()
        self._takers = {
            topics.prior(settings.booth): self._put,
            topics.receipt(settings.booth, settings.unit): self._receipt,
            topics.hub_status(settings.booth): self._hub_status,
            topics.encryption(settings.booth): self._encryption,
            topics.setup(settings.booth, settings.unit): self._order,
        }
        try:
            self._kept = prior_file.kept(settings)
        except Refused as refused:
            self._kept = None
            log(f"relay: the stored prior is not valid and is ignored: {refused}", level=4)

    @staticmethod
    def subscriptions(settings: UnitConfig) -> tuple[str, ...]:
        """What to ask the broker for: nothing where no hub's key is known."""
        booth, unit = settings.booth, settings.unit
        # The key first: the broker gives what it retains in this order.
        hubs = (
            topics.encryption(booth),
            topics.hub_status(booth),
            topics.receipt(booth, unit),
            topics.prior(booth),
            topics.setup(booth, unit),
        )
        return hubs if settings.hub_key else ()

    def take(self) -> None:
        """Take in what has come; what is not the hub's, or a full disk, is said and changes nothing."""
        for message in self._link.messages():
            taker = self._takers.get(message.untrusted_topic)
            if taker and self._settings.hub_key:
                taker(message)
            self._link.acknowledge(message)

    def _complain(self, what: str, trouble: LeftfieldError) -> None:
        line = f"relay: the hub's {what}: {trouble}"
        if line not in self._said and len(self._said) < _COMPLAINTS:
            self._said.add(line)
            log(line, level=4)

    def _put(self, message: Message) -> None:
        try:
            prior = prior_file.put(self._settings, message.untrusted_payload, self._kept, time.time())
        except (Refused, Unfit) as trouble:
            self._complain("prior was not stored", trouble)
            return
        if prior is not None:
            self._kept = prior
            log(f"relay: the hub's prior of {prior.people:,} people is stored for the next start of SENSE")

    def _receipt(self, message: Message) -> None:
        try:
            receipt = receipt_in(
                message.untrusted_payload,
                public_key=self._settings.hub_key or b"",
                booth=self._settings.booth,
                unit=self._settings.unit,
                key=key_id(self._settings.public_key or b""),
            )
        except Refused as refused:
            self._complain("receipt is not believed", refused)
            return
        self._outbound.heard(receipt, retained=message.retained)

    def _encryption(self, message: Message) -> None:
        try:
            self._cipher.take(message.untrusted_payload)
        except Refused as refused:
            self._complain("encryption key is not believed", refused)

    def _order(self, message: Message) -> None:
        try:
            wall = clocks.wall_time()
            orders.put_down(self._settings, message, self._aim_gate, time.monotonic(), wall=wall)
        except (Refused, Unfit) as trouble:
            self._complain("order is not put down", trouble)

    def _hub_status(self, message: Message) -> None:
        # Not signed: only the hub may write it, and all that a false one could do is to hold us up.
        self._outbound.hub_said(online=b'"offline"' not in message.untrusted_payload)


def open_pipe(path: Path) -> int:
    """The read end: inherited by socket activation, or opened at ``path``. Unfit where there is none."""
    descriptor = inherited_descriptor()
    try:
        if descriptor is None:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(descriptor, False)
    except OSError as error:
        raise Unfit(
            f"cannot open the pipe from SENSE: {error.strerror}",
            where=str(path),
            fix="start relay through its socket unit (systemctl start leftfield-pipe.socket), or mkfifo it",
        ) from None
    return descriptor


def main(config_path: Path) -> int:
    """Run until SIGTERM or SIGINT; 0 after an orderly end, 75 where the disk did not take what still waits.

    Unfit where configuration, pipe or the spool's place is wrong.
    """
    settings = config.unit_config(config_path)
    gate = gate_of(settings, config_path, time.monotonic())
    stop = stop_requested()
    notifier = Notifier()
    spool = Spool(settings.spool, settings.spool_records)
    aim_gate = AimGate(time.monotonic())
    intake = Intake(open_pipe(settings.pipe), spool, gate, aim_gate)
    topic = topics.unit_status(settings.booth, settings.unit)
    will = Will(topic=topic, payload=Status.payload("offline", len(spool), spool.dropped))
    link = Link(
        address=settings.broker,
        name=settings.unit,
        will=will,
        subscriptions=Inbound.subscriptions(settings),
    )
    cipher = HubCipher(settings, topics.observation(settings.booth, settings.unit))
    outbound = Publisher(
        spool,
        link,
        topics.observation(settings.booth, settings.unit),
        receipts=settings.hub_key is not None,
        cipher=cipher,
    )
    inbound = Inbound(settings, link, outbound, cipher, aim_gate)
    aim_topic = topics.aim(settings.booth, settings.unit)
    status = Status(link, topic)
    link.start()
    log(f"relay: {len(spool)} observations waiting in {settings.spool}; pipe open")
    report = LinkReport(link, "relay")
    # Ready is whoever can take records off the pipe and keep them: pipe, spool and keys are good here. A broker that
    # is away is told in the status: to fail the start for it would lose records, and bring no broker.
    notifier.say("READY=1")
    pinged, told = 0.0, ""
    while not stop.is_set():
        turn(intake, outbound)
        if intake.figures and link.up:
            link.publish(aim_topic, b"".join(intake.figures), expires_after=AIM_SECONDS)
        inbound.take()
        report.take()
        now = time.monotonic()
        status.say(len(spool), spool.dropped, now=now)
        away = report.status or outbound.trouble
        if now - pinged >= STATUS_SECONDS or away != told:
            pinged, told = now, away
            spool.persist()
            status.look_at(settings.spool)
            notifier.say(*report.alive, _status_line(spool, gate, away, disk_low=status.disk_low))
    return _farewell(intake, outbound, inbound, spool, link, status)


def _status_line(spool: Spool, gate: SealCheck, away: str, *, disk_low: bool) -> str:
    """What ``systemctl status`` shows: what waits, and why, where it should not."""
    said = [f"waiting {len(spool)}, dropped {spool.dropped}"]
    if gate.refused:
        said.append(f"REFUSED {gate.refused} that SENSE did not seal")
    if spool.aside:
        said.append(f"SET ASIDE {spool.aside} that cannot be read")
    if disk_low:
        said.append("DISK NEARLY FULL")
    if spool.trouble:
        said.append(f"DEGRADED: {spool.trouble}")
    if away:
        said.append(away)
    return "STATUS=" + ", ".join(said)


def turn(intake: Intake, outbound: Publisher) -> None:
    """One round: read the pipe, send, take acknowledgements in. Waits only where nothing is under way."""
    wait = min(IDLE_SECONDS, until_next(time.monotonic(), LAG))
    intake.take(wait=0.0 if outbound.busy else wait)
    outbound.send()
    if outbound.busy:
        outbound.settle(wait=BUSY_SECONDS)


def _farewell(
    intake: Intake, outbound: Publisher, inbound: Inbound, spool: Spool, link: Link, status: Status
) -> int:
    """Take what may still be read of the pipe, give the broker a moment, and say that this was an orderly end.

    What the disk does not take stays in the pipe for the successor. The exit code: see ``main``.
    """
    until = time.monotonic() + FAREWELL_SECONDS
    while not spool.trouble and intake.take(wait=0.0):
        pass
    while link.up and len(spool) and time.monotonic() < until:
        outbound.send()
        outbound.settle(wait=BUSY_SECONDS)
        inbound.take()
    if link.up:
        status.farewell(len(spool), spool.dropped)
        while link.up and time.monotonic() < until and not link.published(wait=BUSY_SECONDS):
            pass
    link.stop()
    log(
        f"relay: stopped; received {intake.received}, handed over {outbound.sent}, {len(spool)} wait in the spool"
    )
    spool.close()
    if spool.loose:
        log(
            f"relay: {spool.loose} observations were only in memory and are lost: {spool.trouble}. "
            "Fix: free space or replace the card",
            level=3,
        )
        return Unavailable.exit_code
    return 0
