"""Coverage-guided fuzzing of every parser: ``python -m tests.fuzz.campaign [TARGET …] [--seconds 60] [--rounds 1]``.

Each target gets ``--seconds`` in a process of its own (atheris over libFuzzer; only ``appliance`` is instrumented),
on the corpus that ``LEFTFIELD_CACHE/fuzz`` remembers. One line a target: executions, edges, processor seconds, find.
A find is kept as a file beside the corpus; ``--try FILE`` runs a target on it. ``--keep`` chooses the smallest input
of each kind of outcome for ``corpus.txt``; ``--sum`` adds up what was run so far. Exit code 1 where there is a find.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.fuzz.target import HERE, MOST_BYTES, Target, check, kept, targets

CACHE: Final = Path(os.environ.get("LEFTFIELD_CACHE", ".cache")) / "fuzz"
_RSS_MB: Final = 1024
_TIMEOUT: Final = 20
_MEMORY: Final = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"  # noqa: S108 - parsers that want a file
_MOST_KEPT: Final = 6
_MOST_KEPT_BYTES: Final = 160


def run(name: str, seconds: float) -> dict[str, Any]:
    """Fuzz one target in a process of its own: what it did."""
    corpus, finds = CACHE / name, CACHE / "finds"
    corpus.mkdir(parents=True, exist_ok=True)
    finds.mkdir(exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            sys.executable, "-W", "ignore", "-m", "tests.fuzz.one", name, str(corpus),
            f"-max_total_time={seconds:.0f}", f"-max_len={MOST_BYTES}", f"-timeout={_TIMEOUT}",
            f"-rss_limit_mb={_RSS_MB}", f"-artifact_prefix={finds / name}-", "-print_final_stats=1", "-reload=0",
        ],
        capture_output=True, text=True, errors="replace", check=False, env={**os.environ, "TMPDIR": _MEMORY},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    executed = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    edges = re.findall(r"cov: (\d+)", done.stderr)
    found = re.search(r"Test unit written to (\S+)", done.stderr)
    if done.returncode:
        (finds / f"{name}.log").write_text(done.stderr + done.stdout)
    return {
        "target": name,
        "executions": int(executed[1]) if executed else 0,
        "edges": int(edges[-1]) if edges else 0,
        "seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "find": found[1] if found else ("died" if done.returncode else ""),
    }


def outcome(one: Target, data: bytes) -> str:
    """A name for what a target makes of an input: accepted, or which refusal with its numbers left out."""
    try:
        one.run(data)
    except one.raises as error:
        return re.sub(r"[^A-Za-z ]+", "", f"{type(error).__name__} {error.what}")[:60]
    return "accepted"


def keep(names: Iterable[str]) -> None:
    """Write ``corpus.txt`` anew: of each kind of outcome the smallest input, a few for each target."""
    lines = [
        "# The smallest input of each kind of outcome; python -m tests.fuzz.campaign --keep writes this file."
    ]
    for name, one in targets().items():
        known = dict.fromkeys(kept("corpus.txt").get(name, ()))
        if name in names:
            known |= {path.read_bytes(): None for path in sorted((CACHE / name).glob("*"))}
        smallest: dict[str, bytes] = {}
        for data in sorted(known, key=lambda data: (len(data), data)):
            if 0 < len(data) <= _MOST_KEPT_BYTES:
                smallest.setdefault(outcome(one, data), data)
        chosen = sorted(smallest.values(), key=len)[-_MOST_KEPT:]
        lines += [f"{name} {base64.b64encode(data).decode()}" for data in chosen]
    (HERE / "corpus.txt").write_text("\n".join(lines) + "\n", "ascii")


def total() -> dict[str, Any]:
    """What was run so far, by this cache."""
    rows = [json.loads(line) for line in (CACHE / "log.jsonl").read_text("ascii").splitlines()]
    return {
        "targets": len({row["target"] for row in rows}),
        "executions": sum(row["executions"] for row in rows),
        "core_hours": round(sum(row["seconds"] for row in rows) / 3600, 2),
        "finds": sum(bool(row["find"]) for row in rows),
    }


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--try", dest="file", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--sum", action="store_true")
    given = parser.parse_args()
    names = given.targets or list(targets())
    if given.file:
        check(targets()[names[0]], given.file.read_bytes())
        return 0
    if given.keep:
        keep(names)
        return 0
    finds = 0
    for _ in range(0 if given.sum else given.rounds):
        for name in names:
            told = run(name, given.seconds)
            finds += bool(told["find"])
            with (CACHE / "log.jsonl").open("a", encoding="ascii") as log:
                log.write(json.dumps(told) + "\n")
            print("  ".join(f"{key} {value}" for key, value in told.items()), flush=True)
    print(total())
    return int(bool(finds))


if __name__ == "__main__":
    sys.exit(main())
