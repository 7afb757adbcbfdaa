from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.protocol import encryption, sign
from appliance.protocol.encryption import Decryptor, EncryptionKey
from appliance.protocol.values import BoothId, UnitId
from appliance.settings.config import BrokerAddress, CameraConfig, UnitConfig
from appliance.unit.outbox.hub_cipher import NAME, OLDEST, HubCipher

SIGNING = bytes(range(32))
NOW = 1_800_000_000
TOPIC = "leftfield/1/corner/unit/north/observation"


@pytest.fixture
def settings(tmp_path: Path) -> UnitConfig:
    nowhere = BrokerAddress(host="hub", port=1, ca=Path(), certificate=Path(), key=Path())
    return UnitConfig(
        booth=BoothId("corner"),
        unit=UnitId("north"),
        broker=nowhere,
        camera=CameraConfig(source="0"),
        hub_key=sign.public_key_of(SIGNING),
        prior=tmp_path / "hub.prior",
    )


def published(key: X25519PrivateKey, *, made_at: int = NOW, signed_with: bytes = SIGNING) -> bytes:
    made = EncryptionKey(made_at=made_at, key=encryption.public_key_of(key))
    return encryption.sealed_key(made, booth=BoothId("corner"), private_key=signed_with)


def cipher_of(settings: UnitConfig, clock: float | None = NOW) -> HubCipher:
    return HubCipher(settings, TOPIC, clock=lambda: clock)


def refused(cipher: HubCipher, untrusted: bytes) -> Rule:
    with pytest.raises(Refused) as raised:
        cipher.take(untrusted)
    return raised.value.rule


def no_room(path: Path, content: bytes, *, mode: int) -> None:
    raise Unfit(f"{len(content)} bytes do not fit", where=f"{path} {mode:o}")


def test_once_a_key_is_known_nothing_leaves_in_clear_any_more(settings: UnitConfig) -> None:
    """Until a key has come the envelope itself is sent; from then on it is encrypted, after a restart too."""
    cipher = cipher_of(settings)
    assert cipher.ready
    assert cipher.payload(b"sealed") == b"sealed"
    key = X25519PrivateKey.generate()
    cipher.take(published(key))
    for one in (cipher, cipher_of(settings)):
        assert Decryptor([key]).envelope_in(one.payload(b"sealed"), TOPIC) == b"sealed"


@pytest.mark.parametrize("clock", [None, NOW])
def test_a_later_key_of_the_hub_replaces_the_one_before_and_never_an_earlier(
    settings: UnitConfig, clock: float | None
) -> None:
    """The hub changes its key every day. Who recorded an old key's document never brings it back."""
    first, second = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    old = published(first, made_at=NOW - 1)
    cipher = cipher_of(settings, clock)
    for key, document in ((first, old), (second, published(second))):
        cipher.take(document)
        assert Decryptor([key]).envelope_in(cipher.payload(b"sealed"), TOPIC) == b"sealed"
    for one in (cipher, cipher_of(settings, clock)):
        assert refused(one, old) is Rule.REPLAYED
        assert Decryptor([second]).envelope_in(one.payload(b"sealed"), TOPIC) == b"sealed"


def test_by_a_clock_that_is_set_a_key_is_believed_for_two_days(settings: UnitConfig) -> None:
    """The hub itself forgets a key after two days: an older document is a recording, for a new unit too."""
    key = X25519PrivateKey.generate()
    old = published(key, made_at=int(NOW - OLDEST) - 1)
    assert refused(cipher_of(settings), old) is Rule.EXPIRED
    cipher_of(settings).take(published(key, made_at=int(NOW - OLDEST)))
    cipher_of(settings, None).take(published(key))


def test_a_hub_whose_clock_was_ahead_is_believed_again(settings: UnitConfig) -> None:
    """A kept key from the future keeps no unit from the hub's true one, once the unit's clock is set."""
    cipher = cipher_of(settings, None)
    cipher.take(published(X25519PrivateKey.generate(), made_at=NOW + 90 * 86_400))
    key = X25519PrivateKey.generate()
    assert refused(cipher, published(key)) is Rule.REPLAYED
    cipher = cipher_of(settings)
    cipher.take(published(key))
    assert Decryptor([key]).envelope_in(cipher.payload(b"sealed"), TOPIC) == b"sealed"


def test_where_it_is_required_nothing_is_sent_without_a_key(settings: UnitConfig) -> None:
    """A unit enrolled by a hub that has a key waits for it, and sends as soon as it has come."""
    cipher = cipher_of(replace(settings, encryption_required=True))
    assert not cipher.ready
    cipher.take(published(X25519PrivateKey.generate()))
    assert cipher.ready


def test_a_key_that_the_hub_did_not_sign_is_refused(settings: UnitConfig, tmp_path: Path) -> None:
    """A broker cannot put its own key in the hub's place."""
    cipher = cipher_of(settings)
    assert refused(cipher, published(X25519PrivateKey.generate(), signed_with=bytes(32))) is Rule.UNKNOWN_KEY
    assert cipher.payload(b"sealed") == b"sealed"
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("content", [b"", b"damaged", None])
def test_a_kept_key_that_cannot_be_used_sends_nothing_until_the_hub_says_one(
    settings: UnitConfig, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The unit once knew a key: it falls back to clear text never, says so once with the fix, and heals by itself."""
    path = tmp_path / NAME
    path.mkdir() if content is None else path.write_bytes(content)
    cipher = cipher_of(settings)
    assert not cipher.ready
    with pytest.raises(Unavailable):
        cipher.payload(b"sealed")
    said = capsys.readouterr().err
    assert said.count("nothing is sent in clear. Fix: start the hub") == 1
    if content is None:
        path.rmdir()
    key = X25519PrivateKey.generate()
    cipher.take(published(key))
    for one in (cipher, cipher_of(settings)):
        assert Decryptor([key]).envelope_in(one.payload(b"sealed"), TOPIC) == b"sealed"


def test_a_disk_that_does_not_take_the_key_keeps_that_there_is_one(
    settings: UnitConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent is encrypted, a restart closes the way, and the same document mends the file."""
    key = X25519PrivateKey.generate()
    cipher = cipher_of(settings)
    with monkeypatch.context() as full:
        full.setattr(atomic_files, "write_durably", no_room)
        cipher.take(published(key))
    assert Decryptor([key]).envelope_in(cipher.payload(b"sealed"), TOPIC) == b"sealed"
    assert (tmp_path / NAME).read_bytes() == b""
    assert not cipher_of(settings).ready
    cipher.take(published(key))
    assert (tmp_path / NAME).read_bytes() == published(key)


def test_where_not_even_that_can_be_kept_nothing_is_sent(
    settings: UnitConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A unit that would speak in clear after its next start does not begin to speak; one that never does may."""
    nowhere = replace(settings, prior=tmp_path / "gone" / "hub.prior")
    cipher, key = cipher_of(nowhere), X25519PrivateKey.generate()
    cipher.take(published(key))
    assert not cipher.ready
    assert "so nothing is sent. Fix: make room" in capsys.readouterr().err
    (tmp_path / "gone").mkdir()
    cipher.take(published(key))
    assert Decryptor([key]).envelope_in(cipher.payload(b"sealed"), TOPIC) == b"sealed"
    required = cipher_of(replace(settings, prior=tmp_path / "no" / "hub.prior", encryption_required=True))
    required.take(published(key))
    assert Decryptor([key]).envelope_in(required.payload(b"sealed"), TOPIC) == b"sealed"
