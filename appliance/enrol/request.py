"""The two letters of an enrolment: the unit's request and the booth's answer, as they travel (JSON, one object).

Invariants:
    * The request carries public things only: both keys were born on the unit and stay there.
    * It proves possession of both: the CSR is signed by the TLS key (RFC 2986), the whole by the signing key.
    * What the proof signs can never be taken for a sealed statement, nor the other way round: a Sig_structure
      begins with byte 0x84, the proof with the letter ``l``.
    * Reading a request gives a request or ``Refused``, nothing else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from appliance.base.errors import Refused, Rule, Unfit
from appliance.enrol.names import RESERVED
from appliance.protocol import sign
from appliance.protocol.values import NAME_FORM, BoothId, UnitId

VERSION: Final = 1
MAX_REQUEST: Final = 8192
"""No request is longer, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """A request whose every part has been checked: both keys are good ones and the sender holds them."""

    booth: BoothId
    unit: UnitId
    public_key: bytes
    tls_key: ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentAnswer:
    """What the booth answers: the unit's certificate, the authority's, where the broker listens, the hub's key.

    ``hub_key`` is 64 hexadecimal digits, or empty where the booth has none: then the unit takes no prior.
    """

    booth: BoothId
    unit: UnitId
    certificate: str
    ca: str
    host: str
    port: int
    hub_key: str


def request_bytes(
    *, booth: BoothId, unit: UnitId, signing_key: bytes, tls_key: ec.EllipticCurvePrivateKey
) -> bytes:
    """The request of ``unit`` to ``booth``; ``signing_key`` has 32 bytes."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, unit)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls_key, SHA256())
    csr_pem = csr.public_bytes(Encoding.PEM).decode("ascii")
    public_key = sign.public_key_of(signing_key).hex()
    proven = proof_text(booth=booth, unit=unit, public_key=public_key, csr=csr_pem)
    proof = Ed25519PrivateKey.from_private_bytes(signing_key).sign(proven).hex()
    fields = {
        "v": VERSION,
        "booth": booth,
        "unit": unit,
        "public_key": public_key,
        "csr": csr_pem,
        "proof": proof,
    }
    return _written(fields)


def proof_text(*, booth: str, unit: str, public_key: str, csr: str) -> bytes:
    """What the proof of possession signs: every field, in one order; no field but the last can hold a line end."""
    return f"leftfield enrolment 1\n{booth}\n{unit}\n{public_key}\n{csr}".encode()


def read_request(untrusted: bytes, booth: BoothId) -> EnrolmentRequest:
    """The request in ``untrusted``, if it is one to this booth and all its proofs hold.

    Refused: MALFORMED_REQUEST, WEAK_KEY, FORGED.
    """
    if len(untrusted) > MAX_REQUEST:
        raise _malformed(f"it has {len(untrusted)} bytes, at most {MAX_REQUEST}")
    fields = _untrusted_fields(untrusted, ("booth", "unit", "public_key", "csr", "proof"))
    if fields["booth"] != booth:
        raise _malformed(f"it is not for booth {booth}")
    unit = fields["unit"]
    if not NAME_FORM.fullmatch(unit) or unit in RESERVED:
        raise _malformed("the unit's name is reserved, or not of the form corner-north")
    public_key = sign.check_public_key(_hex(fields["public_key"], sign.KEY_BYTES, "public_key"))
    proven = proof_text(booth=booth, unit=unit, public_key=fields["public_key"], csr=fields["csr"])
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(_hex(fields["proof"], 64, "proof"), proven)
    except InvalidSignature:
        raise _forged(
            "the sender does not hold the signing key, or the request was changed on its way"
        ) from None
    return EnrolmentRequest(
        booth=booth, unit=UnitId(unit), public_key=public_key, tls_key=_tls_key(fields["csr"], unit)
    )


def answer_bytes(answer: EnrolmentAnswer) -> bytes:
    """The answer as it travels back."""
    return _written({"v": VERSION, **asdict(answer)})


def read_answer(untrusted: bytes) -> EnrolmentAnswer:
    """The answer in ``untrusted``. Unfit where it has not the one form."""
    try:
        fields = _untrusted_fields(
            untrusted, ("booth", "unit", "certificate", "ca", "host", "hub_key"), ("port",)
        )
        port = int(fields["port"])
        if fields["hub_key"]:
            sign.check_public_key(_hex(fields["hub_key"], sign.KEY_BYTES, "hub_key"))
    except Refused as refusal:
        raise Unfit(
            refusal.what, where="enrolment answer", fix="copy the whole answer of `leftfield enrol accept`"
        ) from None
    return EnrolmentAnswer(
        booth=BoothId(fields["booth"]),
        unit=UnitId(fields["unit"]),
        certificate=fields["certificate"],
        ca=fields["ca"],
        host=fields["host"],
        port=port,
        hub_key=fields["hub_key"],
    )


def _untrusted_fields(
    untrusted: bytes, texts: tuple[str, ...], numbers: tuple[str, ...] = ()
) -> dict[str, str]:
    """Exactly the named fields of the one JSON object, each of its one type (numbers as decimal texts)."""
    try:
        pairs = json.loads(untrusted.decode("utf-8"), object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise _malformed("it is not JSON in UTF-8") from None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise _malformed("it is not one JSON object")
    fields = dict(pairs)
    if len(pairs) != len(fields) or set(fields) != {"v", *texts, *numbers}:
        raise _malformed(f"its fields are not exactly v, {', '.join((*texts, *numbers))}")
    if type(fields["v"]) is not int or fields["v"] != VERSION:
        raise _malformed(f"it is not version {VERSION}")
    if not all(type(fields[key]) is str and fields[key].isascii() for key in texts):
        raise _malformed("a field is not a text in ASCII")
    if not all(type(fields[key]) is int and 0 < fields[key] < 65536 for key in numbers):
        raise _malformed("a field is not a number from 1 to 65535")
    return {key: str(fields[key]) for key in (*texts, *numbers)}


def _hex(untrusted: str, length: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(untrusted)
    except ValueError:
        value = b""
    if len(value) != length or value.hex() != untrusted:
        raise _malformed(f"{what} is not {length} bytes in lower-case hexadecimal digits")
    return value


def _tls_key(untrusted_csr: str, unit: str) -> ec.EllipticCurvePublicKey:
    """The key of a CSR that is signed with it and asks for ``unit`` alone; whatever else it asks is not granted."""
    try:
        csr = x509.load_pem_x509_csr(untrusted_csr.encode("utf-8"))
        subject = [(attribute.oid, attribute.value) for attribute in csr.subject]
        key = csr.public_key()
        signed = csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise _malformed("the certificate request cannot be read") from None
    if subject != [(NameOID.COMMON_NAME, unit)]:
        raise _malformed("the certificate request is not for this unit alone")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _malformed("the certificate request's key is not on the curve P-256")
    if not signed:
        raise _forged("the sender does not hold the TLS key")
    return key


def _written(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"


def _malformed(what: str) -> Refused:
    return Refused(
        Rule.MALFORMED_REQUEST,
        what,
        where="enrolment request",
        fix="write it with `leftfield enrol request`",
    )


def _forged(what: str) -> Refused:
    return Refused(
        Rule.FORGED,
        what,
        where="enrolment request",
        fix="write it anew on the unit with `leftfield enrol request`",
    )
