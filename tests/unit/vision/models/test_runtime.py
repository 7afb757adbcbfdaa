"""MODELS.toml, the hash of every model, and the choice of what runs it."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.base.errors import Unavailable, Unfit
from appliance.unit.vision.models.catalogue import default_model_directory, read_catalogue, read_model
from appliance.unit.vision.models.runtime import (
    Accelerator,
    Model,
    Place,
    Wish,
    choose_accelerator,
    fall_back,
    load_model,
)

CPU = choose_accelerator(wish=Wish.CPU)
NO_LIBRARY = "libedgetpu-that-is-not-there.so.1"
EDGE_TPU_CACHE = 8 * 1024 * 1024


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the shipped models that a test may damage."""
    for file in default_model_directory().iterdir():
        if file.suffix in {".tflite", ".toml"}:
            shutil.copy(file, tmp_path)
    return tmp_path


def damage(models: Path, old: str, new: str) -> None:
    path = models / "MODELS.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_every_shipped_model_is_the_one_the_catalogue_vouches_for() -> None:
    """Each shipped file has the hash, the length, the licence and the card that MODELS.toml promises."""
    catalogue = read_catalogue(default_model_directory())
    assert [model.name for model in catalogue.models] == ["people", "pose", "pattern", "garments"]
    for model in catalogue.models:
        stored = read_model(model)
        assert hashlib.sha256(stored).hexdigest() == model.sha256
        assert model.licence == "Apache-2.0"
        assert model.path.with_suffix(".md").is_file()
        assert (catalogue.path.parent / model.recipe).is_file()


def test_the_default_pair_fits_the_edge_tpu_cache() -> None:
    """Both default models together stay below the Edge TPU's 8 MB of on-chip memory."""
    assert sum(model.size for model in read_catalogue(default_model_directory()).models) < EDGE_TPU_CACHE


def test_models_are_int8_with_pixels_in() -> None:
    """Every input and output is uint8, every shape is static, and the input means pixel / 127.5 - 1."""
    for model in read_catalogue(default_model_directory()).models:
        assert {spec.dtype for spec in (model.input, *model.outputs)} == {"uint8"}
        assert model.input.scale == pytest.approx(1 / 127.5, rel=1e-5)
        assert model.input.zero == 127
        assert all(side > 0 for spec in (model.input, *model.outputs) for side in spec.shape)


def test_a_changed_model_is_unfit(models: Path) -> None:
    """One flipped bit in a model file stops the unit, naming the file, both hashes and the cure."""
    path = models / "people.tflite"
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)
    with pytest.raises(Unfit, match="sha256") as caught:
        load_model(read_catalogue(models).named("people"), CPU)
    assert caught.value.where == str(path)
    assert "make models" in caught.value.fix


def test_a_wrong_length_is_unfit(models: Path) -> None:
    """A catalogue that states another length than the hashed file has is not believed."""
    damage(models, "bytes = ", "bytes = 1")
    with pytest.raises(Unfit, match="bytes long"):
        load_model(read_catalogue(models).named("people"), CPU)


def test_a_missing_model_is_unfit(models: Path) -> None:
    """An absent model file is named."""
    (models / "pose.tflite").unlink()
    with pytest.raises(Unfit, match="cannot be read") as caught:
        load_model(read_catalogue(models).named("pose"), CPU)
    assert caught.value.where == str(models / "pose.tflite")


def test_a_missing_catalogue_is_unfit(tmp_path: Path) -> None:
    """A directory without MODELS.toml is named."""
    with pytest.raises(Unfit, match="cannot be read"):
        read_catalogue(tmp_path)


def test_an_unknown_model_is_unfit(models: Path) -> None:
    """Asking for a model that is not listed says which ones are."""
    with pytest.raises(Unfit, match="people, pose"):
        read_catalogue(models).named("faces")


def test_a_wrong_shape_is_unfit(models: Path) -> None:
    """A model whose tensors are not those promised is refused before it runs."""
    damage(models, "shape = [1, 320, 416, 3]", "shape = [1, 416, 320, 3]")
    with pytest.raises(Unfit, match=r"320, 416.*416, 320"):
        load_model(read_catalogue(models).named("people"), CPU)


