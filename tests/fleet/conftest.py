from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from appliance.fleet import postgres
from appliance.fleet.store import FleetStore
from tests.fleet.real_fleet import Processes, until

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """A PostgreSQL server of our own; the path of a socket must be short, so it lies in /tmp."""
    directory = Path(tempfile.mkdtemp(prefix="lf-pg-"))
    postgres.prepare(directory)
    process = subprocess.Popen(
        postgres.command(directory),
        env=postgres.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: _answers(directory), "PostgreSQL")
    yield directory
    process.terminate()
    process.wait(30)
    shutil.rmtree(directory)


def _answers(directory: Path) -> bool:
    try:
        psycopg.connect(postgres.url(directory)).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def url(server: Path) -> str:
    """The address of an empty database."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(postgres.url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url(server).replace("dbname=postgres", f"dbname={name}")


@pytest.fixture
def store(url: str) -> Iterator[FleetStore]:
    """A fleet's empty database."""
    made = FleetStore(url)
    yield made
    made.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Processes that end with the test."""
    made = Processes(tmp_path)
    yield made
    made.close()
