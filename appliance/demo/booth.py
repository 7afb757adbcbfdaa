"""A booth in a box: starts every process of a real booth on this machine, shows what is going on, stops it all.

Invariants:
    * Real parts: the broker, SENSE in its box, RELAY, WATCH, the page server, mutual TLS, passwords, rights.
    * Ctrl-C, SIGTERM or the end of ``duration``: everything is stopped in order; no process and no file is left.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from appliance import enrol
from appliance.base.systemd import stop_requested
from appliance.demo import places
from appliance.demo.children import age
from appliance.demo.show import DemoOptions, Show
from appliance.demo.source import check_source
from appliance.demo.stage import build


def main(options: DemoOptions) -> int:
    """Run the demo; 0 where it did what it promises (see summary.py), else 1. Unfit where it cannot start."""
    began = time.monotonic() - age()
    stop = stop_requested()
    source = check_source(options.source)
    broker = enrol.mosquitto()
    network = places.network_address() if options.host is None else options.host
    network = "" if network in {places.LOCAL, "localhost", "0.0.0.0"} else network  # noqa: S104 - compared, not bound
    directory = options.keep or Path(tempfile.mkdtemp(prefix="leftfield-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        ports = places.choose_ports(options.port)
        stage = build(directory.absolute(), source=source, ports=ports, network=network)
        show = Show(stage, options, began, stop)
        try:
            show.run(broker)
        finally:
            complaints = show.close()
    finally:
        if options.keep is None:
            shutil.rmtree(directory, ignore_errors=True)
    summary = show.summary(complaints)
    print(summary.as_json() if options.as_json else summary.as_text())
    return 0 if summary.well else 1
