"""What the big screen costs its machine: ``python -m tests.bench.bench_room [--seconds 60 | --hours 12]``.

A real Chromium on a real broker shows a booth with eight units, a busy street (some 2,700 dots) and a day with twenty
alerts and more; a message comes every three seconds, as the hub says it. With ``--hours`` the day passes before it at
sixty times its pace, said by the hub's own mind: a minute each second. Printed: what of a core all of Chromium's
processes take, the memory of the page at the begin and at the end, and the bytes of the page.
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
from typing import Any

from selenium import webdriver

from appliance.hub.staff.outgoing import LIVE_SECONDS, TRENDS_SECONDS
from appliance.protocol import topics
from tests.pages.day import Day
from tests.pages.stage import BOOTH, ROOM, Stage, open_browser, resize, screenshot, wait_until

_FILES = (
    "room.js", "room_panels.js", "room_charts.js", "room_read.js", "room_strip.js", "room_texts.js", "words.js",
    "language.js", "dom.js", "figure.js", "messages.js", "mqtt.js", "mqtt_codec.js", "session.js", "page.css",
    "room.css",
)  # fmt: skip
UNITS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
PACE = 60


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


def heap(browser: webdriver.Chrome) -> float:
    """Megabytes that the page's script holds, after its rubbish was collected."""
    browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    return float(browser.execute_script("return performance.memory.usedJSHeapSize")) / 1e6


def told(day: Day, at: float | None = None) -> dict[str, Any]:
    """By leaf of the topic, what the hub says at ``at``."""
    return {one.topic.rsplit("/", 1)[-1]: json.loads(one.payload) for one in day.retained(at)}


def steady(stage: Stage, browser: webdriver.Chrome, seconds: float) -> float:
    """A busy moment that goes on; the share of a core."""
    messages = told(Day(per_minute=20, names=UNITS))
    live, trends = messages["live"], messages["trends"]
    live["dots"] = [[step, kind, 0, 25 >> kind] for step in range(60) for kind in range(4)]
    print(f"{len(live['units'])} units, {sum(one[1][0] for one in trends['alerts'])} alerts of the day")
    publish(stage, {"trends": trends, "live": live})
    wait_until(lambda: browser.execute_script("return document.querySelectorAll('.band').length"), "bands")
    threading.Event().wait(5)
    before, began = cpu_seconds(browser), time.monotonic()
    said = began
    while time.monotonic() - began < seconds:
        threading.Event().wait(LIVE_SECONDS)
        publish(stage, {"live": live})
        if time.monotonic() - said > TRENDS_SECONDS:
            said = time.monotonic()
            publish(stage, {"trends": trends})
    return (cpu_seconds(browser) - before) / (time.monotonic() - began)


def publish(stage: Stage, messages: dict[str, Any]) -> None:
    """As of now, whatever time it is in the day."""
    for leaf, message in messages.items():
        topic = topics.trends(BOOTH) if leaf == "trends" else topics.live(BOOTH)
        stage.hub.publish(topic, {**message, "at": int(time.time())} if leaf == "live" else message)


def passing(stage: Stage, browser: webdriver.Chrome, hours: float) -> float:
    """A day at sixty times its pace; the share of a core. The hub's clock runs as fast as the day's."""
    day = Day(minutes=1, names=UNITS)
    before, began = cpu_seconds(browser), time.monotonic()
    for minute in range(int(60 * hours)):
        at = day.ends + PACE * minute
        day.pass_minute(at, 12)
        if minute % 3 == 0:
            for leaf, message in told(day, at + 59).items():
                topic = topics.trends(BOOTH) if leaf == "trends" else topics.live(BOOTH)
                stage.hub.publish(topic, message)
        behind = began + minute + 1 - time.monotonic()
        threading.Event().wait(max(0.0, behind))
    spent = (cpu_seconds(browser) - before) / (time.monotonic() - began)
    shown = "return document.querySelectorAll('#tops tbody tr').length"
    alerts = sum(one[1][0] for one in told(day, at + 59)["trends"]["alerts"])
    took = time.monotonic() - began
    print(f"{hours:g} h in {took:.0f} s: {browser.execute_script(shown)} stretches, {alerts} alerts")
    return spent


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stage.set_up(Path(folder)) as stage:
        browser = open_browser(Path(folder) / "browser")
        try:
            stage.hub.status("online")
            resize(browser, 1920, 1080)
            browser.get(stage.session(ROOM, page="room"))
            threading.Event().wait(2)
            begin = heap(browser)
            spent = (
                passing(stage, browser, given.hours) if given.hours else steady(stage, browser, given.seconds)
            )
            print(f"CPU of the browser: {100 * spent:.1f} % of a core")
            print(f"memory of the script: {begin:.1f} to {heap(browser):.1f} MB")
            if given.pictures:
                screenshot(browser, given.pictures / "day.png")
            noise = [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
            print(f"complaints of the browser: {noise or 'none'}")
            size = 0
            for name in _FILES:
                with urllib.request.urlopen(f"{stage.pages.url}/static/{name}") as answer:  # noqa: S310 - our own
                    size += len(answer.read())
            print(f"files of the page: {size / 1000:.0f} kB")
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
