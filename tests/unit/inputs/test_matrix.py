"""The camera's matrix as a value, a file, and as SENSE takes it; and what may come out of the card's box."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused, Unfit
from appliance.protocol.sign import new_private_key
from appliance.settings import config
from appliance.settings.config import UnitConfig
from appliance.unit import sense
from appliance.unit.card.words import RECORD, CardWord, record_of_matrix, record_of_word, said_in
from appliance.unit.inputs import colour_matrix
from appliance.unit.inputs.colour_matrix import (
    CAPACITY_BITS,
    CREDENTIAL,
    CameraMatrix,
    kept_at,
    matrix_in,
    spelled,
    taken,
)
from appliance.unit.inputs.start_inputs import StartInputs
from appliance.unit.vision import pipeline

IDENTITY = (1024, 0, 0, 0, 1024, 0, 0, 0, 1024)
WARM = CameraMatrix((1045, -215, -35, -215, 1462, -203, -36, -539, 2321), 8)


@st.composite
def matrices(draw: st.DrawFn) -> CameraMatrix:
    """Any that could be right."""
    entries = [draw(st.integers(600, 3000) if n % 4 == 0 else st.integers(-200, 200)) for n in range(9)]
    return CameraMatrix(tuple(entries), draw(st.integers(0, 70)))


@given(matrices())
def test_a_matrix_survives_file_and_record(found: CameraMatrix) -> None:
    """Any matrix is read from its file and from its record as it was."""
    assert matrix_in(spelled(found), "file") == found
    assert said_in(record_of_matrix(found)) == found


@given(st.sampled_from(CardWord))
def test_a_word_survives_its_record(word: CardWord) -> None:
    """Each word is read from its record, and tells a person what is wrong and what to do."""
    assert said_in(record_of_word(word)) is word
    assert word.said
    assert word.fix


@given(st.binary(max_size=2 * RECORD) | st.binary(min_size=RECORD, max_size=RECORD))
def test_what_the_box_says_is_a_value_or_refused(untrusted: bytes) -> None:
    """Any bytes are a word, a matrix that could be right, or Refused; and there is one spelling of each."""
    try:
        said = said_in(untrusted)
    except Refused:
        return
    assert untrusted == (record_of_matrix(said) if isinstance(said, CameraMatrix) else record_of_word(said))


@given(st.binary(max_size=RECORD - 1).map(lambda tail: bytes(RECORD - len(tail)) + tail))
def test_hardly_a_matrix_is_refused_too(untrusted: bytes) -> None:
    """Records that begin as a matrix does are judged by the same bounds."""
    try:
        said = said_in(untrusted)
    except Refused:
        return
    assert record_of_matrix(said) == untrusted  # type: ignore[arg-type]


@given(st.integers(0, 255), st.integers(0, RECORD - 1))
def test_a_word_carries_nothing_beside_itself(byte: int, place: int) -> None:
    """One byte of a word's record changed is another word or refused: there is no room beside it."""
    record = bytearray(record_of_word(CardWord.FOUND))
    record[place] = byte
    try:
        said = said_in(bytes(record))
    except Refused:
        return
    assert isinstance(said, CardWord)
    assert bytes(record) == record_of_word(said)


@given(st.binary(max_size=200) | st.text(max_size=120).map(str.encode))
def test_a_file_is_a_matrix_or_unfit(untrusted: bytes) -> None:
    """Any bytes in the file's place are a matrix in its one spelling, or Unfit."""
    try:
        found = matrix_in(untrusted, "file")
    except Unfit:
        return
    assert spelled(found) == untrusted


@pytest.mark.parametrize(
    ("entries", "residual", "what"),
    [
        ((1024,) * 8, 0, "not nine"),
        ((255, *IDENTITY[1:]), 0, "number 1 is 255"),
        ((4097, *IDENTITY[1:]), 0, "number 1"),
        ((1024, 1025, *IDENTITY[2:]), 0, "number 2"),
        ((1024, -1025, *IDENTITY[2:]), 0, "number 2"),
        (IDENTITY, 71, "residual"),
        (IDENTITY, -1, "residual"),
        ((1024, 1024, 0, 1024, 1024, 0, 0, 0, 1024), 0, "determinant"),
        ((1024, 1000, 0, 1000, 1024, 0, 0, 0, 1024), 0, "condition"),
        ((256, 0, 0, 0, 256, 0, 0, 0, 256), 0, ""),
    ],
)
def test_what_no_camera_needs_is_no_matrix(entries: tuple[int, ...], residual: int, what: str) -> None:
    """Range, determinant and condition are judged, each with its reason; the bounds themselves may be reached."""
    if not what:
        assert CameraMatrix(entries, residual).entries == entries
        return
    with pytest.raises(ValueError, match=what):
        CameraMatrix(entries, residual)


