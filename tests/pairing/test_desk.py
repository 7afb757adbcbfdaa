"""Desk and unit over a real connection, with real directories: paired, or refused and why."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest

from appliance.base.errors import Refused, Unfit
from appliance.enrol import BoothDirectory
from appliance.enrol.booth import add_tablet
from appliance.enrol.home import UnitHome
from appliance.pairing import unit as unit_module
from appliance.pairing.desk import MOST_OF_ONE_ADDRESS, MOST_VISITORS, Desk
from appliance.pairing.finder import Found
from appliance.pairing.lines import MAX_LINE, line, read_line
from appliance.pairing.requests import PairAnswer, PairRequest
from appliance.pairing.tries import MOST_TRIES, CodeOnUnit
from appliance.pairing.unit import UnitPlan, WaitingUnit, _call, wait
from appliance.protocol.pairing_code import PairingCode, new_code, parse
from appliance.protocol.values import BoothId, UnitId
from appliance.settings import config

Story = Callable[[Desk, Found], Coroutine[None, None, None]]


def play(booth: BoothDirectory, story: Story) -> None:
    """Run a story at a desk that listens on a free port, for half a minute at most."""

    async def run() -> None:
        async with asyncio.timeout(30):
            desk = Desk(booth)
            async with await asyncio.start_server(desk.visit, "127.0.0.1", 0, limit=MAX_LINE) as server:
                await story(desk, Found(host="127.0.0.1", port=server.sockets[0].getsockname()[1]))

    asyncio.run(run())


def plan(directory: Path, at: Found) -> UnitPlan:
    """A unit that knows where its hub is."""
    return UnitPlan(directory=directory, source="/dev/video0", hub=at, systemd=False)


@contextlib.asynccontextmanager
async def waiting(desk: Desk, at: Found, directory: Path) -> AsyncIterator[asyncio.Task[str]]:
    """A unit that waits at the desk."""
    unit = asyncio.ensure_future(wait(plan(directory, at)))
    await met(lambda: bool(desk.waiting()) or unit.done())
    try:
        yield unit
    finally:
        unit.cancel()
        await asyncio.gather(unit, return_exceptions=True)


async def paired(desk: Desk, at: Found, directory: Path, request: PairRequest) -> None:
    """Pair a unit, and see it go."""
    async with waiting(desk, at, directory) as unit:
        answer = await desk.pair(request)
        assert answer.ok, answer
        await unit
    await met(lambda: not desk.waiting())


def flashed(directory: Path) -> tuple[Path, PairingCode]:
    """The directory of one more unit that was just flashed, and its code."""
    directory.mkdir()
    code = new_code()
    CodeOnUnit(directory).write(code)
    return directory, code


async def met(condition: Callable[[], bool]) -> None:
    """Until ``condition`` holds."""
    while not condition():  # noqa: ASYNC110 - a condition of another room has no event
        await asyncio.sleep(0.01)


def asked(code: PairingCode, unit: str = "corner-north", **more: str) -> PairRequest:
    """What an installer asks."""
    return PairRequest(code=code, unit=UnitId(unit), place="north corner", looks="east", **more)


def test_the_right_code_pairs_a_unit(booth: BoothDirectory, unit_directory: Path, code: PairingCode) -> None:
    """The hub knows it, it knows the hub, and its settings can be read."""

    async def story(desk: Desk, at: Found) -> None:
        async with waiting(desk, at, unit_directory) as unit:
            assert desk.waiting() == (code.number,)
            answer = await desk.pair(asked(code))
            assert (answer.ok, answer.why) == (True, "paired")
            assert await unit == "corner-north"

    play(booth, story)
    (row,) = config.register(booth.register).units
    assert (row.unit, row.place, row.looks) == ("corner-north", "north corner", "east")
    settings = config.unit_config(unit_directory / "unit.toml")
    assert (settings.public_key, settings.hub_key) == (row.public_key, booth.hub_key())
    assert settings.broker.host == "127.0.0.1"


def test_a_code_works_once(booth: BoothDirectory, unit_directory: Path, code: PairingCode) -> None:
    """After the pairing it is gone from the unit: who read the label over a shoulder has nothing."""

    async def story(desk: Desk, at: Found) -> None:
        await paired(desk, at, unit_directory, asked(code))
        assert (await desk.pair(asked(code, "corner-two"))).why == "nobody"
        with pytest.raises(Unfit, match=r"pairing\.code"):
            await wait(plan(unit_directory, at))

    play(booth, story)


def test_five_wrong_codes_and_the_unit_is_dead(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """Each answer says how many tries are left; after the fifth the right code does not help either."""
    wrong = PairingCode(number=code.number, secret="00000000")
    said: list[PairAnswer] = []

    async def story(desk: Desk, at: Found) -> None:
        for _ in range(MOST_TRIES):
            async with waiting(desk, at, unit_directory):
                said.append(await desk.pair(asked(wrong)))
            await met(lambda: not desk.waiting())
        with pytest.raises(Refused, match="dead"):
            await wait(plan(unit_directory, at))

    play(booth, story)
    assert [answer.why for answer in said] == ["code"] * 4 + ["dead"]
    assert said[3].text == "That code is wrong. 1 try is left."
    assert config.register(booth.register).units == ()
    assert CodeOnUnit(unit_directory).left() == 0


def test_a_wrong_code_is_followed_by_the_right_one(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """The unit calls again by itself; the tries that were used do not matter once it is paired."""

    async def story(desk: Desk, at: Found) -> None:
        async with waiting(desk, at, unit_directory) as unit:
            wrong = PairingCode(number=code.number, secret="00000000")
            assert (await desk.pair(asked(wrong))).why == "code"
            await met(lambda: not desk.waiting())
            await met(lambda: bool(desk.waiting()))
            assert (await desk.pair(asked(code))).ok
            assert await unit == "corner-north"

    play(booth, story)


def test_a_rogue_unit_with_the_right_number_gets_nothing_and_the_real_one_is_paired(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode, tmp_path: Path
) -> None:
    """Somebody on the network says the number that he has overheard, and waits beside the real camera."""
    rogue = tmp_path / "rogue"
    rogue.mkdir()
    CodeOnUnit(rogue).write(PairingCode(number=code.number, secret="ZZZZZZZZ"))

    async def story(desk: Desk, at: Found) -> None:
        async with waiting(desk, at, rogue), waiting(desk, at, unit_directory) as unit:
            await met(lambda: len(desk._visitors) == 2)
            assert (await desk.pair(asked(code))).ok
            assert await unit == "corner-north"

    play(booth, story)
    assert not (rogue / "unit.toml").exists()
    assert len(config.register(booth.register).units) == 1


def test_a_rogue_unit_that_lies_about_its_proof_is_called_an_impostor(
    booth: BoothDirectory, code: PairingCode
) -> None:
    """It answers with a share and any proof: the installer is told that something else is on the network."""

    async def story(desk: Desk, at: Found) -> None:
        reader, writer = await asyncio.open_connection(at.host, at.port)
        writer.write(line("hello", v=1, number=code.number, signing_key=bytes(32), tls_key=bytes(32)))
        await met(lambda: bool(desk.waiting()))
        answer = asyncio.ensure_future(desk.pair(asked(code)))
        while (heard := read_line(await reader.readline(), "wait", "offer")).kind == "wait":
            pass
        # The curve's base point: a share of the right form, of somebody who does not know the code.
        writer.write(line("share", share=b"B\x58" + b"\x66" * 31))
        read_line(await reader.readline(), "proof")
        writer.write(line("proof", proof=bytes(32)))
        assert (await answer).why == "impostor"
        assert heard.text("booth") == "corner"
        writer.close()

    play(booth, story)
    assert config.register(booth.register).units == ()


def test_a_name_that_is_taken_costs_no_try(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """A tablet's name is refused before the camera is asked, and so is replacing a camera that is not there."""
    add_tablet(booth, "tablet-1")

    async def story(desk: Desk, at: Found) -> None:
        async with waiting(desk, at, unit_directory):
            answer = await desk.pair(asked(code, "tablet-1"))
            assert (answer.why, "tablet" in answer.text) == ("name", True)
            assert (await desk.pair(asked(code, replaces="corner-old"))).why == "name"

    play(booth, story)
    assert CodeOnUnit(unit_directory).left() == MOST_TRIES


