"""What holds for the whole suite: no test is timed, and no skip hides a promise.

Plain `pytest` works in a ready checkout: broker, street video and cache are found where set-up keeps them. How fast
things are is measured in tests/bench.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

settings.register_profile("leftfield", deadline=None, derandomize=True)
settings.load_profile("leftfield")

ROOT: Final = Path(__file__).resolve().parent.parent
MAY_SKIP: Final = {
    "edgetpu_compiler": "the Edge TPU compiler is the vendor's; no registry has it",
    "picamera2 is installed": "what is told where the package is missing can only be seen where it is",
    "needs root": "booting a machine needs root; CI has it",
}
"""What may be skipped in CI: a part of the skip's reason, and why that hides no promise."""


def pytest_configure() -> None:
    """Point at what set-up made, where nobody has said otherwise."""
    cache = Path(os.environ.setdefault("LEFTFIELD_CACHE", str(ROOT / ".cache")))
    for variable, path in (
        ("LEFTFIELD_MOSQUITTO", cache / "bin" / "mosquitto"),
        ("LEFTFIELD_STREET", cache / "street.avi"),
    ):
        if path.exists():
            os.environ.setdefault(variable, str(path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip that nobody has allowed is a failure: what is not tested must not look tested."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(allowed in reason for allowed in MAY_SKIP):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI, and not listed in tests/conftest.py: {reason}"
    return report
