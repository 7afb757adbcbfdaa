"""What holds for the whole suite: no test is timed. How fast things are is measured in tests/bench."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("leftfield", deadline=None)
settings.load_profile("leftfield")
