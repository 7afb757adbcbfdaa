"""The one room that knows what runs a model: the Edge TPU delegate, or LiteRT on the CPU.

Invariants:
    * Nobody else imports a TFLite runtime.
    * The Edge TPU is reached through its delegate library only; the package index's `pycoral` is another project and
      is never imported.
    * A model runs only after `modelfile` has hashed it and its tensors match what MODELS.toml promises.
    * No two runtimes are assumed to agree to the bit.
"""

from __future__ import annotations

import ctypes
import importlib
import time
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, Protocol

from appliance.base.errors import Unavailable, Unfit
from appliance.unit.vision.models.catalogue import ModelFile, TensorSpec, read_compiled, read_model

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    import numpy.typing as npt

EDGE_TPU_LIBRARY = "libedgetpu.so.1"
_PACE = 20
"""Invocations that a mean time is taken over."""
_SLOWER = 8.0
_SLOW_NS = 60e6
"""Slower than its best by so many times, and than so many nanoseconds, an accelerator is worse than the processor."""
_RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


@unique
class Place(StrEnum):
    """Where models are computed."""

    EDGE_TPU = "edge-tpu"
    CPU = "cpu"


@unique
class Wish(StrEnum):
    """What the configuration asks for."""

    AUTO = "auto"
    EDGE_TPU = "edge-tpu"
    CPU = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """The choice, and why: `degraded` means that a better place was there and has failed."""

    place: Place
    why: str
    threads: int = 1
    degraded: bool = False


class Interpreter(Protocol):
    """What every TFLite runtime's interpreter can do, as far as it is used here."""

    def get_input_details(self) -> list[dict[str, Any]]:
        """Return name, index, shape, dtype and quantisation of each input."""

    def get_output_details(self) -> list[dict[str, Any]]:
        """Return the same of each output."""

    def set_tensor(self, tensor_index: int, value: npt.NDArray[np.uint8]) -> None:
        """Copy a value in."""

    def get_tensor(self, tensor_index: int) -> npt.NDArray[np.uint8]:
        """Copy a value out."""

    def invoke(self) -> None:
        """Run."""


def choose_accelerator(
    *, wish: Wish = Wish.AUTO, threads: int = 1, library: str = EDGE_TPU_LIBRARY
) -> Accelerator:
    """Try the Edge TPU, else the CPU.

    `Unavailable` only when the Edge TPU alone was asked for and does not answer.
    """
    if threads < 1:
        raise Unfit(f"{threads} threads cannot run a model", where="unit.threads", fix="set 1 or more")
    if wish is Wish.CPU:
        return Accelerator(place=Place.CPU, why="the configuration asks for the CPU", threads=threads)
    try:
        _edge_tpu_delegate(library)
    except Unavailable as error:
        if wish is Wish.EDGE_TPU:
            raise
        return Accelerator(place=Place.CPU, why=error.what, threads=threads)
    return Accelerator(place=Place.EDGE_TPU, why=f"{library} opened a device", threads=threads)


def fall_back(failed: Accelerator, error: Unavailable) -> Accelerator:
    """Return the degraded choice after `failed` stopped answering: the CPU, and say so.

    The caller reloads its models with it (`load_model`), reports "degraded" in the unit's status, and may call
    `choose_accelerator` again later to return to the Edge TPU. When the CPU itself failed there is no further place.
    """
    if failed.place is Place.CPU:
        raise Unfit(
            f"the CPU cannot run the model ({error.what})", where=error.where, fix=error.fix
        ) from error
    return replace(failed, place=Place.CPU, why=error.what, degraded=True)


