"""The recipe of an image: what mkosi, systemd-repart and the machine itself are given."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from appliance.base.errors import Unfit
from appliance.image.recipe import ROLES, Recipe, build_files, checked, disk_files, filled, start_files
from appliance.image.signing import signing

EPOCH = 1_764_000_000
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq8JzZ8m7ZdD9vQm0d8CqOQK0Tq4i4t7cM8oH5jzJ4d somebody"


def recipe(role: str = "unit", **more: Any) -> Recipe:
    return Recipe(role=role, arch="amd64", version="1.2.3", epoch=EPOCH, **more)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_every_name_in_every_template_is_filled_in(role: str, arch: str) -> None:
    one = Recipe(role=role, arch=arch, version="1.2.3", epoch=EPOCH)
    for files in (build_files(one), start_files(one), disk_files(one, "ab" * 32)):
        assert [path for path, text in files.items() if re.search(r"@[A-Z_]{3,}@", text)] == []
    assert build_files(one)["mkosi.conf"].count(f"leftfield-{role}") >= 3


def test_a_name_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="@NOBODY@"):
        filled("@NOBODY@", {}, "here")


def test_the_same_recipe_gives_the_same_seed_and_another_version_another() -> None:
    assert recipe().seed == recipe().seed
    assert recipe().seed != Recipe(role="unit", arch="amd64", version="1.2.4", epoch=EPOCH).seed


@pytest.mark.parametrize("role", ROLES)
def test_there_is_no_ssh_unless_a_key_is_named(role: str) -> None:
    without, with_key = recipe(role), recipe(role, ssh_key=KEY)
    assert "openssh" not in build_files(without)["mkosi.conf"]
    assert not any("ssh" in path for path in build_files(without))
    asked = build_files(with_key)
    assert "openssh-server" in asked["mkosi.conf"]
    assert asked["tree/usr/share/leftfield/authorized_keys"] == KEY + "\n"
    assert "PasswordAuthentication no" in asked["tree/etc/ssh/sshd_config.d/leftfield.conf"]


@pytest.mark.parametrize("role", ROLES)
def test_no_core_dump_no_swap_no_login_and_a_checked_root(role: str) -> None:
    files = build_files(recipe(role))
    assert "kernel.core_pattern=|/bin/false" in files["tree/usr/lib/sysctl.d/60-leftfield.conf"]
    assert "DefaultLimitCORE=0" in files["tree/usr/lib/systemd/system.conf.d/60-leftfield.conf"]
    assert "swap" not in files["tree/etc/fstab"]
    assert "ln -sf /dev/null etc/systemd/system-generators/systemd-getty-generator" in files["finalize.sh"]
    assert "RootPassword" not in files["mkosi.conf"]
    assert "panic-on-corruption" in files["mkosi.conf"]
    assert "Verity=hash" in files["repart/21-root-verity.conf"]


@pytest.mark.parametrize("role", ROLES)
def test_only_what_is_named_is_started(role: str) -> None:
    preset = build_files(recipe(role))["tree/usr/lib/systemd/system-preset/00-leftfield.preset"]
    rules = [line for line in preset.splitlines() if line and not line.startswith("#")]
    assert rules[-1] == "disable *"
    assert "enable nftables.service" in rules


def test_no_key_stays_in_an_image() -> None:
    """Whatever the packages did at their installation: the directory of keys is emptied at the end."""
    assert re.search(r"rm -rf etc/leftfield .*ssh_host", build_files(recipe("hub"))["finalize.sh"])


def test_what_lasts_is_on_the_state_partition_and_mounted_before_the_services() -> None:
    rows = [
        line.split() for line in build_files(recipe("hub"))["tree/etc/fstab"].splitlines() if line[0] == "/"
    ]
    where = {row[1]: row[3] for row in rows}
    assert set(where) == {"/state", "/etc/leftfield", "/var/lib/leftfield", "/var/lib/mosquitto"}
    assert {"nosuid", "nodev", "noexec"} <= set(where["/state"].split(","))
    assert all("noauto" not in options and "nofail" not in options for options in where.values())


def test_the_disk_has_two_places_for_a_system_found_by_the_root_hash() -> None:
    root_hash = "0123456789abcdef" * 4
    files = disk_files(recipe(), root_hash)
    assert [name for name in files if "root" in name] == ["20-root-a.conf", "30-root-b.conf"]
    assert f"UUID={uuid.UUID(root_hash[:32])}" in files["20-root-a.conf"]
    assert f"UUID={uuid.UUID(root_hash[-32:])}" in files["21-verity-a.conf"]
    assert "Label=_empty" in files["30-root-b.conf"]
    assert "Label=_empty" in files["31-verity-b.conf"]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"version": "1.0-rc1"}, "digits and dots"),
        ({"ssh_key": "ssh-rsa AAAA"}, "ed25519"),
        ({"ssh_key": KEY + "\nssh-ed25519 BBBB"}, "one line"),
        ({"extra": ("good", "--force")}, "no name of a Debian package"),
    ],
)
def test_what_cannot_be_built_is_said_before_anything_is_built(wrong: dict[str, object], what: str) -> None:
    fields: dict[str, Any] = {"role": "unit", "arch": "amd64", "version": "1.2.3", "epoch": EPOCH} | wrong
    with pytest.raises(Unfit, match=what):
        checked(Recipe(**fields))


def test_what_the_firmware_starts_is_signed_only_where_that_is_asked_for() -> None:
    assert not any("secure-boot" in path for path in build_files(recipe()))
    asked = build_files(recipe(secure_boot=True))["mkosi.conf.d/secure-boot.conf"]
    assert "SecureBoot=yes" in asked
    assert "SecureBootKey=/workshop/keys/secure-boot.key" in asked


def test_key_and_certificate_of_secure_boot_must_belong_together(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        about = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now.replace(year=2027))
        files = tmp_path / f"{name}.key", tmp_path / f"{name}.crt"
        files[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files[1].write_bytes(about.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
        made.append(files)
    (key_one, of_one), (_, of_two) = made
    assert signing(None, None) is None
    assert signing(key_one, of_one) == (key_one, of_one)
    for wrong, what in (
        ((key_one, None), "go together"),
        ((key_one, of_two), "another key"),
        ((of_one, of_one), "cannot"),
    ):
        with pytest.raises(Unfit, match=what):
            signing(*wrong)
