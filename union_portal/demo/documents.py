"""The papers of an application, really made: a receipt, a visit's photo, a signature, a PDF."""

import io
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

from awards.actions.applications import Upload
from union_portal.kit import pdf

_PAPER, _INK, _LINE, _STAMP = "#fdfcf7", "#26303a", "#b9b4a4", "#b3322b"
_COSTS: Final = {
    "costs": "医疗费用合计",
    "basic": "基本医疗保险支付",
    "major_illness": "大病保险支付",
    "assistance": "医疗救助支付",
    "worker_aid": "困难职工帮扶",
}


def receipt(holder: str, text: str) -> Upload:
    """A photo of a paper that shows what was stated."""
    picture = Image.new("RGB", (900, 620), _PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((24, 24, 876, 596), outline=_LINE, width=3)
    draw.text((450, 80), "证明材料（演示）", font=_font(40), fill=_INK, anchor="mm")
    draw.text((60, 150), f"姓名：{holder}", font=_font(28), fill=_INK)
    for number, start in enumerate(range(0, len(text), 26)):
        draw.text((60, 220 + 52 * number), text[start : start + 26], font=_font(28), fill=_INK)
        draw.line((60, 262 + 52 * number, 840, 262 + 52 * number), fill=_LINE)
    draw.ellipse((640, 400, 820, 580), outline=_STAMP, width=6)
    draw.text((730, 490), "演示专用", font=_font(32), fill=_STAMP, anchor="mm")
    return _jpeg("证明材料.jpg", picture)


def visit_photo(place: str) -> Upload:
    """What the visitors saw: a yard, drawn."""
    picture = Image.new("RGB", (960, 640), "#bcd4e6")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 430, 960, 640), fill="#c8b48a")
    draw.rectangle((260, 240, 700, 500), fill="#a5704f")
    draw.polygon([(220, 250), (480, 110), (740, 250)], fill="#5b4636")
    draw.rectangle((430, 350, 530, 500), fill="#3f2f25")
    for left in (300, 580):
        draw.rectangle((left, 310, left + 80, 390), fill="#f3e9c6", outline="#3f2f25", width=4)
    draw.text((40, 590), f"入户核实（演示） {place}", font=_font(28), fill=_INK)
    return _jpeg("入户照片.jpg", picture)


def signature(name: str) -> Upload:
    """A signature on white."""
    picture = Image.new("RGB", (480, 180), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((240, 80), name, font=_font(72), fill="#1d2b53", anchor="mm")
    draw.line([(90, 140), (200, 128), (290, 142), (400, 122)], fill="#1d2b53", width=5)
    return _jpeg("签名.jpg", picture)


def statement(holder: str, stated: Mapping[str, Any]) -> Upload:
    """A hospital's statement as PDF; as a photo where nothing can set type."""
    rows = "".join(
        f"<tr><td>{label}<td class=n>{escape(str(stated.get(name) or '0'))}"
        for name, label in _COSTS.items()
    )
    html = (
        '<html lang="zh-CN"><head><title>医疗费用结算单（演示）</title><style>'
        "@page{size:A5;margin:14mm}h1{font-size:15pt;text-align:center}"
        "table{width:100%;border-collapse:collapse}td{border:.5pt solid #999;padding:2mm}"
        ".n{text-align:right}</style></head><body><h1>医疗费用结算单（演示）</h1>"
        f"<p>姓名：{escape(holder)}</p><table>{rows}</table>"
        "<p>本结算单为演示虚构，不是任何医院的票据。</p></body></html>"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "statement.pdf")
        try:
            pdf.render(
                html,
                path,
                fonts=pdf.report_fonts([html], Path(folder)),
                cache_dir=Path(settings.VAR_DIR) / "fontconfig",
            )
        except pdf.PangoMissing:
            return receipt(holder, str(stated["text"]))
        return Upload("医疗费用结算单.pdf", path.read_bytes())


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(pdf.bundled_font("regular")), size)


def _jpeg(name: str, picture: Image.Image) -> Upload:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=82)
    return Upload(name, content.getvalue())
