"""Promise 4's end: a locked unit is locked for good. Each test is somebody who tries to get back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import cli
from appliance.base.errors import LeftfieldError, Refused, Rule, Unfit
from appliance.enrol import UnitHome, enrol_unit, write_unit_config
from appliance.enrol.home import make_keys
from appliance.mqtt import Message
from appliance.pairing.tries import CodeOnUnit
from appliance.protocol.pairing_code import new_code
from appliance.protocol.setup_order import GOOD_SECONDS, Do, SetupOrder, sealed_order
from appliance.protocol.sign import key_id
from appliance.protocol.values import Epoch, UnitId
from appliance.unit.aim import carry_out
from appliance.unit.inputs import lock
from appliance.unit.outbox import orders
from appliance.unit.outbox.aim_gate import AimGate
from tests.unit.inputs.test_lock import MadeUnit, unit_at
from tests.unit.outbox.test_aim_gate import AIMED, CODE

UNPRIVILEGED = 65534
NOW = 1_800_000_000


def order(unit: MadeUnit, do: Do = Do.AIM, *, epoch: int = 7, made_at: float | None = None) -> bytes:
    """An order that the hub has truly signed, for now and this epoch unless it is said otherwise."""
    assert unit.config.public_key is not None
    return sealed_order(
        SetupOrder(
            unit=unit.config.unit,
            key=key_id(unit.config.public_key),
            epoch=Epoch(epoch),
            made_at=int(time.time() if made_at is None else made_at),
            do=do,
            minutes=5 * (do is Do.AIM),
        ),
        booth=unit.config.booth,
        private_key=unit.hub_key,
    )


def message_of(untrusted: bytes) -> Message:
    return Message(
        untrusted_topic="t", untrusted_payload=untrusted, untrusted_response_topic="",
        untrusted_correlation=b"", retained=False, qos=1, ticket=1,
    )  # fmt: skip


def relayed(unit: MadeUnit, untrusted: bytes, gate: AimGate, wall: float | None) -> AimGate:
    """The gate after RELAY has taken an order, while SENSE says that it is aimed."""
    orders.put_down(unit.config, message_of(untrusted), gate, 0.0, wall=wall)
    gate.heard(AIMED)
    return gate


def figures_pass(gate: AimGate) -> bool:
    gate.heard(AIMED)
    return bool(gate.let_through([CODE], 1.0))


def carried_out(unit: MadeUnit, untrusted: bytes) -> carry_out.CarriedOut:
    return carry_out.carry_out(unit.toml, untrusted, minutes=unit.home.directory / "minutes")


@pytest.fixture
def free(tmp_path: Path) -> MadeUnit:
    """A unit that is not locked yet."""
    return unit_at(tmp_path)


@pytest.fixture
def locked(free: MadeUnit) -> MadeUnit:
    """The same, locked by an order of its hub."""
    assert carried_out(free, order(free, Do.LOCK)).next_service == carry_out.SENSE
    return free


def refused(unit: MadeUnit) -> bool:
    """Whether nothing and nobody gets this unit aimed, or a card read: orders, services, commands."""
    (unit.home.directory / "minutes").unlink(missing_ok=True)
    epoch = int((unit.home.credentials / "epoch").read_text())
    try:
        carried_out(unit, order(unit, epoch=epoch))
    except LeftfieldError:
        pass
    else:
        return False
    words = ["--config", str(unit.toml)]
    codes = [cli.main(["aim", "run", *words]), cli.main(["card", "read", *words])]
    return codes == [78, 78] and not (unit.home.directory / "minutes").exists()


def test_a_unit_that_is_not_locked_takes_its_hubs_orders(free: MadeUnit) -> None:
    """The same order does what it says before the lock: the tests below would fail without one."""
    done = carried_out(free, order(free))
    assert (done.next_service, (free.home.directory / "minutes").read_bytes()) == (carry_out.AIM, b"5\n")


def test_a_locked_unit_refuses_everything(locked: MadeUnit, capfd: pytest.CaptureFixture[str]) -> None:
    """A fresh, true order of its own hub is refused; aim and card end before camera, model or pipe is touched."""
    assert refused(locked)
    assert "camera" not in capfd.readouterr().err.replace("colour card", "")
    with pytest.raises(Refused) as refusal:
        carried_out(locked, order(locked, Do.ZONES))
    assert refusal.value.rule is Rule.NOT_YOURS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
@pytest.mark.parametrize("attack", ["unlink(path)", "write(path)", "rename(path)", "mount()", "chmod(path)"])
def test_relays_account_cannot_remove_it(locked: MadeUnit, attack: str) -> None:
    """Another account than root's can neither remove, replace, move nor open the record."""
    path = lock.path_beside(locked.toml)
    before = path.read_bytes()
    for folder in locked.home.directory.parents:
        if folder != folder.parent and folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    script = f"""
import os, sys, ctypes
path = {str(path)!r}
os.setgroups([]); os.setgid({UNPRIVILEGED}); os.setuid({UNPRIVILEGED})
unlink = os.unlink
write = lambda path: open(path, "wb").write(b"none")
rename = lambda path: os.rename(os.path.dirname(path), path + ".away")
def mount():
    if ctypes.CDLL(None).mount(b"none", os.path.dirname(path).encode(), b"tmpfs", 0, None):
        raise OSError
chmod = lambda path: os.chmod(os.path.dirname(path), 0o777)
try:
    {attack}
except OSError:
    sys.exit(3)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 3, done.stderr
    assert path.read_bytes() == before
    assert refused(locked)


@pytest.mark.parametrize("again", [Do.AIM, Do.LOCK, Do.WATCH, Do.ZONES])
def test_an_old_order_is_of_no_use(free: MadeUnit, again: Do) -> None:
    """An order that was carried out, or held back, is of another epoch: before the lock, and after."""
    old = order(free, again)
    carried_out(free, old)
    lock.path_beside(free.toml).unlink(
        missing_ok=True
    )  # so that it is the order that is judged, not the lock
    assert cli.main(["epoch", "--directory", str(free.home.directory)]) == 0  # SENSE has started since
    with pytest.raises(Refused) as refusal:
        carried_out(free, old)
    assert refusal.value.rule is Rule.REPLAYED
    carry_out.lock_here(free.toml, free.config)
    with pytest.raises(Refused) as refusal:
        carried_out(free, old)
    assert refusal.value.rule is Rule.NOT_YOURS


def test_an_older_order_is_refused_by_its_time(free: MadeUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the clock is set an order of three minutes ago is refused in its own epoch, too."""
    monkeypatch.setattr(carry_out, "is_synchronised", lambda: True)
    with pytest.raises(Refused) as refusal:
        carried_out(free, order(free, made_at=time.time() - 180))
    assert refusal.value.rule is Rule.EXPIRED


