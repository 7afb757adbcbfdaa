"""How soon the tablet shows that its link is lost, and how soon a card is painted; a real Chromium, a real broker.

Rules: ``python -m tests.bench.bench_tablet [--rounds 20]``; the broker is frozen, so nothing says that it is gone.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver

from appliance.protocol import topics
from appliance.protocol.values import AlertId
from tests.pages.stage import BOOTH, TABLETS, Stage, alert, board, open_browser, wait_until

WATCH = """
    window.cards = [];
    const painted = ({id}) => requestAnimationFrame(() => setTimeout(() => window.cards.push([id, Date.now()])));
    const look = (changes) => changes.flatMap((one) => [...one.addedNodes]).filter((one) => one.id).forEach(painted);
    new MutationObserver(look).observe(document.getElementById('cards'), {childList: true});
"""


def lost_after(stage: Stage, browser: webdriver.Chrome) -> float:
    """Seconds from the freeze to the page's saying so; the moment in the second is drawn by lot."""
    until = time.monotonic() + random.random()  # noqa: S311 - a bench's chance
    while time.monotonic() < until:
        stage.hub.publish(topics.board(BOOTH), board())
        time.sleep(0.1)
    shown = "return document.getElementById('link').dataset.state !== 'up'"
    with stage.broker.frozen():
        began = time.monotonic()
        wait_until(lambda: browser.execute_script(shown), "the loss shown")
        took = time.monotonic() - began
    wait_until(lambda: not browser.execute_script(shown), "the link back")
    return took


def painted_after(stage: Stage, browser: webdriver.Chrome, number: int) -> float:
    """Milliseconds from publishing an alert to the frame after its card is in the page."""
    name = f"a{number}"
    began = time.time()
    stage.hub.alert(alert(name))
    wait_until(
        lambda: browser.execute_script("return cards.some(([id]) => id === arguments[0])", f"alert-{name}"),
        name,
    )
    at = browser.execute_script("return cards.find(([id]) => id === arguments[0])[1]", f"alert-{name}")
    stage.hub.publish(topics.alert(BOOTH, AlertId(name)), b"")
    return float(at) - 1000 * began


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="leftfield-") as folder, Stage.set_up(Path(folder)) as stage:
        browser = open_browser(Path(folder) / "browser")
        try:
            stage.hub.clear()
            browser.get(stage.session(TABLETS[0]))
            wait_until(
                lambda: browser.execute_script(
                    "return document.getElementById('link')?.dataset.state === 'up'"
                ),
                "up",
            )
            browser.execute_script(WATCH)
            cards = sorted(painted_after(stage, browser, 100 + number) for number in range(3 * rounds))
            losses = [lost_after(stage, browser) for _ in range(rounds)]
        finally:
            browser.quit()
    p95 = cards[int(0.95 * len(cards))]
    sys.stdout.write(
        f"card painted: median {statistics.median(cards):.0f} ms, p95 {p95:.0f} ms, of {len(cards)}\n"
    )
    sys.stdout.write(
        f"link's loss shown: median {statistics.median(losses):.2f} s, most {max(losses):.2f} s, of {rounds}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
