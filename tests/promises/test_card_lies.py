"""What a box of the card reader that lies, floods or hangs gets out: nothing, whatever it does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.base.errors import Refused, Unavailable, Unfit
from appliance.settings.config import UnitConfig, unit_config
from appliance.unit.card import reading
from appliance.unit.card.complaints import Complaints
from appliance.unit.card.patches import asked
from appliance.unit.card.words import MOST, RECORD, CardWord, record_of_matrix, record_of_word
from appliance.unit.inputs.colour_matrix import CameraMatrix, spelled
from appliance.unit.vision.types import Frame

MATRIX = CameraMatrix((1024, 0, 0, 0, 1024, 0, 0, 0, 1024), 12)
PATIENCE = 60.0
SEALED = b"card: sealed; every wall is up\n"


@pytest.fixture
def config(tmp_path: Path) -> UnitConfig:
    path = tmp_path / "unit.toml"
    path.write_text(
        '[unit]\nbooth = "b"\nunit = "north"\n[camera]\nsource = "/nowhere.avi"\n'
        '[broker]\nhost = "h"\nca = "c"\ncertificate = "c"\nkey = "k"\n'
    )
    return unit_config(path)


def ask(config: UnitConfig, told: list[CardWord], seconds: float = 1.0) -> CameraMatrix | int:
    return reading.read(config, asked(), seconds=seconds, tell=told.append)


@pytest.mark.parametrize(
    "said",
    [
        b"\xff" * RECORD,
        b"pixels",
        record_of_word(CardWord.FOUND)[:-1] + b"\x01",
        bytes(RECORD),
        record_of_word(CardWord.NO_CARD) * (MOST + 1),
    ],
)
def test_a_box_that_was_taken_over_gets_nothing_out(
    config: UnitConfig, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """Other bytes than a word or a matrix, or more words than a run may say, are Refused, and the box is ended."""

    def taken_over(_config: object, _wanted: object, outlet: int, _seconds: float) -> None:
        os.write(2, SEALED)
        os.write(outlet, said)
        time.sleep(PATIENCE)

    monkeypatch.setattr(reading, "_look", taken_over)
    start = time.monotonic()
    with pytest.raises(Refused):
        ask(config, [])
    assert time.monotonic() - start < PATIENCE / 2


def test_a_box_that_is_not_sealed_is_not_believed(
    config: UnitConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A matrix that could be right, from a box that never said it was sealed, is Refused."""
    monkeypatch.setattr(
        reading,
        "_look",
        lambda _config, _wanted, outlet, _seconds: os.write(outlet, record_of_matrix(MATRIX)),
    )
    with pytest.raises(Refused, match="before it was sealed"):
        ask(config, [])


def test_a_box_that_has_seen_can_print_nothing(
    config: UnitConfig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the box prints is passed on until it is sealed; a frame printed afterwards goes nowhere."""

    def look(*_: object) -> None:
        os.write(2, b"card: wall swap: yes\ncard: sealed; every wall is up\npixels 1\npix")
        os.write(2, b"els 2\n" * 20_000)
        raise Unavailable("pixels 3")

    monkeypatch.setattr(reading, "_look", look)
    with pytest.raises(Unavailable, match="delivers no frames"):
        ask(config, [])
    assert capsys.readouterr().err == "card: wall swap: yes\ncard: sealed; every wall is up\n"


def test_complaints_are_lines_and_bounded() -> None:
    """Before the seal, too, what is passed on is printable, and bounded in lines and letters."""
    shown: list[str] = []
    complaints = Complaints(shown.append)
    foreign = "\u4e00\u4e01\n".encode()
    complaints.take(b"one\x1b[2J\ntwo " + b"x" * 900 + b"\n" + foreign + b"more\n" * 500 + b"rest")
    complaints.end()
    assert shown[0] == "one?[2J"
    assert max(map(len, shown)) == 400
    assert len(shown) == 64
    assert all(line.isascii() for line in shown)
    assert not complaints.sealed
    shown.clear()
    Complaints(shown.append).take((b"y" * 399 + b"\n") * 64)
    assert 3600 < sum(map(len, shown)) <= 4096


def _floods(*_: object) -> None:
    while True:
        os.write(2, b"more\n" * 100)


def _closes_all_and_stays(_config: object, _wanted: object, outlet: int, _seconds: float) -> None:
    os.write(2, SEALED)
    os.close(outlet)
    os.close(2)
    time.sleep(PATIENCE)


@pytest.mark.parametrize(
    ("hanging", "raised"),
    [
        (lambda *_: time.sleep(PATIENCE), Unavailable),
        (_floods, Unavailable),
        (_closes_all_and_stays, Unfit),
    ],
    ids=["silent", "floods", "lets go and stays"],
)
def test_a_box_that_hangs_is_ended(
    config: UnitConfig,
    monkeypatch: pytest.MonkeyPatch,
    hanging: Callable[..., None],
    raised: type[Exception],
) -> None:
    """A box that is silent, that prints without end, or that lets go of its pipes and stays, is ended in time."""
    monkeypatch.setattr(reading, "_look", hanging)
    monkeypatch.setattr(reading, "_GRACE", 0.5)
    with pytest.raises(raised, match=r"does not stop|box failed"):
        ask(config, [], seconds=0.2)


def test_an_honest_box_says_no_more_than_it_may() -> None:
    """However long it looks and words change, it stays within what is taken in, and the last word is told."""
    reader, outlet = os.pipe()
    words = [CardWord(1 + turn % 2) for turn in range(3 * MOST)]
    ticks = iter(range(10_000))
    frames = (Frame(pixels=np.zeros((2, 2, 3), np.uint8), at=float(turn)) for turn in range(len(words)))
    said = iter(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.time, "monotonic", lambda: float(next(ticks)))
        reading._watch(frames, lambda _: next(said), outlet, 9_000.0)
    os.close(outlet)
    records = os.read(reader, 65_536)
    os.close(reader)
    assert len(records) <= MOST * RECORD
    assert records[-RECORD:] == record_of_word(words[-1])


def test_words_are_told_once_each(config: UnitConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word is told when it changes; the last one is the reason why there is no matrix."""

    def look(_config: object, _wanted: object, outlet: int, _seconds: float) -> None:
        os.write(2, SEALED)
        for word in (CardWord.PARTLY, CardWord.PARTLY, CardWord.TOO_SMALL):
            os.write(outlet, record_of_word(word))

    monkeypatch.setattr(reading, "_look", look)
    told: list[CardWord] = []
    with pytest.raises(Unavailable, match="too small"):
        ask(config, told)
    assert told == [CardWord.PARTLY, CardWord.TOO_SMALL]


def test_a_matrix_is_all_that_is_kept() -> None:
    """The file tells nine numbers and how well they fit: no time, no name, no place."""
    words = spelled(MATRIX).decode().split()
    assert words[:4] == ["leftfield", "camera", "matrix", "1"]
    assert all(word.isdecimal() or word == "residual" for word in words[4:])