def test_a_replaced_unit_is_revoked_once_the_new_one_is_in(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode, tmp_path: Path
) -> None:
    """The broken camera's place goes to a new one under a new name; the old keys are worth nothing from then on."""
    second, other = flashed(tmp_path / "second")

    async def story(desk: Desk, at: Found) -> None:
        await paired(desk, at, unit_directory, asked(code))
        await paired(desk, at, second, asked(other, "corner-north-2", replaces="corner-north"))

    play(booth, story)
    rows = {row.unit: row.revoked for row in config.register(booth.register).units}
    assert rows == {"corner-north": True, "corner-north-2": False}


def test_a_pairing_cut_off_in_the_middle_can_be_done_again(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """The power fails after the hub has let the unit in: the same code and name work the next time."""

    async def story(desk: Desk, at: Found) -> None:
        async with waiting(desk, at, unit_directory) as unit:
            under_way = asyncio.ensure_future(desk.pair(asked(code)))
            await met(lambda: "corner-north" in booth.register.read_text())
            unit.cancel()
            await under_way
        if not (unit_directory / "unit.toml").exists():
            async with waiting(desk, at, unit_directory) as unit:
                assert (await desk.pair(asked(code))).ok
                await unit

    play(booth, story)
    assert (unit_directory / "unit.toml").exists()
    assert len(config.register(booth.register).units) == 1


def test_strangers_cannot_fill_the_desk(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """One address gets few places; a line that is too long, or no greeting, ends the call."""

    async def story(desk: Desk, at: Found) -> None:
        held = [await asyncio.open_connection(at.host, at.port) for _ in range(MOST_OF_ONE_ADDRESS)]
        await met(lambda: sum(desk._addresses.values()) == MOST_OF_ONE_ADDRESS)
        reader, _ = await asyncio.open_connection(at.host, at.port)
        assert await reader.read() == b""
        bad = (b"x" * (MAX_LINE + 9) + b"\n", b"{}\n", line("share", share=b""), b"\xff\n")
        for (reader, writer), said in zip(held, bad, strict=True):
            writer.write(said)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        async with waiting(desk, at, unit_directory) as unit:
            assert (await desk.pair(asked(code))).ok
            await unit

    play(booth, story)


def test_a_number_that_nobody_has_is_said(booth: BoothDirectory) -> None:
    """A mistyped first group costs no camera a try."""

    async def story(desk: Desk, _: Found) -> None:
        answer = await desk.pair(asked(parse("0000-0000-0000")))
        assert answer.why == "nobody"
        assert "0000" in json.loads(answer.payload())["text"]

    play(booth, story)


def test_a_name_of_another_camera_costs_no_try(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode, tmp_path: Path
) -> None:
    """The right code with a name that is in use is told so, as often as somebody likes."""
    second, other = flashed(tmp_path / "second")

    async def story(desk: Desk, at: Found) -> None:
        await paired(desk, at, unit_directory, asked(code))
        async with waiting(desk, at, second) as unit:
            for _ in range(MOST_TRIES + 1):
                assert (await desk.pair(asked(other))).why == "name"
            assert (await desk.pair(asked(other, "corner-two"))).ok
            await unit
        await met(lambda: not desk.waiting())

    play(booth, story)


def test_a_hub_that_says_what_no_hub_says_does_not_end_the_unit(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """Surrogates, empty shares, other lines: the unit hangs up, calls again, and is paired by the true hub."""
    lines = [
        b'{"kind": "offer", "booth": "\\ud800", "authority": "", "hub_key": "", "share": ""}\n',
        line("offer", booth="corner", authority=b"", hub_key=b"", share=b""),
        line("offer", booth="x" * 64, authority=b"a" * 32, hub_key=b"", share=b"A" + bytes(32)),
        line("proof", proof=b""),
        b"\xff\xfe\n",
    ]

    async def rogue(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(lines.pop() if lines else b"")
        await writer.drain()
        writer.close()

    async def story(desk: Desk, at: Found) -> None:
        async with await asyncio.start_server(rogue, "127.0.0.1", 0) as server:
            elsewhere = Found(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            unit = WaitingUnit(plan(unit_directory, elsewhere))
            for _ in range(5):
                assert await _call(unit, elsewhere) == ""
        assert not lines
        await paired(desk, at, unit_directory, asked(code))

    play(booth, story)


def test_a_letter_with_other_keys_or_another_name_is_refused(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows the code gets in as the unit that was proved and named, and as no other."""
    make = unit_module.home.make_request

    def another(home: UnitHome, *, booth: BoothId, unit: UnitId) -> bytes:
        return make(home, booth=booth, unit=UnitId(f"{unit}-x"))

    monkeypatch.setattr(unit_module.home, "make_request", another)

    async def story(desk: Desk, at: Found) -> None:
        async with waiting(desk, at, unit_directory):
            answer = await desk.pair(asked(code))
            assert (answer.ok, "another name" in answer.text) == (False, True)

    play(booth, story)
    assert config.register(booth.register).units == ()


async def fill(at: Found, addresses: int, each: int) -> list[asyncio.StreamWriter]:
    """Strangers who greet and wait: ``each`` from each of so many addresses."""
    writers = []
    for number in range(addresses * each):
        own = f"127.0.1.{1 + number % addresses}"
        reader, writer = await asyncio.open_connection(at.host, at.port, local_addr=(own, 0))
        writer.write(line("hello", v=1, number="2222", signing_key=bytes(32), tls_key=bytes(32)))
        assert read_line(await reader.readline(), "wait").kind == "wait"
        writers.append(writer)
    return writers


def test_a_desk_that_few_addresses_fill_has_room_for_another(
    booth: BoothDirectory, unit_directory: Path, code: PairingCode
) -> None:
    """Eight addresses with four calls each have all places, and a camera from a ninth is paired all the same."""

    async def story(desk: Desk, at: Found) -> None:
        strangers = await fill(at, MOST_VISITORS // MOST_OF_ONE_ADDRESS, MOST_OF_ONE_ADDRESS)
        assert len(strangers) == MOST_VISITORS
        unit = asyncio.ensure_future(wait(plan(unit_directory, at)))
        await met(lambda: code.number in desk.waiting())
        answer = await desk.pair(asked(code))
        assert answer.ok, answer
        await unit
        for one in strangers:
            one.close()

    play(booth, story)


def test_one_of_many_addresses_takes_nobodys_place(booth: BoothDirectory) -> None:
    """Where each address has one place nobody is sent away for another one: the newcomer is."""

    async def story(desk: Desk, at: Found) -> None:
        strangers = await fill(at, MOST_VISITORS, 1)
        reader, writer = await asyncio.open_connection(at.host, at.port, local_addr=("127.0.2.1", 0))
        assert await reader.read() == b""
        writer.close()
        assert len(desk._visitors) == MOST_VISITORS
        for one in strangers:
            one.close()

    play(booth, story)
