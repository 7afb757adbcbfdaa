"""A tablet that was signed in stays so: closed tabs, no network at start; and signing out. In a real Chromium."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.enrol.booth_commands import square_code
from tests.pages.conftest import Page, raised, wait_until
from tests.pages.stage import TABLETS, alert

pytestmark = [pytest.mark.browser, pytest.mark.broker]

KEPT = """
    const names = await caches.keys();
    const found = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return found.flat().map(({url}) => new URL(url).pathname);
"""


def kept(page: Page) -> list[str]:
    """The paths that the page's worker keeps."""
    paths: list[str] = page.browser.execute_script(f"return (async () => {{ {KEPT} }})()")
    return paths


def test_a_closed_tab_is_opened_again_without_a_link(page: Page) -> None:
    """The tab is closed; another one opens /tablet alone and is signed in, with what is open."""
    raised(page)
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    second = page.browser.current_window_handle
    page.browser.switch_to.window(first)
    page.browser.close()
    page.browser.switch_to.window(second)
    page.browser.get(f"{page.stage.pages.url}/tablet")
    page.see("Connected", "#link")
    page.wait("#alert-a17")


def test_a_window_opened_by_another_link_stays_what_it_is(page: Page) -> None:
    """Two tablets in one browser: each window keeps its own name when it is loaded anew."""
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.browser.get(page.stage.session(TABLETS[1]))
    page.see("tablet-2", "#tablet")
    page.see("Connected", "#link")
    page.browser.close()
    page.browser.switch_to.window(first)
    page.browser.refresh()
    page.see("tablet-1", "#tablet")
    page.see("Connected", "#link")


def test_signed_out_nobody_is_signed_in(page: Page) -> None:
    """One tap signs the tablet out; neither window nor device remembers it."""
    page.open_shift()
    page.all("[data-key=sign-out]")[0].click()
    page.see("This tablet is not signed in", "#notice")
    stored = "return [...Object.values(localStorage), ...Object.values(sessionStorage)].join()"
    assert page.stage.broker.passwords[TABLETS[0]] not in page.browser.execute_script(stored)


def test_the_page_can_be_installed_and_opens_without_the_network(page: Page) -> None:
    """The worker keeps the empty page and nothing that the booth said; without the network the page says so."""
    page.may_lose_link = True
    raised(page, place="the old market hall")
    shell = {
        "/tablet",
        "/booth.json",
        "/vocabulary.json",
        "/static/tablet.js",
        "/static/texts_en.js",
        "/static/page.css",
    }
    wait_until(lambda: shell <= set(kept(page)), "the shell kept")
    wait_until(
        lambda: page.browser.execute_script("return !!navigator.serviceWorker.controller"), "the worker"
    )
    shell_now = "await (await caches.open('leftfield-shell-1')).matchAll()"
    everything = f"(await Promise.all(({shell_now}).map((one) => one.text()))).join()"
    said = page.browser.execute_script(f"return (async () => {everything})()")
    assert "market hall" not in said
    assert all(not path.startswith(("/here", "/mqtt")) for path in kept(page))
    manifest = page.browser.execute_cdp_cmd("Page.getAppManifest", {})
    assert (manifest["errors"], manifest["manifest"]["startUrl"]) == ([], f"{page.stage.pages.url}/tablet")
    page.browser.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        page.browser.refresh()
        page.see("Booth demo", "#booth")
    finally:
        page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
    page.browser.refresh()
    page.see("Connected", "#link")
    page.stage.hub.alert(alert("a18"))
    page.wait("#alert-a18")


def test_only_the_worker_of_this_booth_can_be_one(page: Page) -> None:
    """Another script cannot become a worker, nor code: the page's policy knows one address."""
    script = "navigator.serviceWorker.register('/static/dom.js').then(() => 'yes', (error) => error.name)"
    tried = f"try {{ return {script}; }} catch (error) {{ return error.name; }}"
    assert page.browser.execute_script(tried) == "TypeError"
    page.noise()  # the browser complains, as it should


def test_the_links_code_can_be_scanned_off_the_terminal() -> None:
    """What `booth tablet` draws on a terminal is read back as the link, by another library."""
    link = "https://booth.local:8443/tablet#tablet-1:Ab3dEf6hIj9lMnOpQrStUvWx"
    rows = [line for line in square_code(link).splitlines() if line.strip()]
    halves = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    cells = [[halves[sign] for sign in row] for row in rows]
    light = np.array([half for row in cells for half in (list(zip(*row, strict=True)))], np.uint8)
    for picture in (light, 1 - light):
        padded = np.pad(picture * 255, 4, constant_values=255)
        large = cv2.resize(padded, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
        if cv2.QRCodeDetector().detectAndDecode(large)[0] == link:
            return
    raise AssertionError("nobody can read it:\n" + "\n".join(rows))
