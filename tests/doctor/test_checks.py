"""What the doctor makes of what it is shown: each check on its own, faulty and sound."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance import cli
from appliance.doctor import keys, network, processes, services, software, stores, system
from appliance.doctor.findings import CHECKS, Finding, Verdict, exit_code, good, report, unseen, wrong
from appliance.doctor.machine import Machine, Unseen
from appliance.doctor.processes import Expected, ProcessFacts
from appliance.enrol import create_booth
from appliance.settings import config
from tests.doctor.fake_machine import NFT_DROPS, bare, put

SOUND = ProcessFacts(
    status={"CapInh": "0", "CapPrm": "0", "CapEff": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1",
            "Seccomp": "2", "Uid": "997\t997\t997\t997"},
    threads=({"Seccomp": "2"},),
    own_spaces=frozenset({"mnt", "user", "ipc", "net"}),
    writable=(),
    links=("lo",),
    descriptors=(("3", "pipe:[1]", True), ("4", "/usr/share/street.avi", False), ("5", "/dev/video0", True)),
    core_limit="0",
    unboxed=False,
)  # fmt: skip


def _wrong(findings: Iterator[Finding] | list[Finding]) -> dict[str, str]:
    return {finding.check: finding.what for finding in findings if finding.verdict is Verdict.WRONG}


def test_a_sound_process_has_nothing_wrong() -> None:
    """Rights, filter, namespaces, mounts, dump, account, network and descriptors are each called good."""
    found = list(processes.judged("leftfield-sense", SOUND, Expected(seer=True)))
    assert {finding.verdict for finding in found} == {Verdict.GOOD}
    assert len(found) == 8


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"status": SOUND.status | {"CapBnd": "1"}}, "process.rights"),
        ({"status": SOUND.status | {"NoNewPrivs": "0"}}, "process.rights"),
        ({"status": SOUND.status | {"Seccomp": "0"}}, "process.filter"),
        ({"threads": ({"Seccomp": "2"}, {"Seccomp": "0"})}, "process.filter"),
        ({"own_spaces": frozenset({"mnt", "user", "ipc"})}, "process.namespaces"),
        ({"writable": ("/tmp",)}, "process.writable"),  # noqa: S108 - a name
        ({"core_limit": "unlimited"}, "process.dump"),
        ({"status": SOUND.status | {"Uid": "0\t0\t0\t0"}}, "process.account"),
        ({"links": ("lo", "eth0")}, "process.network"),
        ({"unboxed": True}, "process.network"),
        ({"descriptors": (("7", "socket:[9]", True),)}, "process.descriptors"),
        ({"descriptors": (("7", "/var/tmp/picture", True),)}, "process.descriptors"),  # noqa: S108 - a name
    ],
)
def test_each_missing_wall_of_a_process_is_named(change: dict[str, Any], check: str) -> None:
    """One fault, one finding, with a fix."""
    facts = replace(SOUND, **change)
    assert set(_wrong(processes.judged("leftfield-sense", facts, Expected(seer=True)))) == {check}


def test_the_doctor_reads_this_very_process() -> None:
    """The facts of a real process are read from /proc: this one has no filter, and root's namespaces."""

    class _Here(Machine):
        """The first process may not be looked at everywhere: this one stands for it."""

        def link(self, absolute: str | Path) -> str | None:
            return super().link(str(absolute).replace("/proc/1/", f"/proc/{os.getpid()}/"))

    facts = processes.facts_of(_Here(), str(os.getpid()))
    assert set(_wrong(processes.judged("x", facts, Expected()))) >= {"process.filter", "process.namespaces"}
    assert any(what.startswith(("/", "pipe:", "socket:", "anon")) for _, what, _ in facts.descriptors)
    assert facts.writable


def test_a_drop_in_is_harmless_a_note_or_wrong() -> None:
    """Costs may be changed; the Edge TPU's own drop-in is a note; whatever else takes a wall away is wrong."""
    tpu = (Path(__file__).parents[2] / "systemd/optional/edge-tpu.conf").read_text()
    for text, verdict in (
        ("[Service]\nMemoryMax=2G\n", Verdict.NOTE),
        (tpu, Verdict.NOTE),
        ("[Service]\nEnvironment=LD_PRELOAD=/x.so\n", Verdict.WRONG),
        ("[Service]\nDeviceAllow=char-sd rw\n", Verdict.WRONG),
        ("[Service]\nPrivateNetwork=\\\n  no\n", Verdict.WRONG),
    ):
        assert services.drop_in_judged("leftfield-sense", "/etc/x.conf", text).verdict is verdict, text


