"""Image builder: from a package of ours to a file that is written to a card.

Invariants:
    * Everything is made in a work folder; what is handed out appears under its own name when it is whole.
    * The same recipe and the same package give the same bytes (Debian's archive standing still).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.image import recipe as recipes
from appliance.image import workshop
from appliance.image.recipe import Recipe

_CHUNK: Final = 4 * 2**20
PARTS: Final = {"root": "root.raw", "verity": "verity.raw", "kernel": "efi"}
"""The parts of an update, and how mkosi's file of each ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build from and where to: our package, the folder for the image, a cache, Debian's mirror.

    ``signing`` is the key and the certificate (PEM) of Secure Boot, where the recipe asks for it.
    """

    package: Path
    out: Path
    cache: Path
    mirror: str = workshop.MIRROR
    signing: tuple[Path, Path] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image: its file, the parts beside it, its SHA-256 and length, dm-verity's root hash, seconds taken."""

    image: Path
    parts: dict[str, Path]
    sha256: str
    size: int
    root_hash: str
    seconds: float


def build(recipe: Recipe, order: Order, say: Callable[[str], None]) -> Built:
    """Build the image of ``recipe``; ``say`` hears each step. Unfit where something it needs is missing."""
    begun = time.monotonic()
    recipes.checked(recipe)
    workshop.require_tools()
    tools = workshop.tree(order.cache, order.mirror, say)
    order.out.mkdir(parents=True, exist_ok=True)
    with _work_folder(order.cache) as work:
        _lay_out(recipe, order, work)
        log = (work / "log.txt").open("w")

        def heard(line: str) -> None:
            log.write(f"{time.monotonic() - begun:7.1f} {line}\n")
            log.flush()
            if line.startswith(("‣ ", "\x1b")):
                say(line.removeprefix("‣ ").strip())

        for folder in ("start", "recipe"):
            mkosi = [
                "mkosi",
                f"--directory=/workshop/{folder}",
                "--workspace-directory=/workshop/space",
                "--force",
            ]
            workshop.run(tools, work, [*mkosi, "--package-cache-dir=/kept", "build"], heard)
        root_hash = _root_hash(work / "out", recipe)
        say("laying out the disk: two systems and the state")
        _write_all(work / "disk", recipes.disk_files(recipe, root_hash))
        workshop.run(tools, work, _repart(recipe), heard)
        return _hand_out(recipe, order, work, root_hash, begun)


def _repart(recipe: Recipe) -> list[str]:
    return [
        "env", f"SOURCE_DATE_EPOCH={recipe.epoch}", f"SYSTEMD_REPART_MKFS_OPTIONS_EXT4=-E hash_seed={recipe.seed}",
        "systemd-repart", "--empty=create", "--size=auto", "--dry-run=no", "--offline=yes", "--sector-size=512",
        f"--seed={recipe.seed}", "--definitions=/workshop/disk", "/workshop/out/disk.raw",
    ]  # fmt: skip


@contextlib.contextmanager
def _work_folder(cache: Path) -> Iterator[Path]:
    cache.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=cache))
    try:
        yield work
    finally:
        if not os.environ.get("LEFTFIELD_KEEP_WORK"):
            shutil.rmtree(work, ignore_errors=True)


def _lay_out(recipe: Recipe, order: Order, work: Path) -> None:
    """The work folder as mkosi finds it."""
    _write_all(work / "recipe", recipes.build_files(recipe))
    _write_all(work / "start", recipes.start_files(recipe))
    (work / "recipe/finalize.sh").chmod(0o755)
    for folder in ("out", "space", "packages", "disk"):
        (work / folder).mkdir()
    shutil.copy(order.package, work / "packages" / order.package.name)
    if order.signing:
        (work / "keys").mkdir(mode=0o700)
        for source, name in zip(order.signing, ("secure-boot.key", "secure-boot.crt"), strict=True):
            shutil.copyfile(source, work / "keys" / name)
            (work / "keys" / name).chmod(0o600)  # mkosi refuses a secret that others might read
    for folder in ("start", "recipe"):
        _sources(work / folder / "mkosi.sandbox/etc/apt/sources.list.d/mkosi.sources", order.mirror)


def _sources(sources: Path, mirror: str) -> None:
    sources.parent.mkdir(parents=True)
    # Written out: mkosi's own list asks for an archive of debug symbols that not every mirror has.
    security = mirror.removesuffix("/debian") + "/debian-security"
    blocks = [
        (mirror, f"{workshop.SUITE} {workshop.SUITE}-updates"),
        (security, f"{workshop.SUITE}-security"),
    ]
    sources.write_text(
        "\n".join(
            f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main non-free-firmware\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
            for uri, suites in blocks
        )
    )


def _write_all(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _root_hash(out: Path, recipe: Recipe) -> str:
    """dm-verity's root hash, read from the command line inside the kernel that mkosi made."""
    kernel = (out / f"{recipe.stem}.efi").read_bytes()
    at = kernel.find(b"roothash=")
    found = kernel[at + 9 : at + 73]
    if at < 0 or len(found) != 64 or found.strip(b"0123456789abcdef"):
        raise Unfit(
            "the kernel that was built names no root hash", where="image", fix="report this with log.txt"
        )
    return found.decode("ascii")


def _hand_out(recipe: Recipe, order: Order, work: Path, root_hash: str, begun: float) -> Built:
    stem = f"{recipe.stem}_{recipe.arch}"
    parts = {}
    for part, suffix in PARTS.items():
        target = order.out / f"{stem}.{part}"
        shutil.move(work / "out" / f"{recipe.stem}.{suffix}", target)
        parts[part] = target
    image = order.out / f"{stem}.raw"
    shutil.move(work / "out/disk.raw", image)
    sha256, size = digest(image)
    about = {
        "role": recipe.role, "arch": recipe.arch, "version": recipe.version, "made": recipe.epoch, "sha256": sha256,
        "size": size, "root_hash": root_hash,
    }  # fmt: skip
    (order.out / f"{stem}.json").write_text(json.dumps(about, indent=1) + "\n")
    with contextlib.suppress(FileNotFoundError):
        shutil.move(work / "out" / f"{recipe.stem}.manifest", order.out / f"{stem}.packages.json")
    return Built(
        image=image, parts=parts, sha256=sha256, size=size, root_hash=root_hash, seconds=time.monotonic() - begun
    )  # fmt: skip


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hexadecimal) and length of a file."""
    state, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
            size += len(chunk)
    return state.hexdigest(), size
