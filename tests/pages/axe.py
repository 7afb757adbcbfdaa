"""The accessibility checker axe-core in the page that a test has open; set-up brings it."""

from __future__ import annotations

import os
from pathlib import Path

from selenium import webdriver

_AXE = Path("web") / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  ({violations}) => done(violations.map(({id, impact, nodes}) =>
    `${id} (${impact}): ${nodes.slice(0, 4).map(({target}) => target.join(" ")).join(", ")}`)),
  (error) => done([String(error)]),
);
"""


def violations(browser: webdriver.Chrome) -> list[str]:
    """What every rule of axe-core finds wrong with the page as it is now; the empty list where all is well."""
    script = (Path(os.environ["LEFTFIELD_CACHE"]) / _AXE).read_text("utf-8")
    browser.execute_script(script)
    browser.set_script_timeout(60)
    found: list[str] = browser.execute_async_script(_RUN)
    return found
