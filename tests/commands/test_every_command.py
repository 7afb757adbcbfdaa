"""What holds for every command of ``leftfield``, whichever module it is in."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from appliance import cli, enrol
from appliance.enrol import files
from appliance.hub.exchange import transfer
from appliance.protocol.values import BoothId, Seconds, UnitId
from appliance.settings import config
from appliance.settings.cli_arguments import EXIT_CODES, confirm
from appliance.settings.notice import NoticeConfig
from tests.hub.corner import BOOTH, Camera, new_booth, store_at, teach
from tests.image.small_image import an_image
from tests.unit.inputs.test_lock import unit_at
from tests.update import releases


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield below
                yield from _parsers(below)


ALL = tuple(_parsers(cli.parser(())))
DOING = tuple(parser for parser in ALL if parser.get_default("run"))


def _names(parsers: tuple[argparse.ArgumentParser, ...]) -> list[str]:
    return [parser.prog for parser in parsers]


@pytest.mark.parametrize("parser", ALL, ids=_names(ALL))
def test_every_command_has_an_example_of_itself_and_the_exit_codes(parser: argparse.ArgumentParser) -> None:
    """Help ends with an example that can be copied and with what each exit code means."""
    epilog = parser.epilog or ""
    assert re.search(rf"^  (sudo )?{re.escape(parser.prog)}\b", epilog, re.MULTILINE), epilog
    assert EXIT_CODES in epilog


def test_the_documents_name_the_same_exit_codes_as_the_help() -> None:
    """The table of docs/install.md has each exit code of the help, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "install.md").read_text("utf-8")
    table = text[text.index("| exit code | meaning |") :].partition("\n\n")[0]
    told = re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE)
    assert ", ".join(told).split(", ") == re.findall(r"\b\d+\b", EXIT_CODES)


@pytest.mark.parametrize("parser", DOING, ids=_names(DOING))
def test_every_option_says_what_it_is_for(parser: argparse.ArgumentParser) -> None:
    """Each option and argument has a help text."""
    assert [action.dest for action in parser._actions if not action.help] == []


def test_the_registry_names_every_command_of_every_module() -> None:
    """The table that says which module to import agrees with what each module adds."""
    for entry in cli.MODULES:
        subparsers = argparse.ArgumentParser().add_subparsers()
        importlib.import_module(entry.module).add_parsers(subparsers)
        assert tuple(subparsers.choices) == entry.commands


def test_one_spelling_of_where_things_are() -> None:
    """A configuration file is always ``--config``, a directory of keys and settings always ``--directory``."""
    options = {name for parser in DOING for action in parser._actions for name in action.option_strings}
    assert {"--config", "--directory"} <= options
    assert not options & {"--configuration", "--conf", "--dir", "--folder", "--output"}


def _hub(directory: Path) -> Path:
    """A hub's configuration in a folder, with a database that has learnt something."""
    assert cli.main(["booth", "create", BOOTH, "--directory", str(directory)]) == 0
    now = float(int(time.time()))  # the commands look at a real clock
    camera = Camera("north", booted=now - 1000)
    store = store_at(directory)
    store.commit(teach(new_booth(camera, now=now), camera, 400, now).changes)
    store.close()
    return directory / "hub.toml"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _hub(tmp_path_factory.mktemp("hub"))


def _table(directory: Path) -> Path:
    path = directory / "outfits.csv"
    path.write_text("top,shoes\n" + "black,grey\nwhite,grey\n" * 200)
    return path


def _run(
    *words: str, stdout: int | None = None, cwd: Path | None = None, unbuffered: str = ""
) -> subprocess.CompletedProcess[bytes]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "appliance.cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        check=False,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": unbuffered},
    )


