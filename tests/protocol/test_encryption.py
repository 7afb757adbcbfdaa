from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId
from pyhpke.kem_key import KEMKey

from appliance.base.errors import Refused, Rule
from appliance.protocol import encryption, sign, signed_document
from appliance.protocol.encryption import MESSAGE_BYTES, Decryptor, EncryptionKey, encrypted
from appliance.protocol.values import BoothId
from appliance.protocol.wire import MAX_ENVELOPE

PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = encryption.public_key_of(PRIVATE)
TOPIC = "leftfield/1/corner/unit/north/observation"
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
SIGNING = bytes(range(32))
CORNER = BoothId("corner")


@given(st.binary(min_size=1, max_size=MAX_ENVELOPE))
def test_whatever_is_said_has_one_length_and_comes_out_as_it_went_in(envelope: bytes) -> None:
    """Every envelope becomes a message of the same size, other bytes each time, and is the same again at the hub."""
    one, other = (encrypted(envelope, public_key=PUBLIC, topic=TOPIC) for _ in range(2))
    assert len(one) == MESSAGE_BYTES == 173
    assert one != other
    assert envelope not in one or len(envelope) < 4
    assert Decryptor([PRIVATE]).envelope_in(one, TOPIC) == envelope


def test_another_library_opens_what_we_encrypt_and_we_what_it_encrypts() -> None:
    """pyhpke, which shares no code with OpenSSL's HPKE, reads and writes the same form."""
    message = encrypted(b"sealed", public_key=PUBLIC, topic=TOPIC)
    key = KEMKey.from_pyca_cryptography_key(PRIVATE)
    recipient = SUITE.create_recipient_context(message[9:41], key, info=TOPIC.encode())
    assert recipient.open(message[41:]) == b"\x06sealed".ljust(MAX_ENVELOPE + 1, b"\0")
    enc, sender = SUITE.create_sender_context(
        KEMKey.from_pyca_cryptography_key(PRIVATE.public_key()), info=TOPIC.encode()
    )
    theirs = b"\x02" + encryption.key_id(PUBLIC) + enc + sender.seal(b"\x02ab".ljust(MAX_ENVELOPE + 1, b"\0"))
    assert Decryptor([PRIVATE]).envelope_in(theirs, TOPIC) == b"ab"


@given(st.binary(max_size=MESSAGE_BYTES + 3))
def test_garbage_is_refused(garbage: bytes) -> None:
    """No bytes do anything but be refused, those with a right beginning neither."""
    for untrusted in (garbage, b"\x02" + encryption.key_id(PUBLIC) + garbage):
        with pytest.raises(Refused) as refused:
            Decryptor([PRIVATE]).envelope_in(untrusted, TOPIC)
        assert refused.value.rule in {Rule.UNREADABLE, Rule.TOO_LONG}


def test_one_changed_bit_or_another_topic_or_key_is_refused() -> None:
    """What was changed anywhere, meant for another unit, or encrypted to a key that is gone does not open."""
    message = encrypted(b"sealed", public_key=PUBLIC, topic=TOPIC)
    for bit in range(8, 8 * MESSAGE_BYTES, 11):
        torn = bytearray(message)
        torn[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Refused):
            Decryptor([PRIVATE]).envelope_in(bytes(torn), TOPIC)
    for decryptor, topic in ((Decryptor([PRIVATE]), TOPIC + "s"), (Decryptor(), TOPIC)):
        with pytest.raises(Refused, match="UNREADABLE".lower()):
            decryptor.envelope_in(message, topic)


def test_what_was_padded_wrongly_is_refused() -> None:
    """The padding is zeros: there is one spelling, and no room beside it."""
    suite = encryption._SUITE
    for plain in (b"\0" * 116, b"\x01ab".ljust(116, b"\0"), b"\xffa".ljust(116, b"\0"), b"\x01a"):
        message = encrypted(b"x", public_key=PUBLIC, topic=TOPIC)[:9]
        message += suite.encrypt(plain, PRIVATE.public_key(), info=TOPIC.encode())
        with pytest.raises(Refused):
            Decryptor([PRIVATE]).envelope_in(message, TOPIC)


def test_a_key_is_believed_under_the_hubs_key_for_this_booth_alone() -> None:
    """The published key is signed; one of another booth, another hub or of low order is refused."""
    made = EncryptionKey(made_at=1_800_000_000, key=PUBLIC)
    public = sign.public_key_of(SIGNING)
    document = encryption.sealed_key(made, booth=CORNER, private_key=SIGNING)
    assert encryption.key_in(document, public_key=public, booth=CORNER, where="") == made
    low = EncryptionKey(made_at=1, key=bytes(32))
    wrong = [
        encryption.sealed_key(made, booth=BoothId("other"), private_key=SIGNING),
        encryption.sealed_key(made, booth=CORNER, private_key=bytes(32)),
        encryption.sealed_key(low, booth=CORNER, private_key=SIGNING),
        signed_document.seal({"form": 2}, kind=encryption.KIND, private_key=SIGNING),
    ]
    for one in wrong:
        with pytest.raises(Refused):
            encryption.key_in(one, public_key=public, booth=CORNER, where="")
