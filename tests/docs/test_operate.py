"""What staff read in docs/operate.md is what the page says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = (ROOT / "appliance" / "pages" / "static" / "texts_en.js").read_text("utf-8").replace("\\u00a0", " ")
PAGE = (ROOT / "docs" / "operate.md").read_text("utf-8")
_SHORTEST = 4
_VARYING = r"\$\{[^}]*\}|tablet-\d|\d+(?:[:,]\d+)?|\N{HORIZONTAL ELLIPSIS}|\bN\b"
"""What stands for something else each time, here and there."""


def _pieces(text: str) -> list[str]:
    """The parts of a sentence of the page that never change, those of four letters or more."""
    parts = (part.strip(" ,.:") for part in re.split(_VARYING, text))
    return [part for part in parts if len(part) >= _SHORTEST]


def _section(name: str) -> str:
    """One object of the English catalogue."""
    found = re.search(rf"^  {name}: \{{$(.*?)^  \}},$", TEXTS, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def test_every_banner_that_staff_look_up_is_one_the_page_shows() -> None:
    """The first column of each table of screens is made of the page's own sentences."""
    tables = PAGE[PAGE.index("## The screens and banners") : PAGE.index("## Nothing is shown")]
    for row in re.findall(r"^\| (.*?) \|", tables, re.MULTILINE):
        if row in {"screen or banner", "word"} or set(row) <= {"-", "|"}:
            continue
        for phrase in row.split(", ") if "CPU" not in row else [row]:
            assert [piece for piece in _pieces(phrase) if piece not in TEXTS] == [], row


def test_every_banner_and_session_screen_of_the_page_is_explained() -> None:
    """Titles of banners and of screens without a session, and states of cameras, are in the page for staff."""
    titles = re.findall(
        r"^    (?!\w+More)\w+: (?:\(.*\) =>\s*)?[\"`](.*)[\"`],$", _section("banner"), re.MULTILINE
    )
    titles += re.findall(
        r"^    (?!\w+More)\w+: (?:\(.*\) =>\s*)?[\"`](.*)[\"`],$", _section("session"), re.MULTILINE
    )
    assert len(titles) > 9
    states = re.findall(r'"([^"]+)"', re.findall(r"state: \{(.*)\}", _section("unit"))[0])
    missing = [piece for text in [*titles, *states] for piece in _pieces(text) if piece not in PAGE]
    assert missing == []
