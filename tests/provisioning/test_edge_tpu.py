from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from appliance.base.errors import Unfit
from appliance.unit.vision.models.catalogue import (
    CATALOGUE,
    default_model_directory,
    read_catalogue,
    read_compiled,
)
from provisioning import edge_tpu

LOG = """\
Edge TPU Compiler version 16.0.384591198
Input: people.tflite
Output: people_edgetpu.tflite

Operator                       Count      Status

CONV_2D                        36         Mapped to Edge TPU
CONV_2D                        1          More than one subgraph is not supported
LEAKY_RELU                     28         Operation not supported
RESIZE_BILINEAR                2          Not mapped due to some unspecified limitation
QUANTIZE                       7          Mapped to Edge TPU
"""
"""The form of version 16 of the vendor's compiler (its documentation and issue tracker); the counts are ours."""


def test_the_compilers_log_tells_what_runs_where() -> None:
    """From the compiler's table: how many operations are on the Edge TPU, and why each other is on the CPU."""
    rows = edge_tpu.rows_of(LOG)
    assert [(row.operation, row.count, row.mapped) for row in rows] == [
        ("CONV_2D", 36, True),
        ("CONV_2D", 1, False),
        ("LEAKY_RELU", 28, False),
        ("RESIZE_BILINEAR", 2, False),
        ("QUANTIZE", 7, True),
    ]
    assert edge_tpu.told("people", rows).splitlines() == [
        "people: 43 of 74 operations on the Edge TPU",
        "  on the CPU: 1 CONV_2D: More than one subgraph is not supported",
        "  on the CPU: 28 LEAKY_RELU: Operation not supported",
        "  on the CPU: 2 RESIZE_BILINEAR: Not mapped due to some unspecified limitation",
    ]


@pytest.mark.parametrize(
    "log", ["", "ERROR: Didn't find op for builtin opcode", LOG.split("CONV_2D", maxsplit=1)[0]]
)
def test_a_log_without_a_table_is_no_success(log: str) -> None:
    """A log from which nothing can be told is said to be one, not taken for a model without operations."""
    with pytest.raises(Unfit, match="no table"):
        edge_tpu.rows_of(log)


def test_without_the_compiler_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the vendor's compiler is not on the PATH there is one clear line, and nothing is written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert edge_tpu.main(["--output", str(tmp_path / "out")]) == Unfit.exit_code
    assert "install the vendor's package edgetpu-compiler" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_provisioned_catalogue_vouches_for_the_compiled_builds(tmp_path: Path) -> None:
    """The unit's own reader finds each compiled build by its hash, all else as shipped, and notices a change."""
    shipped = default_model_directory()
    for file in shipped.glob("*.tflite"):
        shutil.copy(file, tmp_path)
    names = [model.name for model in read_catalogue(shipped).models]
    built = {name: tmp_path / f"{name}_edgetpu.tflite" for name in names}
    for name, file in built.items():
        file.write_bytes(b"a build of " + name.encode())
    edge_tpu.write_catalogue(shipped / CATALOGUE, tmp_path / CATALOGUE, built)
    for model, before in zip(read_catalogue(tmp_path).models, read_catalogue(shipped).models, strict=True):
        assert model.compiled is not None
        assert read_compiled(model.compiled) == b"a build of " + model.name.encode()
        assert (model.sha256, model.outputs, model.accuracy) == (
            before.sha256,
            before.outputs,
            before.accuracy,
        )
    built["pose"].write_bytes(b"another")
    compiled = read_catalogue(tmp_path).named("pose").compiled
    assert compiled is not None
    with pytest.raises(Unfit):
        read_compiled(compiled)


@pytest.mark.skipif(
    not shutil.which(edge_tpu.COMPILER), reason="the vendor's edgetpu_compiler is not installed here"
)
def test_the_shipped_models_compile(tmp_path: Path) -> None:
    """The vendor's compiler takes every shipped model, and most of each runs on the Edge TPU."""
    found = edge_tpu.compile_all(default_model_directory(), tmp_path, edge_tpu.COMPILER)
    for rows in found.values():
        assert sum(row.count for row in rows if row.mapped) > sum(row.count for row in rows) / 2
