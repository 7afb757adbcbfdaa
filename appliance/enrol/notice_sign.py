# ruff: noqa: RUF001 - other languages have other punctuation
"""The sign at the booth: one page that says what the cameras do, who answers, how to say no, and where more stands.

Invariants:
    * Pure: a notice and an address in, bytes out; SVG and PDF show the same page, of its true size.
    * A sign is not made of a notice in which somebody is missing.
    * The PDF needs no font that readers do not have (ISO 32000-1, 9.6.2.2 and 9.7.5.2): Helvetica, and for Chinese
      the predefined collection Adobe-GB1. Letters that Helvetica's encoding lacks need the SVG.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from appliance.base.errors import Unfit
from appliance.settings.notice import NoticeConfig

PAPERS: Final = {"A4": (210.0, 297.0), "Letter": (215.9, 279.4)}
"""Width and height in millimetres."""
_POINTS: Final = 72 / 25.4
_MARGIN: Final = 18.0
_QR_MM: Final = 58.0
_CHINESE: Final = "zh-Hans"
_SCALES: Final = (1.0, 0.9, 0.8, 0.7)
"""Letters shrink so far before a text is too long."""

TEXTS: Final[dict[str, tuple[str, tuple[str, ...], str, str, str]]] = {
    "en": (
        "Cameras here read clothes, never faces",
        (
            "They notice what passers-by wear: colours, patterns, kinds of garments.",
            "No picture is kept, sent or shown.",
            "Somebody dressed unlike nearly everybody may be offered a gift. You can say no.",
            "Staff forget you at once if you ask.",
        ),
        "Not to be counted: {way}",
        "ask the staff for the way round.",
        "Who answers for this:",
    ),
    "es": (
        "Aquí las cámaras leen ropa, nunca caras",
        (
            "Ven lo que llevan quienes pasan: colores, estampados, tipos de prenda.",
            "Ninguna imagen se guarda, se envía ni se muestra.",
            "A quien viste distinto a casi todos se le puede ofrecer un regalo. Puede decir que no.",
            "Si lo pide, el personal le olvida al instante.",
        ),
        "Para no ser contado: {way}",
        "pregunte al personal por dónde rodear.",
        "Quién responde de esto:",
    ),
    "fr": (
        "Ici, des caméras lisent les vêtements, jamais les visages",
        (
            "Elles voient ce que portent les passants\u00a0: couleurs, motifs, types de vêtements.",
            "Aucune image n’est gardée, envoyée ni montrée.",
            "Qui est habillé autrement que presque tous peut recevoir un cadeau. Vous pouvez dire non.",
            "À votre demande, l’équipe vous oublie aussitôt.",
        ),
        "Pour ne pas être compté\u00a0: {way}",
        "demandez à l’équipe par où contourner.",
        "Qui en répond\u00a0:",
    ),
    _CHINESE: (
        "这里的摄像头只看衣着，从不看脸",
        (
            "它们留意行人的穿着：颜色、图案、款式。",
            "不保存、不发送、不展示任何画面。",
            "穿着与众不同的人可能会得到一份礼物，您可以拒绝。",
            "只要您提出，工作人员立即忘记您。",
        ),
        "不想被计入：{way}",
        "请向工作人员询问绕行的路。",
        "由谁负责：",
    ),
}
"""By language: heading, what is done, how to say no, the same without a way round, who answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Text whose base line begins at (``x``, ``y``), in millimetres from the upper left; ``size`` in millimetres."""

    text: str
    x: float
    y: float
    size: float
    bold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A page of ``width`` by ``height`` millimetres: lines, and the squares of the code, (x, y, side)."""

    width: float
    height: float
    language: str
    lines: tuple[Line, ...]
    squares: tuple[tuple[float, float, float], ...]


def sign(notice: NoticeConfig, *, language: str, paper: str, address: str) -> Sign:
    """The sign in ``language`` on ``paper``, whose code leads to ``address``. Unfit where somebody is missing."""
    if notice.missing:
        raise Unfit(
            f"the notice lacks {', '.join(notice.missing)}",
            where="sign",
            fix="set them under [notice] in hub.toml",
        )
    width, height = PAPERS[paper]
    top = height - _MARGIN - _QR_MM
    for scale in _SCALES:
        lines, end = _upper(notice, language, width - 2 * _MARGIN, scale)
        beside, side_end = _beside(notice, language, address, width, top, scale)
        if end <= top - 2.0 and side_end <= height - _MARGIN + 1.0:
            return Sign(
                width=width,
                height=height,
                language=language,
                lines=(*lines, *beside),
                squares=_squares(address, _MARGIN, top),
            )
    raise Unfit("the notice's texts are too long for one page", where="sign", fix="shorten them in hub.toml")


def _upper(notice: NoticeConfig, language: str, room: float, scale: float) -> tuple[list[Line], float]:
    """What stands above the code, and where it ends."""
    heading, said, way, otherwise, _ = TEXTS[language]
    parts = [(heading, 14.0, True, 0.0)]
    parts += [(one, 8.0, False, 6.0 if one == said[0] else 3.5) for one in said]
    parts.append((way.format(way=notice.way_round or otherwise), 8.0, True, 7.0))
    lines, y = [], _MARGIN
    for text, full, bold, gap in parts:
        size, y = full * scale, y + gap * scale
        for row in _rows(text, room, size, bold=bold, chinese=language == _CHINESE):
            y += size * 1.25
            lines.append(Line(text=row, x=_MARGIN, y=y, size=size, bold=bold))
    return lines, y


