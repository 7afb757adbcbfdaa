"""Flashing: refused cards, bytes read back, the card's own state, the label."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from appliance import cli
from appliance.base.errors import Unfit
from appliance.image import flash as flashing
from appliance.image import gpt, target
from appliance.image.flash import flash
from appliance.image.label import Label, pdf, svg
from appliance.image.seed import Seed, Wifi
from appliance.protocol.pairing_code import parse
from tests.image.small_image import MEBI, STARTS, STATE, an_image

PASSWORD = 'two "words" \\ here'


def quiet(_what: str, _done: int, _total: int) -> None:
    return None


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return an_image(tmp_path / "leftfield-unit_1.2.3_amd64.raw")


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Path]:
    """A real block device: a loop over a file."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a loop device is set up")
    backing = tmp_path / "card"
    backing.write_bytes(bytes(20 * MEBI))
    made = subprocess.run(
        ["losetup", "--find", "--show", "--partscan", str(backing)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this kernel gives no loop device")
    device = Path(made.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", str(device)], check=True)


def inside(card: Path, path: str, tmp_path: Path) -> str:
    """A file of the card's state partition, and who may read it, as e2fsprogs has it."""
    with card.open("rb") as file:
        (state,) = [one for one in gpt.partitions(file, "card") if one.label == "leftfield-state"]
        file.seek(state.start)
        (tmp_path / "state").write_bytes(file.read(state.size))
    words = ["/sbin/debugfs", "-R", f"{path}", str(tmp_path / "state")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_card_holds_the_image_and_its_own_state(image: Path, tmp_path: Path) -> None:
    code = parse("7K3M-9PQX-2HTD")
    card = tmp_path / "card"
    told = Seed(name="corner-north", code=code, hub="192.168.4.1")
    written = flash(image, card, told, quiet)
    assert hashlib.sha256(card.read_bytes()).hexdigest() == written.sha256
    ours, theirs = card.read_bytes(), image.read_bytes()
    start = STARTS["leftfield-state"]
    assert ours[:start] == theirs[:start]
    assert ours[start + STATE :] == theirs[start + STATE :]
    assert inside(card, "cat /etc/pairing.code", tmp_path) == "7K3M-9PQX-2HTD\n"
    assert inside(card, "cat /etc/pairing.toml", tmp_path) == 'hub = "192.168.4.1"\n'
    assert inside(card, "cat /etc/hostname", tmp_path) == "corner-north\n"
    about = inside(card, "stat /etc/pairing.code", tmp_path)
    assert re.search(r"Mode:\s+0600", about)
    assert re.search(r"User:\s+0\s+Group:\s+0", about)


def test_a_real_block_device_is_written_and_read_back(image: Path, loop: Path) -> None:
    written = flash(image, loop, Seed(name="unit-7k3m"), quiet)
    with loop.open("rb") as file:
        assert hashlib.sha256(file.read(written.size)).hexdigest() == written.sha256


def test_a_card_that_keeps_something_else_is_an_error(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte that changes between writing and reading back, as on a worn or a false card."""
    card = tmp_path / "card"
    forget = target.forget_cache

    def worn(file: BinaryIO) -> None:
        forget(file)
        content = bytearray(card.read_bytes())
        content[MEBI + 77] ^= 1
        card.write_bytes(content)

    monkeypatch.setattr(flashing.target, "forget_cache", worn)
    with pytest.raises(Unfit, match="does not hold what was written"):
        flash(image, card, Seed(name="unit-7k3m"), quiet)


def test_an_image_that_was_changed_since_it_was_made_is_an_error(image: Path, tmp_path: Path) -> None:
    content = bytearray(image.read_bytes())
    content[MEBI + 5] ^= 1
    image.write_bytes(content)
    with pytest.raises(Unfit, match="differ from the note"):
        flash(image, tmp_path / "card", Seed(name="unit-7k3m"), quiet)


@pytest.mark.parametrize("damage", [512, 530, 1024 + 40])
def test_a_damaged_partition_table_is_refused_before_anything_is_written(
    image: Path, tmp_path: Path, damage: int
) -> None:
    content = bytearray(image.read_bytes())
    content[damage] ^= 0xFF
    image.write_bytes(content)
    with pytest.raises(Unfit, match="partition table"):
        flash(image, tmp_path / "card", Seed(name="unit-7k3m"), quiet)
    assert not (tmp_path / "card").exists()


def test_an_image_that_was_cut_off_is_refused(image: Path, tmp_path: Path) -> None:
    os.truncate(image, 4 * MEBI)
    with pytest.raises(Unfit, match="cut off"):
        flash(image, tmp_path / "card", Seed(name="unit-7k3m"), quiet)


def test_a_partition_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: Path) -> None:
    """As the kernel shows one in sysfs: a directory with a file `partition`."""
    blocks = tmp_path / "block"
    (blocks / loop.name).mkdir(parents=True)
    (blocks / loop.name / "partition").write_text("1\n")
    monkeypatch.setattr(target, "_BLOCKS", blocks)
    with pytest.raises(Unfit, match="it is a partition"):
        target.refuse_what_is_in_use(loop)


def test_what_is_mounted_is_refused(loop: Path, tmp_path: Path) -> None:
    subprocess.run(["mke2fs", "-q", "-F", str(loop)], check=True)
    where = tmp_path / "mounted"
    where.mkdir()
    subprocess.run(["mount", str(loop), str(where)], check=True)
    try:
        with pytest.raises(Unfit, match=r"is mounted.*umount it"):
            target.refuse_what_is_in_use(loop)
    finally:
        subprocess.run(["umount", str(where)], check=True)
    target.refuse_what_is_in_use(loop)


def test_the_disk_that_this_system_runs_from_is_refused() -> None:
    """Whatever / is mounted from, where that is a block device that can be seen here."""
    numbers = [line.split()[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    disks = [Path(f"/sys/dev/block/{number}") for number in numbers if not number.startswith("0:")]
    names = [path.resolve().name for path in disks if path.exists()]
    if not names:
        pytest.skip("nothing here is mounted from a block device")
    with pytest.raises(Unfit, match=r"mounted|partition|no such device"):
        target.refuse_what_is_in_use(Path("/dev") / names[0])


def test_a_card_that_is_too_small_is_refused(image: Path, loop: Path) -> None:
    os.truncate(image, 40 * MEBI)
    with pytest.raises(Unfit, match="are needed"):
        flash(image, loop, Seed(name="unit-7k3m"), quiet)


def test_no_such_device_and_what_is_no_disk_are_refused() -> None:
    with pytest.raises(Unfit, match="no such device"):
        target.refuse_what_is_in_use(Path("/dev/leftfield-none"))
    with pytest.raises(Unfit, match="neither a disk nor a file"):
        target.refuse_what_is_in_use(Path("/dev/null"))


def test_a_wifi_password_comes_from_a_file_and_goes_to_the_card_only(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    card, labels = tmp_path / "card", tmp_path / "labels"
    words = [
        "flash",
        str(image),
        str(card),
        "--yes",
        "--json",
        "--label",
        str(labels),
        "--wifi-ssid",
        "Stand 7",
    ]
    assert cli.main([*words, "--wifi-password-file", str(secret), "--wifi-country", "de"]) == 0
    said = capsys.readouterr()
    assert PASSWORD not in said.out + said.err
    about = json.loads(said.out)
    assert about["network"] == "wifi"
    settings = inside(card, "cat /etc/wifi.conf", tmp_path)
    assert f'psk="{PASSWORD}"' in settings
    assert f"ssid={b'Stand 7'.hex()}" in settings
    assert "country=DE" in settings
    code = inside(card, "cat /etc/pairing.code", tmp_path).strip()
    assert code in (labels / f"leftfield-{about['name']}.svg").read_text()
    assert all(path.stat().st_mode & 0o077 == 0 for path in labels.iterdir())
    assert about["name"] == f"unit-{code[:4].lower()}"


def test_nobody_to_ask_and_no_yes_writes_nothing(image: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.write_bytes(b"mine")
    assert cli.main(["flash", str(image), str(card), "--label", str(tmp_path)]) == 78
    assert card.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("ssid", "password", "country", "what"),
    [
        (b"", "12345678", "DE", "1 to 32 bytes"),
        (b"x" * 33, "12345678", "DE", "1 to 32 bytes"),
        (b"x", "1234567", "DE", "8 to 63"),
        (b"x", "12345678\n}", "DE", "8 to 63"),
        (b"x", "12345678", "DEU", "two letters"),
    ],
)
def test_a_network_that_cannot_be_is_refused(ssid: bytes, password: str, country: str, what: str) -> None:
    with pytest.raises(Unfit, match=what):
        Wifi(ssid=ssid, password=password, country=country).settings()


@pytest.mark.parametrize("name", ["", "Corner", "-x", "x-", "a" * 21, "a b", "a\nb"])
def test_a_name_that_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(Unfit, match="no name"):
        Seed(name=name).files()


def test_the_label_shows_name_code_and_the_same_squares_on_both_pages() -> None:
    label = Label(name="Unit 7K3M", scanned="7K3M-9PQX-2HTD", lines=("7K3M-9PQX-2HTD", "scan (or type)"))
    drawing, page = svg(label), pdf(label)
    assert "7K3M-9PQX-2HTD" in drawing
    assert b"(7K3M-9PQX-2HTD) Tj" in page
    assert rb"(scan \(or type\)) Tj" in page
    assert drawing.count("z") >= page.count(b" re\n") > 200
    table = int(page.rsplit(b"startxref\n", 1)[1].split()[0])
    assert page[table : table + 4] == b"xref"
    for number, place in enumerate(re.findall(rb"^(\d{10}) 00000 n", page, re.MULTILINE), 1):
        assert page[int(place) :].startswith(b"%d 0 obj" % number)


@pytest.mark.parametrize("line", ["WWWW-MMMM-WWWW", "a-very-long-name-of-a-hub-00.local"])
def test_the_large_line_never_runs_off_the_label(line: str) -> None:
    """Courier has one width for every sign: a code of the widest letters fits as any other."""
    drawn = re.findall(
        r'x="([\d.]+)"[^>]*textLength="([\d.]+)"', svg(Label(name="Unit", scanned="x", lines=(line,)))
    )
    assert [float(at) + float(width) < 61 for at, width in drawn] == [True]
