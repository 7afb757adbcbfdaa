from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance import __version__, cli


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` says the version of the package."""
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out.strip() == f"leftfield {__version__}"


def test_an_error_of_ours_is_one_line_and_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configuration that is not there is one line that says how to fix it, and exit code 78; no traceback."""
    assert cli.main(["relay", "--config", str(tmp_path / "unit.toml")]) == 78
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "Fix: " in said


@pytest.mark.parametrize(
    ("option", "text"),
    [("--port", "99999"), ("--port", "x"), ("--duration", "-5"), ("--duration", "0"), ("--duration", "nan")],
)
def test_a_number_that_cannot_be_is_refused(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port or a duration that cannot be is wrong use, told before anything starts."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", f"{option}={text}"])
    assert ended.value.code == 2
    assert f"argument {option}: " in capsys.readouterr().err


def test_the_relays_command_loads_no_pixels_and_no_private_keys() -> None:
    """``leftfield relay`` loads neither arrays, images and models nor the rooms of private keys."""
    code = (
        "import sys; from appliance import cli; cli.main(['relay', '--config', '/nowhere/unit.toml']); "
        "print([m for m in ('numpy', 'cv2', 'av', 'ai_edge_litert', 'appliance.enrol',"
        " 'appliance.unit.pipe.writer') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_the_vocabulary_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """``leftfield vocabulary`` lists every attribute with its levels, and the capacity of a message in bits."""
    assert cli.main(["vocabulary"]) == 0
    said = capsys.readouterr().out
    assert "bottom.pattern" in said
    assert "bits" in said


def test_the_epochs_command_loads_nothing_but_files(tmp_path: Path) -> None:
    """``leftfield epoch``, which runs before each start of SENSE, loads no arrays, no keys and no other room."""
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "epoch").write_bytes(b"6\n")
    code = (
        f"import sys; from appliance import cli; cli.main(['epoch', '--directory', {str(tmp_path)!r}]); "
        "rooms = ('numpy', 'cryptography', 'paho', 'appliance.enrol', 'appliance.unit', 'appliance.hub', "
        "'appliance.pages', 'appliance.demo'); print([room for room in rooms if room in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.splitlines() == ["epoch 7", "[]"]
