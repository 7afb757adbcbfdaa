"""Transfer of baselines between hubs: export, import, merge and inspect, as the command line and others call them.

Invariants:
    * What leaves a hub is coarse: whole fives of people, as it is stored.
    * A file is believed under a key that the caller names, and under no other.
    * An import is stored whole or not at all, needs the hub stopped, and happens once per file.
    * Nobody is counted twice: what overlaps, by the day and the camera, is refused or takes the earlier file's place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.hub.exchange import baseline_file, prior_publisher
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.lineage import Lineage, Span, first_overlap, named
from appliance.hub.statistics.baseline.state import BaselineState, coarse
from appliance.hub.storage.restore import learnt, snapshot_of
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
    """How many people came from which booth, how many the hub knows now, and whether it is known whose they are."""

    booth: BoothId
    people: int
    total: int
    known: bool


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
    config: HubConfig,
    file: NamedContent,
    keys: Sequence[bytes],
    now: Seconds,
    *,
    instead_of: NamedContent | None = None,
) -> ImportResult:
    """Add another hub's baseline to this one, ``instead_of`` an earlier file whose counts are taken out again.

    Refused or Unfit where it cannot be believed, or where somebody in it is counted here already.
    """
    public = sign.public_key_of(private_key(config.signing_key))
    guest = opened(file, (public, *keys))
    baseline_file.check_age(guest, now, where=file.name)
    store = Store(config.database, config.booth)
    try:
        imported = store.imported()
        if _digest(file) in imported:
            raise Unfit("this file has been imported before", where=file.name, fix="nothing to do")
        home, replaced = snapshot_of(learnt(store.load())), tuple[bytes]()
        if instead_of is not None:
            if _digest(instead_of) not in imported:
                raise Unfit(
                    "it is not among the files that were imported here",
                    where=instead_of.name,
                    fix="name the file as it was imported, byte by byte",
                )
            earlier, replaced = opened(instead_of, (public, *keys)), (_digest(instead_of),)
            home = _changed(home, lambda state: baseline_file.taken_back(state, earlier, booth=config.booth))
        hub = baseline_file.hub_name(config.booth, public)
        _check_overlap(named(home.baseline.lineage, hub), guest, hub, file.name)
        snapshot = _changed(home, lambda state: baseline_file.joined(state, guest, booth=config.booth))
        note = Imported(digest=_digest(file), booth=guest.booth, people=guest.state.people, at=now)
        store.commit(StateDelta(snapshot=snapshot, imported=(note,), replaced=replaced))
    finally:
        store.close()
    return ImportResult(
        booth=guest.booth,
        people=guest.state.people,
        total=snapshot.baseline.people,
        known=all(span.known for span in guest.state.lineage),
    )


def _digest(file: NamedContent) -> bytes:
    return hashlib.sha256(file.untrusted).digest()


def _changed(home: Snapshot, change: Callable[[BaselineState], BaselineState]) -> Snapshot:
    """``home`` with every baseline changed alike: what is imported, none of this booth's cameras said."""
    return replace(
        home,
        baseline=coarse(change(home.baseline)),
        without=tuple((unit, _changed(other, change)) for unit, other in home.without),
    )


def _check_overlap(home: Lineage, guest: BaselineFile, hub: str, where: str) -> None:
    """Unfit where somebody would be counted twice."""
    found = first_overlap(home, guest.state.lineage)
    if found is None:
        return
    ours, theirs = found
    if ours.hub == hub:
        fix = "leave it: this hub counts them itself"
    else:
        fix = "leave it, or name the earlier file with --instead-of, if this one is to replace it"
    raise Unfit(f"it holds people who are counted here already: {_said(ours, theirs)}", where=where, fix=fix)


def _said(ours: Span, theirs: Span) -> str:
    if ours.known and theirs.known:
        return theirs.text()
    return f"{theirs.text()}, and {ours.text()} (one of them does not say whose people it holds)"


def merge_baselines(
    config: HubConfig, files: Sequence[NamedContent], keys: Sequence[bytes], now: Seconds
) -> Exported:
    """Several files added up to one, signed by this hub. Unfit where two of them hold the same people."""
    if len({file.untrusted for file in files}) != len(files):
        raise Unfit("a file is named twice", where="merge", fix="name each file once")
    key = private_key(config.signing_key)
    believed = (sign.public_key_of(key), *keys)
    state, guests = Baseline().state(), list[tuple[str, BaselineFile]]()
    for file in files:
        guest = opened(file, believed)
        baseline_file.check_age(guest, now, where=file.name)
        for name, earlier in guests:
            found = first_overlap(earlier.state.lineage, guest.state.lineage)
            if found:
                raise Unfit(
                    f"it holds people who are in {name} too: {_said(*found)}",
                    where=file.name,
                    fix="merge only the one that holds more",
                )
        guests.append((file.name, guest))
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
