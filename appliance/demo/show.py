"""One run of the demo: starts every process on a stage that is built, looks, shows, counts, stops.

Invariants:
    * It waits by looking, never by sleeping a guess; it restarts nothing: a process that ends is reported and ends
      the demo.
    * Everything is stopped in order.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Unfit
from appliance.demo import places
from appliance.demo.children import Children
from appliance.demo.observers.headless_tablet import HeadlessTablet, ShownUnit
from appliance.demo.observers.ledger import Ledger, Said, as_json
from appliance.demo.observers.tap import Tap
from appliance.demo.stage import (
    BOOTH,
    COUNTING_TABLET,
    REAL_UNIT,
    SIMULATED_UNITS,
    DemoStage,
    command,
    street_command,
)
from appliance.demo.summary import Summary
from appliance.demo.terminal import DemoView, Screen
from appliance.enrol import broker_store

PEOPLE_PER_SECOND: Final = 5.0
PATIENCE: Final = 30.0
"""How long a process may take to be there, in seconds."""
LOOK_SECONDS: Final = 0.1
STOP_ORDER: Final = ("sense", "street", "relay", "pages", "pages-tls", "watch", "broker")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line asked for. ``duration`` is in seconds, None for until stopped."""

    source: str
    duration: float | None
    headless: bool
    port: int
    host: str | None
    keep: Path | None
    as_json: bool
    seed: int


class _Ended(LeftfieldError):
    """A process ended that nobody asked to."""


