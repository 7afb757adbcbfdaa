from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.base.errors import Refused, Rule, Unfit
from appliance.protocol import prior, sign
from appliance.protocol.prior import MOST_BYTES, OLDEST
from appliance.protocol.values import BoothId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings.config import UnitConfig, unit_config
from appliance.unit.inputs import prior_file
from appliance.unit.vision.attributes.priors import CALIBRATION, LEAST, LEAST_VAGUE, usual_by
from tests.priors import LIFTS

KEY = sign.new_private_key()
NOW = 1_790_000_000
DAY = 86_400


def sealed(*, booth: str = "corner", made_at: int = NOW - DAY, key: bytes = KEY, people: int = 4000) -> bytes:
    shares = tuple(
        tuple(2 * (place + 1) / (len(one.levels) * (len(one.levels) + 1)) for place in range(len(one.levels)))
        for one in ATTRIBUTES
    )
    return prior.sealed_prior(
        booth=BoothId(booth), made_at=made_at, people=people, shares=shares, lifts=LIFTS, private_key=key
    )


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UnitConfig:
    """A unit of booth ``corner`` that knows its hub's key and has no credential."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path = tmp_path / "unit.toml"
    path.write_text(
        '[unit]\nbooth = "corner"\nunit = "north"\n[camera]\nsource = "picamera2"\n'
        '[broker]\nhost = "h"\nca = "c"\ncertificate = "c"\nkey = "k"\n'
        f'[prior]\npath = "hub.prior"\nhub_key = "{sign.public_key_of(KEY).hex()}"\n',
        "utf-8",
    )
    return unit_config(path)


def test_what_relay_put_sense_takes(unit: UnitConfig) -> None:
    """A prior that RELAY put on the shelf is what SENSE goes by, and it says of how many people and how old."""
    assert prior_file.put(unit, sealed(), None, NOW) is not None
    found, said = prior_file.taken(unit, NOW)
    assert found == prior_file.kept(unit)
    assert found is not None
    assert said == "going by the hub's prior: 4,000 people, 1 days old"
    assert {path.name for path in unit.prior.parent.iterdir()} == {"unit.toml", "hub.prior"}


def test_nothing_older_replaces_what_is_kept(unit: UnitConfig) -> None:
    """A newer prior replaces the kept one; an older or the same one changes nothing."""
    newest = prior_file.put(unit, sealed(made_at=NOW), None, NOW)
    assert newest is not None
    for made_at in (NOW, NOW - 1):
        assert prior_file.put(unit, sealed(made_at=made_at), newest, NOW) is None
    assert prior_file.kept(unit) == newest
    assert prior_file.put(unit, sealed(made_at=NOW + 1), newest, NOW) is not None
    assert prior_file.taken(unit, NOW)[0] != newest


@pytest.mark.parametrize(
    ("untrusted", "rule"),
    [
        (sealed(key=sign.new_private_key()), Rule.UNKNOWN_KEY),
        (sealed(booth="market"), Rule.FORGED),
        (sealed()[:-1] + bytes([sealed()[-1] ^ 1]), Rule.FORGED),
        (sealed() + bytes(MOST_BYTES), Rule.TOO_LONG),
        (b"", Rule.MALFORMED),
        (b"garbage", Rule.MALFORMED),
    ],
    ids=["another key", "another booth", "changed", "too long", "empty", "garbage"],
)
def test_what_is_not_the_hubs_is_left(unit: UnitConfig, untrusted: bytes, rule: Rule) -> None:
    """RELAY puts only the hub's own for this booth on the shelf; SENSE, given another, goes by the shipped one."""
    with pytest.raises(Refused) as refusal:
        prior_file.put(unit, untrusted, None, NOW)
    assert refusal.value.rule is rule
    assert not unit.prior.exists()
    unit.prior.write_bytes(untrusted)
    found, said = prior_file.taken(unit, NOW)
    assert found is None
    assert said.endswith("going by the shipped prior")
    assert "\n" not in said


