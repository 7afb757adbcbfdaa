from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.protocol import sign
from appliance.protocol.values import Heartbeat, Observation, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.unit.inputs.colour_matrix import matrix_in


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
