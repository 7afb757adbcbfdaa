"""Enrolment: who gets in, who does not, and that every key stays where it was born."""

from __future__ import annotations

import json
import ssl
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import enrol
from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.enrol import authority, broker, files, request
from appliance.enrol.names import RESERVED
from appliance.protocol import sign
from appliance.protocol.values import BoothId, Seconds, UnitId
from appliance.settings import config
from appliance.settings.config import CameraConfig, HubConfig, PacingConfig, Register, UnitConfig
from appliance.settings.epoch import next_epoch

BOOTH = BoothId("corner")
NORTH = UnitId("corner-north")
LOW_ORDER = (  # points of order 1, 2, 4 and 8, and one whose y is not reduced (RFC 8032 section 5.1.3)
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A booth and the directories of its units."""

    booth: enrol.BoothDirectory
    directory: Path

    def home(self, unit: str) -> enrol.UnitHome:
        """The directory of a unit's own machine."""
        return enrol.UnitHome(directory=self.directory / unit)

    def ask(self, unit: str = NORTH, booth: str = BOOTH) -> bytes:
        """A unit's request."""
        return enrol.make_request(self.home(unit), booth=BoothId(booth), unit=UnitId(unit))

    def register(self) -> config.Register:
        """The register as the hub reads it."""
        return config.register(self.booth.register)


@pytest.fixture
def corner(tmp_path: Path) -> Corner:
    return Corner(
        booth=enrol.create_booth(tmp_path / "booth", BOOTH, ("booth.local", "10.0.0.2")), directory=tmp_path
    )


def forged(
    fields: dict[str, object],
    *,
    signing_key: bytes | None = None,
    tls_key: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """A request whose fields are changed, with a proof by ``signing_key`` and a CSR by ``tls_key`` if given."""
    fields = dict(fields)
    if tls_key:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(fields["unit"]))])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls_key, SHA256())
        fields["csr"] = csr.public_bytes(Encoding.PEM).decode()
    if signing_key:
        proven = request.proof_text(
            **{key: str(fields[key]) for key in ("booth", "unit", "public_key", "csr")}
        )
        fields["proof"] = Ed25519PrivateKey.from_private_bytes(signing_key).sign(proven).hex()
    return json.dumps(fields).encode()


def rule_of(corner: Corner, untrusted: bytes) -> Rule:
    """The rule by which the booth refuses; the register stays as it was."""
    before = corner.booth.register.read_bytes()
    with pytest.raises(Refused) as refusal:
        enrol.accept_request(corner.booth, untrusted, place="somewhere")
    assert corner.booth.register.read_bytes() == before
    return refusal.value.rule


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_unit_gets_in(corner: Corner) -> None:
    """Request, acceptance and answer put the unit into the register the hub reads, under its place and public key."""
    home = corner.home(NORTH)
    answer = enrol.accept_request(corner.booth, corner.ask(), place='the "north" corner')
    enrol.install_answer(home, answer)
    [unit] = corner.register().units
    private = (home.credentials / "signing.key").read_bytes()
    assert (unit.unit, unit.place, unit.simulated, unit.revoked) == (
        NORTH,
        'the "north" corner',
        False,
        False,
    )
    assert unit.public_key == sign.public_key_of(private)


def test_no_secret_leaves_the_unit(corner: Corner) -> None:
    """Neither private key is in the request or anywhere in the booth's directory."""
    asking, home = corner.ask(), corner.home(NORTH)
    enrol.accept_request(corner.booth, asking, place="north")
    signing = (home.credentials / "signing.key").read_bytes()
    tls = (home.link / "tls.key").read_bytes().splitlines()[1]
    kept = b"".join(path.read_bytes() for path in corner.booth.directory.rglob("*") if path.is_file())
    for secret in (signing, signing.hex().encode(), tls):
        assert secret not in asking + kept


def test_every_secret_is_for_its_owner_only(corner: Corner) -> None:
    """Key files are 0600, the directories that hold only secrets 0700."""
    enrol.enrol_unit(corner.booth, corner.home(NORTH), NORTH, place="north")
    home, booth = corner.home(NORTH), corner.booth.directory
    secrets = [home.credentials / "signing.key", home.credentials / "epoch", home.link / "tls.key"]
    secrets += [booth / "authority/ca.key", booth / "hub/tls.key", booth / "broker/passwords"]
    secrets += [booth / "broker/broker.key", booth / "broker/pages.key"]
    assert {mode(path) for path in secrets} == {0o600}
    assert {mode(path) for path in (home.credentials, booth / "authority", booth / "broker/store")} == {0o700}


