"""The process of one fuzz target, started by ``campaign``: ``python -m tests.fuzz.one TARGET CORPUS [options]``."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["appliance"]):
    from tests.fuzz.mutate import mutated
    from tests.fuzz.target import check, kept, targets

    TARGETS = targets()


def main(name: str, corpus: Path, arguments: list[str]) -> None:
    """Fuzz ``name`` until libFuzzer ends the process."""
    one = TARGETS[name]
    seeds = [*one.seeds(), *kept("corpus.txt").get(name, ()), *kept("cases.txt").get(name, ())]
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)

    def changed(data: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)  # noqa: S311 - libFuzzer's own seed
        if dice.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return mutated(data, dice, seeds)[:most]

    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - what parsers log is no news; libFuzzer's own is apart
    atheris.Setup(
        [sys.argv[0], str(corpus), *arguments], lambda data: check(one, data), custom_mutator=changed
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
