"""A tablet whose clock is wrong loses no alert: the hub's clock counts, live or as the broker kept it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.pages.conftest import Page, wait_until
from tests.pages.stage import TABLETS, alert

CARD = "#alert-a17"
SHIFT = """
  const ahead = arguments_ahead * 1000, RealDate = Date, now = () => RealDate.now() + ahead;
  globalThis.Date = class extends RealDate {
    constructor(...words) { words.length ? super(...words) : super(now()); }
    static now() { return now(); }
  };
"""


@pytest.fixture
def shifted(page: Page, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that will be loaded by a tablet whose clock is ahead by so many seconds."""
    script = SHIFT.replace("arguments_ahead", str(request.param))
    added = page.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    yield page
    page.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def _moved(page: Page, before: str) -> bool:
    return page.text(f"{CARD} .left") not in {before, ""}


@pytest.mark.parametrize("shifted", [360, 7200, -360, -7200], indirect=True)
def test_open_alerts_are_there_when_the_page_is_loaded(shifted: Page) -> None:
    """Minutes or hours ahead or behind: a page that is loaded after the alert shows it, with its time left."""
    now = int(time.time())
    shifted.stage.hub.board(at=now)
    shifted.stage.hub.alert(alert(raised_at=now, expires_at=now + 170), expiry=170)
    shifted.open(shifted.stage.session(TABLETS[0]))
    shifted.wait(CARD)
    shifted.see("left", f"{CARD} .left")
    left = shifted.text(f"{CARD} .left").split()[0].split(":")
    assert 120 <= int(left[0]) * 60 + int(left[1]) <= 171
    for _ in range(2):  # the page looks every second for what has outlived its time
        before = shifted.text(f"{CARD} .left")
        wait_until(partial(_moved, shifted, before), "another second")


@pytest.mark.parametrize("shifted", [7200], indirect=True)
def test_a_page_loaded_anew_keeps_what_is_open(shifted: Page) -> None:
    """Loaded again with only what the broker kept, the page shows what it showed before."""
    now = int(time.time())
    shifted.open(shifted.stage.session(TABLETS[0]))
    shifted.see("people seen", "#panels")
    shifted.stage.hub.board(at=now)
    shifted.stage.hub.alert(alert(raised_at=now, expires_at=now + 170), expiry=170)
    shifted.wait(CARD)
    shifted.browser.refresh()
    shifted.see("left", f"{CARD} .left")