class Show:
    """One run of the demo, on a stage that is built."""

    def __init__(self, stage: DemoStage, options: DemoOptions, began: float, stop: threading.Event) -> None:
        self._stage = stage
        self._options = options
        self._began = began
        self._stop = stop
        self._children = Children()
        self._tap = Tap(stage.pipe, stage.relay_pipe)
        self._tablet = HeadlessTablet(
            booth=BOOTH,
            name=COUNTING_TABLET,
            password=stage.counting_password,
            ws_port=stage.ports.websocket,
        )
        self._ledger = Ledger(
            booth=BOOTH,
            unit=REAL_UNIT,
            epoch=stage.epoch,
            register=stage.booth.register,
        )
        self._screen = Screen(plain=options.headless)
        self._starting = "starting the broker"
        self._notes = list(stage.ports.moved)
        self._troubles: list[str] = []
        self._times: dict[str, float] = {}
        self._admitted_before = 0
        self._admitted: list[Said] = []
        self._last_alert_at = 0.0

    def run(self, broker: Path) -> None:
        """Start, show, until the end; what goes wrong is in the summary."""
        try:
            self._start(broker)
            self._watch()
        except LeftfieldError as error:
            self._troubles.append(str(error))

    def close(self) -> tuple[str, ...]:
        """Stop everything; gives complaints."""
        self._screen.close()
        if not self._options.as_json:
            print("stopping", flush=True)
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        words, row = self._children.last_words("sense"), self._row
        if words and not words.startswith("wall ") and (row is None or row.state != "watching"):
            self._troubles.append(f"{REAL_UNIT} is {row.state if row else 'away'}; it said last: {words}")
        complaints = self._children.stop(STOP_ORDER)
        self._tablet.stop()
        self._tap.close()
        return tuple(complaints)

    def _start(self, broker: Path) -> None:
        stage, plain = self._stage, dict(os.environ)
        unit = stage.real.config
        sealed = plain | {"CREDENTIALS_DIRECTORY": str(stage.real.credentials)}
        broker_store.mend(stage.booth.broker_directory / "store", broker)  # of a booth that was kept
        self._children.start("broker", [str(broker), "-c", str(stage.booth.broker_config)], plain)
        # SENSE needs longest, and only the pipe: it starts now and fills it.
        self._children.start("sense", command("sense", "--config", unit), sealed)
        self._until(self._broker_listens, "the broker")
        self._tablet.start()
        self._children.start("watch", command("watch", "--config", stage.hub_config), plain)
        pages = ["pages", "--booth", BOOTH, "--ws-port", str(stage.ports.websocket)]
        pages += ["--hub-config", str(stage.hub_config)]
        self._children.start("pages", command(*pages, "--port", str(stage.ports.pages)), plain)
        self._starting = "starting the hub"
        self._until(lambda: self._tablet.hub_online and self._tablet.board is not None, "the hub")
        self._times["ready"] = self._running
        self._admitted_before = self._row.admitted if self._row else 0
        # Only now: what the broker gets before the hub has subscribed, nobody gets.
        self._children.start("relay", command("relay", "--config", stage.relay_config), plain)
        street = street_command(stage, seed=self._options.seed, per_second=PEOPLE_PER_SECOND)
        self._children.start("street", street, plain)
        if stage.network:
            certificate, key = stage.booth.page_certificate
            tls = ["--certificate", str(certificate), "--key", str(key), "--host", stage.network]
            tls += ["--port", str(stage.ports.secure_pages), "--wss-port", str(stage.ports.secure_websocket)]
            self._children.start("pages-tls", command(*pages, *tls), plain)
        self._starting = "waiting for the first people"
        self._until(lambda: places.listening(stage.ports.pages), "the page server")
        if not self._screen.live:
            self._announce()
        if not self._options.headless:
            self._open()

    def _announce(self) -> None:
        """The links and what was moved to another port, for whoever reads lines instead of a screen.

        With ``--json`` standard output is the summary's alone: they go to standard error.
        """
        network = self._stage.network_link or "none; tablets cannot reach this machine (--host ADDRESS)"
        lines = [
            *self._stage.ports.moved,
            f"tablet on this machine: {self._stage.local_link}",
            f"big screen:             {self._stage.room_link}",
            f"public page:            {self._stage.here_link}",
            f"tablet on the network:  {network}",
        ]
        output = sys.stderr if self._options.as_json else sys.stdout
        output.write("".join(f"      {line}\n" for line in lines))
        output.flush()

    def _open(self) -> None:
        """The three pages in this machine's browser, where somebody sits at a screen and has one."""
        if not (self._screen.live and any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))):
            return
        for link in (self._stage.here_link, self._stage.room_link, self._stage.local_link):
            if not webbrowser.open(link):
                return

    def _broker_listens(self) -> bool:
        ports = self._stage.ports
        return places.listening(ports.mqtt) and places.listening(ports.websocket)

    @property
    def _running(self) -> float:
        return time.monotonic() - self._began

    @property
    def _row(self) -> ShownUnit | None:
        board = self._tablet.board
        return board.row(REAL_UNIT) if board else None

    def _until(self, met: Callable[[], bool], what: str) -> None:
        """Go on once ``met``; an error where a process ends, or it takes too long."""
        until = time.monotonic() + PATIENCE
        while not met():
            if self._stop.is_set():
                raise Unfit("stopped before every process was running", where="demo", fix="start it again")
            if time.monotonic() > until:
                raise Unfit(
                    f"{what} did not start within {PATIENCE:.0f} s", where="demo", fix=self._last_words()
                )
            self._look(wait=LOOK_SECONDS / 2)

    def _watch(self) -> None:
        """Look and show until the end."""
        while not self._stop.is_set():
            if self._options.duration is not None and self._running >= self._options.duration:
                return
            self._look(wait=LOOK_SECONDS)

    def _look(self, *, wait: float) -> None:
        """Everything that is new, and the screen."""
        for name, line in self._children.listen(wait=wait):
            if self._options.headless and not self._options.as_json:
                print(f"      {name}: {line.removeprefix(f'{name}: ')}", flush=True)
        dead = self._children.dead()
        if dead is not None:
            raise _Ended(
                f"{dead.name} ended with code {dead.ended}",
                where="demo",
                fix=dead.last_words or "it said nothing",
            )
        for record in self._tap.turn():
            self._ledger.note(record)
        self._tablet.turn(time.monotonic())
        self._count()
        if not (self._options.headless and self._options.as_json):
            self._screen.show(self.view())

    def _count(self) -> None:
        """Note when things happened for the first time."""
        board, row = self._tablet.board, self._row
        if row is not None and row.admitted > self._admitted_before:
            self._admitted = self._ledger.admitted(row.admitted - self._admitted_before)
            if self._admitted:
                self._times.setdefault("first real", self._running)
        if board is not None and board.people and not board.needs:
            self._times.setdefault("baseline", self._running)
        if len(self._tablet.alerts) and self._tablet.latest_at != self._last_alert_at:
            self._last_alert_at = self._tablet.latest_at
            self._times.setdefault("alert", self._running)

    def _last_words(self) -> str:
        return "its last words are above" if self._options.headless else "run it with --headless to see why"

    def view(self) -> DemoView:
        """What is to be seen now."""
        board, row, alerts = self._tablet.board, self._row, tuple(self._tablet.alerts.values())
        last = alerts[-1] if alerts else None
        rows = board.units if board else ()
        return DemoView(
            running=self._running,
            local_link=self._stage.local_link,
            room_link=self._stage.room_link,
            here_link=self._stage.here_link,
            network_link=self._stage.network_link,
            starting="" if board and board.people else self._starting,
            unit=REAL_UNIT,
            unit_state=row.state if row else "starting",
            unit_boxed=row.boxed if row and row.heard else None,
            unit_source=row.source if row and row.heard else "",
            fps=row.fps if row else 0,
            real_observations=len(self._admitted),
            first_real_after=self._times.get("first real"),
            simulated_units=len(SIMULATED_UNITS),
            simulated_rate=PEOPLE_PER_SECOND,
            people=board.people if board else 0,
            needs=board.needs if board else 0,
            flags=board.flags if board else 0,
            alerts=len(alerts),
            alerts_real=sum(alert.unit == REAL_UNIT for alert in alerts),
            claims=self._tablet.claims,
            refused=sum(row.refused for row in rows),
            missing=sum(row.missing for row in rows),
            last_alert=last.text if last else "",
            last_alert_where=f"{last.place}{' (simulated)' if last.simulated else ''}" if last else "",
            last_alert_age=time.monotonic() - self._tablet.latest_at if last else None,
            notes=tuple(self._notes),
        )

    def summary(self, complaints: tuple[str, ...]) -> Summary:
        """How it went."""
        view = self.view()
        example = self._admitted[0] if self._admitted else None
        return Summary(
            seconds=self._running,
            ready_after=self._times.get("ready"),
            first_real_after=view.first_real_after,
            baseline_after=self._times.get("baseline"),
            first_alert_after=self._times.get("alert"),
            real_observations=view.real_observations,
            real_boxed=view.unit_boxed,
            people=view.people,
            alerts=view.alerts,
            alerts_real=view.alerts_real,
            claims=view.claims,
            refused=view.refused,
            missing=view.missing,
            example=as_json(example.observation) if example else "",
            example_bytes=example.size if example else 0,
            last_alert=view.last_alert,
            troubles=(*self._troubles, *complaints),
        )
