"""The rooms that think, and the tests that ought to notice what is changed in each."""

from __future__ import annotations

from typing import Final

ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "protocol": ("tests/protocol", "tests/conformance",
                 "tests/promises/test_vocabulary.py", "tests/promises/test_door.py"),
    "hub/admission": ("tests/hub/admission", "tests/promises/test_door.py",
                      "tests/hub/test_engine.py", "tests/hub/test_backup.py"),
    "hub/alerts": ("tests/hub/alerts", "tests/hub/test_engine.py"),
    "hub/statistics": ("tests/hub/statistics", "tests/hub/exchange", "tests/hub/test_clock.py"),
    "hub/pacing": ("tests/hub/pacing", "tests/hub/test_engine.py"),
    "hub/records": ("tests/hub/records", "tests/hub/test_engine.py"),
    "hub/staff": ("tests/hub/staff", "tests/hub/test_engine.py", "tests/hub/alerts"),
    "hub/storage": ("tests/hub/storage", "tests/hub/test_backup.py", "tests/hub/test_engine.py"),
    "unit/outbox": ("tests/unit/outbox",),
    "unit/pipe": ("tests/unit/pipe", "tests/faults/test_relay_kill.py"),
    "unit/vision/tracking": ("tests/unit/vision/tracking",),
}  # fmt: skip
AND_DOCTESTS: Final = "tests/test_doctests.py"