def test_a_service_that_waits_or_is_down_is_named(tmp_path: Path) -> None:
    """The service's own words are told, and an overridden unit file too."""
    machine, tools = bare(tmp_path)
    shipped = {"ActiveState": "active", "FragmentPath": "/usr/lib/systemd/system/a.service"}
    tools.properties = {
        "leftfield-sense": shipped | {"StatusText": "waiting: /dev/video0: no camera"},
        "leftfield-relay": {
            "ActiveState": "failed",
            "FragmentPath": "/etc/systemd/system/leftfield-relay.service",
        },
    }
    found = _wrong(services.looked_at(machine, "unit"))
    assert set(found) == {"service.status", "service.active", "service.unit-file"}
    tools.properties = dict.fromkeys(("leftfield-sense", "leftfield-relay"), shipped)
    assert _wrong(services.looked_at(machine, "unit")) == {}


def test_the_real_firewall_is_sound_and_each_hole_in_it_is_named() -> None:
    """Our own rules, loaded by the real nft in a network of its own; then a hole, an accepting policy, and none."""
    if os.geteuid() != 0:
        pytest.skip("needs root: loading rules into a network namespace")
    rules = "from appliance.image.firewall import *; import sys; sys.stdout.write({})"
    asked = [
        "unshare", "--net", "sh", "-c",
        'python3 -c "$1" | nft --file - && { [ -z "$2" ] || nft "$2"; } && nft --json list ruleset', "sh",
    ]  # fmt: skip

    def loaded(which: str, more: str = "") -> str:
        return subprocess.run(
            [*asked, rules.format(which), more],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout

    judge = network.firewall_judged
    assert judge(loaded("hub_rules()"), "hub", ssh=False).verdict is Verdict.GOOD
    assert judge(loaded("unit_rules(Hub())"), "unit", ssh=False).verdict is Verdict.GOOD
    hole = "add rule inet leftfield input tcp dport 23 accept"
    assert "23" in judge(loaded("unit_rules(Hub())", hole), "unit", ssh=False).what
    everything = judge(loaded("unit_rules(Hub())", "add rule inet leftfield input accept"), "unit", ssh=False)
    assert "everything" in everything.what
    opened = "chain inet leftfield input { policy accept; }"
    assert judge(loaded("hub_rules()", opened), "hub", ssh=False).verdict is Verdict.WRONG
    assert judge(json.dumps({"nftables": NFT_DROPS[:2]}), "hub", ssh=False).verdict is Verdict.WRONG
    assert judge("no json", "hub", ssh=False).verdict is Verdict.UNSEEN
    ssh = loaded("unit_rules(Hub(), ssh=True)")
    assert judge(ssh, "unit", ssh=True).verdict is Verdict.GOOD
    assert judge(ssh, "unit", ssh=False).verdict is Verdict.WRONG


def test_clock_swap_core_pattern_and_disk_are_judged() -> None:
    """What is sound, what is only worth knowing, and what is wrong."""
    now = 1_800_000_000.0
    clock = system.clock_judged
    assert clock(synced=True, now=now, container=False, role="unit").verdict is Verdict.GOOD
    assert clock(synced=False, now=now, container=False, role="unit").verdict is Verdict.WRONG
    assert clock(synced=False, now=now, container=False, role="hub").verdict is Verdict.NOTE
    assert clock(synced=False, now=now, container=True, role="unit").verdict is Verdict.NOTE
    assert clock(synced=True, now=0.0, container=False, role="hub").verdict is Verdict.WRONG
    assert clock(synced=None, now=now, container=False, role="hub").verdict is Verdict.UNSEEN
    table = "Filename Type Size\n/dev/zram0 partition 100\n"
    assert system.swap_judged("Filename\n", {}).verdict is Verdict.GOOD
    assert system.swap_judged(table, {"leftfield-sense": "0\n"}).verdict is Verdict.NOTE
    assert system.swap_judged(table, {"leftfield-sense": "max"}).verdict is Verdict.WRONG
    assert system.core_pattern_judged("core\n").verdict is Verdict.GOOD
    assert system.core_pattern_judged("|/bin/false\n").verdict is Verdict.GOOD
    assert system.core_pattern_judged("|/usr/lib/systemd/systemd-coredump %P\n").verdict is Verdict.NOTE
    assert system.core_pattern_judged("|/usr/share/apport/apport -p%p\n").verdict is Verdict.WRONG
    room = {
        "f_bsize": 4096,
        "f_frsize": 4096,
        "f_blocks": 10**6,
        "f_bfree": 0,
        "f_files": 1000,
        "f_ffree": 0,
        "f_flag": 0,
        "f_namemax": 255,
    }

    def judged(**change: int) -> Verdict:
        fields = room | {"f_bavail": 500_000, "f_favail": 500} | change
        order = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail", "f_flag",
                 "f_namemax")  # fmt: skip
        return system.space_judged("/x", os.statvfs_result([fields[key] for key in order])).verdict

    assert judged() is Verdict.GOOD
    assert judged(f_bavail=1000) is Verdict.WRONG
    assert judged(f_favail=3) is Verdict.WRONG
    assert judged(f_flag=os.ST_RDONLY) is Verdict.WRONG


