from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import cwt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import cli
from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.hub.exchange import baseline_file, prior_publisher
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import HALF_LIFE, BaselineState, coarse, merged
from appliance.hub.storage.store import Store
from appliance.protocol import prior, sign, signed_document
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES, CODE_BYTES, INDEX
from tests.hub.corner import BOOTH, NOON, Camera, Crowd, new_booth

KEY = bytes(range(32))
PUBLIC = sign.public_key_of(KEY)
OTHER = bytes(range(1, 33))


def street(seed: int, people: int = 200, unit: str = "north") -> BaselineState:
    baseline, crowd = Baseline(), Crowd(seed)
    for number in range(people):
        baseline.update(crowd.person(), UnitId(unit), Seconds(NOON + 60 * number))
    return baseline.state()


def encode(state: BaselineState, booth: str = BOOTH, key: bytes = KEY) -> bytes:
    return baseline_file.encode(BaselineFile(booth=BoothId(booth), made_at=int(NOON), state=state), key)


def same(one: BaselineState, other: BaselineState) -> bool:
    return (
        (one.pairs == other.pairs).all()
        and (one.known == other.known).all()
        and (one.people, one.weight, one.anchor, one.latest)
        == (other.people, other.weight, other.anchor, other.latest)
        and [unit for unit, _ in one.cameras] == [unit for unit, _ in other.cameras]
    )


def test_a_baseline_comes_back_as_it_was() -> None:
    """Packed and unpacked under the right key a baseline is the same to the last bit, and packs to the same bytes."""
    state = street(1)
    file = encode(state)
    back = baseline_file.decode(file, public_key=PUBLIC, where="file")
    assert same(back.state, state)
    assert (back.booth, back.made_at) == (BOOTH, int(NOON))
    assert encode(state) == file


def test_an_independent_library_reads_and_verifies_the_file() -> None:
    """The file is a COSE_Sign1 that an independent COSE library verifies, with a payload that is plain JSON."""
    file = encode(street(1))
    key = cwt.COSEKey.new({1: 1, -1: 6, 3: -8, -2: PUBLIC, 2: sign.key_id(PUBLIC)})
    payload = cwt.COSE.new().decode(file, keys=[key], external_aad=b"leftfield/1/baseline")
    assert json.loads(payload)["booth"] == BOOTH
    assert cbor2.loads(file).value[2] == payload


def test_merging_files_equals_one_hub_that_saw_both() -> None:
    """Two exports joined are, to the last bit, the baseline of one hub that had seen both streets."""
    one, other = street(1), street(2, unit="south")
    guest = baseline_file.decode(encode(other), public_key=PUBLIC, where="file")
    joined = baseline_file.joined(one, guest, booth=BOOTH)
    assert same(joined, merged(one, other))
    both, crowds = Baseline(), (Crowd(1), Crowd(2))
    for unit, crowd in zip(("north", "south"), crowds, strict=True):
        for number in range(200):
            both.update(crowd.person(), UnitId(unit), Seconds(NOON + 60 * number))
    assert (both.state().pairs == joined.pairs).all()


def test_cameras_of_another_booth_stay_at_home() -> None:
    """A camera's own counts do not become those of a camera that happens to have its name elsewhere."""
    guest = baseline_file.decode(encode(street(2), booth="market"), public_key=PUBLIC, where="file")
    joined = baseline_file.joined(street(1), guest, booth=BOOTH)
    assert joined.people == 400
    assert joined.cameras[0][1] == pytest.approx(street(1).cameras[0][1])


