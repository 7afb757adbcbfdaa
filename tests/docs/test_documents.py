"""The documents are short, link to what exists, and quote commands that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from appliance import __version__, cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for folder in (
        ".",
        "docs",
        "docs/decisions",
        "appliance",
        "provisioning",
        "models_tflite",
        "requirements",
    )
    for path in (ROOT / folder).glob("*.md")
)
NO_AIM = "\N{EN DASH}"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _cells(text: str) -> list[list[str]]:
    """The cells of every row of every table."""
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def _anchors(text: str) -> set[str]:
    """The anchor of each heading, as GitHub makes it."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_readme_is_one_page() -> None:
    """The README has at most 120 lines, and no cell of its tables more than 120 characters."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert max(len(cell) for row in _cells(text) for cell in row) <= 120


def test_each_promise_says_in_fifteen_words_how_it_is_enforced() -> None:
    """The README lists eleven promises, each with at most fifteen words and a test."""
    rows = [row for row in _cells((ROOT / "README.md").read_text("utf-8")) if re.match(r"\d+ ", row[0])]
    assert [int(row[0].split()[0]) for row in rows] == list(range(1, 12))
    assert max(len(enforced.split()) for _, enforced, _ in rows) <= 15
    assert all(test.strip("`").startswith("tests/") for *_, test in rows)


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_leads_to_something(document: Path) -> None:
    """A relative link, its anchor, a picture, and each file that is named exist."""
    text = document.read_text("utf-8")
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        path = document.parent / target if target else document
        if not path.exists() or (anchor and anchor not in _anchors(path.read_text("utf-8"))):
            missing.append(link)
    named = re.findall(r"`((?:tests|appliance|provisioning|systemd|docs)/[\w/.-]+)`", text)
    missing += [path for path in named if not (ROOT / path).exists()]
    missing += [
        name
        for name in re.findall(r"\b(bench_\w+\.py)\b", text)
        if not (ROOT / "tests/bench" / name).exists()
    ]
    missing += [
        name
        for name in re.findall(r"python -m (tests(?:\.\w+)+)", text)
        if not any((ROOT / f"{name.replace('.', '/')}{end}").exists() for end in (".py", "/__main__.py"))
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_command_that_is_quoted_exists(document: Path) -> None:
    """``leftfield WORD [ACTION] --option`` in a code span or block is a command of this version."""
    text = document.read_text("utf-8")
    quoted = re.findall(r"`(?:sudo )?leftfield ([a-z][^`]*)`", text)
    quoted += re.findall(r"^(?:sudo )?leftfield ([a-z].*?)(?:\s{2,}#.*)?$", text, re.MULTILINE)
    for words in quoted:
        asked = shlex.split(re.split(r"[|>;]", words)[0])
        parser = cli.parser(asked[:1])
        for word in asked[:3]:
            actions = [
                one for one in parser._actions if getattr(one, "choices", None) and not one.option_strings
            ]
            if not actions or not isinstance(actions[0].choices, dict):
                break
            assert word in actions[0].choices, f"{words}: there is no {word}"
            parser = actions[0].choices[word]
        known = {option for action in parser._actions for option in action.option_strings}
        assert [word for word in asked if word.startswith("--") and word not in known] == [], words


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_target_of_make_that_is_quoted_exists(document: Path) -> None:
    """``make TARGET`` names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    quoted = re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE)
    assert [target for target in quoted if target not in targets] == []


def test_decisions_are_numbered_without_a_gap_and_have_their_four_parts() -> None:
    """Each decision is a file of its own of at most 40 lines; the index lists all."""
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    for path in DECISIONS:
        text = path.read_text("utf-8")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Price", "Measured"]
        assert len(text.splitlines()) <= 40, path.name
        assert path.name in index


def test_each_figure_has_its_aim_its_verdict_and_its_command() -> None:
    """A row of the measurements has six cells; where there is an aim there is a verdict."""
    for row in _cells((ROOT / "docs" / "measurements.md").read_text("utf-8")):
        assert len(row) == 6, row
        _, aim, measured, verdict, command, place = row
        if aim in {"aim", "---"}:
            continue
        assert (aim == NO_AIM) == (verdict == ""), row
        assert verdict == "" or verdict[0] in "✔✘", row
        assert measured, row
        assert command, row
        assert place, row


def test_the_changelog_has_this_version() -> None:
    """What changed in the version that the package bears is written down, with its date."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(__version__)} - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)