def test_a_disk_that_counts_errors_or_is_worn_is_named(tmp_path: Path) -> None:
    """ext4's own count of errors, and the life that an eMMC says is used."""
    machine, _ = bare(tmp_path)
    assert system.health(machine).verdict is Verdict.GOOD
    put(tmp_path, "/sys/block/mmcblk0/device/life_time", "0x0a 0x01\n")
    put(tmp_path, "/sys/fs/ext4/mmcblk0p2/errors_count", "3\n")
    found = system.health(machine)
    assert found.verdict is Verdict.WRONG
    assert "3 errors" in found.what
    assert "end of its life" in found.what


def test_keys_of_a_new_booth_are_sound_and_each_fault_is_named(tmp_path: Path) -> None:
    """Modes, owners, a missing key, an exchanged key, an ended certificate."""
    create_booth(tmp_path / "etc/leftfield", "corner", ("192.168.4.1",))
    machine, _ = bare(tmp_path)
    directory = Path("/etc/leftfield")
    now = 1_800_000_000.0
    uid = os.geteuid()
    found = _wrong(keys.looked_at(machine, "hub", directory, now))
    assert found == {} or uid != 0
    if uid != 0:
        return
    put(tmp_path, "/etc/leftfield/broker/fleet.key", "of a booth in a fleet")
    (tmp_path / "etc/leftfield/broker/fleet.key").chmod(0o644)
    modes = [one for one in keys.looked_at(machine, "hub", directory, now) if one.about == "broker/fleet.key"]
    assert "0644" in modes[0].what
    (tmp_path / "etc/leftfield/broker/fleet.key").unlink()
    (tmp_path / "etc/leftfield/hub/tls.key").chmod(0o640)
    assert "0640" in _wrong(keys.looked_at(machine, "hub", directory, now))["keys.modes"]
    (tmp_path / "etc/leftfield/hub/tls.key").unlink()
    assert set(_wrong(keys.looked_at(machine, "hub", directory, now))) == {"keys.modes", "keys.match"}
    late = now + 20 * 365 * 86_400
    assert "certificate.lifetime" in _wrong(keys.looked_at(machine, "hub", directory, late))
    os.chown(tmp_path / "etc/leftfield/authority/ca.key", 1000, 0)
    assert any("account 1000" in one.what for one in keys.looked_at(machine, "hub", directory, now))


def test_a_journal_copied_or_kept_on_the_disk_is_named(tmp_path: Path) -> None:
    """A later drop-in that makes it persistent, journald's open file on the disk, and syslog's copy."""
    machine, tools = bare(tmp_path)
    assert _wrong(stores.journal(machine)) == {}
    put(tmp_path, "/etc/systemd/journald.conf.d/zz.conf", "[Journal]\nStorage=persistent\n")
    assert "Storage=persistent" in _wrong(stores.journal(machine))["store.journal"]
    (tmp_path / "etc/systemd/journald.conf.d/zz.conf").unlink()
    put(tmp_path, "/var/log/syslog", "a line\n")
    assert "/var/log/syslog" in _wrong(stores.journal(machine))["store.journal"]
    (tmp_path / "var/log/syslog").unlink()
    tools.properties["systemd-journald"] = {"MainPID": "7"}
    fd = tmp_path / "proc/7/fd"
    fd.mkdir(parents=True)
    (fd / "9").symlink_to("/var/log/journal/0123/system.journal")
    assert "writes to the disk" in _wrong(stores.journal(machine))["store.journal"]


def test_a_damaged_store_of_the_broker_is_kept_for_a_week_and_no_longer(tmp_path: Path) -> None:
    """None is good, a young one is a note, an old one is wrong."""
    machine, _ = bare(tmp_path)
    now = 1_800_000_000.0
    assert stores.broker_store(machine, now).verdict is Verdict.GOOD
    damaged = put(tmp_path, "/var/lib/mosquitto/damaged.db", "")
    os.utime(damaged, (now - 86_400, now - 86_400))
    assert stores.broker_store(machine, now).verdict is Verdict.NOTE
    os.utime(damaged, (now - 10 * 86_400, now - 10 * 86_400))
    assert "10 days" in stores.broker_store(machine, now).what


