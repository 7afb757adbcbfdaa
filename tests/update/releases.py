"""Releases for the tests: small parts, real signatures, real bundles."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.protocol import sign
from appliance.update import bundle, release
from appliance.update.release import Part, Release

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
PUBLIC = sign.public_key_of(KEY)
NOW = 1_800_000_000
DAY = 86_400
ROOT_HASH = "0123456789abcdef" * 4
SIZES = {"verity": 3_000, "root": 2_500_000, "kernel": 70_000}


def part_bytes(name: str, version: str = "1.1") -> bytes:
    return hashlib.shake_128(f"{name} {version}".encode()).digest(SIZES[name])


def a_release(**changes: Any) -> Release:
    version = changes.get("version", "1.1")
    parts = tuple(
        Part(name=name, length=SIZES[name], sha256=hashlib.sha256(part_bytes(name, version)).hexdigest())
        for name in release.PARTS
    )
    made = Release(
        role="unit", arch="amd64", version="1.1", number=7, least="1.0", made=NOW - DAY, expires=NOW + 30 * DAY,
        root_hash=ROOT_HASH, parts=parts,
    )  # fmt: skip
    return replace(made, **changes)


def a_bundle(folder: Path, made: Release | None = None, key: bytes = KEY) -> Path:
    made = made or a_release()
    files = []
    for name in release.PARTS:
        path = folder / f"{made.version}.{name}"
        path.write_bytes(part_bytes(name, made.version))
        files.append(path)
    target = folder / f"{made.role}-{made.version}.update"
    bundle.write(target, release.sealed(made, key), files)
    return target


def a_desk(folder: Path) -> None:
    """A folder `release`: a signed bundle, both keys, and an image's note with the parts beside it."""
    desk = folder / "release"
    desk.mkdir()
    a_bundle(desk, a_release(made=int(time.time()), expires=int(time.time()) + DAY))
    (desk / "key").write_bytes(KEY)
    (desk / "key.pub").write_text(PUBLIC.hex())
    about = {"role": "unit", "arch": "amd64", "version": "1.1", "root_hash": ROOT_HASH}
    (desk / "1.1.json").write_text(json.dumps(about))
