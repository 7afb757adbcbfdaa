"""Files that come from elsewhere: baselines, matrix and card, updates, backups, tables, recordings, images."""

from __future__ import annotations

import base64
import io
import json
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from appliance.base.errors import Refused, Unfit
from appliance.hub.batch import csv_table
from appliance.hub.exchange import backup_file, baseline_file
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import BaselineState, coarse
from appliance.image import gpt
from appliance.protocol.values import AttributeVector, Seconds, UnitId
from appliance.settings.config import CameraConfig
from appliance.unit.card.words import CardWord, record_of_matrix, record_of_word, said_in
from appliance.unit.inputs.colour_matrix import CameraMatrix, matrix_in, spelled
from appliance.unit.vision.camera.recording import Recording
from appliance.update import bundle, release
from tests.fuzz.target import target
from tests.fuzz.targets.protocol import BOOTH, KEY, PUBLIC, payload_in, signed
from tests.update.releases import a_release

NOW: Final = Seconds(1_760_000_000.0)


@cache
def _taught() -> BaselineState:
    baseline = Baseline()
    for number in range(200):
        word = ("red", "blue", "black")[number % 3]
        baseline.update(AttributeVector.of(top_colour=word, sleeves="long"), UnitId("north"), NOW)
    return coarse(baseline.state())


@cache
def _baseline() -> str:
    one = BaselineFile(booth=BOOTH, made_at=int(NOW), state=_taught())
    return payload_in(baseline_file.encode(one, KEY)).decode()


def _changed(data: bytes) -> bytes:
    """A good baseline with the keys of ``data`` instead of its own; arrays may be given as numbers."""
    found = json.loads(_baseline())
    try:
        changes = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for key, value in changes.items() if isinstance(changes, dict) else ():
        if key in {"instants", "pairs", "known"} and isinstance(value, list):
            cells = bytearray(base64.b64decode(found[key]))
            for place, number in enumerate(value):
                if isinstance(number, float) and 8 * place < len(cells):
                    struct.pack_into("<d", cells, 8 * place, number)
            found[key] = base64.b64encode(cells).decode()
        else:
            found[key] = value
        if value is None:
            del found[key]
    return json.dumps(found).encode()