WRITERS = (
    "--version",
    "--help",
    "booth --help",
    "score --help",
    "baseline export --config {hub}",
    "baseline merge {file} --config {hub}",
    "baseline prior --config {hub}",
    "baseline key --config {hub}",
    "baseline inspect {file}",
    "baseline maturity --config {hub}",
    "baseline maturity --json --config {hub}",
    "audit --config {hub}",
    "audit --json --config {hub}",
    "acts --config {hub}",
    "vocabulary",
    "vocabulary --json",
    "manual",
    "asyncapi",
    "completion bash",
    "trends --epsilon 0.1 --config {hub}",
    "trends --epsilon 0.1 --json --config {hub}",
    "rehearse --people 50 --runs 2",
    "rehearse --people 50 --runs 2 --json",
    "score --table {table}",
    "score --table {table} --json",
    "card print --out -",
    "measure {picture} --jsonl -",
    "booth create market --directory {new}/booth",
    "booth show --directory {booth}",
    "booth show --json --directory {booth}",
    "booth tablet tablet-1 --directory {booth}",
    "booth tablet tablet-1 --remove --yes --directory {booth}",
    "booth sign --out {new}/sign.pdf --directory {booth}",
    "booth renew --directory {booth}",
    "backup --out {new}/hub.backup --config {hub}",
    "booth mend-store --store {new}/store",
    "pair renew --directory {new}/paired",
    "booth revoke corner-north --yes --directory {booth}",
    "enrol request corner-south --booth corner --directory {new}/unit",
    "enrol accept {request} --place south --directory {booth}",
    "enrol finish {answer} --source {picture} --directory {unit}",
    "epoch --directory {unit}",
    "firewall --role hub",
    "doctor --directory {new}",
    "doctor --json --directory {new}",
    "doctor --bundle - --directory {new}",
    "update key {new}/release",
    "update make {release}/1.1.json --key {release}/key --number 7 --out {new}/bundle",
    "update check {release}/unit-1.1.update --key {release}/key.pub",
    "update offer {release}/unit-1.1.update --key {release}/key.pub --bundles {new}",
    "flash {image} {new}/card --label {new} --yes",
    "fleet create city --host 127.0.0.1 --directory {new}/city",
    "booth fleet request --fleet city --directory {booth}",
    "booth fleet leave --yes --directory {booth}",
    "walk --right 21 --wrong 3",
    "aim show --config {aimed}",
    "lock --show --config {aimed}",
)
"""A line for each command that writes to standard output."""
SILENT = {
    "leftfield sense": "its words go through a pipe",
    "leftfield relay": "its words go to the broker",
    "leftfield watch": "its words go to the broker",
    "leftfield pages": "serves until it is stopped",
    "leftfield metrics": "serves until it is stopped",
    "leftfield baseline import": "tells people only, on standard error",
    "leftfield restore": "needs a backup, see tests/hub/test_backup.py",
    "leftfield pair wait": "runs until the unit is paired, see tests/pairing",
    "leftfield pair desk": "serves until it is stopped",
    "leftfield pair accept": "needs a desk, see tests/pairing",
    "leftfield card read": "tells people only, on standard error",
    "leftfield aim run": "its figures go through a pipe",
    "leftfield aim carry-out": "needs an order of the hub, see tests/promises/test_lock.py",
    "leftfield image": "builds for minutes, as root, see make image-test",
    "leftfield update serve": "serves until it is stopped",
    "leftfield update apply": "for machines made from an image, see tests/update and make image-test",
    "leftfield update fetch": "for machines made from an image, see tests/update and make image-test",
    "leftfield update keep": "for a Raspberry Pi's card, see tests/update/test_tryboot.py",
    "leftfield update retry": "for a Raspberry Pi's card, see tests/update/test_tryboot.py",
    "leftfield update confirm": "tells people only, in the journal",
    "leftfield update status": "for machines made from an image, see make image-test",
    "leftfield erase hub": "tried with real processes, see tests/commands/test_erase.py",
    "leftfield erase unit": "tried with real processes, see tests/commands/test_erase.py",
    "leftfield booth fleet join": "needs a fleet's answer, see tests/fleet",
    **dict.fromkeys(
        (
            f"leftfield fleet {action}"
            for action in ("add", "withdraw", "show", "baseline", "worker", "page", "up")
        ),
        "needs a database, see tests/fleet",
    ),
    "leftfield demo": "a show of several processes, see tests/demo",
}


