"""The lock: once made it holds, whatever stands in its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.base.errors import Unfit
from appliance.enrol import UnitHome, create_booth, enrol_unit, write_unit_config
from appliance.enrol.layout import BoothDirectory
from appliance.protocol.values import BoothId, Epoch, UnitId
from appliance.settings.config import CameraConfig, UnitConfig
from appliance.unit.aim import carry_out
from appliance.unit.inputs import lock


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUnit:
    """An enrolled unit in a folder, and the booth it belongs to."""

    booth: BoothDirectory
    home: UnitHome
    config: UnitConfig

    @property
    def toml(self) -> Path:
        """Its unit.toml."""
        return self.home.config

    @property
    def hub_key(self) -> bytes:
        """The key that the hub signs orders with."""
        return self.booth.prior_key.read_bytes()


def unit_at(directory: Path, *, epoch: int = 7) -> MadeUnit:
    """A booth and its unit ``north``, enrolled as its own machine and the booth would."""
    booth = create_booth(directory / "booth", BoothId("booth"))
    home = UnitHome(directory=directory / "unit")
    address = enrol_unit(booth, home, "north", place="north corner")
    settings = UnitConfig(
        booth=BoothId("booth"),
        unit=UnitId("north"),
        broker=address,
        camera=CameraConfig(source="none.avi"),
        public_key=home.public_key(),
        hub_key=booth.hub_key(),
        pipe=home.directory / "pipe",
        order=home.directory / "order",
        zones=home.directory / "camera.zones",
        matrix=home.directory / "camera.matrix",
    )
    config = write_unit_config(home.config, settings)
    (home.credentials / "epoch").write_bytes(b"%d\n" % epoch)
    return MadeUnit(booth=booth, home=home, config=config)


@pytest.fixture
def unit(tmp_path: Path) -> MadeUnit:
    return unit_at(tmp_path)


def test_a_lock_is_signed_by_the_unit_and_says_when(unit: MadeUnit) -> None:
    """Its record names unit and epoch, under the unit's own key; a second lock changes nothing."""
    assert not lock.is_locked(unit.toml)
    assert lock.record_at(unit.toml, unit.config.public_key) is None
    carry_out.lock_here(unit.toml, unit.config)
    assert lock.is_locked(unit.toml)
    record = lock.record_at(unit.toml, unit.config.public_key)
    assert record == lock.LockRecord(unit="north", epoch=7, ours=True)
    before = lock.path_beside(unit.toml).read_bytes()
    (unit.home.credentials / "epoch").write_bytes(b"9\n")
    carry_out.lock_here(unit.toml, unit.config)
    assert lock.path_beside(unit.toml).read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"none", b"unlocked", b"\x00" * 3000])
def test_whatever_stands_in_its_place_locks(unit: MadeUnit, content: bytes) -> None:
    """An empty, damaged or foreign record locks like a good one, and is said to be nobody's."""
    lock.path_beside(unit.toml).write_bytes(content)
    assert lock.is_locked(unit.toml)
    record = lock.record_at(unit.toml, unit.config.public_key)
    assert record is not None
    assert not record.ours
    with pytest.raises(Unfit, match="locked"):
        lock.refuse_where_locked(unit.toml, "it is not aimed")


def test_a_folder_or_a_dangling_link_in_its_place_locks(unit: MadeUnit) -> None:
    """Nothing that can be put there by mistake or by force opens it."""
    path = lock.path_beside(unit.toml)
    path.symlink_to("nowhere")
    assert lock.is_locked(unit.toml)
    path.unlink()
    path.mkdir()
    assert lock.is_locked(unit.toml)


def test_a_place_that_may_not_be_looked_at_counts_as_locked(
    unit: MadeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot see whether there is a lock takes it that there is one."""

    def refused(_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr("os.lstat", refused)
    assert lock.is_locked(unit.toml)


@pytest.mark.parametrize(
    ("told", "again", "locked"),
    [
        (b"none", b"absent", False), (b"none\n", b"absent\n", True), (b"none", b"none", True),
        (b"absent", b"absent", True), (b"", b"", True), (b"anything", b"anything", True), (b"none", None, True),
    ],
)  # fmt: skip
def test_a_service_is_told_by_its_credential(
    unit: MadeUnit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: bytes,
    again: bytes | None,
    locked: bool,
) -> None:
    """Under systemd two copies of one file decide: no content of a lock can pass for both words of its absence."""
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "lock").write_bytes(told)
    if again is not None:
        (handed / "lock-too").write_bytes(again)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    assert lock.is_locked(unit.toml) is locked


def test_a_lock_needs_the_units_key(unit: MadeUnit) -> None:
    """Without the signing key there is no record, and the command says so."""
    (unit.home.credentials / "signing.key").unlink()
    with pytest.raises(Unfit, match="signing key"):
        carry_out.lock_here(unit.toml, unit.config)
    assert not lock.is_locked(unit.toml)
    assert lock.lock(
        unit.toml, booth=unit.config.booth, unit=unit.config.unit, epoch=Epoch(1), private_key=b"k" * 32
    )
    assert lock.record_at(unit.toml, unit.config.public_key) == lock.LockRecord(
        unit="north", epoch=1, ours=False
    )
