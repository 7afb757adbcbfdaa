"""Ed25519 and COSE against the RFCs' own examples and the Wycheproof and CCTV vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.base.errors import Refused, Rule
from appliance.protocol import sign, wire

VECTORS = Path(__file__).parents[1] / "vectors"

RFC8032 = [  # RFC 8032 section 7.1: secret key, public key, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC8032)
def test_signatures_are_those_of_the_rfc(secret: str, public: str, message: str, signature: str) -> None:
    """The library signs as RFC 8032 section 7.1 does, and its keys pass our own check."""
    assert sign.public_key_of(bytes.fromhex(secret)).hex() == public
    made = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)).sign(bytes.fromhex(message))
    assert made.hex() == signature
    assert sign.check_public_key(bytes.fromhex(public)).hex() == public


def test_the_signed_bytes_are_those_of_the_ietf_example() -> None:
    """Our Sig_structure and signature equal the COSE working group's EdDSA example (RFC 9052 section 4.4)."""
    protected, content = bytes.fromhex("a201270300"), b"This is the content."
    signed = wire.to_be_signed(protected, b"", content)
    assert signed.hex() == "846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e"
    signature = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(RFC8032[0][0])).sign(signed)
    assert signature.hex() == (
        "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87"
        "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d"
    )


@pytest.mark.parametrize("name", ["eddsa-sig-01", "sign-pass-01", "sign-pass-02", "sign-pass-03"])
def test_every_ietf_example_signs_the_bytes_we_would(name: str) -> None:
    """For each COSE_Sign1 example that must pass, our Sig_structure is byte for byte the published one."""
    prefix = "eddsa-examples_" if name.startswith("eddsa") else "sign1-tests_"
    example = vectors(f"cose/{prefix}{name}.json")
    parts = [bytes.fromhex(part) for part in _bstrs(example["output"]["cbor_diag"])]
    aad = bytes.fromhex(example["input"]["sign0"].get("external", ""))
    protected = parts[0] if parts[0] != b"\xa0" else b""
    signed = wire.to_be_signed(protected, aad, example["input"]["plaintext"].encode())
    assert signed.hex().upper() == example["intermediates"]["ToBeSign_hex"].upper()


def _bstrs(diagnostic: str) -> list[str]:
    return [piece.split("'")[0] for piece in diagnostic.split("h'")[1:]]


def test_every_ietf_example_is_refused_as_an_envelope() -> None:
    """COSE examples, good and bad, are not our one form: the door refuses each and never fails otherwise."""
    examples = sorted((VECTORS / "cose").glob("*.json"))
    assert len(examples) == 13
    opener = sign.Opener(booth="plaza", signer_of=lambda _key_id: None)  # type: ignore[arg-type]
    for example in examples:
        with pytest.raises(Refused):
            opener.open(bytes.fromhex(json.loads(example.read_text())["output"]["cbor"]))


def test_wycheproof_verdicts_hold() -> None:
    """All 151 Wycheproof Ed25519 verdicts hold for keys that pass our check."""
    count = 0
    for group in vectors("wycheproof_ed25519_test.json")["testGroups"]:
        key = sign.check_public_key(bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            verdict = verifies(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))
            assert verdict == (case["result"] == "valid"), case
            count += 1
    assert count == 151


def test_no_ambiguous_key_of_cctv_enters_the_register() -> None:
    """Every CCTV key that is non-canonical or has a low-order component is refused; every other one enters."""
    cases = vectors("cctv_ed25519vectors.json")
    bad = {"low_order_A", "low_order_component_A", "non_canonical_A"}
    ambiguous = {case["key"] for case in cases if bad & set(case["flags"] or ())}
    sound = {case["key"] for case in cases} - ambiguous
    assert (len(cases), len(ambiguous) > 0, len(sound) > 0) == (914, True, True)
    for key in ambiguous:
        with pytest.raises(Refused) as refusal:
            sign.check_public_key(bytes.fromhex(key))
        assert refusal.value.rule is Rule.WEAK_KEY
    for key in sound:
        assert sign.check_public_key(bytes.fromhex(key)).hex() == key


def test_openssl_alone_would_accept_keys_that_we_refuse() -> None:
    """The check is needed: OpenSSL verifies signatures under keys of CCTV that our register refuses."""
    accepted = [
        case
        for case in vectors("cctv_ed25519vectors.json")
        if "non_canonical_A" in (case["flags"] or ())
        and verifies(bytes.fromhex(case["key"]), bytes.fromhex(case["sig"]), case["msg"].encode())
    ]
    assert accepted


@pytest.mark.parametrize(
    ("untrusted", "what"),
    [
        ("01" + "00" * 31, "prime order"),  # the neutral element
        ("00" * 32, "prime order"),  # order 4
        ("ec" + "ff" * 30 + "7f", "prime order"),  # order 2
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "prime order"),  # order 8
        ("ed" + "ff" * 30 + "7f", "not reduced"),  # y = p
        ("02" + "00" * 31, "not a point"),
        ("01" + "00" * 30 + "80", "not a point"),  # x = 0 with its sign bit set
        ("00" * 31, "31 bytes"),
    ],
)
def test_each_kind_of_weak_key_is_named(untrusted: str, what: str) -> None:
    """Low-order, non-canonical and impossible keys are refused, and the refusal says which."""
    with pytest.raises(Refused, match=what):
        sign.check_public_key(bytes.fromhex(untrusted))
