"""Where mutants live: a process that has imported a room and its tests, and knows which test runs which line."""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import coverage
import pytest

from tests.mutants.in_place import Stillborn, put
from tests.mutants.mutators import Mutant
from tests.mutants.rooms import ROOMS

_MOST_TESTS: Final = 40
_CPU_SECONDS: Final = 12
_WALL_SECONDS: Final = 120
_OPTIONS: Final = (
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--no-header",
    "--tb=no",
    "-W",
    "ignore",
)


class _Watcher:
    """A plugin that notes how long each test took, and whether it passed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.seconds[report.nodeid] = report.duration

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        current = coverage.Coverage.current()
        if current is not None:
            current.switch_context(item.nodeid)
        return (yield)


class Nursery:
    """The room's tests, run once in this process, line by line."""

    def __init__(self, room: str) -> None:
        watcher = _Watcher()
        with tempfile.TemporaryDirectory() as place:
            seen = coverage.Coverage(
                data_file=str(Path(place, "data")), config_file=False, include=[f"appliance/{room}/*"]
            )
            seen.start()
            code = run_quietly([*ROOMS[room], "-m", "not broker and not browser and not boot"], [watcher])
            seen.stop()
            data = seen.get_data()
            self._tests: dict[tuple[str, int], set[str]] = defaultdict(set)
            for file in data.measured_files():
                for line, contexts in data.contexts_by_lineno(file).items():
                    self._tests[str(Path(file).resolve()), line] |= {
                        one for one in contexts if one in watcher.seconds
                    }
        if code != 0:
            raise SystemExit(f"{room}: its tests fail without any mutant")
        self._seconds = watcher.seconds

    def _covering(self, one: Mutant) -> list[str]:
        """Tests that run the line, or where a line of several stands for it a line near it, quickest first."""
        path = str(Path(one.file).resolve())
        for near in (0, -1, 1, -2, -3, -4, -5, -6):
            found = self._tests.get((path, one.line + near))
            if found:
                return sorted(found, key=lambda test: (self._seconds[test], test))[:_MOST_TESTS]
        return []

    def fate(self, one: Mutant) -> str:
        """``killed``, ``survived``, or why it could not be run."""
        tests = self._covering(one)
        if not tests:
            return "survived"
        child = os.fork()
        if not child:
            _live(one, tests)
        deadline = time.monotonic() + _WALL_SECONDS
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return {0: "survived", 3: "stillborn"}.get(code, "killed")
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "killed"


def run_quietly(words: list[str], plugins: list[Any]) -> int:
    """Pytest on these words, silent; its exit code."""
    with open(os.devnull, "w") as nothing:  # noqa: PTH123 - a descriptor to be put in place
        out, err = os.dup(1), os.dup(2)
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
        try:
            return int(pytest.main([*_OPTIONS, *words], plugins=plugins))
        finally:
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.close(out)
            os.close(err)


def _live(one: Mutant, tests: list[str]) -> None:
    """In the child: become the mutant, be tested, end. Never returns."""
    code = 3
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        put(one.file.removesuffix(".py").replace("/", "."), one.source, one.name)
        code = 0 if run_quietly(tests, []) == 0 else 1
    except Stillborn:
        code = 3
    except BaseException:  # noqa: BLE001 - whatever a mutant breaks is noticed
        traceback.print_exc(file=sys.stderr)
        code = 1
    finally:
        os._exit(code)
