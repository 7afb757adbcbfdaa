"""When set-up works again and when it stays silent; what it says when pip cannot go on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from setup.environment import digest, fix, notable_download, pins, read_stamp, ready
from setup.places import Places
from setup.voice import SetupError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fresh(tmp_path: Path) -> Places:
    """Make a checkout with locks and an environment whose stamp says that both are installed."""
    where = Places(checkout=tmp_path, venv=tmp_path / ".venv", cache=tmp_path / ".cache")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "requirements" / "runtime.lock").write_text("av==18.1.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "requirements" / "dev.lock").write_text("av==18.1.0\nruff==0.17.6\n")
    where.python.parent.mkdir(parents=True)
    where.python.symlink_to(sys.executable)
    stamp = {kind: digest(tmp_path / "requirements" / f"{kind}.lock") for kind in ("runtime", "dev")}
    stamp["project"] = digest(tmp_path / "pyproject.toml")
    (where.venv / "leftfield-installed.json").write_text(json.dumps(stamp))
    return where


def test_an_installed_environment_is_ready(fresh: Places) -> None:
    """With the stamp of the present files nothing is left to do."""
    assert ready(fresh, "runtime")
    assert ready(fresh, "dev")


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements/runtime.lock"])
def test_a_changed_file_makes_the_environment_stale(fresh: Places, file: str) -> None:
    """A new lock or a new pyproject is installed, even when the file's time did not change."""
    with (fresh.checkout / file).open("a") as changed:
        changed.write("# one more line\n")

    assert not ready(fresh, "runtime")


def test_a_change_of_the_tests_lock_leaves_the_demo_ready(fresh: Places) -> None:
    """The demo does not wait for what only the tests need."""
    (fresh.checkout / "requirements" / "dev.lock").write_text("av==18.1.0\nruff==0.18.0\n")

    assert ready(fresh, "runtime")
    assert not ready(fresh, "dev")


def test_an_environment_without_its_python_is_not_ready(fresh: Places) -> None:
    """A stamp does not speak for an interpreter that was removed from the machine."""
    fresh.python.unlink()

    assert not ready(fresh, "runtime")


@pytest.mark.parametrize("garbage", ["", "[]", "{", "null", '"runtime"'])
def test_a_damaged_stamp_means_that_nothing_is_installed(tmp_path: Path, garbage: str) -> None:
    """Whatever the stamp file holds, set-up works again rather than stopping."""
    stamp = tmp_path / "stamp.json"
    stamp.write_text(garbage)

    assert read_stamp(stamp) == {}


def test_a_checkout_without_its_lock_says_so(fresh: Places) -> None:
    """A missing lock file is named."""
    (fresh.checkout / "requirements" / "dev.lock").unlink()

    with pytest.raises(SetupError, match=r"dev\.lock is missing"):
        ready(fresh, "dev")


def test_the_pins_of_a_lock_are_its_packages_without_hashes_and_comments() -> None:
    """Two locks are compared by names and versions alone."""
    lock = "# a comment\nav==18.1.0 ; python_version < '3.12' \\\n    --hash=sha256:00\n    # via x\nsegno==1.6.6\n"

    assert pins(lock) == {"av==18.1.0", "segno==1.6.6"}


def test_the_tests_lock_holds_the_demos_lock() -> None:
    """Every version the demo runs with is the version the tests ran with."""
    runtime, dev = (pins((ROOT / "requirements" / f"{kind}.lock").read_text()) for kind in ("runtime", "dev"))

    assert runtime
    assert runtime <= dev


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_a_lock_can_install_the_checkout_without_build_isolation(kind: str) -> None:
    """What builds the package is locked like everything else, so nothing is fetched unchecked."""
    names = {pin.split("==")[0] for pin in pins((ROOT / "requirements" / f"{kind}.lock").read_text())}

    assert {"hatchling", "editables"} <= names


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_every_locked_package_has_hashes_and_no_address(kind: str) -> None:
    """A lock names packages and hashes; where they come from is the machine's own matter."""
    lock = (ROOT / "requirements" / f"{kind}.lock").read_text()

    assert all(
        " --hash=sha256:" in block for block in lock.replace("\\\n", "").splitlines() if block[:1].isalnum()
    )
    assert "://" not in lock
    assert "index-url" not in lock


def test_only_larger_downloads_are_shown() -> None:
    """A person waiting sees what takes long, by name, version and size."""
    assert (
        notable_download("  Downloading numpy-2.4.6-cp311-cp311-manylinux.whl (16.9 MB)\n")
        == "numpy 2.4.6 (16.9 MB)"
    )
    assert notable_download("  Downloading segno-1.6.6-py3-none-any.whl (74 kB)\n") == ""


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "do not use it"),
        ("NewConnectionError: Temporary failure in name resolution", "online"),
        ("ERROR: No matching distribution found for av==18.1.0", "64-bit"),
        ("ModuleNotFoundError: No module named 'x'", ""),
    ],
)
def test_the_advice_fits_what_pip_said(said: str, advice: str) -> None:
    """A wrong hash, a missing network and a missing wheel are mended differently."""
    assert advice in fix(said)
    assert bool(advice) == bool(fix(said))
