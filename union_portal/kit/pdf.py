"""Foundation of printed reports: bundled fonts, a closed door for URLs, and rendering.

WeasyPrint and Pango are imported only when something is rendered, so that a machine without
them still serves the site.
"""

import ctypes
import ctypes.util
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

FAMILY: Final = "Union Report"
PANGO_APT_LINE: Final = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_LIBRARIES: Final = (
    ("libpango-1.0.so.0", "pango-1.0"),
    ("libpangoft2-1.0.so.0", "pangoft2-1.0"),
    ("libgobject-2.0.so.0", "gobject-2.0"),
    ("libharfbuzz.so.0", "harfbuzz"),
    ("libfontconfig.so.1", "fontconfig"),
)
_PACKAGES: Final = {
    "regular": ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
    "bold": ("noto_cjk_sans_jp_bold", "NotoSansCJKjp-Bold.otf"),
}
ALWAYS: Final = frozenset(
    "".join(map(chr, range(0x20, 0x7F)))
    + "\u00a0·×÷±°§…—–‘’“”¥￥%‰、。，．：；？！「」『』（）《》〈〉【】〔〕＋－＝／＊＃"
    + "０１２３４５６７８９〇零一二三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟元角分整"
    + "第页共年月日合计小计承前过次●○■□√×①②③④⑤⑥⑦⑧⑨⑩"
)
"""Characters every report font keeps: what counters, totals and page furniture produce."""


class PangoMissing(Refused):
    """The system libraries that set type are not installed."""


class FontMissing(Refused):
    """A bundled font package is not installed."""


@dataclass(frozen=True)
class FontFiles:
    """Fonts cut down to one report's characters; the files belong to the caller's folder."""

    regular: Path
    bold: Path

    def css(self) -> str:
        """``@font-face`` rules of the family ``Union Report``, regular and bold."""
        return "".join(
            f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};'
            f'src:url("{path.resolve().as_uri()}")}}'
            for weight, path in ((400, self.regular), (700, self.bold))
        )


class ResourceDenied(Refused):
    """A report asked for a file or address it was not given."""


def require_pango() -> None:
    """Raise PangoMissing, which names the one line to run, unless all libraries load."""
    for soname, short in _LIBRARIES:
        if not _loads(soname) and not _loads(ctypes.util.find_library(short)):
            raise PangoMissing(
                gettext_noop("PDF reports wait: the system library %(library)s is missing."),
                gettext_noop("Run as root: %(command)s"),
                {"library": soname, "command": PANGO_APT_LINE},
            )


def require_fonts() -> None:
    """Raise FontMissing, which names the file, unless every bundled font is installed."""
    for weight in _PACKAGES:
        bundled_font(weight)


def _loads(name: str | None) -> bool:
    if not name:
        return False
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def bundled_font(weight: str) -> Path:
    """Path of the bundled font, ``regular`` or ``bold``, without importing its package."""
    package, file_name = _PACKAGES[weight]
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / file_name
        if path.is_file():
            return path
    raise FontMissing(
        gettext_noop("The report font %(font)s is not installed."),
        gettext_noop("Install the locked requirements again."),
        {"font": file_name},
    )


@cache
def _covered() -> frozenset[int]:
    """Code points for which the bundled regular font has a glyph (its cmap)."""
    import uharfbuzz

    blob = uharfbuzz.Blob.from_file_path(str(bundled_font("regular")))
    return frozenset(uharfbuzz.Face(blob).unicodes)


def missing_characters(text: str) -> str:
    """Characters of the text that the bundled font cannot draw, each once, in order."""
    covered = _covered()
    return "".join(
        character
        for character in dict.fromkeys(text)
        if character.isprintable() and ord(character) not in covered
    )


