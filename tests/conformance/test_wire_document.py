"""docs/wire.md is enough to write a unit that a real hub believes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.enrol import Listeners
from appliance.hub.staff.status import unit_row
from appliance.protocol.values import Seconds
from appliance.protocol.vocabulary import ATTRIBUTES
from tests.faults.real_booth import BOOTH, UNIT, RealBooth, until
from tests.hub.corner import NOON, Camera, new_booth

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]


def test_a_unit_written_from_the_document_alone_is_admitted(tmp_path: Path) -> None:
    """What the page says is signed, sent, admitted, told twice and receipted as it says, by none of our code."""
    booth = RealBooth(tmp_path)
    booth.start("broker", "hub")
    until(lambda: "broker connected" in booth.log("hub"), "the hub's link")
    home = tmp_path / "unit"
    address = booth.unit_broker
    given = {
        "page": str(ROOT / "docs" / "wire.md"),
        "booth": BOOTH,
        "unit": UNIT,
        "port": booth.port,
        "private_key": (home / "credentials" / "signing.key").read_bytes().hex(),
        "hub_key": (booth.booth.hub_key() or b"").hex(),
        "files": {
            "ca": str(address.ca), "certificate": str(address.certificate), "key": str(address.key),
        },
        "record": str(tmp_path / "record"),
    }  # fmt: skip
    client = Path(__file__).with_name("independent_client.py")
    done = subprocess.run(
        [sys.executable, client], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ours"] == []
    assert found["covered"] == [True, False, True, False]
    assert found["key"]
    booth.start("relay")
    os.write(booth.pipe_end, (tmp_path / "record").read_bytes())
    until(lambda: booth.counted() == 3, "what came by the pipe")
    booth.stop("hub")
    assert booth.counted("repeated") == 1
    assert booth.refused() == {7: 1, 17: 1}
    booth.close()
    assert found["port"] == Listeners().mqtt_port
    assert found["words"] == {one.name: list(one.levels) for one in ATTRIBUTES}
    row = new_booth(Camera("north"))._unit_statuses.rows()[0]
    assert found["row_keys"] == list(unit_row(row, Seconds(NOON)))
