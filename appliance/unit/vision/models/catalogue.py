"""Reads MODELS.toml and the model files it vouches for.

Invariants:
    * No byte of a model runs that was not hashed in this process first: the hashed bytes are the ones handed to the
      runtime, the file is not opened twice.
    * Whatever is wrong with a model is `Unfit`, with what, where and how to fix it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.base.errors import Unfit

CATALOGUE = "MODELS.toml"
_MEND_FILE = "run `make models`, or restore the file from the release it came with"
_MEND_CATALOGUE = "restore MODELS.toml from the release it came with"
_SHA256_LETTERS = 64
_BATCH_RANK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of a model: real value = scale x (stored - zero)."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The same model after the Edge TPU compiler, when provisioning has put one there."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """What MODELS.toml says about one model; `outputs` stand in the order the unit reads them."""

    name: str
    path: Path
    sha256: str
    size: int
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    licence: str
    source: str
    recipe: str
    accuracy: str
    compiled: Compiled | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCatalogue:
    """The models of one directory."""

    path: Path
    models: tuple[ModelFile, ...]

    def named(self, name: str) -> ModelFile:
        """Return the model called `name`; `Unfit` when there is none."""
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models) or "none"
        raise Unfit(
            f"no model is called {name!r} (known: {known})", where=str(self.path), fix=_MEND_CATALOGUE
        )


def default_model_directory() -> Path:
    """Return the installed package's models, else the checkout's; `Unfit` when neither is there."""
    package = Path(__file__).resolve().parents[3]
    places = (package / "_models", package.parent / "models_tflite")
    for place in places:
        if (place / CATALOGUE).is_file():
            return place
    raise Unfit(
        f"{CATALOGUE} is in neither {places[0]} nor {places[1]}",
        where="models",
        fix="install the package's wheel, or run from a complete checkout",
    )


def read_catalogue(directory: Path) -> ModelCatalogue:
    """Read `directory`/MODELS.toml; the model files themselves are not opened yet."""
    path = directory / CATALOGUE
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Unfit(f"cannot be read ({error.strerror})", where=str(path), fix=_MEND_CATALOGUE) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unfit(f"is not TOML ({error})", where=str(path), fix=_MEND_CATALOGUE) from error
    tables = _Table(path=path, place="models", fields=_fields(document.get("models"), path, "models"))
    return ModelCatalogue(path=path, models=tuple(_model(tables.table(name), name) for name in tables.fields))


def read_model(model: ModelFile) -> bytes:
    """Return the model's bytes, which are those MODELS.toml vouches for; `Unfit` otherwise."""
    stored = _read_hashed(model.path, model.sha256)
    if len(stored) != model.size:
        what = f"is {len(stored)} bytes long, {CATALOGUE} says {model.size}"
        raise Unfit(what, where=str(model.path), fix=_MEND_CATALOGUE)
    return stored


def read_compiled(compiled: Compiled) -> bytes:
    """Return the bytes of an Edge TPU build; `Unfit` when they are not those MODELS.toml vouches for."""
    return _read_hashed(compiled.path, compiled.sha256)


def _read_hashed(path: Path, sha256: str) -> bytes:
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise Unfit(f"cannot be read ({error.strerror})", where=str(path), fix=_MEND_FILE) from error
    found = hashlib.sha256(stored).hexdigest()
    if found != sha256:
        what = f"has sha256 {found}, {CATALOGUE} says {sha256}"
        raise Unfit(what, where=str(path), fix=_MEND_FILE)
    return stored


def _fields(value: object, path: Path, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Unfit(f"[{place}] is missing or no table", where=str(path), fix=_MEND_CATALOGUE)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A TOML table that knows its place, so that a wrong field can be named."""

    path: Path
    place: str
    fields: Mapping[str, object]

    def wrong(self, key: str, wanted: str) -> Unfit:
        return Unfit(f"{self.place}.{key} must be {wanted}", where=str(self.path), fix=_MEND_CATALOGUE)

    def text(self, key: str) -> str:
        value = self.fields.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "a text")
        return value

    def whole(self, key: str) -> int:
        value = self.fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "a whole number")
        return value

    def number(self, key: str) -> float:
        value = self.fields.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, "a number")
        return float(value)

    def wholes(self, key: str) -> tuple[int, ...]:
        value = self.fields.get(key)
        if not isinstance(value, list) or not all(type(item) is int and item > 0 for item in value):
            raise self.wrong(key, "a list of whole numbers above 0")
        return tuple(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.fields.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def table(self, key: str) -> _Table:
        place = f"{self.place}.{key}"
        return _Table(path=self.path, place=place, fields=_fields(self.fields.get(key), self.path, place))

    def tables(self, key: str) -> tuple[_Table, ...]:
        value = self.fields.get(key)
        if not isinstance(value, list) or not value:
            raise self.wrong(key, "a list of tables")
        places = [f"{self.place}.{key}[{number}]" for number in range(len(value))]
        return tuple(
            _Table(path=self.path, place=place, fields=_fields(item, self.path, place))
            for place, item in zip(places, value, strict=True)
        )

    def file_name(self, key: str) -> Path:
        name = self.text(key)
        if Path(name).name != name:
            raise self.wrong(key, "a bare file name beside MODELS.toml")
        return self.path.parent / name

    def sha256(self, key: str) -> str:
        value = self.text(key)
        if len(value) != _SHA256_LETTERS or not set(value) <= set("0123456789abcdef"):
            raise self.wrong(key, "64 lower-case hexadecimal digits")
        return value


def _tensor(table: _Table) -> TensorSpec:
    scale = table.number("scale")
    if not scale > 0:
        raise table.wrong("scale", "above 0")
    return TensorSpec(
        name=table.text("name"),
        shape=table.wholes("shape"),
        dtype=table.text("dtype"),
        scale=scale,
        zero=table.whole("zero"),
    )


def _model(table: _Table, name: str) -> ModelFile:
    compiled = table.table("edge_tpu") if "edge_tpu" in table.fields else None
    picture = _tensor(table.table("input"))
    if len(picture.shape) != _BATCH_RANK:
        raise table.wrong("input.shape", "1 x height x width x 3")
    return ModelFile(
        name=name,
        path=table.file_name("file"),
        sha256=table.sha256("sha256"),
        size=table.whole("bytes"),
        input=picture,
        outputs=tuple(_tensor(output) for output in table.tables("outputs")),
        labels=table.texts("labels"),
        licence=table.text("licence"),
        source=table.text("source"),
        recipe=table.text("recipe"),
        accuracy=table.text("accuracy"),
        compiled=None
        if compiled is None
        else Compiled(path=compiled.file_name("file"), sha256=compiled.sha256("sha256")),
    )