def test_no_vector_can_be_found_in_a_file() -> None:
    """A file has counts of one and of two things and nothing as long as a vector per person."""
    document = signed_document.peek(encode(street(1, people=3)), where="file")
    levels = sum(len(attribute.levels) for attribute in ATTRIBUTES)
    sizes = {key: len(base64.b64decode(document[key])) // 8 for key in ("pairs", "known", "instants")}
    assert sizes == {"pairs": levels**2, "known": len(ATTRIBUTES) ** 2, "instants": 3}
    code = Crowd(1).person().code.to_bytes(CODE_BYTES, "big")
    assert not any(code in base64.b64decode(document[key]) for key in ("pairs", "known"))
    assert len(encode(street(1, people=3))) == len(encode(street(1, people=9)))


@pytest.mark.parametrize("place", [0, 10, 30, 500, 20_000, -70, -1])
def test_a_changed_byte_is_refused(place: int) -> None:
    """Whichever byte of a file is changed, it is refused: malformed, another key's, or forged."""
    file = bytearray(encode(street(1)))
    file[place] ^= 1
    with pytest.raises(Refused) as refusal:
        baseline_file.decode(bytes(file), public_key=PUBLIC, where="file")
    assert refusal.value.rule in {Rule.MALFORMED, Rule.UNKNOWN_KEY, Rule.FORGED}


def test_another_key_another_kind_and_too_much_are_refused() -> None:
    """A file of another hub, a prior shown as a baseline, and a file beyond all size each break their own rule."""
    with pytest.raises(Refused) as refusal:
        baseline_file.decode(encode(street(1)), public_key=sign.public_key_of(OTHER), where="file")
    assert refusal.value.rule is Rule.UNKNOWN_KEY
    shares = prior_publisher.shares_of(street(1))
    file = prior.sealed_prior(
        booth=BOOTH,
        made_at=1,
        people=200,
        shares=shares,
        lifts=prior_publisher.lifts_of(street(1)),
        private_key=KEY,
    )
    with pytest.raises(Refused) as refusal:
        baseline_file.decode(file, public_key=PUBLIC, where="file")
    assert refusal.value.rule is Rule.FORGED
    with pytest.raises(Refused) as refusal:
        baseline_file.decode(bytes(signed_document.MAX_DOCUMENT + 1), public_key=PUBLIC, where="file")
    assert refusal.value.rule is Rule.TOO_LONG


def again(**changes: Any) -> bytes:
    """A well-signed file in which something is not as it should be."""
    return signed_document.seal(
        signed_document.peek(encode(street(1)), where="file") | changes, kind="baseline", private_key=KEY
    )


def doubles(values: Any) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()


LEVELS = sum(len(attribute.levels) for attribute in ATTRIBUTES)
ONE_SIDED = np.eye(LEVELS)
ONE_SIDED[0, 1] = 1.0


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"vocabulary": 99}, Rule.OTHER_VERSION),
        ({"form": 3}, Rule.OTHER_VERSION),
        ({"words": "0" * 16}, Rule.MALFORMED),
        ({"more": 1}, Rule.MALFORMED),
        ({"people": -1}, Rule.MALFORMED),
        ({"people": True}, Rule.MALFORMED),
        ({"booth": "../etc"}, Rule.MALFORMED),
        ({"pairs": "AAAA"}, Rule.MALFORMED),
        ({"pairs": doubles(np.full((LEVELS, LEVELS), -1.0))}, Rule.MALFORMED),
        ({"pairs": doubles(np.full((LEVELS, LEVELS), np.nan))}, Rule.MALFORMED),
        ({"pairs": doubles(np.full((LEVELS, LEVELS), 1e12))}, Rule.MALFORMED),
        ({"pairs": doubles(ONE_SIDED)}, Rule.MALFORMED),
        ({"instants": doubles([0.5, 1.0, 1.0])}, Rule.MALFORMED),
        ({"cameras": {"north": "AAAA"}}, Rule.MALFORMED),
        ({"cameras": []}, Rule.MALFORMED),
        ({"form": 1}, Rule.MALFORMED),
        ({"lineage": []}, Rule.MALFORMED),
        ({"lineage": [["corner", "north", 1, 2]]}, Rule.MALFORMED),
        ({"lineage": [[f"corner/{'0' * 16}", "north", 2, 1]]}, Rule.MALFORMED),
        ({"lineage": [[f"corner/{'0' * 16}", "north", 1, 10**6]]}, Rule.MALFORMED),
        ({"lineage": [[f"corner/{'0' * 16}", "a b", 1, 2]]}, Rule.MALFORMED),
        ({"lineage": [[f"a b/{'0' * 16}", "north", 1, 2]]}, Rule.MALFORMED),
        ({"lineage": [[1, "north", 1, 2]]}, Rule.MALFORMED),
    ],
)
def test_a_well_signed_file_must_still_hold_counts_that_can_be(changes: dict[str, Any], rule: Rule) -> None:
    """Also under a good signature another vocabulary, and counts that contradict each other, are refused."""
    with pytest.raises(Refused) as refusal:
        baseline_file.decode(again(**changes), public_key=PUBLIC, where="file")
    assert refusal.value.rule is rule