def test_the_capacity_is_as_it_is_told() -> None:
    """A matrix tells less than 108 bits, less than one of the unit's messages."""
    assert 107 < CAPACITY_BITS < 108


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UnitConfig:
    """A unit by hand: the file lies where ``card read`` writes it, and there are no credentials."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "unit.toml").write_text(
        '[unit]\nbooth = "b"\nunit = "north"\n[camera]\nsource = "0"\n[card]\nmatrix = "state/camera.matrix"\n'
        '[broker]\nhost = "h"\nca = "c"\ncertificate = "c"\nkey = "k"\n'
    )
    return config.unit_config(tmp_path / "unit.toml")


def test_what_was_kept_is_taken(unit: UnitConfig) -> None:
    """The file that the command writes, its directory made, is what SENSE goes by."""
    assert taken(unit) == (None, "no colour card has been read: colours as the camera gives them")
    kept_at(unit.matrix, WARM)
    found, said = taken(unit)
    assert found == WARM
    assert "0.8" in said
    assert unit.matrix.stat().st_mode & 0o777 == 0o644


def test_a_credential_comes_first(unit: UnitConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under systemd the copy counts; the word none says that no card has been read."""
    kept_at(unit.matrix, WARM)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert taken(unit)[0] == WARM  # an older unit file hands over no copy
    other = replace(WARM, residual=9)
    (tmp_path / CREDENTIAL).write_bytes(spelled(other))
    assert taken(unit)[0] == other
    (tmp_path / CREDENTIAL).write_text("none")
    assert taken(unit)[0] is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"none of it",
        spelled(WARM)[:-1],
        spelled(WARM) + b"\n",
        spelled(WARM).replace(b"matrix 1", b"matrix 2"),
        spelled(WARM).replace(b"2321", b"9999"),
        spelled(WARM).replace(b"2321", b"02321"),
        spelled(WARM).replace(b"residual 8", b"residual 008"),
        spelled(WARM) * 40,
        b"\xff" * 80,
    ],
)
def test_nonsense_stops_sense(unit: UnitConfig, content: bytes) -> None:
    """A file that is not in its one spelling, or of another version, is Unfit and says where and how to fix it."""
    kept_at(unit.matrix, WARM)
    unit.matrix.write_bytes(content)
    with pytest.raises(Unfit) as refusal:
        taken(unit)
    assert str(unit.matrix) in str(refusal.value)
    assert "card read" in refusal.value.fix


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_only_a_plain_file_is_read(unit: UnitConfig, kind: str) -> None:
    """A link is not followed, a pipe not waited for, a directory not taken for nothing."""
    unit.matrix.parent.mkdir()
    if kind == "link":
        kept_at(unit.matrix.parent / "another", WARM)
        unit.matrix.symlink_to(unit.matrix.parent / "another")
    elif kind == "pipe":
        os.mkfifo(unit.matrix)
    else:
        unit.matrix.mkdir()
    with pytest.raises(Unfit):
        taken(unit)


def test_who_may_not_look_goes_without(unit: UnitConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the state directory is out of reach and no copy was handed over, SENSE says so and sees."""

    def closed(path: Path) -> None:
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr(colour_matrix, "_read", closed)
    found, said = taken(unit)
    assert found is None
    assert "may not look" in said


def test_sense_hands_it_to_its_eyes(
    unit: UnitConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SENSE took before its walls is what its pipeline is made with."""
    kept_at(unit.matrix, WARM)
    (tmp_path / "signing.key").write_bytes(new_private_key())
    (tmp_path / "epoch").write_text("7")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    path = tmp_path / "unit.toml"
    path.write_text(path.read_text() + '[pipe]\npath = "pipe"\n')
    asked: list[object] = []

    def loaded(_settings: UnitConfig, handed: StartInputs, **_how: bool) -> None:
        asked.append(handed)
        raise Unfit("no need to see")

    monkeypatch.setattr(pipeline, "load", loaded)
    assert sense.main(path, unboxed=True) == 78
    os.close(reader)
    assert asked == [StartInputs(None, WARM)]
