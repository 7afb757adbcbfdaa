"""What the big screen costs its machine: ``python -m tests.bench.bench_room [--seconds 60]``.

A real Chromium on a real broker shows a day with eight units and a busy street (some 2,700 dots); a message comes
every three seconds, as the hub says it. Printed: what of a core all of Chromium's processes take, and the bytes of
the page.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from selenium import webdriver

from appliance.hub.staff.outgoing import LIVE_SECONDS, TRENDS_SECONDS
from appliance.protocol import topics
from tests.pages.day import Day
from tests.pages.stage import BOOTH, ROOM, Stage, open_browser, resize, unit, wait_until

_FILES = (
    "room.js", "room_panels.js", "room_charts.js", "room_read.js", "room_strip.js", "room_texts.js", "words.js",
    "language.js", "dom.js", "figure.js", "messages.js", "mqtt.js", "mqtt_codec.js", "session.js", "page.css",
    "room.css",
)  # fmt: skip


def cpu_seconds(browser: webdriver.Chrome) -> float:
    """Of every process below the driver."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        parents[number] = int(fields[1])
        spent[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    root = browser.service.process.pid
    below = {root}
    while more := {number for number, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(spent.get(number, 0.0) for number in below)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, Stage.set_up(Path(folder)) as stage:
        browser = open_browser(Path(folder) / "browser")
        try:
            messages = {
                one.topic.rsplit("/", 1)[-1]: json.loads(one.payload) for one in Day(per_minute=20).retained()
            }
            live, trends = messages["live"], messages["trends"]
            live["units"] = [
                {**unit(f"u{at}", f"corner {at}"), "spooled": 0, "dropped": 0, "clock": True}
                for at in range(8)
            ]
            live["dots"] = [[step, kind, 0, 25 >> kind] for step in range(60) for kind in range(4)]
            stage.hub.status("online")
            resize(browser, 1920, 1080)
            browser.get(stage.session(ROOM, page="room"))
            stage.hub.publish(topics.trends(BOOTH), trends)
            stage.hub.publish(topics.live(BOOTH), {**live, "at": int(time.time())})
            wait_until(
                lambda: browser.execute_script("return document.querySelectorAll('.band').length"), "bands"
            )
            threading.Event().wait(5)
            before, began = cpu_seconds(browser), time.monotonic()
            told = began
            while time.monotonic() - began < seconds:
                threading.Event().wait(LIVE_SECONDS)
                stage.hub.publish(topics.live(BOOTH), {**live, "at": int(time.time())})
                if time.monotonic() - told > TRENDS_SECONDS:
                    told = time.monotonic()
                    stage.hub.publish(topics.trends(BOOTH), {**trends, "at": int(time.time())})
            spent = (cpu_seconds(browser) - before) / (time.monotonic() - began)
            size = 0
            for name in _FILES:
                with urllib.request.urlopen(f"{stage.pages.url}/static/{name}") as answer:  # noqa: S310 - our own
                    size += len(answer.read())
            print(
                f"CPU of the browser: {100 * spent:.1f} % of a core; files of the page: {size / 1000:.0f} kB"
            )
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