@given(
    st.one_of(
        st.binary(max_size=200), st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=9))
    )
)
def test_garbage_is_refused_and_nothing_else(garbage: bytes | dict[str, Any]) -> None:
    """Bytes of any kind, and well-signed JSON that is no baseline or prior, are refused and nothing else."""
    untrusted = (
        garbage
        if isinstance(garbage, bytes)
        else signed_document.seal(garbage, kind="baseline", private_key=KEY)
    )
    for read in (
        lambda: baseline_file.decode(untrusted, public_key=PUBLIC, where="file"),
        lambda: baseline_file.inspect(untrusted, where="file"),
        lambda: prior.prior_in(untrusted, public_key=PUBLIC, booth=BOOTH),
    ):
        with pytest.raises(Refused):
            read()


def test_a_prior_is_shares_and_nothing_else() -> None:
    """A unit gets a share per word, never 0, and a lift per pair, under its hub's key and for its own booth only."""
    shares, lifts = prior_publisher.shares_of(street(1)), prior_publisher.lifts_of(street(1))
    file = prior.sealed_prior(
        booth=BOOTH, made_at=5, people=4217, shares=shares, lifts=lifts, private_key=KEY
    )
    assert len(file) < prior.MOST_BYTES * 0.6
    found = prior.prior_in(file, public_key=PUBLIC, booth=BOOTH)
    assert (found.people, found.made_at) == (4200, 5)
    for row, expected in zip(found.shares, shares, strict=True):
        assert sum(row) == pytest.approx(1.0)
        assert min(row) > 0
        assert row == pytest.approx(expected, abs=0.01)
    for pair, rows in found.lifts.items():
        for row, expected in zip(rows, lifts[pair], strict=True):
            assert row == pytest.approx(expected, rel=0.1)  # an eighth of a bit
    with pytest.raises(Refused, match="another booth"):
        prior.prior_in(file, public_key=PUBLIC, booth=BoothId("market"))
    with pytest.raises(Refused) as refusal:
        prior.prior_in(file, public_key=sign.public_key_of(OTHER), booth=BOOTH)
    assert refusal.value.rule is Rule.UNKNOWN_KEY


def test_lifts_tell_what_goes_together_and_nothing_of_two_people() -> None:
    """Two things often worn together have a lift above 1, never together below; two people do not move them."""

    def counted(clashes: int) -> dict[tuple[int, int], tuple[tuple[float, ...], ...]]:
        baseline = Baseline()
        for number in range(400):
            colour = "black" if number % 2 else "white"
            legs = "trousers" if (number % 2 == 1) != (number < clashes) else "shorts"
            vector = AttributeVector.of(top_colour=colour, lower_kind=legs)
            baseline.update(vector, UnitId("north"), Seconds(NOON + 86_400.0 * (number % 3)))
        return prior_publisher.lifts_of(coarse(baseline.state()))

    top, lower = INDEX["top.colour"], INDEX["lower.kind"]
    rows = counted(0)[top, lower]
    black, white = (rows[ATTRIBUTES[top].levels.index(word)] for word in ("black", "white"))
    assert black[0] == white[1] == pytest.approx(2.0, rel=0.1)
    assert black[1] == white[0] < 0.05
    assert counted(2) == counted(0)


def hub_at(directory: Path, booth: str, people: int, seed: int) -> Path:
    """A hub that has seen so many people and was stopped; its hub.toml."""
    directory.mkdir()
    store = Store(directory / "hub.sqlite", BoothId(booth))
    if people:
        now = Seconds(float(int(time.time())))  # the commands look at a real clock
        camera, crowd = Camera("north", booted=now - 1000), Crowd(seed)
        batch = [camera.says(camera.observation(crowd.person(), now)) for _ in range(people)]
        store.commit(new_booth(camera, now=now).handle_batch(batch, now).changes)
    store.close()
    path = directory / "hub.toml"
    path.write_text(
        f'[hub]\nbooth = "{booth}"\nregister = "register.toml"\ndatabase = "hub.sqlite"\n'
        '[broker]\nhost = "localhost"\nca = "ca"\ncertificate = "c"\nkey = "k"\n',
        "utf-8",
    )
    return path


