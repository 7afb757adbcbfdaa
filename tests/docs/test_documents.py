"""The documents are short, link to what exists, and quote commands that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from appliance import __version__, cli

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split("\n")  # fmt: skip
DOCUMENTS = sorted(
    path
    for name in LISTED
    if name and (path := ROOT / name).is_file() and not path.is_relative_to(ROOT / "tests")
)
READ = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_readme_is_one_page() -> None:
    """The README has at most 120 lines, and no cell of its tables more than 120 characters."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 120
    cells = [cell for line in lines if line.startswith("|") for cell in line.split("|")]
    assert max(map(len, cells)) <= 120


@pytest.mark.parametrize("document", READ, ids=_name)
def test_every_link_leads_to_something(document: Path) -> None:
    """A relative link, a picture, and each test file that is named exist."""
    text = document.read_text("utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (document.parent / link).exists()] == []
    named = re.findall(r"`(tests/[\w/]+\.py)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", READ, ids=_name)
def test_every_command_that_is_quoted_exists(document: Path) -> None:
    """``leftfield WORD [ACTION]`` in a code span or block is a command of this version."""
    text = document.read_text("utf-8")
    quoted = re.findall(r"`(?:sudo )?leftfield ([a-z][^`]*)`", text)
    quoted += re.findall(r"^(?:sudo )?leftfield ([a-z].*?)(?:\s{2,}#.*)?$", text, re.MULTILINE)
    for words in quoted:
        asked = [
            word for word in shlex.split(words.split("|")[0].split(">")[0]) if re.fullmatch(r"[a-z]+", word)
        ]
        parser = cli.parser(asked[:1])
        for word in asked[:2]:
            actions = [
                one for one in parser._actions if getattr(one, "choices", None) and not one.option_strings
            ]
            if not actions:
                break
            assert word in actions[0].choices, f"{words}: there is no {word}"  # type: ignore[operator]
            found = actions[0].choices
            if not isinstance(found, dict):
                break
            parser = found[word]


def test_decisions_are_numbered_without_a_gap_and_have_their_four_parts() -> None:
    """Each decision is a file of its own: context, decision, price, measured; the index lists all."""
    files = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    for path in files:
        text = path.read_text("utf-8")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Price", "Measured"]
        assert path.name in index


def test_the_changelog_has_this_version() -> None:
    """What changed in the version that the package bears is written down."""
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