def test_what_waits_too_long_in_a_database_is_named() -> None:
    """Single observations of a hub that does not run, and alerts that keep their clothes."""
    judge = stores.database_judged
    assert _wrong(judge(live=7, worn=0, idle=10, retention=300)) == {}
    assert (
        "7 single observations" in _wrong(judge(live=7, worn=0, idle=7200, retention=300))["store.database"]
    )
    assert "2 alerts" in _wrong(judge(live=0, worn=2, idle=1, retention=300))["store.database"]


def test_a_database_that_is_none_is_said_and_not_called_good(tmp_path: Path) -> None:
    """No file is wrong; a file that is no database could not be seen."""
    directory = tmp_path / "etc/leftfield"
    assert cli.main(["booth", "create", "corner", "--directory", str(directory)]) == 0
    machine, _ = bare(tmp_path)
    hub = replace(config.hub_config(directory / "hub.toml"), database=Path("/hub.sqlite"))
    assert set(_wrong(stores.database(machine, hub, 0.0))) == {"store.database"}
    put(tmp_path, "/hub.sqlite", "none at all")
    assert [one.verdict for one in stores.database(machine, hub, 0.0)] == [Verdict.UNSEEN]
    (tmp_path / "hub.sqlite").unlink()
    with sqlite3.connect(tmp_path / "hub.sqlite") as db:
        db.execute("CREATE TABLE live (n)")
        db.execute("CREATE TABLE alert (code, seen_at)")
    assert [one.verdict for one in stores.database(machine, hub, 0.0)] == [Verdict.GOOD]


def test_walls_models_and_ssh_are_judged(tmp_path: Path) -> None:
    """A unit that does with fewer walls than its kernel has; models from elsewhere, changed or missing."""
    assert software.walls_judged("every", "required").verdict is Verdict.GOOD
    assert software.walls_judged("required", "every").verdict is Verdict.WRONG
    assert software.walls_judged("required", "required").verdict is Verdict.NOTE
    assert _wrong(software.models(None)) == {}
    shipped = Path(__file__).parents[2] / "models_tflite"
    for path in (*shipped.glob("*.tflite"), shipped / "MODELS.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pose.tflite").write_bytes(b"another")
    (tmp_path / "people.tflite").unlink()
    found = [one for one in software.models(tmp_path) if one.verdict is Verdict.WRONG]
    assert {one.about for one in found} == {"pose", "people"}
    assert next(software.models(tmp_path)).verdict is Verdict.NOTE
    machine, _ = bare(tmp_path)
    rows = "heading\n  0: 00000000:0016 00000000:0000 0A 0 0\n  1: 0100007F:1F90 00000000:0000 0A 0 0\n"
    put(tmp_path, "/proc/net/tcp", rows)
    assert set(_wrong(network.looked_at(machine, "unit", None))) == {"network.ssh"}
    text = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    put(tmp_path, "/etc/ssh/sshd_config.d/a.conf", text)
    assert _wrong(network.looked_at(machine, "unit", None)) == {}


def test_what_cannot_be_seen_is_never_called_good(tmp_path: Path) -> None:
    """A missing tool and a file that may not be read are findings of their own, and the exit code says so."""

    def refuses(words: tuple[str, ...]) -> str:
        raise Unseen(f"there is no program {words[0]}")

    machine = Machine(tmp_path, refuses)
    for look in (
        services.looked_at(machine, "unit"),
        processes.looked_at(machine, "unit"),
        system.looked_at(machine, "unit", ("leftfield-sense",), 0.0),
    ):
        assert Verdict.UNSEEN in {finding.verdict for finding in look}
    assert exit_code([good("disk.space", "room")]) == 0
    assert exit_code([good("disk.space", "room"), unseen("clock.set", "no right")]) == 75
    assert exit_code([unseen("clock.set", "no right"), wrong("disk.space", "full", fix="free some")]) == 78


def test_a_report_names_the_fault_why_it_matters_and_the_fix() -> None:
    """Every check has a promise and a reason; what is wrong cannot be said without a fix."""
    assert all(1 <= check.promise <= 11 and check.why for check in CHECKS.values())
    with pytest.raises(ValueError, match="no fix"):
        wrong("disk.space", "full", fix="")
    with pytest.raises(ValueError, match="there is no check"):
        good("nothing", "at all")
    told = report([wrong("disk.space", "3 MB left", fix="free space", about="/var")], "heading")
    assert "promise 6: Nothing is lost" in told
    assert "WRONG  /var: 3 MB left  [disk.space]" in told
    assert "why: a full disk loses what comes next" in told
    assert "fix: free space" in told
