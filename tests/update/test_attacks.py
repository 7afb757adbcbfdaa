"""Attacks on updates, by the names of The Update Framework's specification 1.0.33, section 1.5.2; one test each.

https://theupdateframework.github.io/specification/latest/#attacks
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from appliance.base.errors import Refused, Rule, Unfit
from appliance.protocol import sign, signed_document
from appliance.settings.this_image import ThisImage
from appliance.update import apply, bundle, machine, release
from appliance.update.apply import Places
from appliance.update.release import MAX_DOCUMENT, Machine, judge, opened, sealed
from appliance.update.starter import SystemdBoot
from tests.update.releases import DAY, KEY, NOW, OTHER_KEY, PUBLIC, SIZES, a_bundle, a_release, part_bytes

HERE = Machine(role="unit", arch="amd64", version="1.0")


def quiet(_done: int) -> None:
    return None


def refused(path: Path, rule: Rule) -> None:
    """``check`` and ``apply`` both refuse it by ``rule``, and ``apply`` puts nothing in place."""
    with pytest.raises(Refused) as told:
        apply.check(path, PUBLIC, quiet)
    assert told.value.rule == rule
    places, called = a_machine(path.parent / "machine")
    with pytest.raises(Refused) as told:
        apply.apply(path, IMAGE, places, quiet)
    assert told.value.rule == rule
    assert not called.exists()
    assert not places.parts.exists()


IMAGE = ThisImage(role="unit", arch="amd64", version="1.0", made=NOW - DAY, release_key=PUBLIC, ssh=False)
SYSUPDATE = """
import json, os, sys
parts, called = sys.argv[1], sys.argv[2]
given = {name: open(os.path.join(parts, name), 'rb').read().hex()[:64] for name in os.listdir(parts)}
json.dump(given, open(called, 'w'))
assert sys.argv[3] == 'update', sys.argv
"""


def a_machine(folder: Path) -> tuple[Places, Path]:
    """A machine whose systemd-sysupdate writes down what it was given."""
    folder.mkdir(exist_ok=True)
    (folder / "boot_id").write_text("first\n")
    called = folder / "called.json"
    program = (sys.executable, "-c", SYSUPDATE, str(folder / "state/parts"), str(called))
    return Places(
        state=folder / "state", boot_id=folder / "boot_id", starter=SystemdBoot(sysupdate=program)
    ), called


@pytest.fixture(autouse=True)
def _then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply.time, "time", lambda: float(NOW))


def test_a_good_update_is_put_in_place_under_the_names_that_sysupdate_looks_for(tmp_path: Path) -> None:
    places, called = a_machine(tmp_path / "machine")
    done = apply.apply(a_bundle(tmp_path), IMAGE, places, quiet)
    given = json.loads(called.read_text())
    assert given == {
        "leftfield-unit_1.1.efi": part_bytes("kernel").hex()[:64],
        "leftfield-unit_1.1_01234567-89ab-cdef-0123-456789abcdef.root": part_bytes("root").hex()[:64],
        "leftfield-unit_1.1_01234567-89ab-cdef-0123-456789abcdef.verity": part_bytes("verity").hex()[:64],
    }
    assert done.version == "1.1"
    assert not places.parts.exists()
    assert machine.machine(IMAGE, places.state, places.boot_id).seen == 7


def test_arbitrary_installation_signed_with_another_key(tmp_path: Path) -> None:
    refused(a_bundle(tmp_path, key=OTHER_KEY), Rule.UNKNOWN_KEY)


def test_arbitrary_installation_a_changed_document_under_an_old_signature(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"version":"1.1"', b'"version":"1.2"'))
    refused(path, Rule.FORGED)


def test_arbitrary_installation_another_kind_of_document_of_the_same_key() -> None:
    """A prior that somebody signed with the same key is no update: the kind is in what is signed."""
    made = signed_document.seal({"v": 1}, kind="prior", private_key=KEY)
    with pytest.raises(Refused) as told:
        opened(made, PUBLIC)
    assert told.value.rule == Rule.FORGED


def test_rollback_to_an_older_version() -> None:
    with pytest.raises(Refused) as told:
        judge(a_release(version="1.0"), HERE, NOW)
    assert told.value.rule == Rule.OUTDATED
    with pytest.raises(Refused):
        judge(a_release(version="1.9"), Machine(role="unit", arch="amd64", version="1.10"), NOW)


def test_rollback_to_an_older_release_number_that_was_seen_before() -> None:
    """A newer version than runs here, and yet older than one that was offered: what an attacker replays."""
    with pytest.raises(Refused) as told:
        judge(a_release(number=7), Machine(role="unit", arch="amd64", version="1.0", seen=8), NOW)
    assert told.value.rule == Rule.OUTDATED
    judge(a_release(number=8), Machine(role="unit", arch="amd64", version="1.0", seen=8), NOW)


def test_what_was_believed_is_remembered_before_it_is_put_in_place(tmp_path: Path) -> None:
    """A power cut after a bundle was believed forgets nothing: an older one is refused from then on."""
    places, _ = a_machine(tmp_path / "machine")
    failing = Places(state=places.state, boot_id=places.boot_id, starter=SystemdBoot(sysupdate=("false",)))
    with pytest.raises(Unfit, match="systemd-sysupdate failed"):
        apply.apply(a_bundle(tmp_path), IMAGE, failing, quiet)
    with pytest.raises(Refused) as told:
        apply.apply(a_bundle(tmp_path, a_release(number=6, version="1.0.5")), IMAGE, places, quiet)
    assert told.value.rule == Rule.OUTDATED


def test_indefinite_freeze_an_expired_document() -> None:
    judge(a_release(), HERE, NOW)
    with pytest.raises(Refused) as told:
        judge(a_release(), HERE, NOW + 30 * DAY)
    assert told.value.rule == Rule.EXPIRED


def test_indefinite_freeze_of_a_machine_without_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that begins in 1970 does not bring an expired release back: no image is older than its own time."""
    monkeypatch.setattr(apply.time, "time", lambda: 0.0)
    assert apply.now(IMAGE) == IMAGE.made


