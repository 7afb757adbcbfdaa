from __future__ import annotations

from pathlib import Path

import pytest

from appliance.base.errors import Refused, Rule, Unfit
from appliance.protocol.topics import named_in
from appliance.protocol.values import BoothId
from appliance.settings import config

BROKER = """
[broker]
host = "hub.local"
ca = "ca.pem"
certificate = "unit.pem"
key = "unit.key"
"""
UNIT = (
    """
[unit]
booth = "plaza"
unit = "north"
[camera]
source = "/dev/video0"
"""
    + BROKER
)
HUB = '[hub]\nbooth = "plaza"\nregister = "register.toml"\n' + BROKER


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "it.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_short_unit_file_is_enough(tmp_path: Path) -> None:
    """A unit needs its names, a camera and a broker; everything else has a default."""
    unit = config.unit_config(written(tmp_path, UNIT))
    assert (unit.booth, unit.unit, unit.camera.source) == ("plaza", "north", "/dev/video0")
    assert (unit.camera.width, unit.camera.frame_rate, unit.broker.port, unit.threads) == (1280, 15, 8883, 1)
    assert unit.broker.ca == tmp_path / "ca.pem"
    assert unit.pipe == config.PIPE_PATH
    assert (unit.public_key, unit.walls) == (None, "required")
    assert unit.matrix == config.MATRIX_PATH


def test_a_short_hub_file_is_enough(tmp_path: Path) -> None:
    """A hub needs its booth, a register and a broker; everything else has a default."""
    hub = config.hub_config(written(tmp_path, HUB))
    assert (hub.booth, hub.warmup_people, hub.retention_seconds, hub.pacing.stock) == (
        "plaza",
        300,
        300.0,
        40,
    )
    assert hub.pacing.max_p is None
    assert (hub.pacing.opens, hub.pacing.closes, hub.language) == (None, None, "en")


def test_opening_hours_and_language_are_read(tmp_path: Path) -> None:
    """A booth says when it serves, in hours and minutes of its own day, and in which language staff are told."""
    text = (
        HUB.replace("[hub]", '[hub]\nlanguage = "zh-Hans"') + '[pacing]\nopens = "9:30"\ncloses = "24:00"\n'
    )
    hub = config.hub_config(written(tmp_path, text))
    assert (hub.pacing.opens, hub.pacing.closes, hub.language) == (34_200.0, 86_400.0, "zh-Hans")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (HUB + '[pacing]\nopens = "9:30"\n', "belong together"),
        (HUB + '[pacing]\nopens = "18:00"\ncloses = "10:00"\n', "later than opens"),
        (HUB + '[pacing]\nopens = "25:00"\ncloses = "26:00"\n', "time of day"),
        (HUB + '[pacing]\nopens = "24:01"\ncloses = "24:00"\n', "time of day"),
        (HUB.replace("[hub]", '[hub]\nlanguage = "tlh"'), "hub.language must be one of en, es, fr, zh-Hans"),
    ],
)
def test_hours_or_a_language_that_cannot_be_are_named(tmp_path: Path, text: str, what: str) -> None:
    """Half a pair of hours, hours that end before they begin, and a language without a catalogue are Unfit."""
    with pytest.raises(Unfit, match=what):
        config.hub_config(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (UNIT.replace('unit = "north"', ""), "unit.unit is missing"),
        (UNIT.replace('"north"', '"North Corner"'), "lower-case name"),
        (UNIT.replace('"north"', "7"), "must be a str"),
        (UNIT.replace("[unit]", "[unit]\ncolour = 1"), "unit.colour is not a known key"),
        (UNIT.replace("[camera]", "[camera]\nframe_rate = 900"), "between 1 and 60"),
        (UNIT.replace("[camera]", "[camera]\nrepeat = 1"), "must be a bool"),
        (UNIT.replace("/dev/video0", "rtsp://10.0.0.9/stream"), "promise 1"),
        (UNIT + '[models]\naccelerator = "gpu"\n', "auto, cpu or edgetpu"),
        (UNIT + '[relay]\npublic_key = "abc"\n', "relay.public_key must be 64 hexadecimal digits"),
        (UNIT + '[sense]\nwalls = "some"\n', "sense.walls must be required or every"),
        (UNIT.replace("[broker]", "[other]"), "broker is missing"),
        ("unit = 3\n" + UNIT.replace("[unit]", "[x]"), "must be a table"),
        ("[unit", "not TOML"),
    ],
)
def test_each_mistake_has_one_clear_error(tmp_path: Path, text: str, what: str) -> None:
    """A mistake names the file, the key and what to do about it."""
    path = written(tmp_path, text)
    with pytest.raises(Unfit, match=what) as unfit:
        config.unit_config(path)
    assert str(path) in str(unfit.value)
    assert unfit.value.fix


