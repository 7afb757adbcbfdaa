"""The booth's side of enrolment: its authority, its register, its broker's files, and who is let in or put out.

Invariants:
    * The register is the one list. Rights, passwords and revocations are written out from it, again and whole,
      after each change; a change that was cut short is completed by the next, or by asking for it again.
    * A name is given once; a key is given once; a revoked unit comes back only with a new key under a new name.
    * One change at a time, across processes.
"""

from __future__ import annotations

import secrets
import tomllib
from dataclasses import replace
from pathlib import Path

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.enrol import files, home, names, request
from appliance.enrol.authority import Authority, key_pem, new_key, serial_of
from appliance.enrol.broker import Listeners, password_line
from appliance.enrol.home import UnitHome
from appliance.enrol.layout import (
    BoothDirectory,
    about_path,
    authority_directory,
    issued_directory,
    load_authority,
    make_directories,
    put_public,
    put_secret,
    write_about,
    write_all,
    write_rights,
    write_servers,
)
from appliance.protocol import sign
from appliance.protocol.values import BoothId, TabletId, UnitId
from appliance.settings import config
from appliance.settings.config import BrokerAddress, EnrolledUnit, Register


def create_booth(
    directory: Path,
    booth: str,
    hosts: tuple[str, ...] = (),
    *,
    listeners: Listeners | None = None,
    system: bool = False,
) -> BoothDirectory:
    """A new booth in ``directory``: authority, certificates of broker, page server and hub, empty register, settings.

    Unfit where there is a booth already, or a name or address cannot be used.
    """
    made = BoothDirectory(
        directory=directory.absolute(),
        booth=BoothId(names.check_booth(booth)),
        hosts=hosts,
        listeners=listeners or Listeners(),
        system=system,
    )
    atomic_files.make_directory(made.directory, mode=atomic_files.PUBLIC_DIRECTORY)
    with atomic_files.alone(made.directory):
        if about_path(made.directory).exists():
            raise Unfit("a booth exists already", where=str(directory), fix="choose another --directory")
        authority = Authority.create(made.booth)
        make_directories(made)
        put_secret(authority_directory(made) / "ca.key", key_pem(authority.key))
        put_public(made.ca, authority.pem)
        files.write_register(made.register, Register(units=(), tablets=()))
        tls_key = new_key()
        put_secret(made.directory / "hub" / home.TLS_KEY, key_pem(tls_key))
        put_public(made.directory / "hub" / "hub.pem", authority.client(names.HUB, tls_key.public_key()))
        put_secret(made.signing_key, sign.new_private_key())
        put_secret(made.prior_key, sign.new_private_key())
        write_servers(made, authority)
        write_rights(made, authority, Register(units=(), tablets=()))
        put_secret(made.broker_directory / "passwords", b"")
        write_about(made)  # last: from here on there is a booth
    return made


def open_booth(directory: Path) -> BoothDirectory:
    """The booth in ``directory``. Unfit where there is none."""
    path = about_path(directory.absolute())
    fix = "create it: leftfield booth create --help"
    try:
        about = tomllib.loads(atomic_files.read(path, fix=fix).decode("utf-8"))
        listeners = Listeners(**about["listeners"])
        booth = BoothDirectory(
            directory=directory.absolute(),
            booth=BoothId(about["booth"]),
            hosts=tuple(about["hosts"]),
            listeners=listeners,
            system=about["system"],
        )
    except (ValueError, KeyError, TypeError):
        raise Unfit(
            "the file does not describe a booth", where=str(path), fix="restore the file from its backup"
        ) from None
    return booth


def renew(
    booth: BoothDirectory, *, hosts: tuple[str, ...] | None = None, listeners: Listeners | None = None
) -> BoothDirectory:
    """Fresh certificates for broker and page server, under other addresses or listeners where they are given.

    The authority stays, so units and tablets notice nothing. Restart the broker afterwards.
    """
    changed = replace(
        booth,
        hosts=booth.hosts if hosts is None else hosts,
        listeners=booth.listeners if listeners is None else listeners,
    )
    with atomic_files.alone(booth.directory):
        authority = load_authority(changed)
        write_servers(changed, authority)
        write_rights(changed, authority, config.register(changed.register))
        write_about(changed)
    return changed


def accept_request(
    booth: BoothDirectory,
    untrusted_request: bytes,
    *,
    place: str,
    simulated: bool = False,
    looks: str = "",
) -> bytes:
    """Let a unit in: put it into the register and answer with its certificate. Reload the broker afterwards.

    ``looks`` is the direction of the camera, such as ``east``, or empty. A unit that asks again with the same
    signing key gets a fresh certificate. Refused: MALFORMED_REQUEST,
    WEAK_KEY, FORGED; NOT_YOURS where the name or the key is another's; REVOKED.
    """
    names.check_place(place)
    asked = request.read_request(untrusted_request, booth.booth)
    with atomic_files.alone(booth.directory):
        register = config.register(booth.register)
        _check_free(register, asked)
        authority = load_authority(booth)
        certificate = authority.client(asked.unit, asked.tls_key)
        # Before anybody has it, so that revoking the unit finds it.
        put_public(issued_directory(booth) / f"{asked.unit}.{serial_of(certificate):x}.pem", certificate)
        row = EnrolledUnit(
            unit=asked.unit, public_key=asked.public_key, place=place, simulated=simulated, looks=looks
        )
        others = tuple(unit for unit in register.units if unit.unit != asked.unit)
        write_all(booth, authority, replace(register, units=(*others, row)))
    return request.answer_bytes(
        request.EnrolmentAnswer(
            booth=booth.booth,
            unit=asked.unit,
            certificate=certificate.decode("ascii"),
            ca=authority.pem.decode("ascii"),
            host=booth.hosts[0] if booth.hosts else "127.0.0.1",
            port=booth.listeners.mqtt_port,
            hub_key=(booth.hub_key() or b"").hex(),
        )
    )


