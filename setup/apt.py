"""Debian packages without root: downloaded by the machine's own apt and unpacked into the cache directory.

Invariants: apt resolves, and checks the signatures and hashes; its system state is read, never written (a private
state directory takes the lists when the system has none or stale ones); nothing is installed, no script runs.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from setup.voice import SetupError, capture, megabytes, say, succeeds

_STATUS = Path("/var/lib/dpkg/status")
_TOOLS = ("apt-get", "dpkg", "dpkg-deb")
_NEVER_BESIDE_THE_SYSTEM = re.compile(r"libc6|libc-bin|libgcc-s\d|gcc-\d+-base|libstdc\+\+\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Apt:
    """The machine's apt; `private` is its state directory when the system's own lists will not do."""

    cache: Path
    private: Path | None

    def options(self) -> tuple[str, ...]:
        """Return the options that let apt run without root, within the private directory if there is one."""
        if self.private is None:
            return ("-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root")
        return (
            *("-o", f"Dir::State={self.private}/state", "-o", f"Dir::State::lists={self.private}/lists"),
            *("-o", f"Dir::Cache={self.private}/cache", "-o", f"Dir::State::status={_STATUS}"),
            *("-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"),
        )


def require_debian() -> None:
    """Raise SetupError where apt and dpkg do not exist."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise SetupError(
            f"this is no Debian, Ubuntu or Raspberry Pi OS ({', '.join(missing)} not found); set-up knows no other.\n"
            "    Install mosquitto 2.0 or newer (with WebSockets) by hand and pass a street video of your own:\n"
            "    make demo SOURCE=/path/to/street.mp4"
        )


def fetch(root: str, *, cache: Path, step: str, libraries: bool) -> tuple[Path, ...]:
    """Download a package, with the libraries it needs and the system lacks if asked; return the .deb files.

    The system's package lists are tried first; when they are missing or stale, private ones are fetched.
    Raises SetupError.
    """
    require_debian()
    private = cache / "apt"
    tried = [Apt(cache=cache, private=None)]
    if any(private.glob("lists/*_Packages*")):
        tried.append(Apt(cache=cache, private=private))
    for apt in tried:
        try:
            return _fetch(apt, root, step=step, libraries=libraries)
        except (LookupError, SetupError):
            continue  # no lists, or older than what the mirror still holds
    try:
        return _fetch(refreshed(cache, step=step), root, step=step, libraries=libraries)
    except LookupError as error:
        raise SetupError(
            f"the Debian package `{root}` cannot be found.\n"
            "    Is this machine online, and are its package sources (/etc/apt) in order?"
        ) from error


def refreshed(cache: Path, *, step: str) -> Apt:
    """Return an apt with fresh lists in the cache directory."""
    private = cache / "apt"
    for place in ("state", "lists/partial", "cache/archives/partial"):
        (private / place).mkdir(parents=True, exist_ok=True)
    apt = Apt(cache=cache, private=private)
    say(step, "fetching package lists into the cache directory (no root)")
    # apt calls an update that got no list at all a success: `fetch` judges by whether the package is known then.
    succeeds(["apt-get", *apt.options(), "--quiet", "update"])
    return apt


def _fetch(apt: Apt, root: str, *, step: str, libraries: bool) -> tuple[Path, ...]:
    """Download `root`, with the libraries apt would install for it if asked. LookupError where it is not known."""
    wanted = needed(_asked(apt, root), root) if libraries else (root,)
    say(step, f"downloading {', '.join(wanted)}")
    folder = apt.cache / "deb" / root
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        capture(["apt-get", *apt.options(), "--quiet", "download", *wanted], env=_plain(), cwd=folder)
    except SetupError as error:
        raise LookupError(root) from error
    debs = tuple(sorted(folder.glob("*.deb")))
    if len(debs) != len(wanted):
        raise SetupError(f"apt-get downloaded {len(debs)} of {len(wanted)} packages into {folder}")
    say(step, f"  {megabytes(sum(deb.stat().st_size for deb in debs))}")
    return debs


def _asked(apt: Apt, root: str) -> str:
    """Return what apt's own resolver would download to install `root` here; nothing is downloaded or changed."""
    empty = apt.cache / "apt" / "empty"  # what lies in apt's own archive would not be named
    (empty / "partial").mkdir(parents=True, exist_ok=True)
    options = (*apt.options(), "-o", f"Dir::Cache::archives={empty}", "--no-install-recommends", "--quiet")
    try:
        return capture(
            ["apt-get", *options, "--quiet", "--yes", "--print-uris", "install", root], env=_plain()
        )
    except SetupError as error:
        raise LookupError(root) from error


def needed(uris: str, root: str) -> tuple[str, ...]:
    r"""Return the packages of `apt-get --print-uris install` that are unpacked: `root` first, then its libraries.

    Scripts, accounts and services are not needed, since nothing is installed; a C library beside the system's own
    cannot be loaded.

    >>> needed("'a' mosquitto_2.0_amd64.deb 9 SHA256:0\n'b' libdlt2_2.1_amd64.deb 9 SHA256:0", "mosquitto")
    ('mosquitto', 'libdlt2')
    """
    names = [line.split("' ")[1].split("_")[0] for line in uris.splitlines() if line.startswith("'")]
    libraries = [
        name for name in names if name.startswith("lib") and not _NEVER_BESIDE_THE_SYSTEM.fullmatch(name)
    ]
    return (root, *(name for name in libraries if name != root))


def unpack(debs: tuple[Path, ...], into: Path) -> None:
    """Unpack packages into a directory made anew; a half-done one is never left at that name."""
    partial = into.with_name(into.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for deb in debs:
        capture(["dpkg", "-x", str(deb), str(partial)])
    shutil.rmtree(into, ignore_errors=True)
    partial.rename(into)


def take_file(deb: Path, name: str, into: Path) -> bool:
    """Copy the one file called `name` (or `name`.gz, decompressed) out of a package; False when it has none."""
    partial = into.with_name(into.name + ".partial")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as dpkg:
        try:
            with tarfile.open(fileobj=dpkg.stdout, mode="r|") as members:
                for member in members:
                    if not member.isfile() or Path(member.name).name not in {name, f"{name}.gz"}:
                        continue
                    source = members.extractfile(member)
                    if source is None:
                        continue
                    packed = member.name.endswith(".gz")
                    with source, partial.open("wb") as copy:
                        copy.write(gzip.decompress(source.read()) if packed else source.read())
                    partial.rename(into)
                    return True
        except tarfile.TarError as error:
            raise SetupError(f"{deb} cannot be read: {error}") from error
        finally:
            dpkg.kill()  # the rest of the archive is not wanted
    return False


def _plain() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
