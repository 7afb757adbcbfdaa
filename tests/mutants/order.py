"""Mutants of the order of I/O: each sync, name, commit, acknowledgement and lock is removed or swapped once.

``python -m tests.mutants.order [PART OF A NAME …]`` prints one line a mutant, and ends with 1 where one survives.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.in_place import put
from tests.mutants.nursery import run_quietly

_DURABLE: Final = "tests/faults/test_durable_order.py"
_WATCH: Final = "tests/hub/test_watch_order.py"
_ATOMIC: Final = "tests/base/test_atomic_files.py"
_SPOOL: Final = "tests/unit/outbox/test_spool.py"
_KILL: Final = "tests/faults/test_relay_kill.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """In function ``name`` of ``file``, ``old`` becomes ``new``; ``test`` must fail."""

    file: str
    name: str
    old: str
    new: str
    test: str


_COMMIT: Final = """        if not outcome.changes.empty:
            self._store.commit(outcome.changes)
"""
_TELL: Final = """        for telling in outcome.outgoing:
            self._tell(telling)
"""
_ACKNOWLEDGE: Final = """        for message in messages:
            self._link.acknowledge(message)
"""
_KEEP: Final = "        self._keep(untrusted_envelopes)\n"
_TAKE: Final = "        self._pipe.take(done)\n"


def _swap(file: str, name: str, old: str, new: str, test: str) -> Swap:
    return Swap(file=f"appliance/{file}", name=name, old=old, new=new, test=test)


SWAPS: Final = (
    _swap("hub/watch.py", "Watch._settle", _COMMIT, "", _WATCH),
    _swap("hub/watch.py", "Watch._settle", _COMMIT + _TELL, _TELL + _COMMIT, _WATCH),
    _swap("hub/watch.py", "Watch._settle", _COMMIT, _ACKNOWLEDGE + _COMMIT, _WATCH),
    _swap("hub/watch.py", "Watch._settle", _TELL, _ACKNOWLEDGE + _TELL, _WATCH),
    _swap("hub/watch.py", "Watch._settle", _ACKNOWLEDGE, "", _WATCH),
    _swap("hub/storage/database.py", "Database._open", '"synchronous=FULL"', '"synchronous=NORMAL"', _DURABLE),
    _swap("hub/storage/database.py", "Database._open", '"journal_mode=WAL"', '"journal_mode=MEMORY"', _DURABLE),
    _swap("hub/storage/database.py", "Database.transaction", "BEGIN IMMEDIATE", "BEGIN", _DURABLE),
    _swap("hub/storage/database.py", "Database.transaction",
          "        with self.connection:  # commits, or rolls back whatever was raised\n", "        if True:\n",
          "tests/hub/storage/test_database.py"),
    _swap("hub/storage/database.py", "Database._hold",
          "            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)\n", "            pass\n", _DURABLE),
    _swap("hub/storage/backup.py", "_replace", "            os.fsync(descriptor)\n", "", _DURABLE),
    _swap("hub/storage/backup.py", "_replace", "        atomic_files.sync_directory(database.parent)\n", "",
          _DURABLE),
    _swap("hub/exchange/backup_file.py", "write", "            os.fsync(descriptor)\n", "", _DURABLE),
    _swap("hub/exchange/backup_file.py", "write", "        atomic_files.sync_directory(out.parent)\n", "", _DURABLE),
    _swap("base/atomic_files.py", "write_durably", "            os.fsync(descriptor)\n", "", _ATOMIC),
    _swap("base/atomic_files.py", "write_durably", "        sync_directory(path.parent)\n", "", _ATOMIC),
    _swap("base/atomic_files.py", "write_durably",
          "        partial.rename(path)\n        sync_directory(path.parent)\n",
          "        sync_directory(path.parent)\n        partial.rename(path)\n", _ATOMIC),
    _swap("base/atomic_files.py", "alone", "        fcntl.flock(descriptor, fcntl.LOCK_EX)\n", "", _DURABLE),
    _swap("unit/outbox/segment.py", "Segment.create", "            os.fsync(descriptor)\n", "", _DURABLE),
    _swap("unit/outbox/segment.py", "Segment.create", "            atomic_files.sync_directory(directory)\n", "",
          _DURABLE),
    _swap("unit/outbox/segment.py", "Segment.append", "        os.fdatasync(self._descriptor)\n", "", _SPOOL),
    _swap("unit/outbox/segment.py", "Segment.append",
          '        write_whole(self._descriptor, b"".join(records), self.used * RECORD_BYTES)\n'
          "        os.fdatasync(self._descriptor)\n",
          "        os.fdatasync(self._descriptor)\n"
          '        write_whole(self._descriptor, b"".join(records), self.used * RECORD_BYTES)\n', _SPOOL),
    _swap("unit/outbox/segment.py", "Segment.close", "                os.fdatasync(self._descriptor)\n",
          "                pass\n", _DURABLE),
    _swap("unit/outbox/intake.py", "Intake.take", _KEEP + _TAKE, _TAKE + _KEEP, _KILL),
    _swap("unit/outbox/intake.py", "Intake.take", _TAKE, "", _KILL),
    _swap("update/bundle.py", "keep_parts", "                os.fsync(out.fileno())\n", "", _DURABLE),
    _swap("update/bundle.py", "write", "            os.fsync(out.fileno())\n", "", _DURABLE),
    _swap("pairing/unit.py", "WaitingUnit.speak",
          "            self.code.count_one()\n            proof, sealed = exchange.prove(untrusted_proof)\n",
          "            proof, sealed = exchange.prove(untrusted_proof)\n            self.code.count_one()\n",
          "tests/pairing/test_desk.py"),
    _swap("settings/epoch.py", "next_epoch",
          '        atomic_files.write_durably(path, b"%d\\n" % epoch, mode=atomic_files.SECRET)\n', "",
          "tests/enrol/test_enrol.py"),
)  # fmt: skip
"""Every place where the order of I/O decides what a power cut or a kill may take."""


def noticed(one: Swap) -> bool:
    """Whether the named test fails with this mutant."""
    source = Path(one.file).read_text("utf-8")
    if one.old not in source:
        raise SystemExit(
            f"{one.file}: {one.name} has changed, and its mutant must be written anew: {one.old!r}"
        )
    child = os.fork()
    if not child:
        code = 1
        try:
            put(one.file.removesuffix(".py").replace("/", "."), _within(one, source), one.name)
            code = run_quietly([one.test], [])
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 1


def _within(one: Swap, source: str) -> str:
    """The source with the change in that function, not in another one above it that has the same line."""
    start = source.index(f"def {one.name.rpartition('.')[2]}(")
    return source[:start] + source[start:].replace(one.old, one.new, 1)


def main() -> int:
    """Try them all."""
    for file in sorted({one.file for one in SWAPS}):
        importlib.import_module(file.removesuffix(".py").replace("/", "."))
    missed = 0
    chosen = [
        one for one in SWAPS if not sys.argv[1:] or any(word in one.file + one.name for word in sys.argv[1:])
    ]
    for one in chosen:
        seen = noticed(one)
        missed += not seen
        what = "left out" if not one.new.strip() or one.new.strip() == "pass" else "changed"
        print(
            f"{'killed  ' if seen else 'SURVIVED'} {one.file} {one.name}: {one.old.strip().splitlines()[0]} {what}"
            f" ({one.test})"
        )
    print(f"order of I/O: {len(chosen) - missed} of {len(chosen)} mutants killed")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