class Model:
    """One loaded model. `invoke` may be called from one thread at a time.

    `invoked_ns` and `invocations` add up the pure time inside the runtime's invoke, so that a unit can state frame
    time over model time.
    """

    def __init__(self, card: ModelFile, accelerator: Accelerator, interpreter: Interpreter) -> None:
        self.card = card
        self.accelerator = accelerator
        self.invoked_ns = 0
        self.invocations = 0
        self._best_ns = self._lately_ns = 0.0
        self._interpreter = interpreter
        self._input_index = _matching(interpreter.get_input_details(), card.input, card)
        self._output_indices = tuple(
            _matching(interpreter.get_output_details(), output, card) for output in card.outputs
        )

    def invoke(self, pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], ...]:
        """Run the model on a 1 x height x width x 3 array; return its raw outputs in MODELS.toml's order.

        The outputs are the caller's own: one small copy each, because a view would die with the next call.
        `Unavailable` when the accelerator does not answer; `Unfit` when the array is not the declared input.
        """
        interpreter = self._interpreter
        try:
            interpreter.set_tensor(self._input_index, pixels)
            started = time.perf_counter_ns()
            interpreter.invoke()
            spent = time.perf_counter_ns() - started
        except RuntimeError as error:
            raise Unavailable(
                f"{self.accelerator.place} failed to run model {self.card.name!r} ({_first_line(error)})",
                where="accelerator",
                fix="the unit falls back to the CPU by itself; re-plug the accelerator if this repeats",
            ) from error
        except ValueError as error:  # a caller's mistake: wrong shape or dtype
            raise Unfit(
                _first_line(error), where=f"model {self.card.name!r}", fix="feed the declared input"
            ) from error
        self.invoked_ns += spent
        self.invocations += 1
        if self.accelerator.place is Place.EDGE_TPU:
            self._watch_pace(spent)
        return tuple(interpreter.get_tensor(index) for index in self._output_indices)

    def _watch_pace(self, spent: float) -> None:
        """A hot accelerator slows down, and so does one on a bad cable. Unavailable where it helps no more."""
        self._lately_ns += (spent - self._lately_ns) / min(self.invocations, _PACE)
        if self.invocations >= _PACE:
            self._best_ns = min(self._best_ns or self._lately_ns, self._lately_ns)
            if self._lately_ns > max(_SLOWER * self._best_ns, _SLOW_NS):
                times = self._lately_ns / self._best_ns
                raise Unavailable(
                    f"{self.accelerator.place} has become {times:.0f} times slower: hot, or a bad link",
                    where="accelerator",
                    fix="give it air; the unit works on the CPU meanwhile",
                )


def load_model(card: ModelFile, accelerator: Accelerator, *, library: str = EDGE_TPU_LIBRARY) -> Model:
    """Hash, load and check one model. A model without an Edge TPU build runs on the CPU, whatever was chosen."""
    on_tpu = accelerator.place is Place.EDGE_TPU
    if on_tpu and card.compiled is not None:
        stored, delegates = read_compiled(card.compiled), [_edge_tpu_delegate(library)]
    else:
        stored, delegates = read_model(card), None
        if on_tpu:
            why = f"MODELS.toml names no Edge TPU build of {card.name!r}"
            accelerator = replace(accelerator, place=Place.CPU, why=why)
    runtime = _runtime()
    try:
        interpreter = runtime.Interpreter(
            model_content=stored, num_threads=accelerator.threads, experimental_delegates=delegates
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        where = str(card.path)
        if delegates:
            raise Unavailable(
                f"the Edge TPU refused the model ({_first_line(error)})",
                where=where,
                fix="plug the accelerator in again, or compile the model for it: provisioning/edge_tpu.py",
            ) from error
        raise Unfit(
            f"is not a model this runtime can load ({_first_line(error)})",
            where=where,
            fix="restore the file that ships",
        ) from error
    return Model(card, accelerator, interpreter)


def _runtime() -> ModuleType:
    """Import the maintained runtime, or the older one that matched Edge TPU installations carry."""
    for name in _RUNTIMES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise Unfit(
        "no TFLite runtime is installed",
        where="unit",
        fix="install the package with its `unit` extra: leftfield[unit]",
    )


def _edge_tpu_delegate(library: str) -> object:
    try:
        # Asked first, because load_delegate leaves a half-made object behind when the library is absent or another.
        ctypes.CDLL(library).tflite_plugin_create_delegate  # noqa: B018  (the lookup is the question)
        return _runtime().load_delegate(library)
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        raise Unavailable(
            f"no Edge TPU through {library} ({_first_line(error)})",
            where="accelerator",
            fix="plug in the Edge TPU and let provisioning install its library, or set the CPU in the configuration",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _matching(details: list[dict[str, Any]], promised: TensorSpec, card: ModelFile) -> int:
    """Return the index of the tensor called `promised.name`; `Unfit` unless it is just what was promised."""
    where = str(card.path)
    for found in details:
        if str(found["name"]) != promised.name:
            continue
        scale, zero = found["quantization"]
        really = (tuple(int(side) for side in found["shape"]), found["dtype"].__name__)
        if really != (promised.shape, promised.dtype):
            what = (
                f"tensor {promised.name!r} is {really}, MODELS.toml says {(promised.shape, promised.dtype)}"
            )
            raise Unfit(what, where=where, fix="rebuild with `make models`, or restore MODELS.toml")
        if abs(float(scale) - promised.scale) > promised.scale * 1e-4 or int(zero) != promised.zero:
            what = f"tensor {promised.name!r} has quantisation {(scale, zero)}, not {(promised.scale, promised.zero)}"
            raise Unfit(what, where=where, fix="rebuild with `make models`, or restore MODELS.toml")
        return int(found["index"])
    names = ", ".join(str(found["name"]) for found in details)
    raise Unfit(f"has no tensor {promised.name!r} (it has {names})", where=where, fix="restore MODELS.toml")
