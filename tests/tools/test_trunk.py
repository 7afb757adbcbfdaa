"""The reader of published weights (models_tflite/recipe/trunk/stored.py) runs nothing that a file asks for."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import pytest

STORED = Path(__file__).resolve().parents[2] / "models_tflite" / "recipe" / "trunk" / "stored.py"
SPEC = importlib.util.spec_from_file_location("stored", STORED)
assert SPEC is not None
assert SPEC.loader is not None
stored = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(stored)
MAGIC = 0x1950A86A20F9469CFC6C


class Asks:
    """Asks, when it is read, for a folder to be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.mkdir, (self.folder,)


def test_weights_that_ask_for_a_function_are_refused(tmp_path: Path) -> None:
    """A pickle inside the file that names anything but tensors is refused before it is run."""
    parts = (MAGIC, 1001, {}, {"weight": Asks(tmp_path / "made")})
    (tmp_path / "evil.pth").write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    with pytest.raises(pickle.UnpicklingError, match="the weights ask for"):
        stored.tensors(tmp_path / "evil.pth")
    assert not (tmp_path / "made").exists()


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    """What does not begin with the layout's number is not read on."""
    (tmp_path / "other.pth").write_bytes(pickle.dumps(7, 2))
    with pytest.raises(SystemExit, match="old layout"):
        stored.tensors(tmp_path / "other.pth")