def test_indefinite_freeze_a_document_that_would_never_expire() -> None:
    with pytest.raises(Refused, match="expires"):
        opened(sealed(a_release(expires=NOW + 500 * DAY), KEY), PUBLIC)


def test_endless_data_behind_the_last_part(tmp_path: Path) -> None:
    path = a_bundle(tmp_path)
    with path.open("ab") as file:
        file.write(b"more")
    refused(path, Rule.TOO_LONG)


def test_endless_data_in_a_part_is_not_read() -> None:
    """A source that never ends is read to the signed length and one byte more, no further."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1, /) -> bytes:
            self.given += size
            return bytes(size)

    source = Endless()
    with pytest.raises(Refused) as told:
        bundle.check_parts(source, a_release(), quiet)
    assert told.value.rule == Rule.DAMAGED
    assert source.given <= SIZES["verity"]


@pytest.mark.parametrize("length", [MAX_DOCUMENT + 1, 2**32 - 1])
def test_endless_data_in_the_document(length: int) -> None:
    head = bundle.MARK + length.to_bytes(4, "big") + bytes(100)
    with pytest.raises(Refused) as told:
        bundle.read_head(io.BytesIO(head), PUBLIC)
    assert told.value.rule == Rule.TOO_LONG


def test_mix_and_match_a_part_of_another_release(tmp_path: Path) -> None:
    """The root of another release, as genuine and as long: only the one that was signed with this kernel goes."""
    path = a_bundle(tmp_path)
    content = path.read_bytes()
    assert content.count(part_bytes("root")) == 1
    path.write_bytes(content.replace(part_bytes("root"), part_bytes("root", "1.0")))
    refused(path, Rule.DAMAGED)


def test_mix_and_match_parts_in_another_order() -> None:
    made = a_release()
    document = sealed(a_release(parts=tuple(reversed(made.parts))), KEY)
    with pytest.raises(Refused, match="parts"):
        opened(document, PUBLIC)


@pytest.mark.parametrize("cut", [1, 1_000, 70_000, 70_001, 2_570_000, 2_573_000, 2_573_500])
def test_a_truncated_bundle(tmp_path: Path, cut: int) -> None:
    path = a_bundle(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    refused(path, Rule.DAMAGED)


@pytest.mark.parametrize("lie", [-1, 1])
def test_a_wrong_length_in_a_signed_document(tmp_path: Path, lie: int) -> None:
    made = a_release()
    parts = tuple(
        release.Part(
            name=one.name, length=one.length + (lie if one.name == "kernel" else 0), sha256=one.sha256
        )
        for one in made.parts
    )
    path = a_bundle(tmp_path, a_release(parts=parts))
    refused(path, Rule.DAMAGED)


@pytest.mark.parametrize("length", [0, -1, 2**40, True, "1"])
def test_a_length_that_cannot_be(length: object) -> None:
    made = a_release()
    parts = tuple(release.Part(name=one.name, length=length, sha256=one.sha256) for one in made.parts)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="length"):
        opened(sealed(a_release(parts=parts), KEY), PUBLIC)


@pytest.mark.parametrize("other", [{"role": "hub"}, {"arch": "arm64"}])
def test_wrong_software_for_another_role_or_processor(other: dict[str, str]) -> None:
    with pytest.raises(Refused) as told:
        judge(a_release(**other), HERE, NOW)
    assert told.value.rule == Rule.WRONG_TARGET


def test_a_version_that_needs_one_in_between() -> None:
    with pytest.raises(Refused, match=r"needs 1\.0\.5 first"):
        judge(a_release(least="1.0.5"), HERE, NOW)


def test_a_release_that_was_undone_here_is_not_tried_again(tmp_path: Path) -> None:
    """Put in place, started, and the old version runs: it was undone. A newer one may come."""
    places, _ = a_machine(tmp_path / "machine")
    apply.apply(a_bundle(tmp_path), IMAGE, places, quiet)
    assert machine.machine(IMAGE, places.state, places.boot_id).failed == 0  # it has not been started yet
    places.boot_id.write_text("second\n")
    here = machine.machine(IMAGE, places.state, places.boot_id)
    assert here.failed == 7
    with pytest.raises(Refused) as told:
        judge(a_release(), here, NOW)
    assert told.value.rule == Rule.FAILED_BEFORE
    judge(a_release(number=8, version="1.2"), here, NOW)


@pytest.mark.parametrize("damage", ["", "[]", '{"number": "7"}', '{"number": 7, "more": 1}', "{"])
def test_a_damaged_memory_counts_as_none(tmp_path: Path, damage: str) -> None:
    """Nobody can log in to mend it; the version that runs still forbids a downgrade."""
    places, _ = a_machine(tmp_path / "machine")
    places.state.mkdir()
    (places.state / "seen.json").write_text(damage)
    assert machine.machine(IMAGE, places.state, places.boot_id).seen == 0


@pytest.mark.parametrize(
    "field", ["v", "role", "version", "number", "least", "made", "expires", "root_hash", "parts"]
)
def test_a_signed_document_of_another_form(field: str) -> None:
    document = signed_document.peek(sealed(a_release(), KEY), where="test")
    for wrong in (None, -1, "x", [], {}):
        changed = document | {field: wrong}
        if field == "role" and isinstance(wrong, str):
            continue  # any word may be a role; the machine compares it with its own
        with pytest.raises(Refused):
            judge(opened(signed_document.seal(changed, kind="update", private_key=KEY), PUBLIC), HERE, NOW)
    document.pop(field)
    with pytest.raises(Refused):
        opened(signed_document.seal(document, kind="update", private_key=KEY), PUBLIC)


def test_an_image_without_a_release_key_takes_no_update(tmp_path: Path) -> None:
    places, _ = a_machine(tmp_path / "machine")
    image = ThisImage(role="unit", arch="amd64", version="1.0", made=NOW, release_key=None, ssh=False)
    with pytest.raises(Unfit, match="takes no updates"):
        apply.apply(a_bundle(tmp_path), image, places, quiet)


def test_the_keys_differ() -> None:
    assert sign.public_key_of(OTHER_KEY) != PUBLIC
