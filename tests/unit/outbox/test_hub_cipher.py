from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.base.errors import Refused
from appliance.protocol import encryption, sign
from appliance.protocol.encryption import Decryptor, EncryptionKey
from appliance.protocol.values import BoothId, UnitId
from appliance.settings.config import BrokerAddress, CameraConfig, UnitConfig
from appliance.unit.outbox.hub_cipher import NAME, HubCipher

SIGNING = bytes(range(32))
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


def published(key: X25519PrivateKey, *, signed_with: bytes = SIGNING) -> bytes:
    made = EncryptionKey(made_at=1, key=encryption.public_key_of(key))
    return encryption.sealed_key(made, booth=BoothId("corner"), private_key=signed_with)


def test_once_a_key_is_known_nothing_leaves_in_clear_any_more(settings: UnitConfig) -> None:
    """Until a key has come the envelope itself is sent; from then on it is encrypted, after a restart too."""
    cipher = HubCipher(settings, TOPIC)
    assert cipher.ready
    assert cipher.payload(b"sealed") == b"sealed"
    key = X25519PrivateKey.generate()
    cipher.take(published(key))
    for one in (cipher, HubCipher(settings, TOPIC)):
        assert Decryptor([key]).envelope_in(one.payload(b"sealed"), TOPIC) == b"sealed"


def test_a_later_key_of_the_hub_replaces_the_one_before(settings: UnitConfig) -> None:
    """The hub changes its key every day, and a hub that was restored has another one: the last one said counts."""
    cipher = HubCipher(settings, TOPIC)
    first, second = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    for key in (first, second, first):
        cipher.take(published(key))
        assert Decryptor([key]).envelope_in(cipher.payload(b"sealed"), TOPIC) == b"sealed"


def test_where_it_is_required_nothing_is_sent_without_a_key(settings: UnitConfig) -> None:
    """A unit enrolled by a hub that has a key waits for it, and sends as soon as it has come."""
    cipher = HubCipher(replace(settings, encryption_required=True), TOPIC)
    assert not cipher.ready
    cipher.take(published(X25519PrivateKey.generate()))
    assert cipher.ready


def test_a_key_that_the_hub_did_not_sign_is_refused(settings: UnitConfig, tmp_path: Path) -> None:
    """A broker cannot put its own key in the hub's place, and a damaged file is ignored."""
    cipher = HubCipher(settings, TOPIC)
    with pytest.raises(Refused):
        cipher.take(published(X25519PrivateKey.generate(), signed_with=bytes(32)))
    assert cipher.payload(b"sealed") == b"sealed"
    (tmp_path / NAME).write_bytes(b"damaged")
    assert HubCipher(settings, TOPIC).payload(b"sealed") == b"sealed"
