"""Examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def _with_examples() -> list[str]:
    files = [*(ROOT / "appliance").rglob("*.py"), *(ROOT / "setup").rglob("*.py")]
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in files
        if "\n    >>> " in (text := path.read_text("utf-8")) or "\n>>> " in text
    )


NAMES = _with_examples()


def test_there_are_examples() -> None:
    """The search for examples finds them: a statistic without one is the exception."""
    assert len(NAMES) > 25


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_true(name: str) -> None:
    """Each example gives what stands below it."""
    module: ModuleType = importlib.import_module(name)
    outcome = doctest.testmod(module)
    assert outcome.attempted
    assert not outcome.failed
