"""Transfer of baselines between hubs: export, import, merge and inspect, as the command line and others call them.

Invariants:
    * What leaves a hub is coarse: whole fives of people, as it is stored.
    * A file is believed under a key that the caller names, and under no other.
    * An import is stored whole or not at all, needs the hub stopped, and happens once per file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.hub.exchange import baseline_file, prior_publisher
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import BaselineState, coarse
from appliance.hub.statistics.conformal import whole
from appliance.hub.storage.restore import learnt
from appliance.hub.storage.state import Imported, Snapshot, StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol import sign
from appliance.protocol.values import BoothId, Seconds
from appliance.settings.config import HubConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedContent:
    """The untrusted bytes of a baseline file, and what to call it in an error."""

    name: str
    untrusted: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A signed file, how many people it holds, and the public key (32 bytes) that it is believed under."""

    content: bytes
    people: int
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """From which booth how many people came, and how many the hub knows now."""

    booth: BoothId
    people: int
    total: int


def private_key(path: Path) -> bytes:
    """One of the hub's private keys (32 bytes), made where there is none yet. Unfit where it is damaged."""
    if not path.exists():
        atomic_files.write_durably(path, sign.new_private_key(), mode=atomic_files.SECRET)
    key = atomic_files.read(path, fix="run as the account of the hub")
    if len(key) != sign.KEY_BYTES:
        raise Unfit(
            f"the hub's key has {len(key)} bytes, not {sign.KEY_BYTES}",
            where=str(path),
            fix="restore the key file from its backup",
        )
    return key


def existing_store(config: HubConfig, *, alone: bool) -> Store:
    """The hub's database; Unfit where there is none yet; Unavailable where ``alone`` is asked for and a hub runs."""
    if not config.database.exists():
        raise Unfit("the database does not exist yet", where=str(config.database), fix="start the hub once")
    return Store(config.database, config.booth, alone=alone)


def stored_baseline(config: HubConfig) -> BaselineState:
    """What this hub has learnt, as coarse as it is stored: who was seen once or twice is not in what leaves it."""
    store = existing_store(config, alone=False)
    try:
        return coarse(learnt(store.load()).baseline.state())
    finally:
        store.close()


def opened(file: NamedContent, keys: Sequence[bytes]) -> BaselineFile:
    """The baseline in a file under whichever of the public ``keys`` signed it.

    Refused where none of them did; Unfit where no key was given.
    """
    refusal: Refused | None = None
    for key in keys:
        try:
            return baseline_file.decode(file.untrusted, public_key=key, where=file.name)
        except Refused as refused:
            # The one that says most: a key that fits but a signature that does not is forgery.
            if refusal is None or refused.rule is not Rule.UNKNOWN_KEY:
                refusal = refused
    raise refusal or Unfit(
        "no public key was given", where=file.name, fix="pass the other hub's public key with --key"
    )


def export_baseline(config: HubConfig, now: Seconds) -> Exported:
    """This hub's baseline as a signed file."""
    key, state = private_key(config.signing_key), stored_baseline(config)
    return _signed(config, state, key, now)


def import_baseline(
    config: HubConfig, file: NamedContent, keys: Sequence[bytes], now: Seconds
) -> ImportResult:
    """Add another hub's baseline to this one. Refused or Unfit where it cannot be believed or was imported before."""
    guest = opened(file, (sign.public_key_of(private_key(config.signing_key)), *keys))
    baseline_file.check_age(guest, now, where=file.name)
    store = Store(config.database, config.booth)
    try:
        digest = hashlib.sha256(file.untrusted).digest()
        if digest in store.imported():
            raise Unfit("this file has been imported before", where=file.name, fix="nothing to do")
        rarity = learnt(store.load())
        joined = baseline_file.joined(rarity.baseline.state(), guest, booth=config.booth)
        note = Imported(digest=digest, booth=guest.booth, people=guest.state.people, at=now)
        snapshot = Snapshot(baseline=coarse(joined), bins=whole(rarity.bins()))
        store.commit(StateDelta(snapshot=snapshot, imported=(note,)))
    finally:
        store.close()
    return ImportResult(booth=guest.booth, people=guest.state.people, total=joined.people)


def merge_baselines(
    config: HubConfig, files: Sequence[NamedContent], keys: Sequence[bytes], now: Seconds
) -> Exported:
    """Several files added up to one, signed by this hub. Unfit where a file is given twice."""
    if len({file.untrusted for file in files}) != len(files):
        raise Unfit("a file is named twice", where="merge", fix="name each file once")
    key = private_key(config.signing_key)
    believed = (sign.public_key_of(key), *keys)
    state = Baseline().state()
    for file in files:
        guest = opened(file, believed)
        baseline_file.check_age(guest, now, where=file.name)
        state = baseline_file.joined(state, guest, booth=config.booth)
    return _signed(config, state, key, now)


def export_prior(config: HubConfig, now: Seconds) -> Exported:
    """How common each word is here, for this booth's units. Unfit while the baseline is too young to say so."""
    state = stored_baseline(config)
    missing = Baseline(state).needs(config.warmup_people, now)
    if missing:
        raise Unfit(
            f"the baseline is too young: {missing} more people are needed",
            where="prior",
            fix="let the hub collect for longer",
        )
    key = private_key(config.prior_key)
    content = prior_publisher.prior_of(Baseline(state), booth=config.booth, private_key=key, now=now)
    return Exported(content=content, people=state.people, public_key=sign.public_key_of(key))


def _signed(config: HubConfig, state: BaselineState, key: bytes, now: Seconds) -> Exported:
    content = baseline_file.encode(BaselineFile(booth=config.booth, made_at=int(now), state=state), key)
    return Exported(content=content, people=state.people, public_key=sign.public_key_of(key))