def test_a_config_of_before_the_lock_changes_nothing(locked: MadeUnit, tmp_path: Path) -> None:
    """An old unit.toml put back, or one that names other places, finds the same lock: no setting names it."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    text = locked.toml.read_text()
    locked.toml.write_text(
        text + f'\n[setup]\norder = "{other}/order"\nzones = "{other}/zones"\n'.replace("[setup]", "# setup")
    )
    assert refused(locked)
    locked.toml.write_text(text)
    assert refused(locked)
    for key in ("lock", "credentials"):
        locked.toml.write_text(f'{text}\n[more]\n{key} = "{other}"\n')
        with pytest.raises(Unfit, match=r"unknown|more"):
            carry_out.unit_config(locked.toml)


def test_pairing_it_anew_leaves_it_locked(locked: MadeUnit) -> None:
    """A new code, new keys, a new booth: the record of the old key still locks, and says that it is not ours."""
    CodeOnUnit(locked.home.directory).write(new_code())
    assert cli.main(["pair", "renew", "--yes", "--directory", str(locked.home.directory)]) == 0
    assert lock.is_locked(locked.toml)
    home = UnitHome(directory=locked.home.directory)
    make_keys(home)
    address = enrol_unit(locked.booth, home, "north-2", place="north corner")
    config = replace(locked.config, public_key=home.public_key(), broker=address, unit=UnitId("north-2"))
    anew = MadeUnit(booth=locked.booth, home=home, config=write_unit_config(home.config, config))
    record = lock.record_at(anew.toml, anew.config.public_key)
    assert record is not None
    assert not record.ours
    assert refused(anew)


def test_erasing_it_leaves_it_locked(locked: MadeUnit) -> None:
    """``erase unit --all`` ends who it is, keys and settings, and leaves the lock."""
    assert cli.main(["erase", "unit", "--all", "--yes", "--config", str(locked.toml)]) == 0
    assert not locked.toml.exists()
    assert [path.name for path in locked.home.credentials.iterdir()] == ["lock"]
    assert lock.is_locked(locked.toml)


def test_an_update_brings_no_place_for_it(locked: MadeUnit) -> None:
    """An update replaces the system's partitions; nothing of it writes where the lock is kept."""
    root = Path(__file__).parents[2] / "appliance"
    sources = [*(root / "update").rglob("*.py"), *(root / "image/files").rglob("*.service")]
    assert sources
    for source in sources:
        text = source.read_text(errors="replace")
        assert "credentials/lock" not in text, source
    fetch = (root / "image/files/unit/usr/lib/systemd/system/leftfield-fetch.service").read_text()
    assert "User=leftfield-relay" in fetch
    assert refused(locked)