def test_a_replaced_file_keeps_its_mode_and_owner(tmp_path: Path) -> None:
    """What a service account was once allowed to read, it can read after the file was written anew."""
    path = tmp_path / "passwords"
    atomic_files.write_durably(path, b"old", mode=atomic_files.SECRET)
    path.chmod(0o640)
    atomic_files.write_durably(path, b"new", mode=atomic_files.SECRET)
    assert (path.read_bytes(), mode(path)) == (b"new", 0o640)
    assert [other.name for other in tmp_path.iterdir()] == ["passwords"]


def test_a_write_that_fails_leaves_the_old_register(corner: Corner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk fails in the middle, the register is the one from before, whole."""
    enrol.enrol_unit(corner.booth, corner.home(NORTH), NORTH, place="north")
    before, asking = corner.register(), corner.ask("corner-south")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Unfit, match="No space left"):
        enrol.accept_request(corner.booth, asking, place="south")
    assert corner.register() == before


def test_asking_again_keeps_the_keys(corner: Corner) -> None:
    """A unit that asks twice has the same signing key, stays one row, and gets a second certificate."""
    first = enrol.accept_request(corner.booth, corner.ask(), place="north")
    second = enrol.accept_request(corner.booth, corner.ask(), place="north door")
    [unit] = corner.register().units
    assert unit.place == "north door"
    assert json.loads(first)["certificate"] != json.loads(second)["certificate"]


def test_a_request_signed_by_another_key_is_forged(corner: Corner) -> None:
    """Who shows a public key without holding it is refused: R04."""
    fields = json.loads(corner.ask())
    assert rule_of(corner, forged(fields, signing_key=sign.new_private_key())) is Rule.FORGED


def test_a_request_changed_on_its_way_is_forged(corner: Corner) -> None:
    """A certificate request put in by somebody else breaks the proof: R04."""
    fields = json.loads(corner.ask())
    assert rule_of(corner, forged(fields, tls_key=authority.new_key())) is Rule.FORGED


def test_a_csr_signed_by_another_key_is_forged(corner: Corner) -> None:
    """Who asks for a certificate for a TLS key without holding it is refused: R04."""
    signing_key = sign.new_private_key()
    fields = json.loads(corner.ask())
    der = bytearray(x509.load_pem_x509_csr(fields["csr"].encode()).public_bytes(Encoding.DER))
    for spoiled in range(len(der) - 1, 0, -1):  # the last bytes are the signature's
        der[spoiled] ^= 1
        try:
            csr = x509.load_der_x509_csr(bytes(der))
            break
        except ValueError:
            der[spoiled] ^= 1
    fields |= {
        "csr": csr.public_bytes(Encoding.PEM).decode(),
        "public_key": sign.public_key_of(signing_key).hex(),
    }
    assert rule_of(corner, forged(fields, signing_key=signing_key)) is Rule.FORGED


@pytest.mark.parametrize("public_key", LOW_ORDER)
def test_a_weak_key_is_refused_whatever_its_proof(corner: Corner, public_key: str) -> None:
    """A public key of low order, or not canonical, never enters the register: R12."""
    fields = json.loads(corner.ask()) | {"public_key": public_key}
    assert rule_of(corner, forged(fields)) is Rule.WEAK_KEY


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()], ids=["P-384", "secp256k1"])
def test_another_curve_is_refused(corner: Corner, curve: ec.EllipticCurve) -> None:
    """A TLS key of a kind that not everybody here can check is refused: R13."""
    signing_key = sign.new_private_key()
    fields = json.loads(corner.ask()) | {"public_key": sign.public_key_of(signing_key).hex()}
    asked = forged(fields, signing_key=signing_key, tls_key=ec.generate_private_key(curve))
    assert rule_of(corner, asked) is Rule.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "change",
    [
        {"booth": "other"},
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"unit": "Corner"},
        {"unit": "corner north"},
        {"unit": "corner\nnorth"},
        {"unit": "../register"},
        {"unit": 7},
        {"unit": None},
        {"unit": "corner-south"},
        {"proof": "00"},
        {"proof": "zz"},
        {"public_key": "AB" * 32},
        {"csr": "no request"},
        {"csr": "\ud800"},
        {"place": "mine"},
        *({"unit": name} for name in sorted(RESERVED)),
    ],
    ids=str,
)
def test_a_request_of_another_form_is_refused(corner: Corner, change: dict[str, object]) -> None:
    """Another booth, version, name, field or type than the one form has: R13 (R04 where only the proof tells)."""
    asked = forged(json.loads(corner.ask()) | change)
    expected = (
        Rule.FORGED if change in ({"unit": "corner-south"}, {"csr": "no request"}) else Rule.MALFORMED_REQUEST
    )
    assert rule_of(corner, asked) is expected


@pytest.mark.parametrize(
    "garbage", [b"", b"[]", b"{}", b"[[]]", b"null", b"[" * 8000, b"9" * 8000, b"\xff", b" " * 9000]
)
def test_what_is_no_request_is_refused(corner: Corner, garbage: bytes) -> None:
    """Garbage, deep nesting and anything too long are R13."""
    assert rule_of(corner, garbage) is Rule.MALFORMED_REQUEST


@given(
    garbage=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: json.dumps({"v": 1, "booth": text}).encode())
)
def test_a_request_or_refused_nothing_else(garbage: bytes) -> None:
    """Whatever bytes come, reading a request ends in Refused and in nothing else."""
    with pytest.raises(Refused):
        request.read_request(garbage, BOOTH)


@given(
    place=st.sampled_from(["v", "booth", "unit", "public_key", "csr", "proof"]),
    spot=st.integers(0, 10_000),
    bit=st.integers(0, 6),
)
@settings(deadline=None)  # each example makes keys
def test_one_changed_bit_is_enough(place: str, spot: int, bit: int) -> None:
    """A request with any one bit of any field changed is refused."""
    key = authority.new_key()
    asked = request.request_bytes(booth=BOOTH, unit=NORTH, signing_key=bytes(range(32)), tls_key=key)
    assert request.read_request(asked, BOOTH).unit == NORTH
    fields = json.loads(asked)
    text = str(fields[place])
    spot %= len(text)
    fields[place] = text[:spot] + chr(ord(text[spot]) ^ 1 << bit) + text[spot + 1 :]
    with pytest.raises(Refused):
        request.read_request(json.dumps(fields).encode(), BOOTH)


def test_a_name_is_given_once(corner: Corner) -> None:
    """A second unit cannot take a name: not a unit's (R14), not a tablet's (R14); nor a tablet a unit's."""
    enrol.accept_request(corner.booth, corner.ask(), place="north")
    enrol.add_tablet(corner.booth, "tablet-1")
    stranger = enrol.UnitHome(directory=corner.directory / "stranger")
    asked = enrol.make_request(stranger, booth=BOOTH, unit=NORTH)
    assert rule_of(corner, asked) is Rule.NAME_TAKEN
    assert rule_of(corner, corner.ask("tablet-1")) is Rule.NAME_TAKEN
    with pytest.raises(Unfit, match="taken"):
        enrol.add_tablet(corner.booth, NORTH)
    with pytest.raises(Unfit, match="taken"):
        enrol.add_tablet(corner.booth, "tablet-1")


def test_a_key_is_given_one_name(corner: Corner) -> None:
    """A unit cannot be enrolled under a second name with the same signing key: R14."""
    home = corner.home(NORTH)
    enrol.accept_request(corner.booth, corner.ask(), place="north")
    asked = enrol.make_request(home, booth=BOOTH, unit=UnitId("corner-south"))
    assert rule_of(corner, asked) is Rule.NAME_TAKEN


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_role_is_nobodys_name(corner: Corner, name: str) -> None:
    """The names of roles are refused to units and tablets: the hub's connection cannot be taken over."""
    with pytest.raises(Unfit, match="reserved"):
        corner.ask(name)
    with pytest.raises(Unfit, match="reserved"):
        enrol.add_tablet(corner.booth, name)


def test_a_revoked_unit_never_comes_back(corner: Corner) -> None:
    """After revocation its row stays, every certificate it ever had is on the list, and asking again is R06."""
    serials = set()
    for _ in range(2):
        answer = json.loads(enrol.accept_request(corner.booth, corner.ask(), place="north"))
        serials.add(x509.load_pem_x509_certificate(answer["certificate"].encode()).serial_number)
    enrol.revoke_unit(corner.booth, NORTH)
    assert [unit.revoked for unit in corner.register().units] == [True]
    listed = x509.load_pem_x509_crl((corner.booth.broker_directory / "crl.pem").read_bytes())
    assert {row.serial_number for row in listed} == serials
    assert rule_of(corner, corner.ask()) is Rule.REVOKED
    enrol.revoke_unit(corner.booth, NORTH)
    with pytest.raises(Unfit, match="no unit"):
        enrol.revoke_unit(corner.booth, "corner-south")


def test_openssl_believes_every_certificate(corner: Corner) -> None:
    """An independent OpenSSL verifies each certificate strictly, for its purpose, against authority and list."""
    enrol.enrol_unit(corner.booth, corner.home(NORTH), NORTH, place="north")
    broker = corner.booth.broker_directory
    for path, words in (
        (broker / "broker.pem", ("-purpose", "sslserver", "-verify_hostname", "booth.local")),
        (broker / "broker.pem", ("-purpose", "sslserver", "-verify_ip", "127.0.0.1")),
        (broker / "pages.pem", ("-purpose", "sslserver", "-verify_ip", "10.0.0.2")),
        (corner.booth.directory / "hub/hub.pem", ("-purpose", "sslclient")),
        (corner.home(NORTH).link / "unit.pem", ("-purpose", "sslclient", "-attime", "1600000000")),
        (broker / "broker.pem", ("-purpose", "sslserver", "-attime", "1600000000")),
    ):
        checks = (
            "-x509_strict",
            "-crl_check",
            "-CRLfile",
            str(broker / "crl.pem"),
            "-CAfile",
            str(corner.booth.ca),
        )
        done = subprocess.run(
            ["openssl", "verify", *checks, *words, str(path)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_certificates_serve_one_purpose(corner: Corner) -> None:
    """A unit's certificate is no server's, and the broker's no client's."""
    enrol.enrol_unit(corner.booth, corner.home(NORTH), NORTH, place="north")
    for path, purpose in (
        (corner.home(NORTH).link / "unit.pem", "sslserver"),
        (corner.booth.broker_directory / "broker.pem", "sslclient"),
    ):
        command = ["openssl", "verify", "-purpose", purpose, "-CAfile", str(corner.booth.ca), str(path)]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_authority_vouches_for_private_places_only(tmp_path: Path) -> None:
    """A public host is refused; and a stolen authority cannot make one that OpenSSL would believe."""
    for public in ("example.org", "8.8.8.8", "2001:db8::1", "com"):
        with pytest.raises(Unfit, match="private address"):
            enrol.create_booth(tmp_path / public, BOOTH, (public,))
    root = authority.Authority.create(BOOTH)
    key = authority.new_key()
    stolen = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(authority.LONG_AGO)
        .not_valid_after(authority.FAR_AWAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bank.example.org")]), critical=False)
        .sign(root.key, SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(root.pem)
    (tmp_path / "bank.pem").write_bytes(stolen.public_bytes(Encoding.PEM))
    command = ["openssl", "verify", "-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / "bank.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "permitted subtree violation" in done.stderr


def test_what_browsers_see_lives_as_long_as_they_allow(corner: Corner) -> None:
    """The page's certificate lives at most 398 days; Python's own TLS loads each pair of certificate and key."""
    certificate, key = corner.booth.page_certificate
    page = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert (page.not_valid_after_utc - page.not_valid_before_utc).days <= 398
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)


def test_renewal_keeps_the_authority(corner: Corner) -> None:
    """New addresses give new server certificates under the same authority; units keep theirs."""
    before = corner.booth.ca.read_bytes()
    changed = enrol.renew(corner.booth, hosts=("192.168.7.7",))
    page = x509.load_pem_x509_certificate(changed.page_certificate[0].read_bytes())
    names = page.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "192.168.7.7" in {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert changed.ca.read_bytes() == before
    assert enrol.open_booth(corner.booth.directory) == changed


def test_an_answer_for_another_key_is_unfit(corner: Corner) -> None:
    """A unit keeps nothing of an answer that was made for another unit or cannot be read."""
    enrol.make_request(corner.home("corner-south"), booth=BOOTH, unit=UnitId("corner-south"))
    answer = enrol.accept_request(corner.booth, corner.ask(), place="north")
    for wrong in (answer, b"{}", answer.replace(b"BEGIN", b"BEGUN")):
        with pytest.raises(Unfit):
            enrol.install_answer(corner.home("corner-south"), wrong)
    assert not (corner.home("corner-south").link / "unit.pem").exists()


def test_the_epoch_only_grows(corner: Corner) -> None:
    """Each start counts one up from 1, on disk before it is told; a lost or spoiled epoch stops the unit."""
    corner.ask()
    home = corner.home(NORTH)
    assert [next_epoch(home.credentials) for _ in range(3)] == [1, 2, 3]
    assert (home.credentials / "epoch").read_bytes() == b"3\n"
    corner.ask()
    assert next_epoch(home.credentials) == 4
    for spoiled in (b"", b"-1", b"4294967295", b"99999999999999", b"one"):
        (home.credentials / "epoch").write_bytes(spoiled)
        with pytest.raises(Unfit, match="is not an epoch"):
            next_epoch(home.credentials)
    (home.credentials / "epoch").unlink()
    with pytest.raises(Unfit, match="cannot read"):
        next_epoch(home.credentials)


def test_what_is_written_is_what_config_reads(corner: Corner) -> None:
    """Unit and hub settings come back from config.py as they went in, with its defaults where nothing was said."""
    home = corner.home(NORTH)
    broker = enrol.enrol_unit(corner.booth, home, NORTH, place="north")
    asked = UnitConfig(
        booth=BOOTH,
        unit=NORTH,
        broker=broker,
        camera=CameraConfig(source='a "b" \\ c.mp4', repeat=True, frame_rate=10),
        public_key=home.public_key(),
        walls="every",
    )
    unit = enrol.write_unit_config(home.config, asked)
    assert unit == asked
    assert (unit.broker, unit.walls) == (broker, "every")
    assert [unit.public_key] == [row.public_key for row in corner.register().units]
    assert (unit.camera.source, unit.camera.repeat, unit.camera.frame_rate) == ('a "b" \\ c.mp4', True, 10)
    wanted = HubConfig(
        booth=BOOTH,
        broker=corner.booth.hub_broker,
        register=corner.booth.register,
        database=corner.directory / "hub.sqlite",
        signing_key=corner.directory / "a.key",
        prior_key=corner.directory / "b.key",
        warmup_people=60,
        pacing=PacingConfig(max_p=0.01, opens=Seconds(36_000.0), closes=Seconds(66_600.0)),
        language="fr",
    )
    assert enrol.write_hub_config(corner.directory / "hub.toml", wanted) == wanted


def test_a_booth_is_created_once(corner: Corner) -> None:
    """A second booth in the same directory is refused, and the first is found again as it was made."""
    with pytest.raises(Unfit, match="a booth exists already"):
        enrol.create_booth(corner.booth.directory, "other")
    assert enrol.open_booth(corner.booth.directory) == corner.booth
    with pytest.raises(Unfit, match="cannot read"):
        enrol.open_booth(corner.directory)


@pytest.mark.parametrize("place", ["", "x" * 61, "line\nbreak", "\x1b[31m"])
def test_a_place_is_words(corner: Corner, place: str) -> None:
    """What staff read as a place is 1 to 60 printable characters."""
    with pytest.raises(Unfit, match="printable"):
        enrol.accept_request(corner.booth, corner.ask(), place=place)


def test_a_broker_that_is_named_wrongly_is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker program that was named but is not there is never replaced by another one in silence."""
    monkeypatch.setenv(broker.MOSQUITTO_VARIABLE, "/nowhere/mosquitto")
    with pytest.raises(Unfit, match="/nowhere/mosquitto"):
        broker.mosquitto()


@pytest.mark.parametrize("change", ["tablet", "revoke", "accept"])
def test_every_change_of_the_register_holds_the_booths_lock(
    corner: Corner, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register is read and written under one lock: two commands at once lose neither's change."""
    enrol.enrol_unit(corner.booth, corner.home(NORTH), NORTH, place="north")
    held: list[Path] = []
    inside: list[bool] = []
    alone, write = atomic_files.alone, files.write_register

    @contextmanager
    def watched(directory: Path) -> Iterator[None]:
        with alone(directory):
            held.append(directory)
            yield
            held.remove(directory)

    def written(path: Path, register: Register) -> None:
        inside.append(corner.booth.directory in held)
        write(path, register)

    monkeypatch.setattr(atomic_files, "alone", watched)
    monkeypatch.setattr(files, "write_register", written)
    if change == "tablet":
        enrol.add_tablet(corner.booth, "tablet-9")
    elif change == "revoke":
        enrol.revoke_unit(corner.booth, NORTH)
    else:
        enrol.enrol_unit(
            corner.booth, corner.home(UnitId("corner-west")), UnitId("corner-west"), place="west"
        )
    assert inside
    assert all(inside)