def report_fonts(characters: Iterable[str], folder: Path) -> FontFiles:
    """Cut the bundled fonts down to the characters of one report, into ``folder``.

    All layout features and scripts are kept: the mainland shapes of a font with Japanese
    defaults are such a feature, chosen by ``lang="zh-CN"``.
    """
    wanted = {ord(character) for text in characters for character in text}
    wanted |= {ord(character) for character in ALWAYS}
    paths = {weight: folder / f"report-{weight}.otf" for weight in _PACKAGES}
    for weight, path in paths.items():
        path.write_bytes(_subset(bundled_font(weight), wanted))
    return FontFiles(paths["regular"], paths["bold"])


def _subset(font: Path, code_points: set[int]) -> bytes:
    import uharfbuzz

    request = uharfbuzz.SubsetInput()
    request.unicode_set.update(code_points)
    for tags in (request.layout_feature_tag_set, request.layout_script_tag_set):
        tags.clear()
        tags.invert()
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(font)))
    return bytes(uharfbuzz.subset(face, request).blob.data)


def ensure_fontconfig(cache_dir: Path) -> Path:
    """Make fontconfig find the bundled fonts besides the system's own, for this process.

    Pango crashes the whole process (SIGSEGV) when fontconfig knows no font at all. Returns
    the configuration file; safe to call again.
    """
    folders = {bundled_font(weight).parent for weight in _PACKAGES}
    inherited = os.environ.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf")
    path = cache_dir / "fonts.conf"
    if inherited != str(path):
        cache_dir.mkdir(parents=True, exist_ok=True)
        lines = [
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
            f'<fontconfig><include ignore_missing="yes">{escape(inherited)}</include>',
            *(f"<dir>{escape(str(folder))}</dir>" for folder in sorted(folders)),
            f"<cachedir>{escape(str(cache_dir / 'fontconfig'))}</cachedir></fontconfig>",
        ]
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text("\n".join(lines), encoding="utf-8")
        fresh.replace(path)
        os.environ["FONTCONFIG_FILE"] = str(path)
    return path


def deny_all(allowed: Collection[Path]) -> Any:
    """A URL fetcher for WeasyPrint that opens the given files and data URIs, nothing else.

    Anything else stops the rendering: in our own reports it is a mistake or an attack.
    """
    from weasyprint.urls import URLFetcher

    files = {path.resolve() for path in allowed}

    class DenyAll(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            parts = urlsplit(url)
            local = parts.scheme == "file" and Path(unquote(parts.path)).resolve() in files
            if not local and parts.scheme != "data":
                raise ValueError(f"not allowed in a report: {parts.scheme}")
            return super().fetch(url, headers)

    return DenyAll(allow_redirects=False, fail_on_errors=True)


def render(
    html: str,
    out_path: Path,
    *,
    fonts: FontFiles,
    cache_dir: Path,
    allowed: Collection[Path] = (),
    **options: Any,
) -> None:
    """Render a document to ``out_path``, which appears only when it is complete.

    The root element must carry ``lang="zh-CN"``, otherwise Japanese shapes are drawn.
    ``options`` go to WeasyPrint. Errors: PangoMissing, ResourceDenied, ValueError.
    """
    if 'lang="zh-CN"' not in html[: html.find(">", html.find("<html")) + 1]:
        raise ValueError('the report must begin with <html lang="zh-CN">')
    require_pango()
    ensure_fontconfig(cache_dir)
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError

    configuration = FontConfiguration()
    fetcher = deny_all({fonts.regular, fonts.bold, *allowed})
    unfinished = out_path.with_name(f".{out_path.name}.{os.getpid()}")
    try:
        faces = CSS(
            string=f'{fonts.css()} html{{font-family:"{FAMILY}"}}',
            font_config=configuration,
            url_fetcher=fetcher,
        )
        HTML(string=html, url_fetcher=fetcher).write_pdf(
            unfinished, stylesheets=[faces], font_config=configuration, **options
        )
        unfinished.replace(out_path)
    except FatalURLFetchingError as error:
        raise ResourceDenied(
            gettext_noop("The report refers to something outside itself."),
            gettext_noop("Put the picture into the report's own files."),
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
