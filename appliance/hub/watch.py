"""Process WATCH: the hub's one connection between broker, mind and memory.

May touch: the broker on this machine, its database, the keys that units encrypt to, the register of public keys, the
booth's CA, the key that it signs its units' prior with, and one file that the page server reads. Nothing else.

Invariants:
    * Think, store, tell, acknowledge, in this order: after a crash at any point the broker sends again what was not
      acknowledged, and the door recognises what was already counted.
    * What cannot be stored is not acknowledged: the process stops, loudly, and is started again.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from pathlib import Path
from typing import Final

from appliance.base.atomic_files import PUBLIC, write_durably
from appliance.base.errors import LeftfieldError, Unfit
from appliance.base.systemd import Notifier, log, stop_requested
from appliance.hub.engine import HubEngine
from appliance.hub.exchange.encryption_keys import NAME as KEYS_NAME
from appliance.hub.exchange.encryption_keys import EncryptionKeys
from appliance.hub.exchange.prior_publisher import PriorPublisher
from appliance.hub.exchange.receipt_publisher import ReceiptPublisher
from appliance.hub.fleet_link import FleetLink
from appliance.hub.messages import IncomingMessage, OutgoingMessage
from appliance.hub.staff.messages import json_of
from appliance.hub.storage.store import Store
from appliance.hub.watch_report import WatchReport
from appliance.mqtt import Link, LinkReport, Message, Will
from appliance.protocol import topics
from appliance.protocol.sign import KEY_BYTES
from appliance.protocol.values import Seconds, UnitId
from appliance.settings import acts_file
from appliance.settings import config as configs

CLIENT_NAME: Final = "hub"
WAIT_SECONDS: Final = 0.1
FULL_BATCH: Final = 16
"""A batch this large is settled at once: the broker sends about as much before it wants acknowledgements."""
GOODBYE_SECONDS: Final = 3.0
RECEIPTS_AFTER_SECONDS: Final = 1.0
"""After a link came about, so that what the broker retains of them is heard before it is replaced."""
_RECEIPT: Final = "/receipt"
PUBLIC_SECONDS: Final = 15.0
"""The public page is told this often how the booth is."""


def main(config_path: Path) -> int:
    """Run until told to stop; the exit status: 0 after a stop, else that of the error's family."""
    watch: Watch | None = None
    try:
        watch = Watch(configs.hub_config(config_path))
        watch.run()
    except LeftfieldError as error:
        log(str(error), level=3)
        return error.exit_code
    finally:
        if watch is not None:
            watch.close()
    return 0


