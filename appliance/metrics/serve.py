"""Process METRICS: hears the hub's moment and trends and the broker's own figures, and answers Prometheus.

May touch: the broker on this machine, under a name of its own that may only listen; one port of this machine.

Invariants:
    * It publishes nothing and stores nothing.
    * One answer is made of what was known at one time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client.exposition import start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from appliance.base.errors import Unfit
from appliance.base.systemd import Notifier, log, stop_requested
from appliance.enrol.booth import open_booth
from appliance.enrol.desk_access import metrics_broker
from appliance.enrol.names import METRICS
from appliance.metrics.figures import BoothFigures
from appliance.mqtt import Link, LinkReport
from appliance.protocol import topics
from appliance.protocol.values import Seconds

_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPlan:
    """Whose figures, and where they are asked for: address and port (0 for any free one)."""

    directory: Path
    host: str
    port: int


class _Collector(Collector):
    """The figures as the library asks for them."""

    def __init__(self, figures: BoothFigures, link: Link) -> None:
        self._figures, self._link, self._lock = figures, link, threading.Lock()

    def hear(self) -> None:
        """Take up what has come, waiting a moment for it."""
        messages = self._link.messages(wait=_POLL_SECONDS)
        with self._lock:
            for message in messages:
                self._figures.take(message.untrusted_topic, message.untrusted_payload, Seconds(time.time()))
        for message in messages:
            self._link.acknowledge(message)

    def collect(self) -> Iterator[Metric]:
        """Every family of this moment."""
        with self._lock:
            families = tuple(self._figures.families(Seconds(time.time()), linked=self._link.up))
        return iter(families)


def main(plan: MetricsPlan) -> int:
    """Run until told to stop; 0. Unfit where it cannot start."""
    stop, notifier = stop_requested(), Notifier()
    booth = open_booth(plan.directory)
    link = Link(
        address=metrics_broker(booth),
        name=METRICS,
        subscriptions=(
            topics.live(booth.booth),
            topics.trends(booth.booth),
            topics.hub_status(booth.booth),
            "$SYS/broker/#",
        ),
    )
    collector, report = _Collector(BoothFigures(booth.booth), link), LinkReport(link, "metrics")
    registry = CollectorRegistry()
    registry.register(collector)
    link.start()
    server = _listening(plan, registry)
    try:
        log(f"metrics of booth {booth.booth} on http://{plan.host}:{server.server_address[1]}/metrics")
        notifier.say("READY=1")
        while not stop.is_set():
            collector.hear()
            report.take()
            notifier.say("WATCHDOG=1", f"STATUS={report.status or 'listening'}")
    finally:
        server.shutdown()
        server.server_close()
        link.stop()
    return 0


def _listening(plan: MetricsPlan, registry: CollectorRegistry) -> WSGIServer:
    try:
        server, _ = start_http_server(plan.port, addr=plan.host, registry=registry)
    except OSError as error:
        raise Unfit(
            f"cannot listen: {error.strerror or error}",
            where=f"{plan.host} port {plan.port}",
            fix="stop what listens there, or choose another --port",
        ) from None
    return server