def _baselines() -> list[bytes]:
    lineage = [["corner/0123456789abcdef", "north", 20370, 20371], ["far/*", "*", 1, 2]]
    return [
        json.dumps({"made_at": 1_760_000_000, "people": 300, "lineage": lineage, "booth": "far"}).encode(),
        json.dumps({"instants": [1_760_000_000.0 // 604_800 * 604_800, 1_760_000_000.0, 200.0]}).encode(),
        json.dumps({"pairs": [5.0, 0.0], "known": [1e308], "cameras": {"north": ""}, "form": 2}).encode(),
        json.dumps({"form": 1, "lineage": None, "vocabulary": 5, "words": ""}).encode(),
    ]


@target(_baselines, slow=8)
def baseline(data: bytes) -> None:
    """Anybody's baseline, looked at, judged, joined to ours and taken back."""
    sealed = signed(_changed(data), "baseline")
    one = baseline_file.inspect(sealed, where="fuzz")
    for now in (0.0, NOW, one.state.latest, 2.0**35):
        json.dumps(baseline_file.summary(one, Seconds(now)), allow_nan=False)
    again = baseline_file.decode(baseline_file.encode(one, KEY), public_key=PUBLIC, where="fuzz")
    assert again.state.people == one.state.people
    baseline_file.decode(sealed, public_key=PUBLIC, where="fuzz")
    both = baseline_file.joined(_taught(), one, booth=BOOTH)
    assert np.isfinite(both.pairs).all()
    assert both.people == _taught().people + one.state.people
    assert (baseline_file.taken_back(both, one, booth=BOOTH).pairs >= 0).all()


_MATRIX: Final = CameraMatrix((1024, 3, -40, 0, 1100, 20, -9, 0, 900), 12)


@target(lambda: [spelled(_MATRIX)], Unfit)
def matrix(data: bytes) -> None:
    """A camera's colour matrix."""
    assert spelled(matrix_in(data, "fuzz")) == data


@target(lambda: [record_of_matrix(_MATRIX), record_of_word(CardWord.FOUND)])
def card_record(data: bytes) -> None:
    """What comes out of the card reader's box."""
    found = said_in(data)
    assert data == (record_of_word(found) if isinstance(found, CardWord) else record_of_matrix(found))


@target(lambda: [payload_in(release.sealed(a_release(), KEY))])
def update_release(data: bytes) -> None:
    """A release that its maker signed, and one that nobody checked."""
    sealed = signed(data, "update")
    found = release.opened(sealed, PUBLIC)
    assert release.peeked(sealed) == found
    assert release.opened(release.sealed(found, KEY), PUBLIC) == found
    release.judge(found, release.Machine(role="unit", arch="amd64", version="1.0"), NOW)


def _bundles() -> list[bytes]:
    document = release.sealed(a_release(), KEY)
    return [bundle.MARK + len(document).to_bytes(4, "big") + document + b"parts"]


@target(_bundles)
def update_bundle(data: bytes) -> None:
    """A bundle: its head, then its parts."""
    source = io.BytesIO(data)
    head = bundle.read_head(source, PUBLIC)
    bundle.check_parts(source, head.release, lambda _: None)


@cache
def _backups() -> list[bytes]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "db").write_bytes(b"SQLite")
        (folder / "settings").mkdir()
        (folder / "settings" / "hub.toml").write_bytes(b"[hub]\n")
        backup_file.write(
            folder / "out", booth=BOOTH, made_at=1, database=folder / "db", settings=folder / "settings",
            private_key=KEY,
        )  # fmt: skip
        return [(folder / "out").read_bytes().rstrip(b"\0") + bytes(1024)]


@target(_backups, Refused, Unfit, slow=4)
def backup(data: bytes) -> None:
    """A backup's archive, unpacked."""
    with tempfile.TemporaryDirectory() as place:
        (folder := Path(place, "into")).mkdir()
        (archive := Path(place, "backup")).write_bytes(data)
        try:
            backup_file.unpack(archive, folder, public_keys=(PUBLIC,))
        finally:
            assert {one.name for one in Path(place).iterdir()} == {"into", "backup"}


@target(
    lambda: [
        json.dumps({"form": 1, "booth": "corner", "made_at": 5, "members": {"hub.sqlite": "00"}}).encode()
    ]
)
def backup_seal(data: bytes) -> None:
    """The seal of a backup, made by a hub that may be of another version."""
    found = backup_file._sealed(signed(data, "backup"), (PUBLIC,), "fuzz")
    assert all(isinstance(name, str) for name in found.settings)


@target(lambda: [b"top,sleeves,shoes\nred,long,dark\nblue,,light\n", b'a;b\n"x;y";2\n'], Unfit, slow=2)
def csv_file(data: bytes) -> None:
    """A table for `leftfield score`."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(data)
        file.flush()
        book = csv_table.Codebook()
        rows = csv_table.read(Path(file.name), book)
    layout = book.layout()
    assert rows.shape[1] == len(book.names)
    assert rows.max() < max(layout.sizes)
    csv_table.fold_of(rows, layout)
    assert all(book.label(column, 0) for column, words in enumerate(book.words) if words.labels)


@cache
def _videos() -> list[bytes]:
    made = []
    for name, codec in (("x.avi", "mjpeg"), ("x.mp4", "mpeg4")):
        with tempfile.TemporaryDirectory() as place:
            with av.open(str(Path(place, name)), "w") as film:
                stream: Any = film.add_stream(codec, rate=5)
                stream.width = stream.height = 32
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                for _ in range(2):
                    film.mux(stream.encode(av.VideoFrame(32, 32, stream.pix_fmt)))
                film.mux(stream.encode(None))
            made.append(Path(place, name).read_bytes())
    return made


@target(_videos, Unfit, slow=20)
def recording(data: bytes) -> None:
    """A recorded video: what our own part makes of its head and of its clock."""
    with tempfile.NamedTemporaryFile(suffix=".avi") as file:
        file.write(data)
        file.flush()
        film = Recording(CameraConfig(source=file.name, width=160, height=120, hurry=True))
        try:
            last = -1.0
            for _, frame in zip(range(3), film.frames(), strict=False):
                assert frame.at >= last
                last = frame.at
        finally:
            film.close()


def _images() -> list[bytes]:
    entry = bytes(range(1, 33)) + struct.pack("<QQQ", 34, 40, 0) + "root".encode("utf-16-le").ljust(72, b"\0")
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 9, 34, 99, bytes(16), 2, 1, 128,
                       zlib.crc32(entry))  # fmt: skip
    return [bytes(512) + head + bytes(512 - len(head)) + entry]


@target(_images, Unfit)
def partition_table(data: bytes) -> None:
    """The partition table of an image; its check sums are made right, so that what lies behind is reached."""
    entries, head = data[1024:1152], data[512:604]
    if len(head) == 92:
        head = head[:88] + zlib.crc32(entries).to_bytes(4, "little")
        head = head[:16] + zlib.crc32(head[:16] + bytes(4) + head[20:]).to_bytes(4, "little") + head[20:]
    for one in gpt.partitions(io.BytesIO(data[:512] + head + data[604:]), "fuzz"):
        assert one.size > 0
        assert one.start >= 0
