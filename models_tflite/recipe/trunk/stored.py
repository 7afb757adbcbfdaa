"""Reads the tensors of a PyTorch weight file (the layout before version 1.6) without PyTorch.

Invariants:
    * The file's pickle may name four things: an ordered dictionary, the rebuilding of a tensor, and two kinds of
      storage. Anything else in it is refused before it is run.
Source of the layout: torch/serialization.py, `_legacy_load`: magic number, version, machine, the objects, the keys of
their storages, then each storage as a count of items and the items.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

_MAGIC: Final = 0x1950A86A20F9469CFC6C
Items = np.dtype[Any]
_ITEMS: Final = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Objects(pickle.Unpickler):
    """Tensors become what is needed to cut them out of their storages."""

    def find_class(self, module: str, name: str) -> object:
        """The four names that weights need; UnpicklingError for others."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (*storage, offset, size, stride)
        if module == "torch" and name in _ITEMS:
            return _ITEMS[name]
        raise pickle.UnpicklingError(f"the weights ask for {module}.{name}")

    def persistent_load(self, pid: tuple[str, Items, str, str, int]) -> tuple[Items, str]:
        """(kind of item, key) of a storage."""
        _, items, key, *_ = pid
        return items, str(key)


def tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every tensor of the file by name. SystemExit where it is not of this layout."""
    with path.open("rb") as stored:
        if _Objects(stored).load() != _MAGIC:
            raise SystemExit(f"{path}: no PyTorch weights of the old layout; fetch the package again")
        for _ in range(2):
            _Objects(stored).load()
        objects: dict[str, Any] = _Objects(stored).load()
        kinds = {key: items for items, key, *_ in objects.values()}
        storages = {str(key): _storage(stored, kinds[str(key)]) for key in _Objects(stored).load()}
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key][offset:], size, [items.itemsize * step for step in stride]
        ).copy()
        for name, (items, key, offset, size, stride) in objects.items()
    }


def _storage(stored: BinaryIO, items: np.dtype[Any]) -> npt.NDArray[Any]:
    count = int.from_bytes(stored.read(8), "little")
    return np.frombuffer(stored.read(count * items.itemsize), items)