def enrol_unit(
    booth: BoothDirectory, unit_home: UnitHome, unit: str, *, place: str, simulated: bool = False
) -> BrokerAddress:
    """Both sides at once, where unit and booth are the same machine: the same two letters, handed over in memory."""
    asking = home.make_request(unit_home, booth=booth.booth, unit=UnitId(unit))
    answer = accept_request(booth, asking, place=place, simulated=simulated)
    return replace(unit_home.broker(home.install_answer(unit_home, answer)), host=booth.hub_broker.host)


def add_tablet(
    booth: BoothDirectory,
    tablet: str,
    *,
    again: bool = False,
    installer: bool = False,
    lead: bool = False,
    room: bool = False,
) -> str:
    """Let a tablet in and give its password, which is kept nowhere: show it once. Reload the broker afterwards.

    ``again`` gives a tablet that is enrolled a new password; ``installer`` lets it pair cameras, ``lead`` set stock
    and staff and close the day. ``room`` makes it a big screen, which may only look. Unfit for a name that is taken
    or reserved, and with ``again`` for one that is not enrolled as the same: a mistyped name makes no tablet, and no
    screen becomes a tablet.
    """
    names.check_name(tablet, what="tablet")
    password = secrets.token_urlsafe(18)
    with atomic_files.alone(booth.directory):
        register = config.register(booth.register)
        known = TabletId(tablet) in (register.rooms if room else register.tablets)
        other = TabletId(tablet) in (register.tablets if room else register.rooms)
        if other or any(unit.unit == tablet for unit in register.units) or (known and not again):
            raise Unfit(
                f"the name {tablet} is taken",
                where="tablet",
                fix="choose another name, or pass --again for a new password",
            )
        if again and not known:
            raise Unfit(
                f"no tablet is called {tablet}", where="tablet", fix="see the register: leftfield booth show"
            )
        path = booth.broker_directory / "passwords"
        lines = atomic_files.read(path, fix="restore the file from its backup").decode("ascii").splitlines()
        lines = [line for line in lines if line.split(":")[0] != tablet]
        lines.append(password_line(tablet, password, secrets.token_bytes(12)))
        if not known and room:
            register = replace(register, rooms=(*register.rooms, TabletId(tablet)))
        elif not known:
            register = replace(register, tablets=(*register.tablets, TabletId(tablet)))
        if installer:
            installers = dict.fromkeys((*register.installers, TabletId(tablet)))
            register = replace(register, installers=tuple(installers))
        if lead:
            register = replace(register, leads=tuple(dict.fromkeys((*register.leads, TabletId(tablet)))))
        write_all(booth, load_authority(booth), register)
        put_secret(path, "".join(f"{line}\n" for line in lines).encode("ascii"))
    return password


def remove_tablet(booth: BoothDirectory, tablet: str) -> None:
    """Put a tablet out; its name may be given again. Unfit where it is not known. Reload the broker afterwards."""
    with atomic_files.alone(booth.directory):
        register = config.register(booth.register)
        if TabletId(tablet) not in (*register.tablets, *register.rooms):
            raise Unfit(
                f"no tablet is called {tablet}", where="tablet", fix="see the register: leftfield booth show"
            )
        path = booth.broker_directory / "passwords"
        lines = atomic_files.read(path, fix="restore the file from its backup").decode("ascii").splitlines()
        put_secret(
            path, "".join(f"{line}\n" for line in lines if line.split(":")[0] != tablet).encode("ascii")
        )
        tablets = tuple(known for known in register.tablets if known != tablet)
        installers = tuple(known for known in register.installers if known != tablet)
        rooms = tuple(known for known in register.rooms if known != tablet)
        leads = tuple(known for known in register.leads if known != tablet)
        left = replace(register, tablets=tablets, installers=installers, rooms=rooms, leads=leads)
        write_all(booth, load_authority(booth), left)


def revoke_unit(booth: BoothDirectory, unit: str) -> None:
    """Put a unit out for good: the hub refuses its statements, the broker its certificate and its topics.

    Reload the broker afterwards. Unfit where the unit is not known; nothing changes where it is revoked already.
    """
    with atomic_files.alone(booth.directory):
        register = config.register(booth.register)
        if all(row.unit != unit for row in register.units):
            raise Unfit(
                f"no unit is called {unit}", where="unit", fix="see the register: leftfield booth show"
            )
        units = tuple(replace(row, revoked=row.revoked or row.unit == unit) for row in register.units)
        write_all(booth, load_authority(booth), replace(register, units=units))


def _check_free(register: Register, asked: request.EnrolmentRequest) -> None:
    where = "enrolment request"
    if TabletId(asked.unit) in (*register.tablets, *register.rooms):
        raise Refused(
            Rule.NAME_TAKEN, f"the name {asked.unit} is a tablet's", where=where, fix="choose another name"
        )
    for row in register.units:
        same_key = sign.key_id(row.public_key) == sign.key_id(asked.public_key)
        if row.revoked and (same_key or row.unit == asked.unit):
            raise Refused(
                Rule.REVOKED,
                f"{row.unit} is revoked; revoking cannot be undone",
                where=where,
                fix="enrol with new keys under a new name",
            )
        if same_key != (row.unit == asked.unit):
            what = f"its key is {row.unit}'s" if same_key else f"the name {asked.unit} belongs to another key"
            raise Refused(
                Rule.NAME_TAKEN, what, where=where, fix="choose another name, or revoke the old unit"
            )