def test_a_wrong_quantisation_is_unfit(models: Path) -> None:
    """A model whose numbers mean something else than promised is refused before it runs."""
    damage(models, "zero = 127", "zero = 126")
    with pytest.raises(Unfit, match="quantisation"):
        load_model(read_catalogue(models).named("people"), CPU)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("bytes = ", 'bytes = "x" #', "models.people.bytes"),
        ('sha256 = "', 'sha256 = "Z', "models.people.sha256"),
        ('file = "people.tflite"', 'file = "../people.tflite"', "models.people.file"),
        ("shape = [1, 320, 416, 3]", "shape = [1, 0, 416, 3]", "models.people.input.shape"),
        ("shape = [1, 320, 416, 3]", "shape = [320, 416, 3]", "models.people.input.shape"),
        ("scale = 0.", "scale = -0.", "models.people.input.scale"),
        ('labels = ["person"]', "labels = [1]", "models.people.labels"),
        ("outputs = [", "outputs = []\nother = [", "models.people.outputs"),
        ('licence = "Apache-2.0"', 'licence = ""', "models.people.licence"),
        ("input = {", "input = 3 #", "models.people.input"),
        ("[models.people]", "[models]\npeople = 3\n[other]", "models.people"),
    ],
)
def test_a_malformed_catalogue_names_the_field(models: Path, old: str, new: str, place: str) -> None:
    """A wrong field of MODELS.toml is named with its whole path."""
    damage(models, old, new)
    with pytest.raises(Unfit) as caught:
        read_catalogue(models).named("people")
    assert place in caught.value.what
    assert caught.value.where == str(models / "MODELS.toml")


def test_a_catalogue_that_is_no_toml_is_unfit(tmp_path: Path) -> None:
    """Bytes that are not TOML give one clear error."""
    (tmp_path / "MODELS.toml").write_bytes(b"\xff\xfe[")
    with pytest.raises(Unfit, match="is not TOML"):
        read_catalogue(tmp_path)


def test_a_file_that_is_no_model_is_unfit(models: Path) -> None:
    """A vouched-for file that no runtime can load is refused by name."""
    stored = b"not a model" * 100
    (models / "people.tflite").write_bytes(stored)
    listed = tomllib.loads((models / "MODELS.toml").read_text("utf-8"))["models"]["people"]
    damage(models, listed["sha256"], hashlib.sha256(stored).hexdigest())
    damage(models, f"bytes = {listed['bytes']}", f"bytes = {len(stored)}")
    with pytest.raises(Unfit, match="not a model this runtime can load"):
        load_model(read_catalogue(models).named("people"), CPU)


def test_without_an_edge_tpu_the_cpu_is_chosen_and_the_reason_said() -> None:
    """Automatic choice falls to the CPU where no Edge TPU library is installed, and names the library."""
    chosen = choose_accelerator(library=NO_LIBRARY)
    assert chosen.place is Place.CPU
    assert NO_LIBRARY in chosen.why
    assert not chosen.degraded
    assert chosen.threads == 1


@pytest.mark.parametrize("library", [NO_LIBRARY, "libc.so.6"])
def test_an_edge_tpu_asked_for_by_name_must_answer(library: str) -> None:
    """Asking for the Edge TPU alone is unavailable when its library is absent or is another library."""
    with pytest.raises(Unavailable, match="no Edge TPU"):
        choose_accelerator(wish=Wish.EDGE_TPU, library=library)


def test_no_threads_are_unfit() -> None:
    """A thread count below one is a configuration error."""
    with pytest.raises(Unfit, match="0 threads"):
        choose_accelerator(threads=0)


def test_a_failed_edge_tpu_falls_back_to_a_degraded_cpu() -> None:
    """After the Edge TPU failed, the next choice is the CPU, marked degraded, with the failure as its reason."""
    failed = Accelerator(place=Place.EDGE_TPU, why="", threads=2)
    chosen = fall_back(failed, Unavailable("stopped answering"))
    assert chosen == Accelerator(place=Place.CPU, why="stopped answering", threads=2, degraded=True)