def _beside(
    notice: NoticeConfig, language: str, address: str, width: float, top: float, scale: float
) -> tuple[list[Line], float]:
    """What stands beside the code: who answers, and the address in letters; and where it ends."""
    x = _MARGIN + _QR_MM + 8.0
    parts = [(TEXTS[language][4], 5.5, True), (notice.controller, 5.5, False)]
    parts += [(notice.contact, 5.5, False), (address, 4.5, False)]
    lines, y = [], top
    for text, full, bold in parts:
        size = full * scale
        for row in _rows(text, width - _MARGIN - x, size, bold=bold, chinese=language == _CHINESE):
            y += size * 1.3
            lines.append(Line(text=row, x=x, y=y, size=size, bold=bold))
    return lines, y


def _rows(text: str, room: float, size: float, *, bold: bool, chinese: bool) -> list[str]:
    """``text`` in rows that fit into ``room``: letters are taken to be half as wide as high, Chinese ones square."""
    wide = sum(ord(letter) > 0x2E7F for letter in text) > len(text) / 3
    each = size * (1.0 if wide else 0.56 if bold else 0.52)
    most = max(4, int(room / each))
    if chinese and wide:
        return [text[at : at + most] for at in range(0, len(text), most)]
    return textwrap.wrap(text, most, break_long_words=True) or [""]


def _squares(address: str, x: float, y: float) -> tuple[tuple[float, float, float], ...]:
    import segno  # noqa: PLC0415 - only who prints needs it

    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix_iter(border=0)]
    side = _QR_MM / len(rows)
    return tuple(
        (x + column * side, y + row * side, side)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if cell
    )


def svg(page: Sign) -> bytes:
    """The page as SVG."""
    squares = "".join(f"M{x:.3f} {y:.3f}h{side:.3f}v{side:.3f}h-{side:.3f}z" for x, y, side in page.squares)
    texts = "".join(
        f'<text x="{one.x:.2f}" y="{one.y:.2f}" font-size="{one.size:.2f}" '
        f'font-weight="{"700" if one.bold else "400"}">{escape(one.text)}</text>'
        for one in page.lines
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{page.width}mm" height="{page.height}mm" '
        f'viewBox="0 0 {page.width} {page.height}" xml:lang="{page.language}" '
        f"font-family=\"Helvetica, Arial, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif\">"
        f'<title>{escape(page.lines[0].text)}</title><rect width="{page.width}" height="{page.height}" fill="#fff"/>'
        f'<path d="{squares}"/>{texts}</svg>\n'
    ).encode()


_CHINESE_FONT: Final = (
    (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H "
        b"/DescendantFonts [8 0 R] >>"
    ),
    (
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 9 0 R >>"
    ),
    (
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
        b"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
    ),
)


def pdf(page: Sign) -> bytes:
    """The page as PDF. Unfit where a letter is neither in Helvetica's encoding nor Chinese."""
    drawn = [f"{_POINTS:.6f} 0 0 {_POINTS:.6f} 0 0 cm 0 g"]
    drawn += [f"{x:.3f} {page.height - y - side:.3f} {side:.3f} {side:.3f} re" for x, y, side in page.squares]
    drawn.append("f")
    for one in page.lines:
        font, shown = _shown(one)
        # Mode 2 strokes too: the collection has no bold face (9.3.6).
        thick = f"2 Tr {one.size / 40:.3f} w " if one.bold and font == "F3" else "0 Tr "
        drawn.append(
            f"BT /{font} {one.size:.2f} Tf {thick}{one.x:.2f} {page.height - one.y:.2f} Td {shown} Tj ET"
        )
    content = "\n".join(drawn).encode("latin-1")
    box = f"[0 0 {page.width * _POINTS:.2f} {page.height * _POINTS:.2f}]"
    plain = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R /Resources "
        "<< /Font << /F1 5 0 R /F2 6 0 R /F3 7 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        plain.format("Helvetica").encode(),
        plain.format("Helvetica-Bold").encode(),
        *_CHINESE_FONT,
    ]
    return _file(objects)


def _shown(one: Line) -> tuple[str, str]:
    """The font's name and the text as its operand."""
    try:
        text = one.text.encode("cp1252").decode("latin-1")
    except UnicodeEncodeError:
        if not any(ord(letter) > 0x2E7F for letter in one.text):
            raise Unfit(
                f"the PDF's fonts lack a letter of {one.text!r}",
                where="sign",
                fix="name the file .svg instead",
            ) from None
        return "F3", f"<{one.text.encode('utf-16-be').hex()}>"
    for letter in "\\()":
        text = text.replace(letter, f"\\{letter}")
    return ("F2" if one.bold else "F1"), f"({text})"


def _file(objects: list[bytes]) -> bytes:
    """A PDF file of numbered ``objects``, the first the catalogue (ISO 32000-1, 7.5)."""
    out, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
