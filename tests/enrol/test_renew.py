"""The page certificate: renewed in time, and when the hub has got another address; else left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance import cli
from appliance.enrol import BoothDirectory, booth_commands, create_booth
from appliance.enrol.booth import open_booth
from appliance.enrol.desk_access import desk_broker
from appliance.enrol.layout import days_left


@pytest.fixture
def booth(tmp_path: Path) -> BoothDirectory:
    """A booth at one address."""
    return create_booth(tmp_path / "hub", "corner", ("corner.local", "192.168.4.1"))


def renew(booth: BoothDirectory, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """What `leftfield booth renew` says it did."""
    capsys.readouterr()
    assert cli.main(["booth", "renew", "--directory", str(booth.directory), "--json", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return told


def test_a_certificate_with_time_left_is_left_alone(
    booth: BoothDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    """The nightly look changes nothing for eleven months."""
    before = booth.page_certificate[0].read_bytes()
    assert renew(booth, capsys, "--before", "60")["renewed"] is False
    assert booth.page_certificate[0].read_bytes() == before


def test_a_certificate_that_ends_soon_is_renewed(
    booth: BoothDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    """As soon as fewer days are left than asked for; the addresses stay."""
    left = days_left(booth, datetime.now(UTC))
    assert 390 <= left <= 397
    told = renew(booth, capsys, "--before", str(left + 1))
    assert told["renewed"] is True
    assert told["hosts"] == ["corner.local", "192.168.4.1"]


def test_days_are_counted_from_the_certificate(booth: BoothDirectory) -> None:
    """They run out, and are negative afterwards."""
    now = datetime.now(UTC)
    assert days_left(booth, now + timedelta(days=338)) < 60
    assert days_left(booth, now + timedelta(days=400)) < 0


def test_a_hub_that_has_moved_gets_a_certificate_for_its_new_address(
    booth: BoothDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its next start the new address is in the certificate beside the old ones; the one after changes nothing."""
    monkeypatch.setattr(booth_commands, "own_addresses", lambda: ("10.1.2.3",))
    told = renew(booth, capsys, "--before", "60", "--here")
    assert (told["renewed"], told["hosts"]) == (True, ["corner.local", "192.168.4.1", "10.1.2.3"])
    assert renew(open_booth(booth.directory), capsys, "--before", "60", "--here")["renewed"] is False


def test_rights_of_an_earlier_version_are_written_anew_by_the_desk(booth: BoothDirectory) -> None:
    """An upgrade needs no command: topics that are new are in the broker's rights once DESK has started."""
    rights = booth.broker_directory / "units.acl"
    wanted = rights.read_text()
    rights.write_text(wanted.replace("/hub/prior", "/hub/older"))
    desk_broker(booth)
    assert rights.read_text() == wanted
    before = rights.stat().st_mtime_ns
    desk_broker(booth)
    assert rights.stat().st_mtime_ns == before
