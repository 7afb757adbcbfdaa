from __future__ import annotations

import gzip
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.hub.exchange import baseline_file
from appliance.hub.storage.restore import learnt
from appliance.hub.storage.store import Store
from appliance.protocol import prior, sign
from appliance.protocol.values import BoothId, Heartbeat, Observation, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings import config
from appliance.unit.inputs.colour_matrix import matrix_in
from appliance.unit.outbox.spool import Spool


@pytest.fixture(params=sorted(Path(__file__).parent.glob("wire-*.toml")), ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One released wire version: its envelopes, their key, and what they say."""
    return tomllib.loads(request.param.read_text("utf-8"))


def test_every_envelope_ever_released_opens(released: dict[str, Any]) -> None:
    """An envelope of every released version opens and says what it said then."""
    signer = sign.Signer(unit=UnitId("north"), public_key=bytes.fromhex(released["public_key"]))
    opener = sign.Opener(booth=released["booth"], signer_of={sign.key_id(signer.public_key): signer}.get)
    observation = opener.open(bytes.fromhex(released["observation"]))
    assert isinstance(observation, Observation)
    words = {one.name: observation.vector.word(one.name) for one in ATTRIBUTES}
    assert {name: word for name, word in words.items() if word != "unknown"} == released["says"]
    assert isinstance(opener.open(bytes.fromhex(released["heartbeat"])), Heartbeat)


def test_every_camera_matrix_ever_released_opens() -> None:
    """A unit that was shown a card before an update goes by the same numbers after it."""
    kept = (Path(__file__).parent / "matrix-1.txt").read_bytes()
    matrix = matrix_in(kept, "matrix-1.txt")
    assert matrix.entries == (1045, -215, -35, -215, 1462, -203, -36, -539, 2321)
    assert matrix.residual == 8


HERE = Path(__file__).parent
PUBLIC = sign.public_key_of((7).to_bytes(32, "big"))


def test_a_hub_database_of_version_1_opens(tmp_path: Path) -> None:
    """A hub that is updated goes on with all that its database holds: counts, doors, and an open alert."""
    (tmp_path / "hub.sqlite").write_bytes(gzip.decompress((HERE / "hub-1.sqlite.gz").read_bytes()))
    store = Store(tmp_path / "hub.sqlite", BoothId("corner"))
    stored = store.load()
    rarity = learnt(stored)
    assert rarity.baseline.people == 1201
    assert rarity.baseline.weight(Seconds(rarity.baseline.latest)) == pytest.approx(1201, abs=5)
    assert [door.unit.split("/")[0] for door in stored.doors] == ["north"]
    store.close()


def test_a_baseline_file_of_version_1_is_imported() -> None:
    """A file that an older hub exported opens under that hub's key."""
    content = (HERE / "corner-1.baseline").read_bytes()
    found = baseline_file.decode(content, public_key=PUBLIC, where="corner-1.baseline")
    assert (found.booth, found.state.people) == ("corner", 1201)


def test_a_prior_of_version_1_opens() -> None:
    """A unit that is updated goes by the prior that it kept."""
    content = (HERE / "hub-1.prior").read_bytes()
    assert prior.prior_in(content, public_key=PUBLIC, booth=BoothId("corner")).people > 1000


def test_a_spool_of_version_1_gives_what_waits(tmp_path: Path) -> None:
    """What waited in an older RELAY's spool is sent by a newer one, and nothing that was settled."""
    shutil.copytree(HERE / "spool-1", tmp_path / "spool")
    spool = Spool(tmp_path / "spool", 40)
    assert [waiting.serial for waiting in spool.waiting(0, 100)] == list(range(5, 25))


def test_configurations_of_version_1_are_read(tmp_path: Path) -> None:
    """Settings written by an older version mean what they meant."""
    for name in ("hub-1.toml", "unit-1.toml"):
        shutil.copy(HERE / name, tmp_path / name)
    hub = config.hub_config(tmp_path / "hub-1.toml")
    assert (hub.warmup_people, hub.retention_seconds, hub.pacing.max_p, hub.language) == (
        60,
        240.0,
        0.01,
        "fr",
    )
    unit = config.unit_config(tmp_path / "unit-1.toml")
    assert (unit.unit, unit.walls, unit.camera.source) == ("corner-north", "every", "/dev/video0")