def test_another_vocabulary_is_left(unit: UnitConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prior in the words of another version is no reason to stop."""
    with monkeypatch.context() as other:
        other.setattr("appliance.protocol.vocabulary.VERSION", 2)
        unit.prior.write_bytes(sealed())
    found, said = prior_file.taken(unit, NOW)
    assert found is None
    assert "vocabulary 2" in said


def test_an_old_prior_is_of_another_season(unit: UnitConfig) -> None:
    """After sixty days the shipped prior is used again; a clock that is not set calls nothing old."""
    prior_file.put(unit, sealed(made_at=NOW - OLDEST - DAY), None, NOW)
    assert prior_file.taken(unit, NOW) == (None, "the hub's prior is 61 days old: going by the shipped one")
    assert prior_file.taken(unit, 1000.0)[0] is not None


def test_without_a_hubs_key_nothing_is_believed(unit: UnitConfig) -> None:
    """A unit that was enrolled without the hub's key goes by the shipped prior, whatever lies there."""
    prior_file.put(unit, sealed(), None, NOW)
    stranger = replace(unit, hub_key=None)
    assert prior_file.taken(stranger, NOW)[0] is None
    assert prior_file.kept(stranger) is None


def test_the_credential_comes_first(
    unit: UnitConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under systemd SENSE goes by the copy it was handed, and by none where that says none."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    prior_file.put(unit, sealed(people=9000), None, NOW)
    (credentials / prior_file.CREDENTIAL).write_bytes(sealed(people=5000))
    found, _ = prior_file.taken(unit, NOW)
    assert found is not None
    assert found.people == 5000
    (credentials / prior_file.CREDENTIAL).write_bytes(b"none")
    assert prior_file.taken(unit, NOW)[0] is None


def test_no_link_is_followed_and_no_pipe_is_waited_for(unit: UnitConfig, tmp_path: Path) -> None:
    """What is no plain file is not there."""
    os.mkfifo(unit.prior)
    assert prior_file.taken(unit, NOW)[0] is None
    unit.prior.unlink()
    (tmp_path / "elsewhere").write_bytes(sealed())
    unit.prior.symlink_to(tmp_path / "elsewhere")
    assert prior_file.taken(unit, NOW)[0] is None


def test_a_disk_that_takes_nothing_is_away(unit: UnitConfig, tmp_path: Path) -> None:
    """Where the file cannot be written the error says where, and what was kept is still there."""
    nowhere = replace(unit, prior=tmp_path / "missing" / "hub.prior")
    with pytest.raises(Unfit, match=r"missing/hub\.prior"):
        prior_file.put(nowhere, sealed(), None, NOW)


def test_the_hubs_shares_move_the_prior_but_silence_no_word(unit: UnitConfig) -> None:
    """The hub's shares become the prior, a young hub's less so; by what is said no word falls below one in 120."""
    many, few = (prior_file._believed(unit, sealed(people=people), "here") for people in (90_000, 300))
    old, young = usual_by(many), usual_by(few)
    for place, shipped in enumerate(CALIBRATION):
        assert sum(old.counted[place]) == pytest.approx(1.0)
        assert sum(old.calibrations[place].prior) == pytest.approx(1.0)
        # Words that are no reason for anything, such as "none", are never believed to be rare.
        floors = [
            LEAST_VAGUE if word in ATTRIBUTES[place].vague else 0.0 for word in ATTRIBUTES[place].levels
        ]
        told = [max(share, floor) for share, floor in zip(many.shares[place], floors, strict=True)]
        assert old.counted[place] == pytest.approx([share / sum(told) for share in told], abs=0.01)
        assert young.counted[place] == pytest.approx(
            [(one + other) / 2 for one, other in zip(many.shares[place], shipped.prior, strict=True)],
            abs=0.01,
        )
        assert old.calibrations[place].temperature == shipped.temperature
        assert min(old.calibrations[place].prior) > LEAST / 1.2


def test_a_hub_whose_clock_ran_ahead_does_not_silence_its_later_priors(unit: UnitConfig) -> None:
    """A prior of next year is not taken; one kept before the clock was set gives way, and SENSE leaves it."""
    ahead = sealed(made_at=NOW + 300 * DAY)
    assert prior_file.put(unit, ahead, None, NOW) is None
    kept = prior_file.put(unit, ahead, None, 1.0)
    assert kept is not None
    found, said = prior_file.taken(unit, NOW)
    assert found is None
    assert "300 days ahead" in said
    assert prior_file.put(unit, sealed(), kept, NOW) is not None


def test_a_number_beyond_all_measure_is_refused(unit: UnitConfig) -> None:
    """A year that no clock can show is refused, not stumbled over."""
    with pytest.raises(Refused):
        prior_file.put(unit, sealed(made_at=10**400), None, NOW)
