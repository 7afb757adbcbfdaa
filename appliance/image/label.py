"""Label of a card: name, QR code and pairing code, as a page of SVG and as a page of PDF.

Invariants:
    * Pure: text in, bytes out. Both pages show the same, 62 mm by 29 mm, which label printers have.
    * The QR code holds what is printed below it: a person can always type what a camera could scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

WIDTH_MM: Final = 62.0
HEIGHT_MM: Final = 29.0
_QR_MM: Final = 23.0
_QR_AT: Final = (3.0, 3.0)
_TEXT_AT: Final = 29.0
_ROOM_MM: Final = 31.0
_MONO_EM: Final = 0.6
"""How wide a sign of Courier is, of its size: a code in it always fits, whatever its signs."""
_POINTS: Final = 72 / 25.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is printed: the machine's name, what the QR code holds, and up to four lines (the first one large)."""

    name: str
    scanned: str
    lines: tuple[str, ...]


def svg(label: Label) -> str:
    """The label as an SVG page of its true size."""
    squares = "".join(
        f"M{x:.3f} {y:.3f}h{side:.3f}v{side:.3f}h-{side:.3f}z" for x, y, side in _squares(label)
    )
    text = "".join(
        f'<text x="{_TEXT_AT}" y="{y:.1f}" font-size="{size:.2f}" font-weight="{weight}" '
        f'font-family="{_FAMILIES[font]}"{_stretch(line, size) if font == "F2" else ""}>{escape(line)}</text>'
        for line, y, size, weight, font in _lines(label)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}"><title>{escape(label.name)}</title>'
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/><path d="{squares}"/>{text}</svg>\n'
    )


def pdf(label: Label) -> bytes:
    """The label as a PDF page of its true size (ISO 32000-1): one page, one font that every reader has."""
    drawn = [f"{_POINTS:.6f} 0 0 {_POINTS:.6f} 0 0 cm 0 g"]
    drawn += [
        f"{x:.3f} {HEIGHT_MM - y - side:.3f} {side:.3f} {side:.3f} re" for x, y, side in _squares(label)
    ]
    drawn.append("f")
    for line, y, size, _weight, font in _lines(label):
        shown = line.encode("cp1252", "replace").decode("latin-1")
        for sign in "\\()":
            shown = shown.replace(sign, f"\\{sign}")
        drawn.append(f"BT /{font} {size:.2f} Tf {_TEXT_AT} {HEIGHT_MM - y:.1f} Td ({shown}) Tj ET")
    content = "\n".join(drawn).encode("latin-1")
    box = f"[0 0 {WIDTH_MM * _POINTS:.2f} {HEIGHT_MM * _POINTS:.2f}]"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R /Resources "
        "<< /Font << /F1 5 0 R /F2 6 0 R /F3 7 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        font.format("Helvetica").encode(),
        font.format("Courier-Bold").encode(),
        font.format("Helvetica-Bold").encode(),
    ]
    return _pdf_file(objects)


def _pdf_file(objects: list[bytes]) -> bytes:
    """Objects with their table of places."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


_FAMILIES: Final = {
    "F1": "Helvetica, Arial, sans-serif", "F2": "Courier, monospace", "F3": "Helvetica, Arial, sans-serif",
}  # fmt: skip


def _lines(label: Label) -> list[tuple[str, float, float, str, str]]:
    """Text, baseline and size in millimetres, weight, font."""
    rows = [(label.name, 7.5, min(4.6, _ROOM_MM / (0.68 * len(label.name))), "bold", "F3")]
    for number, line in enumerate(label.lines):
        size = min(3.6, _ROOM_MM / (_MONO_EM * len(line))) if number == 0 else 2.5
        rows.append((line, 14.0 + 4.5 * number, size, *(("bold", "F2") if number == 0 else ("normal", "F1"))))
    return rows


def _stretch(line: str, size: float) -> str:
    """The width that a line of Courier has, for a browser that has another font."""
    return f' textLength="{_MONO_EM * size * len(line):.1f}" lengthAdjust="spacingAndGlyphs"'


def _squares(label: Label) -> list[tuple[float, float, float]]:
    """Left, top and side of each dark square of the QR code, in millimetres."""
    import segno  # noqa: PLC0415 - only who prints a label needs it, not every command line

    rows = [list(row) for row in segno.make(label.scanned, error="m", micro=False).matrix_iter(border=0)]
    side = _QR_MM / len(rows)
    left, top = _QR_AT
    return [
        (left + side * x, top + side * y, side)
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    ]
