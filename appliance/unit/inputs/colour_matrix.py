"""The camera's colour matrix: nine whole numbers and how well they fit. On its way out of the box, on disk, in SENSE.

Invariants:
    * Whole numbers within bounds, and nothing else: no name, no date, no place. ``CAPACITY_BITS`` is all it can tell.
    * One spelling: what is read must be what would be written, or it is refused.
    * No matrix leaves SENSE as it was without the card; one that is nonsense stops it, for colours would be wrong.
    * No pixel library: whoever has no pixels can judge it.
"""

from __future__ import annotations

import errno
import math
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.settings.config import UnitConfig

STEPS: Final = 1024
"""An entry is counted in steps of 1/1024: a thousandth of the light, far below what an eye or a sensor tells."""
DIAGONAL: Final = (STEPS // 4, 4 * STEPS)
"""Least and most of an entry on the diagonal: two stops either way, more than any lamp asks of a camera."""
BESIDE: Final = (-STEPS, STEPS)
"""Least and most of any other entry."""
RESIDUAL_LIMIT: Final = 70
"""Worst mean CIEDE2000 over the patches, in tenths: a print and a 3 x 3 matrix seldom agree better than 3."""
DETERMINANT: Final = (1 / 64, 64.0)
CONDITION_LIMIT: Final = 30.0
"""Most of the Frobenius norms of the matrix and of its inverse, multiplied; 3 for the identity. Noise grows by it."""
CAPACITY_BITS: Final = (
    3 * math.log2(DIAGONAL[1] - DIAGONAL[0] + 1)
    + 6 * math.log2(BESIDE[1] - BESIDE[0] + 1)
    + math.log2(RESIDUAL_LIMIT + 1)
)
"""Most that one matrix can tell: below 108 bits."""
CREDENTIAL: Final = "matrix"
"""Name of the copy that systemd hands to SENSE; ``none`` where no card has been read."""
_NONE: Final = b"none"
_HEAD: Final = "leftfield camera matrix 1"
_MOST_BYTES: Final = 128
_NUMBER: Final = "(0|-?[1-9][0-9]{0,4})"
_FORM: Final = re.compile(f"{_HEAD}\n" + f"{_NUMBER} {_NUMBER} {_NUMBER}\n" * 3 + "residual ([0-9]{1,3})\n")
_MEND: Final = "read the card again (leftfield card read), or remove the file to go without"

Rows = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class CameraMatrix:
    """What turns the camera's linear light (R, G, B) into that of sRGB under daylight: rows times column.

    ``entries``: nine whole numbers, row by row, in ``STEPS``; ``residual``: mean CIEDE2000 left over on the card, in
    tenths. ValueError, with the reason, for what no camera could need.
    """

    entries: tuple[int, ...]
    residual: int

    def __post_init__(self) -> None:
        if len(self.entries) != 9:
            raise ValueError(f"{len(self.entries)} numbers, not nine")
        for place, entry in enumerate(self.entries):
            low, high = DIAGONAL if place % 4 == 0 else BESIDE
            if not low <= entry <= high:
                raise ValueError(f"number {place + 1} is {entry}, not from {low} to {high}")
        if not 0 <= self.residual <= RESIDUAL_LIMIT:
            raise ValueError(f"the residual is {self.residual}, not from 0 to {RESIDUAL_LIMIT}")
        determinant, condition = _judged(self.rows)
        if not DETERMINANT[0] <= determinant <= DETERMINANT[1]:
            raise ValueError(f"its determinant is {determinant:.4f}: it is all but singular")
        if condition > CONDITION_LIMIT:
            raise ValueError(f"its condition is {condition:.0f}, above {CONDITION_LIMIT:.0f}")

    @property
    def rows(self) -> Rows:
        """The factors themselves."""
        a, b, c, d, e, f, g, h, i = (entry / STEPS for entry in self.entries)
        return (a, b, c), (d, e, f), (g, h, i)


def _judged(rows: Rows) -> tuple[float, float]:
    """Determinant, and Frobenius condition (infinite where it is singular)."""
    (a, b, c), (d, e, f), (g, h, i) = rows
    cofactors = (
        e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g,
        b * g - a * h, a * e - b * d,
    )  # fmt: skip
    determinant = a * cofactors[0] + b * cofactors[3] + c * cofactors[6]
    norm, norm_of_cofactors = math.hypot(a, b, c, d, e, f, g, h, i), math.hypot(*cofactors)
    return determinant, norm * norm_of_cofactors / abs(determinant) if determinant else math.inf


def spelled(matrix: CameraMatrix) -> bytes:
    """The matrix as its file: five lines of ASCII.

    >>> print(spelled(CameraMatrix((1024, 0, 0, 0, 1024, 0, 0, 0, 1024), 12)).decode(), end="")
    leftfield camera matrix 1
    1024 0 0
    0 1024 0
    0 0 1024
    residual 12
    """
    rows = (matrix.entries[start : start + 3] for start in (0, 3, 6))
    lines = (_HEAD, *(" ".join(map(str, row)) for row in rows), f"residual {matrix.residual}")
    return ("\n".join(lines) + "\n").encode("ascii")


def matrix_in(untrusted: bytes, where: str) -> CameraMatrix:
    """The matrix in a file's bytes. Unfit, with ``where``, for all but what ``spelled`` writes."""
    text = untrusted.decode("ascii", "replace") if len(untrusted) <= _MOST_BYTES else ""
    found = _FORM.fullmatch(text)
    if found is None:
        raise Unfit("the file is not a camera matrix of version 1", where=where, fix=_MEND)
    *entries, residual = (int(group) for group in found.groups())
    try:
        matrix = CameraMatrix(tuple(entries), residual)
    except ValueError as reason:
        raise Unfit(f"the camera matrix cannot be right: {reason}", where=where, fix=_MEND) from None
    if spelled(matrix) != untrusted:
        raise Unfit("the numbers are not in canonical form", where=where, fix=_MEND)
    return matrix


def kept_at(path: Path, matrix: CameraMatrix) -> None:
    """Write the matrix to ``path``, whole or not at all; its directory is made. Unfit where that cannot be."""
    if not path.parent.is_dir():
        atomic_files.make_directory(path.parent, mode=atomic_files.PUBLIC_DIRECTORY)
    atomic_files.write_durably(path, spelled(matrix), mode=atomic_files.PUBLIC)


def taken(settings: UnitConfig) -> tuple[CameraMatrix | None, str]:
    """The matrix SENSE goes by from here on, or None, and one line that says so. Unfit where it is nonsense.

    The credential where there is one (``none`` says there is no matrix), else the file where ``card read`` keeps it.
    """
    handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", os.devnull)) / CREDENTIAL
    for path in (handed, settings.matrix):
        try:
            untrusted = _read(path)
        except PermissionError:
            return None, f"may not look for a camera matrix at {path}: colours as the camera gives them"
        if untrusted is not None:
            break
    if untrusted is None or untrusted.strip() == _NONE:
        return None, "no colour card has been read: colours as the camera gives them"
    matrix = matrix_in(untrusted, str(path))
    return matrix, f"colours by the card, which it left {matrix.residual / 10:.1f} (CIEDE2000) from true"


def _read(path: Path) -> bytes | None:
    """A plain file's first bytes, one more than any matrix has; None where there is none.

    Unfit where something else stands in its place; PermissionError where nobody may look.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return None
        raise Unfit(f"cannot read the file: {error.strerror}", where=str(path), fix=_MEND) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unfit("not a regular file", where=str(path), fix=_MEND)
        return os.read(descriptor, _MOST_BYTES + 1)
    finally:
        os.close(descriptor)
