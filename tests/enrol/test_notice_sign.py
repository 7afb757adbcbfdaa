"""The printed sign: who answers, how to say no, a code that opens the public page; SVG and PDF, four languages."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import cli
from appliance.base.errors import Unfit
from appliance.enrol import notice_sign
from appliance.enrol.notice_sign import PAPERS, TEXTS
from appliance.settings import config
from appliance.settings.config import LANGUAGES
from appliance.settings.notice import NoticeConfig

NOTICE = NoticeConfig(
    controller="Mercado (Viejo) S. L.",
    contact="Plaza Mayor 1, hola@mercado.example",
    legal_basis="legitimate-interests",
    way_round="the far side of the fountain",
)
ADDRESS = "https://booth.local:8443/here"


def page(language: str = "en", paper: str = "A4", notice: NoticeConfig = NOTICE) -> notice_sign.Sign:
    return notice_sign.sign(notice, language=language, paper=paper, address=ADDRESS)


@pytest.mark.parametrize("paper", list(PAPERS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_stands_within_the_page(language: str, paper: str) -> None:
    """In each language and on each paper every line begins and ends within the margins, and no two rows meet."""
    made = page(language, paper)
    assert (made.width, made.height) == PAPERS[paper]
    for line in made.lines:
        wide = sum(1.0 if ord(letter) > 0x2E7F else 0.5 for letter in line.text) * line.size
        assert line.x >= 15
        assert line.x + wide <= made.width - 10, line.text
        assert line.size < line.y <= made.height - 15
    assert all(15 <= x <= made.width and 15 <= y <= made.height - 15 for x, y, _ in made.squares)
    said = " ".join(line.text for line in made.lines)
    assert NOTICE.controller in said
    assert ADDRESS in said
    assert made.lines[0].text[:6] == TEXTS[language][0][:6]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_whole(language: str) -> None:
    """Its table of objects leads to each object, and the page is of its true size."""
    made = notice_sign.pdf(page(language))
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF", made)[0])
    assert made[start:].startswith(b"xref\n")
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", made[start:])]
    for number, place in enumerate(places, 1):
        assert made[place:].startswith(b"%d 0 obj" % number)
    assert b"/MediaBox [0 0 595.28 841.89]" in made
    if language == "zh-Hans":
        assert TEXTS[language][0][:8].encode("utf-16-be").hex().encode() in made
    else:
        assert rb"Mercado \(Viejo\)" in made


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_svg_says_what_the_pdf_says(language: str) -> None:
    """The SVG is well formed, of its true size, and has every line of the page."""
    made = page(language)
    root = ET.fromstring(notice_sign.svg(made))  # noqa: S314 - our own
    assert root.attrib["width"] == "210.0mm"
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [line.text for line in made.lines]


def test_nobody_makes_a_sign_without_who_answers() -> None:
    """Each of controller, contact and legal basis is needed."""
    for lacking in (
        replace(NOTICE, controller=""),
        replace(NOTICE, contact=""),
        replace(NOTICE, legal_basis=""),
    ):
        with pytest.raises(Unfit, match=lacking.missing[0]):
            page(notice=lacking)


def test_what_does_not_fit_is_refused() -> None:
    """Texts too long for a page, and letters that the PDF's fonts lack, are said, with what to do."""
    with pytest.raises(Unfit, match="too long"):
        page(notice=replace(NOTICE, contact="word " * 120, controller="word " * 120))
    with pytest.raises(Unfit, match="lack a letter"):
        notice_sign.pdf(page(notice=replace(NOTICE, controller="Ελληνική")))
    assert "Ελληνική" in notice_sign.svg(page(notice=replace(NOTICE, controller="Ελληνική"))).decode()


def test_the_booth_asks_who_answers_and_prints_the_sign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``booth create`` writes the notice into hub.toml and says what is missing; ``booth sign`` makes the page."""
    booth = ["--directory", str(tmp_path / "booth")]
    words = ["booth", "create", "corner", "--host", "booth.local", "--controller", "Us Ltd"]
    assert cli.main([*words, *booth]) == 0
    assert "/here stays closed; missing: contact, legal_basis" in capsys.readouterr().out
    out = tmp_path / "sign.pdf"
    assert cli.main(["booth", "sign", "--out", str(out), *booth]) != 0
    assert "the notice lacks contact, legal_basis" in capsys.readouterr().err
    hub = tmp_path / "booth" / "hub.toml"
    hub.write_text(hub.read_text() + 'contact = "here"\nlegal_basis = "consent"\n')
    assert config.hub_config(hub).notice.missing == ()
    assert cli.main(["booth", "sign", "--out", str(out), "--language", "zh-Hans", *booth]) == 0
    assert out.read_bytes().startswith(b"%PDF-1.5")
    assert cli.main(["booth", "sign", "--out", str(tmp_path / "sign.doc"), *booth]) != 0


def test_on_a_terminal_the_booth_asks_for_what_no_option_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Controller, contact, basis and way round are asked for, a wrong basis again; an empty line is for later."""
    typed = io.StringIO("Us Ltd\n\nbecause\nconsent\nthe far pavement\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    assert cli.main(["booth", "create", "corner", "--directory", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.err.count("The legal basis") == 2
    assert "missing: contact." in said.out
    notice = config.hub_config(tmp_path / "hub.toml").notice
    assert (notice.controller, notice.legal_basis, notice.way_round) == (
        "Us Ltd",
        "consent",
        "the far pavement",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('legal_basis = "because"', "must be one of"),
        ('controller = "a\\nb"', "one line"),
        ('who = "me"', "who"),
    ],
)
def test_a_notice_that_cannot_be_is_named(tmp_path: Path, line: str, said: str) -> None:
    """A wrong key or value of ``[notice]`` names itself."""
    booth = ["--directory", str(tmp_path / "booth")]
    assert cli.main(["booth", "create", "corner", *booth]) == 0
    hub = tmp_path / "booth" / "hub.toml"
    hub.write_text(hub.read_text() + f"{line}\n")
    with pytest.raises(Unfit, match=said):
        config.hub_config(hub)
