"""What the long test stands on: images, a flashed card in a virtual machine, a hub from its package beside it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from appliance.image import gpt
from tests.boot.machines import Machine, Network, base_tree
from tests.demo.running import street_video
from tests.long.vm import Vm

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("LEFTFIELD_CACHE", ROOT / ".cache"))
KILLS = int(os.environ.get("KILLS", "10"))
OLD, NEW, BAD, LAST = "0.2.0", "0.2.1", "0.2.2", "0.2.3"
FIRST = os.environ.get("FIRST", OLD)
"""What is flashed. ``FIRST=0.2.1`` with ``pytest -k`` runs a later test without those before it."""
RUN = CACHE / "image" / "run"
"""Card, hub and notes of the run; kept where it fails."""


class Notes:
    """What was measured and which stages are through: a file, so that a run that broke off can go on (RESUME=1)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        resumes = os.environ.get("RESUME") == "1" and path.exists()
        found = json.loads(path.read_text()) if resumes else {}
        self.figures: dict[str, Any] = found.get("figures", {})
        self.through: list[str] = found.get("through", [])

    def __setitem__(self, name: str, figure: Any) -> None:
        self.figures[name] = figure
        self._write()
        print(f"\n[{time.strftime('%H:%M:%S')}] {name}: {json.dumps(figure)}", flush=True)

    def stage(self, name: str) -> None:
        """Remember that ``name`` is through."""
        self.through.append(name)
        self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps({"figures": self.figures, "through": self.through}, indent=1))


FIGURES = Notes(RUN / "notes.json")


def leftfield(*words: str | Path) -> str:
    """What a command of this checkout prints."""
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
    return done.stdout


def images() -> Path:
    """Images of three versions and a release key, built once for each state of the checkout."""
    given = os.environ.get("LEFTFIELD_IMAGES")
    if given:
        return Path(given)
    state = hashlib.sha256()
    for folder in ("appliance", "systemd", "provisioning", "models_tflite", "requirements"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                state.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    out = CACHE / "image" / f"test-{state.hexdigest()[:12]}"
    if not (out / "done").exists():
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        leftfield("update", "key", out / "release")
        for version in (OLD, NEW, LAST):
            words = ("--out", out, "--cache", CACHE / "image", "--image-version", version, "--json")
            made = json.loads(leftfield("image", "unit", *words, "--release-key", out / "release.pub"))
            FIGURES[f"image {version}"] = {name: made[name] for name in ("seconds", "bytes", "part_bytes")}
        (out / "done").touch()
    return out


class Bed:
    """A booted hub, and a unit in a virtual machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = images()
        self.key = self.images / "release.key"
        self.network = Network(f"i{os.getpid() % 10_000}")
        self.resumed = "flash" in FIGURES.through
        self.hub = Machine(
            "hub", folder / "hub", base_tree(CACHE), self.network.names["hub"], "corner", keep=self.resumed
        )
        self.card = folder / "card.raw"
        if not self.resumed:
            self._flash()
        self.code = (folder / "code.txt").read_text()
        self.vm = Vm(folder, self.card, self.network.names["unit"], keep=self.resumed)

    def on(self) -> None:
        """Power on, where a run that broke off goes on."""
        if not self.vm.running:
            self.vm.start(look=True)
            self.vm.until(lambda: self.vm.last("up"), "the first report")

    def _flash(self) -> None:
        folder = self.folder
        begun = time.monotonic()
        words = (
            "--yes",
            "--json",
            "--label",
            folder,
            "--hub",
            "192.168.4.1",
            "--source",
            "/etc/leftfield/street.avi",
        )
        told = json.loads(leftfield("flash", self.image(FIRST), self.card, *words))
        FIGURES["flash"] = {"seconds": round(time.monotonic() - begun, 1), "bytes": told["bytes"]}
        label = (folder / f"leftfield-{told['name']}.svg").read_text()
        found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", label)
        assert found
        (folder / "code.txt").write_text(found[0])
        self._add_video()

    def image(self, version: str) -> Path:
        return self.images / f"leftfield-unit_{version}_amd64.raw"

    def partition(self, label: str) -> gpt.Partition:
        with self.card.open("rb") as file:
            return next(one for one in gpt.partitions(file, str(self.card)) if one.label == label)

    def _add_video(self) -> None:
        """The sample street, which stands for a camera: on the state partition, where SENSE may read it."""
        place = f"{self.card}?offset={self.partition('leftfield-state').start}"
        asked = f"write {street_video()} /etc/street.avi"
        subprocess.run(["/sbin/debugfs", "-w", "-R", asked, place], check=True, capture_output=True)

    def admitted(self) -> int:
        return self._sum("SELECT coalesce(sum(admitted), 0) FROM door")

    def missing(self) -> int:
        return self._sum("SELECT coalesce(sum(missing_closed), 0) FROM door")

    def _sum(self, question: str) -> int:
        database = self.hub.tree / "var/lib/leftfield/hub/hub.sqlite"
        try:
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
                return int(db.execute(question).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def heard_again(self, what: str, more: int = 3) -> float:
        before = self.admitted()
        return self.vm.until(lambda: self.admitted() >= before + more, f"{what}: observations admitted")

    def offer(
        self, source: str, number: int, parts: dict[str, bytes] | None = None, version: str = ""
    ) -> None:
        """Sign an update and offer it on the hub, as from a stick."""
        folder = self.folder / f"release-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        stem = f"leftfield-unit_{source}_amd64"
        about = json.loads((self.images / f"{stem}.json").read_text())
        name = f"leftfield-unit_{version or source}_amd64"
        (folder / f"{name}.json").write_text(json.dumps(about | {"version": version or source}))
        for part in ("root", "verity", "kernel"):
            target = folder / f"{name}.{part}"
            shutil.copyfile(self.images / f"{stem}.{part}", target)
            if parts and part in parts:
                target.write_bytes(parts[part])
        out = self.folder / "offered.update"
        words = ("--key", self.key, "--number", str(number), "--out", out)
        leftfield("update", "make", folder / f"{name}.json", *words)
        FIGURES[f"bundle {number}"] = {"bytes": out.stat().st_size}
        shutil.copy(out, self.hub.tree / "root/unit.update")
        shutil.copy(self.key.with_suffix(".pub"), self.hub.tree / "root/release.pub")
        self.hub.shell("leftfield update offer /root/unit.update --key /root/release.pub")
        shutil.rmtree(folder)
