"""Small files that are whole or old, and directories that have one writer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.base import atomic_files
from tests.locks import asking_process


def test_a_durable_write_syncs_the_file_before_the_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content to disk, then the rename, then the directory: after a power cut the file is whole, old or new."""
    calls: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        what = Path(f"/proc/self/fd/{descriptor}").readlink()
        calls.append("sync directory" if what == tmp_path else "sync file")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        calls.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    atomic_files.write_durably(tmp_path / "epoch", b"7\n", mode=atomic_files.SECRET)
    assert calls == ["sync file", "rename", "sync directory"]
    assert (tmp_path / "epoch").read_bytes() == b"7\n"


def test_a_locked_directory_has_one_writer_across_processes(tmp_path: Path) -> None:
    """What one process writes under the lock is what another finds that asked for the lock before."""
    work = "with atomic_files.alone(Path(sys.argv[1])): print(Path(sys.argv[1], 'kept').read_text())"
    with atomic_files.alone(tmp_path):
        (tmp_path / "kept").write_text("old")
        other = asking_process(f"from appliance.base import atomic_files\n{work}", tmp_path)
        (tmp_path / "kept").write_text("new")
    said, _ = other.communicate(timeout=20)
    assert said == b"new\n"
