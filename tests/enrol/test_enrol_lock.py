"""Two people at two terminals: nothing that one of them does to the register is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance import cli, enrol
from appliance.base import atomic_files
from appliance.enrol import files
from appliance.protocol.values import BoothId, TabletId, UnitId
from appliance.settings import config
from tests.locks import asking_process

VERBS = (
    ("tablet", "tablet-2"),
    ("tablet", "tablet-1", "--again"),
    ("tablet", "tablet-1", "--remove", "--yes"),
    ("revoke", "corner-north", "--yes"),
    ("renew",),
    ("accept",),
)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_what_changes_the_register_reads_it_under_the_lock(verb: tuple[str, ...], tmp_path: Path) -> None:
    """A command that has asked for the lock keeps the tablet that its holder lets in meanwhile."""
    directory = tmp_path / "booth"
    assert cli.main(["booth", "create", "corner", "--directory", str(directory)]) == 0
    booth = enrol.open_booth(directory)
    enrol.add_tablet(booth, "tablet-1")
    home = enrol.UnitHome(directory=tmp_path / "unit")
    enrol.enrol_unit(booth, home, "corner-north", place="north")
    words = ["booth", *verb]
    if verb == ("accept",):
        asking = enrol.make_request(home, booth=BoothId("corner"), unit=UnitId("corner-north"))
        (tmp_path / "request.json").write_bytes(asking)
        words = ["enrol", "accept", str(tmp_path / "request.json"), "--place", "north"]
    with atomic_files.alone(directory):
        run = "from appliance import cli\nsys.exit(cli.main(sys.argv[1:]))"
        other = asking_process(run, *words, "--directory", directory)
        register = config.register(booth.register)
        more = replace(register, tablets=(*register.tablets, TabletId("tablet-0")))
        files.write_register(booth.register, more)
    other.communicate(timeout=30)
    assert other.returncode == 0
    assert "tablet-0" in config.register(booth.register).tablets
    assert "tablet-0" in (booth.broker_directory / "staff.acl").read_text()
