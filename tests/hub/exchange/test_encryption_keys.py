from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.errors import Refused
from appliance.hub.exchange.encryption_keys import EVERY, NAME, EncryptionKeys
from appliance.protocol import encryption, sign
from appliance.protocol.values import BoothId, Seconds
from tests.hub.corner import NOON

SIGNING = bytes(range(32))
CORNER = BoothId("corner")
TOPIC = "leftfield/1/corner/unit/north/observation"


def keys_in(directory: Path, now: Seconds = NOON) -> EncryptionKeys:
    return EncryptionKeys(directory / NAME, booth=CORNER, signing_key=SIGNING, now=now)


def message_to(keys: EncryptionKeys) -> bytes:
    """An envelope encrypted to what ``keys`` publish."""
    telling = keys.telling()
    assert telling is not None
    assert telling.retain
    made = encryption.key_in(
        telling.payload, public_key=sign.public_key_of(SIGNING), booth=CORNER, where="hub"
    )
    return encryption.encrypted(b"sealed", public_key=made.key, topic=TOPIC)


def opens(keys: EncryptionKeys, message: bytes) -> bool:
    try:
        return keys.decryptor().envelope_in(message, TOPIC) == b"sealed"
    except Refused:
        return False


def test_a_new_key_is_made_every_day_and_the_one_before_last_is_gone(tmp_path: Path) -> None:
    """Today's and yesterday's messages open, those of the day before no more, after a restart neither."""
    keys = keys_in(tmp_path)
    assert keys.telling() is None
    messages = []
    for day in range(3):
        now = Seconds(NOON + day * EVERY)
        assert keys.renewed(now)
        assert not keys.renewed(Seconds(now + EVERY - 1))
        messages.append(message_to(keys))
        keys = keys_in(tmp_path)
        assert not keys.renewed(now)
    assert [opens(keys, one) for one in messages] == [False, True, True]
    path = tmp_path / NAME
    assert path.stat().st_mode & 0o077 == 0
    assert path.read_text().count("made_at") == 2


def test_a_hub_that_was_off_for_days_forgets_its_keys_when_it_starts(tmp_path: Path) -> None:
    """Who takes a hub that stood idle reads nothing with it once it runs: not in memory, and not on the disk."""
    keys = keys_in(tmp_path)
    keys.renewed(NOON)
    message, before = message_to(keys), (tmp_path / NAME).read_bytes()
    assert opens(keys_in(tmp_path, Seconds(NOON + 2 * EVERY - 1)), message)
    later = Seconds(NOON + 2 * EVERY)
    keys = keys_in(tmp_path, later)
    assert not opens(keys, message)
    assert keys.renewed(later)
    assert not opens(keys, message)
    assert before[1:-1] not in (tmp_path / NAME).read_bytes()


def test_a_clock_that_was_ahead_does_not_keep_a_key(tmp_path: Path) -> None:
    """A key made while the clock was ahead is replaced as soon as the clock is right, and still opens."""
    keys = keys_in(tmp_path)
    keys.renewed(Seconds(NOON + 90 * EVERY))
    message = message_to(keys)
    assert keys.renewed(NOON)
    assert opens(keys, message)


def test_a_disk_that_takes_nothing_leaves_the_old_key_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the new key cannot be kept the old one stays published, and that is said once."""
    keys = keys_in(tmp_path)
    keys.renewed(NOON)
    message = message_to(keys)
    keys._path = tmp_path / "no such place" / NAME
    for later in (1, 2):
        assert not keys.renewed(Seconds(NOON + later * EVERY))
    assert opens(keys, message)
    assert opens(keys, message_to(keys))
    assert capsys.readouterr().err.count("no new encryption key") == 1


def test_a_hub_without_a_signing_key_publishes_none(tmp_path: Path) -> None:
    """Nobody could believe it."""
    keys = EncryptionKeys(tmp_path / NAME, booth=CORNER, signing_key=None, now=NOON)
    assert not keys.renewed(NOON)
    assert keys.telling() is None


@given(
    st.one_of(st.binary(max_size=80), st.sampled_from([b"[{}]", b"[1]", b'[{"made_at": 1, "key": "ab"}]']))
)
def test_a_damaged_file_means_new_keys(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever the file holds, the hub starts, and makes keys."""
    directory = tmp_path_factory.mktemp("keys")
    (directory / NAME).write_bytes(content)
    keys = keys_in(directory)
    assert keys.renewed(NOON)
    assert opens(keys, message_to(keys))
