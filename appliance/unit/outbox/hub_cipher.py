"""RELAY's end of the encryption to the hub: which key, kept where, and whether anything may be sent without one.

Invariants:
    * Once a key of the hub is known nothing leaves in clear any more, after a restart neither: a kept key that cannot
      be used, and the empty file that is left where the disk did not take one, close the way until the hub says its
      key again.
    * With ``[relay] encryption_required`` nothing ever does: what waits, waits until the key has come.
    * A key is taken only under the key that signs the hub's priors, and never one from before the kept (a hub that
      was restored makes new keys). By a clock that is set none older than ``OLDEST`` is taken, and a kept one from
      the future binds nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.base.systemd import log
from appliance.protocol import encryption
from appliance.protocol.encryption import EncryptionKey
from appliance.settings.config import UnitConfig
from appliance.unit import clocks

NAME: Final = "hub.encryption"
"""The file beside the prior."""
OLDEST: Final = 2 * 86_400.0
"""Seconds; a hub makes a key each day and opens what is encrypted to the one before."""


class HubCipher:
    """Puts envelopes into what is published on ``topic``; ``clock`` says unix seconds, None while it is not set."""

    def __init__(
        self, settings: UnitConfig, topic: str, *, clock: Callable[[], float | None] = clocks.wall_time
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._clock = clock
        self._path = settings.prior.with_name(NAME)
        self._closed = settings.encryption_required
        self._unkept = False
        self._key = self._kept()

    @property
    def ready(self) -> bool:
        """Whether anything may be sent."""
        return self._key is not None or not self._closed

    def payload(self, envelope: bytes) -> bytes:
        """What to publish for ``envelope``. Unavailable where it may not be sent (``ready``)."""
        if not self.ready:
            raise Unavailable("the hub's key is missing", where="encryption", fix="start the hub")
        if self._key is None:
            return envelope
        return encryption.encrypted(envelope, public_key=self._key.key, topic=self._topic)

    def take(self, untrusted: bytes) -> None:
        """The hub published a key. Refused where it is not the hub's, or an old one (REPLAYED, EXPIRED)."""
        key = self._believed(untrusted, "the hub's encryption key")
        if key == self._key and not self._unkept:
            return
        self._check_age(key)
        if not self._keep(untrusted):
            return
        first, self._key = self._key is None, key
        if first:
            log("relay: what is sent is encrypted to the hub from now on")

    def _check_age(self, key: EncryptionKey) -> None:
        now, kept = self._clock(), self._key
        if kept and key.made_at < kept.made_at and (now is None or kept.made_at <= now + OLDEST):
            what = f"it is {kept.made_at - key.made_at} s older than the one in use"
            fix = "set the hub's clock; where it was ahead, this unit's too"
            raise Refused(Rule.REPLAYED, what, where="encryption key", fix=fix)
        if now is not None and now - key.made_at > OLDEST:
            what = f"it was made {int(now - key.made_at)} s ago"
            fix = "start the hub, and look at its disk and clock"
            raise Refused(Rule.EXPIRED, what, where="encryption key", fix=fix)

    def _keep(self, untrusted: bytes) -> bool:
        """Keep the key, or at least that there is one; False where not even that is possible and it would matter."""
        try:
            atomic_files.write_durably(self._path, untrusted, mode=atomic_files.SECRET)
        except Unfit as unfit:
            self._unkept = True
            log(f"relay: the hub's encryption key is not kept: {unfit}", level=4)
        else:
            self._unkept = False
            return True
        try:
            self._path.touch(mode=atomic_files.SECRET)
            atomic_files.sync_directory(self._path.parent)
        except OSError as error:
            if self._closed or self._path.exists():
                return True
            self._closed = True
            fix = f"make room in {self._path.parent} or mend the disk, then systemctl restart leftfield-relay"
            what = f"relay: {self._path} cannot be made ({error.strerror}), so nothing is sent"
            log(f"{what}. Fix: {fix}", level=3)
            return False
        return True

    def _kept(self) -> EncryptionKey | None:
        try:
            return self._believed(self._path.read_bytes(), str(self._path))
        except FileNotFoundError:
            return None
        except OSError as error:
            why = error.strerror
        except Refused as refused:
            why = refused.what
        self._closed = True
        fix = f"start the hub, which says its key again; where it has none any more, remove {self._path}"
        log(f"relay: {self._path} cannot be used ({why}); nothing is sent in clear. Fix: {fix}", level=4)
        return None

    def _believed(self, untrusted: bytes, where: str) -> EncryptionKey:
        hub_key, booth = self._settings.hub_key or b"", self._settings.booth
        return encryption.key_in(untrusted, public_key=hub_key, booth=booth, where=where)