def test_every_command_that_writes_is_held_against_a_full_disk() -> None:
    """Each command has a line in the table of writers, or a reason why it writes nothing."""
    tried = {" ".join(("leftfield", *line.split())) for line in WRITERS}
    for parser in DOING:
        assert any(f"{line} ".startswith(f"{parser.prog} ") for line in tried) != (parser.prog in SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that the lines of `WRITERS` name."""

    places: dict[str, str]

    def words(self, line: str, new: Path) -> list[str]:
        return [word.format_map(self.places | {"new": str(new)}) for word in line.split()]


def _notice(booth: enrol.BoothDirectory) -> None:
    """The booth says who answers for it."""
    hub = config.HubConfig(
        booth=booth.booth,
        broker=booth.hub_broker,
        register=booth.register,
        notice=NoticeConfig(controller="Us", contact="here", legal_basis="consent"),
    )
    files.write_hub_config(booth.directory / "hub.toml", hub)


@pytest.fixture(scope="module")
def desk(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A hub that has learnt, a booth with a unit and a tablet, letters on their way, a table and a picture."""
    home = tmp_path_factory.mktemp("desk")
    booth = enrol.create_booth(home / "booth", "corner", ("127.0.0.1",))
    enrol.enrol_unit(booth, enrol.UnitHome(directory=home / "north"), "corner-north", place="north")
    _notice(booth)
    south = enrol.UnitHome(directory=home / "unit")
    asking = enrol.make_request(south, booth=BoothId("corner"), unit=UnitId("corner-south"))
    (home / "request").write_bytes(asking)
    (home / "answer").write_bytes(enrol.accept_request(booth, asking, place="south"))
    made = transfer.export_baseline(config.hub_config(hub), Seconds(time.time()))
    (home / "file").write_bytes(made.content)
    assert cv2.imwrite(str(home / "picture.png"), np.zeros((64, 48, 3), np.uint8))
    an_image(home / "image")
    releases.a_desk(home)
    aimed = unit_at(home / "aimed").toml
    names = ("booth", "unit", "request", "answer", "file", "image", "release")
    places = {name: str(home / name) for name in names}
    return Desk(
        places=places
        | {
            "aimed": str(aimed),
            "hub": str(hub),
            "picture": str(home / "picture.png"),
            "table": str(_table(home)),
        }
    )


@pytest.mark.parametrize("line", WRITERS)
def test_a_full_disk_behind_standard_output_is_one_line(line: str, desk: Desk, tmp_path: Path) -> None:
    """Output to a disk that is full ends in one line and exit code 78, with no traceback."""
    with Path("/dev/full").open("wb") as full:
        done = _run(*desk.words(line, tmp_path), stdout=full.fileno())
    assert (done.returncode, done.stderr.count(b"Traceback")) == (78, 0), done.stderr
    assert b"standard output: cannot write: No space left on device. Fix: " in done.stderr.splitlines()[-1]


def test_help_that_is_written_at_once_is_held_against_a_full_disk_too() -> None:
    """Without a buffer argparse itself would say nothing and end with 0."""
    with Path("/dev/full").open("wb") as full:
        done = _run("score", "--help", stdout=full.fileno(), unbuffered="1")
    assert done.returncode == 78


def test_what_the_system_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """An error of the system that no command expected is one line that names the file, and ``--debug`` shows more."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/somewhere")

    monkeypatch.setattr("appliance.commands.manual.page", refused)
    assert cli.main(["manual"]) == 78
    assert "/somewhere" in capsys.readouterr().err
    with pytest.raises(PermissionError):
        cli.main(["--debug", "manual"])


@pytest.mark.parametrize("words", [("baseline", "export"), ("score",)], ids=" ".join)
def test_a_full_disk_behind_out_is_one_line(words: tuple[str, ...], hub: Path, tmp_path: Path) -> None:
    """The same for ``--out FILE``."""
    more = ("--config", str(hub)) if words[0] == "baseline" else ("--table", str(_table(tmp_path)))
    done = _run(*words, *more, "--out", "/dev/full")
    assert (done.returncode, b"/dev/full: cannot write: No space left" in done.stderr) == (78, True), (
        done.stderr
    )


def test_files_are_read_from_standard_input_and_written_to_standard_output(hub: Path, tmp_path: Path) -> None:
    """``-`` names standard input and output: a baseline and a table go through pipes."""
    python = [sys.executable, "-m", "appliance.cli"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    made = subprocess.run(
        [*python, "baseline", "export", "--config", str(hub), "--out", "-"],
        capture_output=True, check=True, env=environment,
    )  # fmt: skip
    told = subprocess.run(
        [*python, "baseline", "inspect", "-"],
        input=made.stdout,
        capture_output=True,
        check=True,
        env=environment,
    )
    assert f'"booth": "{BOOTH}"'.encode() in told.stdout
    scored = subprocess.run(
        [*python, "score", "--table", "-", "--out", "-"],
        input=_table(tmp_path).read_bytes(), capture_output=True, check=True, env=environment,
    )  # fmt: skip
    assert len(scored.stdout.splitlines()) == 401


def test_a_relative_configuration_is_relative_once(hub: Path, tmp_path: Path) -> None:
    """``--config`` with a relative path finds database and keys where the same absolute path finds them."""
    home = tmp_path / "somewhere"
    shutil.copytree(hub.parent, home / "booth")
    text = (home / "booth/hub.toml").read_text()
    kept = [
        line for line in text.splitlines() if not line.startswith(("database", "signing_key", "prior_key"))
    ]
    text = "\n".join(kept).replace("[hub]", '[hub]\ndatabase = "hub.sqlite"').replace(f"{hub.parent}/", "")
    (home / "booth/hub.toml").write_text(text)
    relative = _run("baseline", "key", "--config", "booth/hub.toml", cwd=home)
    assert relative.returncode == 0, relative.stderr
    assert relative.stdout == _run("baseline", "key", "--config", str(home / "booth/hub.toml")).stdout
    exported = _run("baseline", "export", "--config", "booth/hub.toml", "--out", "a.baseline", cwd=home)
    assert (exported.returncode, (home / "a.baseline").exists()) == (0, True), exported.stderr


def test_binary_output_never_goes_to_a_terminal(hub: Path) -> None:
    """``baseline export`` to a terminal is refused with the redirection that is missing."""
    leader, follower = os.openpty()
    done = _run("baseline", "export", "--config", str(hub), stdout=follower)
    os.close(follower)
    os.close(leader)
    assert done.returncode == 78
    assert b"would go to a terminal" in done.stderr


def test_a_card_is_an_svg_page_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that promises another format is refused, and nothing is written."""
    assert cli.main(["card", "print", "--out", str(tmp_path / "card.pdf")]) == 78
    assert "ends with .svg" in capsys.readouterr().err
    assert not (tmp_path / "card.pdf").exists()


@pytest.mark.parametrize(
    "words",
    [("revoke", "corner-north"), ("tablet", "tablet-1", "--remove")],
    ids=["revoke", "tablet --remove"],
)
def test_what_cannot_be_undone_wants_yes(
    words: tuple[str, ...], hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody can be asked, a verb that cannot be undone wants ``--yes`` and changes nothing."""
    before = (hub.parent / "register.toml").read_bytes()
    assert cli.main(["booth", *words, "--directory", str(hub.parent)]) == 78
    assert "--yes" in capsys.readouterr().err
    assert (hub.parent / "register.toml").read_bytes() == before


def test_taking_in_a_baseline_wants_yes(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """What is added to a baseline cannot be taken out again: ``baseline import`` asks."""
    assert cli.main(["baseline", "import", desk.places["file"], "--config", desk.places["hub"]]) == 78
    assert "--yes" in capsys.readouterr().err


def test_every_verb_that_cannot_be_undone_has_the_option() -> None:
    """Whatever calls itself revoke, remove, purge, erase, lock or import has ``--yes``."""
    for parser in DOING:
        names = {name for action in parser._actions for name in action.option_strings}
        if re.search(r"\b(revoke|purge|erase|lock|import)$", parser.prog) or "--remove" in names:
            assert "--yes" in names, parser.prog


def test_a_mistyped_tablet_is_not_made(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``booth tablet NAME --again`` is for tablets that are enrolled."""
    assert cli.main(["booth", "tablet", "tabelt-1", "--again", "--directory", str(hub.parent)]) == 78
    assert "no tablet is called tabelt-1" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "goes_on"), [("yes\n", True), ("no\n", False), ("", False)])
def test_the_question_is_answered_with_yes_alone(
    typed: str, goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal the question is asked, and anything but yes is no."""
    leader, follower = os.openpty()
    if typed:
        os.write(leader, typed.encode())
    else:
        os.write(leader, b"\x04")
    with os.fdopen(follower, closefd=True) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        given = argparse.Namespace(yes=False)
        if goes_on:
            confirm(given, "Do it?")
        else:
            with pytest.raises(Exception, match="not confirmed"):
                confirm(given, "Do it?")
    os.close(leader)


def test_the_manual_has_every_command() -> None:
    """The manual page names each command, each option and the exit codes, in roff that man can show."""
    done = _run("manual")
    text = done.stdout.decode()
    assert text.startswith(".TH LEFTFIELD 1")
    for parser in DOING:
        assert ".SS " + parser.prog.replace("-", r"\-") in text
    assert "sysexits.h" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_is_told_every_command(shell: str) -> None:
    """The completion script for each shell knows each command."""
    script = _run("completion", shell).stdout.decode()
    for entry in cli.MODULES:
        for name in entry.commands:
            assert name in script