def test_behind_the_cpu_there_is_nothing_to_fall_back_to() -> None:
    """A CPU that cannot run a model is a fault of the unit, not a passing one."""
    with pytest.raises(Unfit):
        fall_back(CPU, Unavailable("out of memory"))


def test_a_model_without_an_edge_tpu_build_runs_on_the_cpu() -> None:
    """Where MODELS.toml names no Edge TPU build, the model says that it runs on the CPU, and why."""
    card = read_catalogue(default_model_directory()).named("pose")
    model = load_model(card, Accelerator(place=Place.EDGE_TPU, why="opened"))
    assert model.accelerator.place is Place.CPU
    assert "no Edge TPU build" in model.accelerator.why


def test_invoke_counts_its_time_and_returns_the_callers_own_arrays() -> None:
    """Outputs keep their values when the model runs again, and the pure invoke time adds up."""
    model = load_model(read_catalogue(default_model_directory()).named("pose"), CPU)
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, model.card.input.shape, np.uint8)
    first = model.invoke(noise)
    kept = [output.copy() for output in first]
    spent = model.invoked_ns
    model.invoke(255 - noise)
    assert all(np.array_equal(output, copy) for output, copy in zip(first, kept, strict=True))
    assert [output.shape for output in first] == [spec.shape for spec in model.card.outputs]
    assert model.invocations == 2
    assert 0 < spent < model.invoked_ns


def test_a_wrong_picture_is_unfit() -> None:
    """Feeding another shape than declared is our mistake and says so."""
    model = load_model(read_catalogue(default_model_directory()).named("pose"), CPU)
    with pytest.raises(Unfit, match="pose"):
        model.invoke(np.zeros((1, 10, 10, 3), np.uint8))


class Unplugged:
    """An interpreter whose accelerator was pulled out: everything works until it has to compute."""

    def __init__(self, real: Any) -> None:
        self.get_input_details = real.get_input_details
        self.get_output_details = real.get_output_details
        self.set_tensor = real.set_tensor
        self.get_tensor = real.get_tensor

    def invoke(self) -> None:
        """Fail as the delegate does."""
        raise RuntimeError("Failed to execute request.\nEdgeTpuDelegate failed to invoke.")


def test_an_accelerator_that_stops_answering_is_unavailable() -> None:
    """A runtime error inside invoke becomes Unavailable, so that the unit can fall back and say `degraded`."""
    loaded = load_model(read_catalogue(default_model_directory()).named("pose"), CPU)
    tpu = Accelerator(place=Place.EDGE_TPU, why="opened")
    model = Model(loaded.card, tpu, Unplugged(loaded._interpreter))
    with pytest.raises(Unavailable, match="edge-tpu failed to run") as caught:
        model.invoke(np.zeros(loaded.card.input.shape, np.uint8))
    assert fall_back(tpu, caught.value).degraded
    assert model.invocations == 0


class Slowing:
    """An interpreter that computes nothing, and takes as long as it is told."""

    def __init__(self, real: Any) -> None:
        self.get_input_details = real.get_input_details
        self.get_output_details = real.get_output_details
        self.get_tensor = real.get_tensor

    def set_tensor(self, _index: int, _value: Any) -> None:
        """Nothing."""

    def invoke(self) -> None:
        """Nothing: the clock of the test moves."""


def test_an_accelerator_that_is_hot_is_given_up_and_one_that_is_steady_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forty times slower than it was, for some pictures: Unavailable, with the reason."""
    loaded = load_model(read_catalogue(default_model_directory()).named("pose"), CPU)
    model = Model(loaded.card, Accelerator(place=Place.EDGE_TPU, why="opened"), Slowing(loaded._interpreter))
    picture = np.zeros(loaded.card.input.shape, np.uint8)
    times = iter(range(10**9))
    step = 5_000_000

    def clock() -> int:
        return next(times) * step

    monkeypatch.setattr("appliance.unit.vision.models.runtime.time.perf_counter_ns", clock)
    for _ in range(60):
        model.invoke(picture)
    with pytest.raises(Unavailable, match="slower: hot"):  # noqa: PT012 - one of many calls
        step = 200_000_000
        for _ in range(60):
            model.invoke(picture)
