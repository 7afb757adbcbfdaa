"""RELAY's end of the encryption to the hub: which key, kept where, and whether anything may be sent without one.

Invariants:
    * Once a key of the hub is known nothing leaves in clear any more, after a restart neither.
    * With ``[relay] encryption_required`` nothing ever does: what waits, waits until the key has come.
    * A key is taken only under the key that signs the hub's priors. A later one replaces it; so does an earlier one:
      a hub that was restored has other keys, and a false one opens nothing.
"""

from __future__ import annotations

from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Unfit
from appliance.base.systemd import log
from appliance.protocol import encryption
from appliance.protocol.encryption import EncryptionKey
from appliance.settings.config import UnitConfig

NAME: Final = "hub.encryption"
"""The file beside the prior."""


class HubCipher:
    """Puts envelopes into what is published on ``topic``."""

    def __init__(self, settings: UnitConfig, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._path = settings.prior.with_name(NAME)
        self._key = self._kept()

    @property
    def ready(self) -> bool:
        """Whether anything may be sent."""
        return self._key is not None or not self._settings.encryption_required

    def payload(self, envelope: bytes) -> bytes:
        """What to publish for ``envelope``."""
        if self._key is None:
            return envelope
        return encryption.encrypted(envelope, public_key=self._key.key, topic=self._topic)

    def take(self, untrusted: bytes) -> None:
        """The hub published a key. Refused where it is not the hub's; a disk that does not take it is only said."""
        key = self._believed(untrusted, "the hub's encryption key")
        if key == self._key:
            return
        first, self._key = self._key is None, key
        try:
            atomic_files.write_durably(self._path, untrusted, mode=atomic_files.SECRET)
        except Unfit as unfit:
            log(f"relay: the hub's encryption key is not kept: {unfit}", level=4)
        if first:
            log("relay: what is sent is encrypted to the hub from now on")

    def _kept(self) -> EncryptionKey | None:
        try:
            return self._believed(self._path.read_bytes(), str(self._path))
        except FileNotFoundError:
            return None
        except OSError as error:
            log(f"relay: {self._path} cannot be read ({error.strerror}); the hub says its key again", level=4)
        except Refused as refused:
            log(f"relay: the stored encryption key is not valid and is ignored: {refused}", level=4)
        return None

    def _believed(self, untrusted: bytes, where: str) -> EncryptionKey:
        hub_key, booth = self._settings.hub_key or b"", self._settings.booth
        return encryption.key_in(untrusted, public_key=hub_key, booth=booth, where=where)