def run(capfdbinary: pytest.CaptureFixture[bytes], *words: str | Path) -> tuple[int, bytes, bytes]:
    code = cli.main([str(word) for word in words])
    told = capfdbinary.readouterr()
    return code, told.out, told.err


def test_weeks_of_another_corner_are_carried_to_the_booth(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Exported on one hub and imported on another, under its key and once only, a baseline makes a booth ready."""
    old, new = hub_at(tmp_path / "old", "market", 320, 1), hub_at(tmp_path / "new", "corner", 0, 2)
    code, file, told = run(capfdbinary, "baseline", "export", "--config", old)
    assert code == 0
    assert b"320 people" in told
    path = tmp_path / "market.baseline"
    path.write_bytes(file)
    _, key, _ = run(capfdbinary, "baseline", "key", "--config", old)
    text = key.decode().strip()
    assert run(capfdbinary, "baseline", "import", path, "--yes", "--config", new)[0] == Refused.exit_code
    assert run(capfdbinary, "baseline", "import", path, "--yes", "--config", new, "--key", text)[0] == 0
    code, _, told = run(capfdbinary, "baseline", "import", path, "--yes", "--config", new, "--key", text)
    assert code == Unfit.exit_code
    assert b"imported before" in told
    store = Store(tmp_path / "new" / "hub.sqlite", BOOTH)
    fresh = new_booth(Camera("north"), stored=store.load(), now=Seconds(time.time()))
    store.close()
    assert fresh.baseline.people == 320
    assert not fresh.baseline.needs(300, Seconds(time.time()))
    code, shown, _ = run(capfdbinary, "baseline", "inspect", path, "--config", new, "--key", text)
    told_of = json.loads(shown)
    assert (told_of["booth"], told_of["people"], told_of["signature"]) == ("market", 320, "good")
    assert told_of["small_cells"] == 0
    code, merged_file, _ = run(capfdbinary, "baseline", "merge", path, "--config", new, "--key", text)
    assert baseline_file.inspect(merged_file, where="merged").state.people == 320
    code, shares, told = run(capfdbinary, "baseline", "prior", "--config", old)
    own = told.decode().split()[-1]
    assert own != text
    assert prior.prior_in(shares, public_key=bytes.fromhex(own), booth=BoothId("market")).people == 320


@pytest.mark.parametrize("action", ["import", "merge"])
@pytest.mark.parametrize(
    ("days", "code", "why"),
    [
        (-401, Unfit.exit_code, b"401 days old"),
        (-399, 0, b"200 people"),
        (2, Refused.exit_code, b"ahead of this machine's clock"),
    ],
)
def test_only_a_baseline_of_our_time_is_taken_in(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], action: str, days: int, code: int, why: bytes
) -> None:
    """A baseline whose last sighting is over 400 days old, or lies in the future, is refused with one clear line."""
    config = hub_at(tmp_path / "hub", "corner", 0, 1)
    seen = time.time() + days * 86_400
    day = Seconds(seen // 86_400 * 86_400 + (86_400 if days < 0 else 0))
    # Down, never up: on whatever day of the week this runs, the anchor must not lie behind the day.
    shift = (day - NOON) // baseline_file.HALF_LIFE * baseline_file.HALF_LIFE
    state = street(1)
    moved = replace(state, anchor=Seconds(state.anchor + shift), latest=day)
    path = tmp_path / "market.baseline"
    path.write_bytes(baseline_file.encode(BaselineFile(booth=BOOTH, made_at=int(seen), state=moved), KEY))
    yes = ["--yes"] if action == "import" else []
    got, _, told = run(capfdbinary, "baseline", action, path, *yes, "--config", config, "--key", PUBLIC.hex())
    assert (got, why in told) == (code, True), told
    assert len(told.splitlines()) == 1


def test_a_young_baseline_gives_no_prior(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Before the hub is ready there is no prior for units, and it says how many more people are needed."""
    config = hub_at(tmp_path / "hub", "corner", 120, 1)
    code, _, told = run(capfdbinary, "baseline", "prior", "--config", config)
    assert code == Unfit.exit_code
    assert b"180 more people are needed" in told


def test_nothing_is_taken_in_while_the_hub_runs(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A running hub would overwrite what is taken in: import says so, while export and audit may look."""
    config = hub_at(tmp_path / "hub", "corner", 320, 1)
    file = run(capfdbinary, "baseline", "export", "--config", config)[1]
    (tmp_path / "file").write_bytes(file)
    running = Store(tmp_path / "hub" / "hub.sqlite", BOOTH)
    code, _, told = run(capfdbinary, "baseline", "import", tmp_path / "file", "--yes", "--config", config)
    assert code == Unavailable.exit_code
    assert b"another hub process uses the database" in told
    assert run(capfdbinary, "baseline", "export", "--config", config)[0] == 0
    code, report, _ = run(capfdbinary, "audit", "--json", "--config", config)
    told_of = json.loads(report)
    assert code == 0
    assert sum(row["people"] for row in told_of["rows"] if row["aspect"] == "camera") == 320
    assert len(told_of["cannot_know"]) == 5
    assert b"What this report cannot know" in run(capfdbinary, "audit", "--config", config)[1]
    running.close()


NUMBERS = st.one_of(
    st.floats(width=64),
    st.sampled_from([0.0, -0.0, 5.0, 1e300, -1e300, 5e-324, float("nan"), float("inf"), NOON, HALF_LIFE]),
    st.integers(-(10**7), 10**7).map(lambda weeks: float(weeks) * HALF_LIFE),
)


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS), st.integers(-5, 2**53), st.booleans())
def test_anybodys_instants_are_a_baseline_or_refused_and_can_be_shown(
    instants: tuple[float, float, float], people: int, empty: bool
) -> None:
    """Whatever anchor, latest day, weight and people a file claims: it is refused, or it can be described."""
    document = signed_document.peek(
        baseline_file.encode(BaselineFile(booth=BOOTH, made_at=int(NOON), state=_empty_state()), KEY),
        where="x",
    )
    document["instants"] = base64.b64encode(struct.pack("<3d", *instants)).decode("ascii")
    document["people"] = people
    if empty:
        document["cameras"] = {}
    content = signed_document.seal(document, kind="baseline", private_key=KEY)
    try:
        found = baseline_file.inspect(content, where="x")
    except Refused:
        return
    assert json.dumps(baseline_file.summary(found, NOON), allow_nan=False)


HOSTILE = st.one_of(
    st.sampled_from([0.0, -1.0, 4.9, 205.0, 1e12, 1e300, 1.7e308, 5e-324, float("nan"), float("inf")]),
    st.floats(width=64),
)
TEXTS = st.one_of(
    st.text(max_size=30), st.sampled_from(["", "AAAA", "x" * 10_000, "line\n" * 1000, "\ud800"])
)
JUNK = st.one_of(st.none(), st.booleans(), st.integers(), TEXTS, st.lists(st.integers(), max_size=3))


@st.composite
def changed_files(draw: st.DrawFn) -> bytes:
    """A file that was good and well signed, but for one or more fields that somebody hostile has written."""
    arrays = {"pairs": (LEVELS, LEVELS), "known": (len(ATTRIBUTES), len(ATTRIBUTES)), "cameras": (LEVELS,)}
    changes: dict[str, Any] = {}
    for field, shape in arrays.items():
        if draw(st.booleans()):
            array = getattr(GOOD, field).copy() if field != "cameras" else np.ones(shape)
            kind, value = draw(st.sampled_from(["all", "one", "scaled", "none"])), draw(HOSTILE)
            if kind == "scaled":
                with np.errstate(all="ignore"):
                    array *= value
            elif kind != "none":
                array[(..., 0) if kind == "one" else ...] = value
            changes[field] = {draw(TEXTS): doubles(array)} if field == "cameras" else doubles(array)
    if draw(st.booleans()):
        changes[draw(st.sampled_from(sorted(signed_document.peek(GOOD_FILE, where="x"))))] = draw(JUNK)
    document = signed_document.peek(GOOD_FILE, where="x") | changes
    return signed_document.seal(document, kind="baseline", private_key=KEY)


GOOD = street(1, people=20)
GOOD_FILE = encode(GOOD)


@given(changed_files())
def test_any_change_of_a_good_file_gives_a_baseline_that_can_be_used_or_one_short_line(file: bytes) -> None:
    """Whatever counts, names and numbers a file claims: refused in a line, or shown and merged without overflow."""
    for found in (_read(baseline_file.inspect, file), _read(_decode, file)):
        if isinstance(found, Refused):
            assert len(str(found)) < 400
            assert "\n" not in str(found)
            continue
        with np.errstate(all="raise", under="ignore"):
            assert json.dumps(baseline_file.summary(found, NOON), allow_nan=False)
            both = merged(GOOD, baseline_file.joined(GOOD, found, booth=BOOTH))
            lifts = prior_publisher.lifts_of(found.state)
        arrays = [both.pairs, both.known, *(row for _, row in both.cameras), *map(np.array, lifts.values())]
        assert all(np.isfinite(array).all() for array in arrays)


def _decode(untrusted: bytes, *, where: str) -> BaselineFile:
    return baseline_file.decode(untrusted, public_key=PUBLIC, where=where)


def _read(read: Callable[..., BaselineFile], file: bytes) -> BaselineFile | Refused:
    """What ``read`` gives, or its refusal; any other error is the test's."""
    try:
        return read(file, where="x")
    except Refused as refused:
        return refused


@pytest.mark.parametrize(
    "changes",
    [
        {"known": doubles(np.full((len(ATTRIBUTES), len(ATTRIBUTES)), 1e308))},
        {"cameras": {"north": doubles(np.full(LEVELS, 1e308))}},
        {"known": doubles(np.diag([206.0] * len(ATTRIBUTES)))},
        {"cameras": {"north": doubles(np.full(LEVELS, 206.0))}},
        {"vocabulary": "x" * 100_000},
        {"form": "line\n" * 100_000},
    ],
)
def test_counts_beyond_the_people_and_endless_versions_are_refused_in_one_short_line(
    changes: dict[str, Any],
) -> None:
    """More known, or more seen by a camera, than there are people (200) is refused; so is a version of any length."""
    with pytest.raises(Refused) as refusal:
        baseline_file.inspect(again(**changes), where="x")
    assert len(str(refusal.value)) < 400
    assert "\n" not in str(refusal.value)


def _empty_state() -> BaselineState:
    return Baseline().state()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_baseline_or_refused(content: bytes) -> None:
    """Bytes that are no baseline file are refused, and nothing else happens."""
    with pytest.raises(Refused):
        baseline_file.inspect(content, where="x")


@pytest.mark.parametrize(
    ("instants", "people"),
    [
        ((HALF_LIFE * 10_000, NOON, 60.0), 60),
        ((-HALF_LIFE * 1e6, NOON, 60.0), 60),
        ((0.0, NOON, 60.0), 60),
        ((NOON // HALF_LIFE * HALF_LIFE, NOON, 1e9), 60),
        ((NOON // HALF_LIFE * HALF_LIFE + 1, NOON, 60.0), 60),
        ((0.0, -1.0, 0.0), 0),
    ],
)
def test_numbers_that_contradict_one_another_are_refused_in_one_line(
    instants: tuple[float, float, float], people: int
) -> None:
    """An anchor ahead of the latest day or ages before it, and more weight than people, are refused."""
    document = signed_document.peek(
        baseline_file.encode(BaselineFile(booth=BOOTH, made_at=int(NOON), state=_empty_state()), KEY),
        where="x",
    )
    document |= {
        "instants": base64.b64encode(struct.pack("<3d", *instants)).decode("ascii"),
        "people": people,
    }
    with pytest.raises(Refused, match="contradict one another"):
        baseline_file.inspect(signed_document.seal(document, kind="baseline", private_key=KEY), where="x")
