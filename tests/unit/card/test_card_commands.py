"""The commands ``leftfield card print`` and ``card read`` as far as they go without a camera, and measured prints."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import cli
from appliance.base.errors import Unfit
from appliance.unit.card.patches import PATCHES, asked, linear_of_d50, measured
from appliance.unit.vision.attributes.colours import linear


def sheet(path: Path, *, skip: str = "", more: str = "") -> Path:
    """A measured print: every patch a grey of its own."""
    lines = [f"{name},{20 + 3 * number},0,0" for number, name in enumerate(PATCHES) if name != skip]
    path.write_text("patch,L,a,b\n" + "\n".join(lines) + "\n" + more)
    return path


def test_printing_writes_one_page(tmp_path: Path) -> None:
    """``card print`` writes an SVG that is well-formed, says what it is, and that inks differ."""
    out = tmp_path / "card.svg"
    assert cli.main(["card", "print", "--out", str(out), "--paper", "letter"]) == 0
    root = ET.fromstring(out.read_text())  # noqa: S314 - our own page
    words = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "Leftfield colour card 1" in words
    assert "100 %" in words
    assert "inks differ" in words


def test_printing_nowhere_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page that cannot be written is one clear line and exit code 78."""
    assert cli.main(["card", "print", "--out", str(tmp_path / "no" / "card.svg")]) == 78
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_command_itself_loads_no_pixels() -> None:
    """Whoever prints a card, and the process outside the box, loads neither arrays nor pictures."""
    code = (
        "import sys; from appliance import cli; "
        "cli.main(['card', 'read', '--config', '/nowhere/unit.toml']); import appliance.unit.card.reading; "
        "print([m for m in ('numpy', 'cv2', 'av', 'ai_edge_litert') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("option", "value"),
    [("--source", "rtsp://camera/1"), ("--seconds", "601"), ("--patches", "/nowhere.csv")],
)
def test_what_cannot_be_is_said_before_anything_starts(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network camera, too long a time or a missing file is one line and exit code 78."""
    path = tmp_path / "unit.toml"
    path.write_text(
        '[unit]\nbooth = "b"\nunit = "n"\n[camera]\nsource = "0"\n'
        '[broker]\nhost = "h"\nca = "c"\ncertificate = "c"\nkey = "k"\n'
    )
    assert cli.main(["card", "read", "--config", str(path), option, value]) == 78
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "Fix: " in said[0]


def test_the_asked_colours_are_srgbs() -> None:
    """What the patches are asked to be agrees with the unit's own conversion, patch by patch."""
    bytes_ = np.array(list(PATCHES.values()), np.uint8)
    assert np.array(list(asked().values())) == pytest.approx(linear(bytes_), abs=1e-6)


def test_an_instruments_colours_are_adapted_to_daylight() -> None:
    """Under D50 a neutral is neutral here; a colour agrees with the published D50 values of the sRGB primaries."""
    assert linear_of_d50((100.0, 0.0, 0.0)) == pytest.approx((1, 1, 1), abs=1e-4)
    assert linear_of_d50((50.0, 0.0, 0.0)) == pytest.approx((0.18419,) * 3, abs=1e-4)
    assert linear_of_d50((54.29, 80.81, 69.89)) == pytest.approx((1, 0, 0), abs=2e-3)  # ICC's sRGB red
    assert linear_of_d50((29.57, 68.30, -112.03)) == pytest.approx((0, 0, 1), abs=2e-3)


def test_a_measured_print_is_read(tmp_path: Path) -> None:
    """Every patch has the light that was measured, in the card's order, whatever the file's."""
    found = measured(sheet(tmp_path / "print.csv"))
    assert set(found) == set(PATCHES)
    assert found["paper"] == pytest.approx(linear_of_d50((20, 0, 0)))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "first line"),
        ("patch;L;a;b\n", "first line"),
        ("patch,L,a,b\nmauve,1,2,3\n", "line 2"),
        ("patch,L,a,b\nred,1,2\n", "three numbers"),
        ("patch,L,a,b\nred,1,2,x\n", "three numbers"),
        ("patch,L,a,b\nred,101,2,3\n", "between"),
        ("patch,L,a,b\nred,nan,2,3\n", "between"),
        ("patch,L,a,b\nred,50,2,3\nred,50,2,3\n", "twice"),
    ],
)
def test_a_wrong_sheet_is_unfit(text: str, what: str, tmp_path: Path) -> None:
    """Each fault of a measured sheet is one clear line with the file's name."""
    path = tmp_path / "print.csv"
    path.write_text(text)
    with pytest.raises(Unfit, match=what) as refusal:
        measured(path)
    assert "print.csv" in refusal.value.where


def test_a_patch_not_measured_is_named(tmp_path: Path) -> None:
    """A sheet with a patch missing says which."""
    with pytest.raises(Unfit, match="olive"):
        measured(sheet(tmp_path / "print.csv", skip="olive"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_sheet_is_read_or_unfit(tmp_path: Path, untrusted: bytes) -> None:
    """Garbage behind the first line is Unfit, never anything else."""
    path = tmp_path / "garbage.csv"
    path.write_bytes(b"patch,L,a,b\n" + untrusted)
    with pytest.raises(Unfit):
        measured(path)


def test_opencv_knows_the_markers() -> None:
    """The library that the unit is locked to has the marker detector built in."""
    assert hasattr(cv2.aruco, "ArucoDetector")
