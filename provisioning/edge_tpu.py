"""Compiles the models for a Coral Edge TPU, where the vendor's compiler is installed, into a folder for units.

    python provisioning/edge_tpu.py --output FOLDER [--models models_tflite] [--compiler edgetpu_compiler]

The folder gets the models, their compiled builds and a MODELS.toml that names both; a unit takes it as
``models.directory`` in unit.toml. All models are compiled together, so that they share the accelerator's memory and
none throws another out (coral.ai, "Edge TPU Compiler", parameter data caching).

Invariants:
    * The models as they ship are left alone; what was written is read back by the unit's own reader.
    * What runs on the CPU all the same is said, operation by operation: a build that looks compiled may not be fast.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError, Unfit
from appliance.unit.vision.models.catalogue import CATALOGUE, read_catalogue, read_compiled

COMPILER: Final = "edgetpu_compiler"
MAPPED: Final = "Mapped to Edge TPU"
MINUTES: Final = 15
_ROW: Final = re.compile(r"([A-Z][A-Z0-9_]*)\s+([0-9]+)\s+(\S.*?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``count`` operations called ``operation``, and what the compiler says of them."""

    operation: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """True where they run on the Edge TPU."""
        return self.status == MAPPED


def rows_of(log: str) -> tuple[Row, ...]:
    """The table in a compiler's log: lines of operator, count and status. Unfit where there is none."""
    found = [match for line in log.splitlines() if (match := _ROW.fullmatch(line))]
    if not found:
        raise Unfit("the compiler's log holds no table of operations", where=COMPILER, fix="look at the log")
    return tuple(Row(operation=one[1], count=int(one[2]), status=one[3]) for one in found)


def compiler_at(name: str) -> str:
    """The compiler's program. Unfit where there is none."""
    found = shutil.which(name)
    if found is None:
        raise Unfit(
            f"there is no {name} here",
            where="edge_tpu",
            fix="install the vendor's package edgetpu-compiler (Debian on x86-64; coral.ai/docs/edgetpu/compiler)",
        )
    return found


def compile_all(models: Path, output: Path, compiler: str) -> dict[str, tuple[Row, ...]]:
    """Compile every model of the catalogue in ``models`` into ``output``; the rows of each. Unfit where it fails."""
    program = compiler_at(compiler)
    catalogue = read_catalogue(models)
    provisioned = [model.name for model in catalogue.models if model.compiled is not None]
    if provisioned:
        raise Unfit(
            f"{', '.join(provisioned)} is compiled already",
            where=str(models),
            fix="start from the shipped models",
        )
    output.mkdir(parents=True, exist_ok=True)
    names = [model.path for model in catalogue.models]
    command = [program, "-s", "-o", str(output), *map(str, names)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES, check=False)
    if ended.returncode:
        raise Unfit(
            f"it failed: {(ended.stderr or ended.stdout).strip()[-300:]}",
            where=compiler,
            fix="see its log files",
        )
    for path in names:
        shutil.copy(path, output)
    built = {model.name: output / f"{model.path.stem}_edgetpu.tflite" for model in catalogue.models}
    write_catalogue(catalogue.path, output / CATALOGUE, built)
    for model in read_catalogue(output).models:
        if model.compiled is not None:
            read_compiled(model.compiled)
    return {name: rows_of(path.with_suffix(".log").read_text("utf-8")) for name, path in built.items()}


def write_catalogue(shipped: Path, path: Path, built: dict[str, Path]) -> None:
    """The shipped catalogue with a table for each compiled build, at ``path``."""
    text = shipped.read_text("utf-8").rstrip("\n") + "\n"
    for name, file in built.items():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        text += f'\n[models.{name}.edge_tpu]\nfile = "{file.name}"\nsha256 = "{digest}"\n'
    tomllib.loads(text)
    path.write_text(text, "utf-8")


def told(name: str, rows: Sequence[Row]) -> str:
    """How much of a model runs where, in words."""
    mapped, total = sum(row.count for row in rows if row.mapped), sum(row.count for row in rows)
    lines = [f"{name}: {mapped} of {total} operations on the Edge TPU"]
    lines += [f"  on the CPU: {row.count} {row.operation}: {row.status}" for row in rows if not row.mapped]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile, and say what came of it; the exit status: 0, or 78 where something is missing."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--models", type=Path, default=Path(__file__).parents[1] / "models_tflite")
    asked.add_argument("--output", type=Path, required=True)
    asked.add_argument("--compiler", default=COMPILER)
    given = asked.parse_args(arguments)
    try:
        found = compile_all(given.models, given.output, given.compiler)
    except LeftfieldError as error:
        sys.stderr.write(f"edge_tpu: {error}\n")
        return error.exit_code
    for name, rows in found.items():
        print(told(name, rows))
    print(f'\nnow let the unit use it: directory = "{given.output}" under [models] in unit.toml')
    return 0


if __name__ == "__main__":
    sys.exit(main())
