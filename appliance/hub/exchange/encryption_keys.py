"""The hub's keys that its units encrypt to: made here, changed every day, and forgotten.

Invariants:
    * Whoever recorded the broker and takes the hub away later can read two days of it, and nothing before.
    * The file is beside the database, for the hub's account alone, and in no backup: a hub that is restored makes new
      keys, and units send again what could not be read.
    * A hub that was off forgets, when it starts, what is older than that.
    * A disk that does not take a new key leaves the old ones in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.base.atomic_files import SECRET, write_durably
from appliance.base.errors import Unfit
from appliance.base.systemd import log
from appliance.hub.messages import OutgoingMessage
from appliance.protocol import topics
from appliance.protocol.encryption import (
    KEY_BYTES,
    Decryptor,
    EncryptionKey,
    public_key_of,
    sealed_key,
)
from appliance.protocol.values import BoothId, Seconds

EVERY: Final = Seconds(86_400.0)
"""A new key is made so often; the one before it opens what is on its way, for as long again."""
NAME: Final = "encryption.keys"


@dataclass(frozen=True, slots=True)
class _Made:
    at: int
    key: bytes

    @property
    def private(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.key)


class EncryptionKeys:
    """The keys in ``path``; nothing is published without ``signing_key``, which signs the hub's priors.

    ``now`` (unix seconds) is when the hub starts.
    """

    def __init__(
        self,
        path: Path,
        *,
        booth: BoothId,
        signing_key: bytes | None,
        now: Seconds,
        make: Callable[[], X25519PrivateKey] = X25519PrivateKey.generate,
    ) -> None:
        self._path = path
        self._booth = booth
        self._signing_key = signing_key
        self._make = make
        self._keys = [one for one in _read(path) if now - one.at < 2 * EVERY]
        self._failed = False

    def renewed(self, now: Seconds) -> bool:
        """Make a new key where one is due at ``now`` (unix seconds) and forget the oldest; whether there is one."""
        if self._signing_key is None:
            return False
        newest = self._keys[0] if self._keys else None
        if newest is not None and 0 <= now - newest.at < EVERY:
            return False
        fresh = _Made(int(now), self._make().private_bytes_raw())
        keys = [fresh, *self._keys[:1]]
        try:
            rows = [{"made_at": one.at, "key": one.key.hex()} for one in keys]
            write_durably(self._path, json.dumps(rows).encode(), mode=SECRET)
        except Unfit as unfit:
            if not self._failed:
                log(f"hub: no new encryption key, the old one stays: {unfit}", level=4)
            self._failed = True
            return False
        self._keys, self._failed = keys, False
        return True

    def decryptor(self) -> Decryptor:
        """Opens what is encrypted to the newest key or to the one before."""
        return Decryptor([one.private for one in self._keys])

    def telling(self) -> OutgoingMessage | None:
        """The newest key, signed, to publish retained; None where there is none."""
        if self._signing_key is None or not self._keys:
            return None
        newest = self._keys[0]
        made = EncryptionKey(made_at=newest.at, key=public_key_of(newest.private))
        payload = sealed_key(made, booth=self._booth, private_key=self._signing_key)
        return OutgoingMessage(topic=topics.encryption(self._booth), payload=payload)


def _read(path: Path) -> list[_Made]:
    try:
        rows = json.loads(path.read_bytes())
        made = [_Made(int(row["made_at"]), bytes.fromhex(row["key"])) for row in rows]
        if all(len(one.key) == KEY_BYTES for one in made):
            return made[:2]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError):
        pass
    log(f"hub: {path} cannot be read; new encryption keys are made", level=4)
    return []