def test_the_hub_cannot_undo_it(locked: MadeUnit) -> None:
    """No word of an order unlocks; every one that the hub can sign is refused."""
    assert {do.value for do in Do} == {"aim", "watch", "zones", "lock"}
    for do in Do:
        with pytest.raises(Refused):
            carried_out(locked, order(locked, do))


def test_relay_puts_down_nothing_that_was_retained(free: MadeUnit) -> None:
    """An order that the broker retains may be a recording: it is not even put down."""
    message = replace(message_of(order(free)), retained=True)
    with pytest.raises(Refused):
        orders.put_down(free.config, message, AimGate(0.0), 0.0, wall=None)
    assert not free.config.order.exists()


@pytest.mark.parametrize("wall", [None, NOW])
def test_a_recorded_order_opens_no_gate(free: MadeUnit, wall: float | None) -> None:
    """Who recorded orders plays them back after others, or after a start of RELAY: nothing leaves."""
    aim, watch = order(free, made_at=NOW), order(free, Do.WATCH, made_at=NOW + 1)
    gate = relayed(free, aim, AimGate(0.0), wall)
    assert figures_pass(gate)
    assert not figures_pass(relayed(free, watch, gate, wall))
    for again in (gate, AimGate(0.0)):
        with pytest.raises(Refused) as refusal:
            relayed(free, aim, again, wall)
        assert refusal.value.rule is Rule.REPLAYED
        assert not figures_pass(again)
    assert free.config.order.read_bytes() == watch


def test_an_order_that_was_held_back_opens_no_gate_by_a_clock_that_is_set(free: MadeUnit) -> None:
    """Never seen before, but too old; and an order from the future keeps out none of the hub's true ones."""
    late, gate = order(free, made_at=NOW), AimGate(0.0)
    with pytest.raises(Refused) as refusal:
        relayed(free, late, gate, NOW + GOOD_SECONDS + 1)
    assert refusal.value.rule is Rule.EXPIRED
    assert not figures_pass(gate)
    relayed(free, order(free, Do.WATCH, made_at=NOW + 9000), gate, None)
    with pytest.raises(Refused):
        relayed(free, late, gate, None)
    assert figures_pass(relayed(free, late, gate, NOW))


def test_a_lock_is_asked_for_twice(free: MadeUnit, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can be asked the command wants ``--yes``; then it says what holds from now on."""
    words = ["lock", "--config", str(free.toml)]
    assert cli.main(words) == 78
    assert not lock.is_locked(free.toml)
    assert cli.main([*words, "--yes", "--json"]) == 0
    assert '"locked": true' in capsys.readouterr().out
    assert cli.main([*words, "--show"]) == 0
    assert "locked for good, in epoch 7, signed by this unit's key" in capsys.readouterr().out
