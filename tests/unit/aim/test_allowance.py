"""A unit is aimed for an hour a day at most, whatever its hub signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.base.errors import Refused, Rule, Unfit
from appliance.unit.aim import allowance, carry_out
from tests.promises.test_lock import carried_out, order
from tests.unit.inputs.test_lock import unit_at

NOON = 1_800_000_000.0


def test_an_hour_a_day_and_no_minute_more(tmp_path: Path) -> None:
    """Four times a quarter of an hour; the next is refused until the first is a day ago, after a new start, too."""
    path = tmp_path / allowance.FILE
    for number in range(4):
        allowance.take(path, 15, now=NOON + 900 * number)
    with pytest.raises(Refused, match="60 of 60") as refusal:
        allowance.take(path, 1, now=NOON + 3600)
    assert refusal.value.rule is Rule.TOO_FAST
    with pytest.raises(Refused):
        allowance.take(path, 15, now=NOON + allowance.DAY - 1)
    allowance.take(path, 15, now=NOON + allowance.DAY)
    with pytest.raises(Refused):
        allowance.take(path, 1, now=NOON + allowance.DAY + 899)


def test_what_was_not_used_is_given_back(tmp_path: Path) -> None:
    """An aiming that another order ended counts what it lasted, begun minutes whole; a second end changes nothing."""
    path = tmp_path / allowance.FILE
    allowance.end(path, now=NOON)
    assert not path.exists()
    allowance.take(path, 15, now=NOON)
    allowance.end(path, now=NOON + 61)
    assert path.read_text() == f"{NOON:.0f} 2\n"
    allowance.end(path, now=NOON + 3000)
    allowance.take(path, 15, now=NOON + 3000)
    allowance.take(path, 5, now=NOON + 3000)
    assert path.read_text() == f"{NOON:.0f} 2\n{NOON + 3000:.0f} 1\n{NOON + 3000:.0f} 5\n"


def test_a_clock_that_ran_back_gives_no_time(tmp_path: Path) -> None:
    """Minutes of a later time than now count from now on."""
    path = tmp_path / allowance.FILE
    for number in range(4):
        allowance.take(path, 15, now=NOON + 900 * number)
    with pytest.raises(Refused):
        allowance.take(path, 16, now=NOON - 10 * allowance.DAY)


@pytest.mark.parametrize("untrusted", [b"x", b"1 2", b"1 2 3\n", b"-1 2\n", b"1 2\n" * 900, b"\n"])
def test_a_count_that_cannot_be_right_aims_nobody(tmp_path: Path, untrusted: bytes) -> None:
    """Damaged, it is Unfit and says which file."""
    path = tmp_path / allowance.FILE
    path.write_bytes(untrusted)
    with pytest.raises(Unfit, match="damaged"):
        allowance.take(path, 1, now=NOON)


def test_root_counts_before_it_aims(tmp_path: Path) -> None:
    """Orders that the hub has truly signed are refused beyond the day's minutes, and start nothing."""
    unit = unit_at(tmp_path)
    kept = unit.home.credentials / allowance.FILE
    assert carried_out(unit, order(unit)).next_service == carry_out.AIM
    at, lasted = kept.read_text().split()
    assert lasted == "5"
    kept.write_text(f"{at} 58\n{at} 1\n")
    (unit.home.directory / "minutes").unlink()
    with pytest.raises(Refused, match="59 of 60"):
        carried_out(unit, order(unit))
    assert not (unit.home.directory / "minutes").exists()