class Watch:
    """One hub: its link, its mind, its memory. Unfit or Unavailable where one of them cannot be had."""

    def __init__(self, config: configs.HubConfig) -> None:
        self._config = config
        self._notifier = Notifier()
        self._stop = stop_requested()
        self._reload = threading.Event()
        signal.signal(signal.SIGHUP, lambda *_: self._reload.set())
        self._register_stamp = _stamp(config.register)
        self._acts_stamp = (0, 0, 0)
        register = configs.register(config.register)
        self._keys = {str(unit.unit): unit.public_key for unit in register.units}
        self._store = Store(config.database, config.booth)
        key = _prior_key(config)
        self._booth = HubEngine(
            config=config,
            register=register,
            stored=self._store.load(),
            now=Seconds(time.time()),
            order_key=key,
        )
        self._bulletin = PriorPublisher(
            booth=config.booth, private_key=key, warmup_people=config.warmup_people
        )
        self._receipts = ReceiptPublisher(booth=config.booth, private_key=key)
        self._receipts_due_at = math.inf
        self._fleet = FleetLink(config, key, Seconds(time.time()))
        self._ciphers = EncryptionKeys(
            config.database.with_name(KEYS_NAME),
            booth=config.booth,
            signing_key=key,
            now=Seconds(time.time()),
        )
        self._booth.decrypt_with(self._ciphers.decryptor())
        root = f"{topics.ROOT}/{config.booth}"
        self._link = Link(
            address=config.broker,
            name=CLIENT_NAME,
            will=Will(topic=topics.hub_status(config.booth), payload=_status("offline")),
            lasting=True,
            subscriptions=(
                *(f"{root}/unit/+/{leaf}" for leaf in topics.UNIT_LEAVES),
                *(f"{root}/staff/+/{leaf}" for leaf in (*topics.STAFF_LEAVES, topics.SETUP_LEAF)),
                topics.receipt(config.booth, UnitId("+")),  # what we said before our database was restored
                f"{root}/alert/+",  # what the broker still holds of alerts that ended without us
            ),
        )
        self._report_link = LinkReport(self._link, "hub")
        self._status = ""
        self._journal = WatchReport(self._booth, config.database.parent)
        self._public_at, self._public_failed = float("-inf"), False

    def run(self) -> None:
        """Until a stop is asked for. Unavailable where the database fails."""
        self._link.start()
        # Ready: database, register and keys are good. A broker that is away is told in the status, as by RELAY.
        self._notifier.say("READY=1")
        log(f"hub of booth {self._config.booth} is watching")
        if warning := self._booth.floor_warning(Seconds(time.time())):
            log(warning, level=4)
        while not self._stop.is_set():
            messages = self._gather()
            if self._link.connected_again():
                self._say_everything()
            self._settle(messages, last=False)
            self._keep_alive()
        self._notifier.say("STOPPING=1")
        self._settle(self._link.messages(), last=True)
        self._receipts_due_at = 0.0
        if self._link.up:
            self._say_receipts(0.0)
        self._goodbye()

    def _keep_alive(self) -> None:
        """Tell journal and systemd how link and disk are, where that changed, and the watchdog that we live."""
        self._report_link.take()
        self._journal.look_at_disk(time.monotonic())
        status = self._report_link.status or (
            "watching, DISK NEARLY FULL" if self._journal.disk_low else "watching"
        )
        changed = (f"STATUS={status}",) if status != self._status else ()
        self._status = status
        self._notifier.say(*self._report_link.alive, *changed)

    def _gather(self) -> tuple[Message, ...]:
        """A batch: what comes within a moment shares one write to the disk."""
        messages = self._link.messages(wait=WAIT_SECONDS)
        if 0 < len(messages) < FULL_BATCH:
            self._stop.wait(WAIT_SECONDS / 2)
            messages += self._link.messages()
        return messages

    def _settle(self, messages: tuple[Message, ...], *, last: bool) -> None:
        self._read_new_register()
        now, steady = Seconds(time.time()), time.clock_gettime(time.CLOCK_BOOTTIME)
        if self._ciphers.renewed(now):
            self._booth.decrypt_with(self._ciphers.decryptor())
            self._say_encryption_key()
        self._read_acts()
        self._own_receipts(messages)
        arrivals = (_arrival(one) for one in messages if not one.untrusted_topic.endswith(_RECEIPT))
        outcome = self._booth.handle_batch(arrivals, now, last=last, steady=steady)
        if not outcome.changes.empty:
            self._store.commit(outcome.changes)
        for telling in outcome.outgoing:
            self._tell(telling)
        if self._link.up and (prior := self._bulletin.telling(self._booth.baseline, now)):
            self._tell(prior)
            log("prior published to the units")
        for report in self._fleet.tellings(self._booth, now) if self._link.up else ():
            self._tell(report)
        for message in messages:
            self._link.acknowledge(message)
        if self._link.up:  # stored, and acknowledged to the broker: now the unit may forget it
            self._say_receipts(steady)
        self._journal.refusals(outcome)
        self._journal.changes()
        self._tell_public(now)

    def _tell(self, telling: OutgoingMessage) -> None:
        if not self._link.up:  # everything that matters is retained, and said again when the link is back
            return
        self._link.publish(
            telling.topic,
            telling.payload,
            retain=telling.retain,
            expires_after=telling.expires_after,
            correlation=telling.correlation,
        )

    def _tell_public(self, now: Seconds) -> None:
        """Write how the booth is where the page server reads it; a page without it says that it does not know."""
        path = self._config.notice.state
        if path is None or abs(now - self._public_at) < PUBLIC_SECONDS:
            return
        self._public_at = now
        try:
            write_durably(path, self._booth.publisher.public(now), mode=PUBLIC)
        except Unfit as unfit:
            if not self._public_failed:
                log(f"the public page is not told how the booth is: {unfit}", level=4)
            self._public_failed = True

    def _say_encryption_key(self) -> None:
        if (telling := self._ciphers.telling()) is not None:
            self._tell(telling)

    def _say_everything(self) -> None:
        self._say_encryption_key()
        self._tell(OutgoingMessage(topic=topics.hub_status(self._config.booth), payload=_status("online")))
        for telling in self._booth.retained(Seconds(time.time())):
            self._tell(telling)
        if self._bulletin.last is not None:
            self._tell(self._bulletin.last)
        self._receipts_due_at = time.clock_gettime(time.CLOCK_BOOTTIME) + RECEIPTS_AFTER_SECONDS

    def _say_receipts(self, steady: float) -> None:
        """After a batch was stored and acknowledged; all of them when a link is new, once the retained were heard."""
        every = steady >= self._receipts_due_at
        if every:
            self._receipts_due_at = math.inf
        for receipt in self._receipts.telling(self._booth.receipts(every=every), steady, at_once=every):
            self._tell(receipt)

    def _own_receipts(self, messages: tuple[Message, ...]) -> None:
        """Take up from receipts that the broker retains what a database restored from an old copy does not know."""
        for message in messages:
            if not message.retained or not message.untrusted_topic.endswith(_RECEIPT):
                continue
            own = self._receipts.own(message.untrusted_topic, message.untrusted_payload, self._keys)
            if own is not None and self._booth.know(own):
                log(
                    f"hub: {own.unit} had more admitted than the database says; nothing of it is counted twice",
                    level=4,
                )

    def _read_new_register(self) -> None:
        """Before every batch, so that nobody just enrolled is a stranger; a broken register is told of once."""
        stamp = _stamp(self._config.register)
        if stamp == self._register_stamp and not self._reload.is_set():
            return
        self._reload.clear()
        self._register_stamp = stamp
        try:
            register = configs.register(self._config.register)
            self._booth.enrol(register)
            self._keys = {str(unit.unit): unit.public_key for unit in register.units}
        except Unfit as unfit:
            log(f"register not reloaded, the old one stays in force: {unfit}", level=3)
        else:
            log("register reloaded")

    def _read_acts(self) -> None:
        """What commands have written down since."""
        directory = self._config.register.parent
        stamp = _stamp(directory / acts_file.FILE)
        if stamp == self._acts_stamp:
            return
        self._acts_stamp = stamp
        try:
            self._booth.acted(acts_file.noted(directory))
        except OSError as error:
            log(f"acts of commands cannot be read: {error}", level=4)

    def _goodbye(self) -> None:
        if self._link.up:
            last = self._link.publish(topics.hub_status(self._config.booth), _status("offline"), retain=True)
            deadline = time.monotonic() + GOODBYE_SECONDS
            while time.monotonic() < deadline and last not in self._link.published(wait=0.1):
                pass
        log("hub stopped")

    def close(self) -> None:
        """End the link and close the database."""
        self._link.stop()
        self._store.close()


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_mtime_ns, found.st_size


def _prior_key(config: configs.HubConfig) -> bytes | None:
    """The key that priors are signed with: a credential, else the configured file; None where there is none."""
    directory = Path(os.environ.get("CREDENTIALS_DIRECTORY", os.devnull))
    for path in (directory / "prior.key", config.prior_key):
        try:
            key = path.read_bytes()
        except OSError:
            continue
        if len(key) == KEY_BYTES:
            return key
    log(
        "no prior key: units use the shipped prior. Fix: name a 32-byte key file as prior_key in hub.toml",
        level=4,
    )
    return None


def _status(state: str) -> bytes:
    return json_of({"v": 1, "state": state})


def _arrival(message: Message) -> IncomingMessage:
    return IncomingMessage(
        untrusted_topic=message.untrusted_topic,
        untrusted_payload=message.untrusted_payload,
        untrusted_correlation=message.untrusted_correlation,
        retained=message.retained,
        unacknowledged=not message.qos,
    )
