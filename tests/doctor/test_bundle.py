"""The bundle for support holds no observation: nothing that was seen, worn, said or named changes a byte of it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import cli
from appliance.doctor import bundle
from appliance.doctor.commands import examined
from appliance.enrol import files
from appliance.protocol.values import BoothId, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings import config
from tests.doctor.fake_machine import bare, put

NOW = 1_800_000_000.0


def _hub(root: Path, booth: str, secret: str) -> bytes:
    """The bundle of a hub in whose every corner ``secret`` stands."""
    directory = root / "etc/leftfield"
    assert (
        cli.main(["booth", "create", booth, "--host", f"{booth}.local", "--directory", str(directory)]) == 0
    )
    put(
        root,
        "/etc/leftfield/register.toml",
        f'[units.{booth}]\npublic_key = "{"ab" * 32}"\nplace = "{secret}"\n',
    )
    text = (directory / "hub.toml").read_text().replace(str(root / "var"), "/var")
    put(root, "/etc/leftfield/hub.toml", text)
    return _bundle(root, secret)


def _unit(root: Path, booth: str, secret: str) -> bytes:
    """The same of a unit."""
    broker = config.BrokerAddress(
        host=f"{booth}.local", port=8883, ca=Path("a"), certificate=Path("b"), key=Path("c")
    )
    unit = config.UnitConfig(
        booth=BoothId(booth),
        unit=UnitId(f"{booth}-cam"),
        broker=broker,
        camera=config.CameraConfig(source=f"/{secret}.avi"),
    )
    (root / "etc/leftfield").mkdir(parents=True)
    files.write_unit_config(root / "etc/leftfield/unit.toml", unit)
    put(root, "/var/lib/leftfield/spool/from-1-to-2.spool", secret)
    return _bundle(root, secret)


def _bundle(root: Path, secret: str) -> bytes:
    machine, tools = bare(root)
    status = {
        "ActiveState": "active", "Result": secret, "NRestarts": "3", "ExecMainStatus": secret, "StatusText": secret,
        "FragmentPath": f"/etc/{secret}.service", "DropInPaths": f"/etc/{secret}.conf", "MainPID": "0",
    }  # fmt: skip
    for service in ("mosquitto", "leftfield-watch", "leftfield-pages", "leftfield-desk", "leftfield-offer",
                    "leftfield-sense", "leftfield-relay"):  # fmt: skip
        tools.properties[service] = status
    put(root, f"/etc/{secret}.conf", f"[Service]\nEnvironment={secret}\n")
    put(root, "/var/log/syslog", secret)
    put(root, "/etc/hostname", secret)
    put(root, "/proc/sys/kernel/core_pattern", f"|/{secret}\n")
    put(root, "/proc/swaps", f"Filename\n/{secret} file 1 1 1\n")
    put(root, f"/sys/block/{secret}/device/life_time", "0x0b")
    put(root, f"/etc/systemd/journald.conf.d/{secret}.conf", f"[Journal]\nStorage={secret}\n")
    database = root / "var/lib/leftfield/hub.sqlite"
    database.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE live (unit, seen_at, code)")
        db.execute("CREATE TABLE alert (code, seen_at, reasons)")
        db.execute("INSERT INTO live VALUES (?, 1, ?)", (secret, secret))
        db.execute("INSERT INTO alert VALUES (?, 1, ?)", (secret, secret))
    about, findings = examined(machine, Path("/etc/leftfield"), NOW)
    assert any(secret in finding.what for finding in findings), "the doctor itself does see it"
    return bundle.made(machine, about, findings)


@pytest.mark.parametrize("made", [_hub, _unit], ids=["hub", "unit"])
def test_two_machines_that_differ_in_what_was_seen_and_named_give_the_same_bundle(
    made: Callable[[Path, str, str], bytes], tmp_path: Path
) -> None:
    """Outfits in statuses, names, paths, settings, spool, journal and database leave no trace in the bundle."""
    outfit = "purple-checked-trousers-red-stripes-at-1790000001"
    one = made(tmp_path / "one", "alpha", outfit)
    other = made(tmp_path / "other", "omega", "nothing-at-all")
    assert one == other
    for word in ("purple", "checked", "trousers", "alpha", "1790000001"):
        assert word.encode() not in one


def test_no_word_of_the_vocabulary_is_among_the_words_of_a_bundle() -> None:
    """Colours, patterns and kinds are not in the closed list, so that no outfit could be spelled with it."""
    worn = {word for attribute in ATTRIBUTES for word in attribute.levels} - {"none"}
    spelled = {part for word in bundle.WORDS for part in re.split(r"[^a-z]+", word)}
    assert worn & spelled == set()


@pytest.mark.parametrize("leaf", ["purple", "1.2.3 purple", -1, 10**12, 1.5, None, "corner-north"])
def test_what_is_no_closed_word_version_or_number_cannot_be_put_in(leaf: object) -> None:
    """`sealed` refuses it, wherever in the document it stands, as a key too."""
    with pytest.raises(ValueError, match="must not be in a bundle"):
        bundle.sealed({"bundle": [{"about": leaf}]})
    with pytest.raises((ValueError, TypeError)):
        bundle.sealed({leaf: 1})  # type: ignore[dict-item]


def test_the_command_writes_a_bundle_and_says_by_its_exit_code_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a machine that is neither unit nor hub: 78, one line with the fix, and a bundle of closed words."""
    out = tmp_path / "bundle.json"
    words = ["doctor", "--directory", str(tmp_path / "none")]
    assert cli.main([*words, "--bundle", str(out)]) == 78
    assert "fix: enrol it" in capsys.readouterr().out
    assert json.loads(out.read_bytes())["role"] in {"", "unit", "hub"}
    assert cli.main([*words, "--json"]) == 78
    document = json.loads(capsys.readouterr().out)
    assert {finding["check"] for finding in document["findings"]} == {"software.version", "config.readable"}
    assert all(finding["why"] for finding in document["findings"])
    assert cli.main([*words, "--bundle", "-"]) == 78
    assert json.loads(capsys.readouterr().out)["bundle"] == 1