@pytest.mark.parametrize(
    "source",
    ["http:camera.local/stream", "rtsp:camera.local", "tcp:10.0.0.9:554", "udp:", "RTSP:camera", "srt:host:9",
     "cache:http:host", "subfile,,start,0,end,0,,:http:host", "concat:a.avi|http:host", "rtsp://10.0.0.9/x",
     "nobody-knows-this:host", "file.avi:http:host"],
)  # fmt: skip
def test_no_form_of_network_address_is_a_camera(source: str) -> None:
    """What the video library could open over a network is refused, with slashes or without, wrapped or plain."""
    with pytest.raises(Unfit, match="promise 1"):
        config.refuse_network_source(source, "camera.source")


def test_files_and_devices_may_have_colons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths, devices and files that exist are no addresses, whatever colons they have."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk 10:30.avi").touch()
    (tmp_path / "tcp:x").touch()
    by_path = "/dev/v4l/by-path/platform-fe80:1-video-index0"
    for source in (
        "0",
        "picamera2",
        "walk 10:30.avi",
        "./tcp:x",
        "/videos/12:30.avi",
        "file:/videos/x.avi",
        by_path,
    ):
        config.refuse_network_source(source, "camera.source")
    with pytest.raises(Unfit, match="promise 1"):
        config.refuse_network_source("tcp:x", "camera.source")


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    """A file that is not there or not text is named, with how to fix it."""
    with pytest.raises(Unfit, match="No such file"):
        config.hub_config(tmp_path / "none.toml")
    (tmp_path / "it.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unfit, match="UTF-8"):
        config.hub_config(tmp_path / "it.toml")


def test_the_register_lists_units_and_tablets(tmp_path: Path) -> None:
    """The register gives each unit's key and place, and whether it is simulated or revoked."""
    text = (
        f'[units.north]\npublic_key = "{"ab" * 32}"\nplace = "north corner"\nrevoked = true\n[tablets.one]\n'
    )
    register = config.register(written(tmp_path, text))
    (unit,) = register.units
    assert (unit.unit, unit.public_key, unit.place) == ("north", b"\xab" * 32, "north corner")
    assert (unit.simulated, unit.revoked, register.tablets) == (False, True, ("one",))
    with pytest.raises(Unfit, match="hexadecimal"):
        config.register(written(tmp_path, text.replace("abab", "zz", 1)))


@pytest.mark.parametrize(
    "untrusted",
    ["", "leftfield/1/plaza/unit/north", "leftfield/1/market/unit/north/observation", "leftfield/1/plaza/unit/../x",
     "leftfield/2/plaza/unit/north/observation", "leftfield/1/plaza/unit/north/observation/more"],
)  # fmt: skip
def test_a_foreign_topic_is_refused(untrusted: str) -> None:
    """Only a topic of this booth and group names a unit."""
    assert named_in("leftfield/1/plaza/unit/north/observation", BoothId("plaza"), "unit") == (
        "north",
        "observation",
    )
    with pytest.raises(Refused) as refusal:
        named_in(untrusted, BoothId("plaza"), "unit")
    assert refusal.value.rule is Rule.WRONG_TOPIC


def test_keys_are_read_under_their_old_names_and_the_new_name_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A hub.toml from before the renaming is read as it was meant, with one line for each key."""
    path = tmp_path / "hub.toml"
    path.write_text(
        HUB.replace("[hub]", "[hub]\nyoung = 77\nhold_seconds = 90.0") + "\n[pacing]\nfloor = 0.003\n"
    )
    hub = config.hub_config(path)
    assert (hub.warmup_people, hub.retention_seconds, hub.pacing.max_p) == (77, 90.0, 0.003)
    said = capfd.readouterr().err
    assert "hub.young is called warmup_people now; the old name is still read" in said
    assert "pacing.floor is called max_p now; the old name is still read" in said
    assert len(said.splitlines()) == 3


def test_a_key_under_both_its_names_is_unfit(tmp_path: Path) -> None:
    """Which of the two would count is not guessed."""
    path = tmp_path / "hub.toml"
    path.write_text(HUB.replace("[hub]", "[hub]\nyoung = 77\nwarmup_people = 78"))
    with pytest.raises(Unfit, match="young is the old name of warmup_people"):
        config.hub_config(path)
