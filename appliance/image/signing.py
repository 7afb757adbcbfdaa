"""Signing: the key and the certificate by which a machine's firmware checks what it starts (UEFI Secure Boot).

Invariants:
    * The key is read where images are built and goes into no image.
    * A pair that does not fit stops before anything is built.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from appliance.base.errors import Unfit
from appliance.settings.streams import read_bytes


def signing(key: Path | None, certificate: Path | None) -> tuple[Path, Path] | None:
    """Key and certificate of Secure Boot, if both were named and belong together; None where neither was."""
    if key is None and certificate is None:
        return None
    make = "openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=booth/ -keyout boot.key -out boot.crt"
    if key is None or certificate is None:
        raise Unfit("key and certificate go together", where="--secure-boot-key", fix=f"name both; {make}")
    try:
        public = x509.load_pem_x509_certificate(read_bytes(certificate)).public_key()
        secret = serialization.load_pem_private_key(read_bytes(key), None)
    except (ValueError, TypeError) as error:
        raise Unfit(f"cannot be used ({error})", where="--secure-boot-key", fix=make) from None
    if secret.public_key() != public:
        raise Unfit("the certificate is of another key", where="--secure-boot-certificate", fix=make)
    return key, certificate
