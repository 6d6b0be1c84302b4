"""A process that renders: `python -m union_portal.kit.pdf_renderer CACHE`.

It imports WeasyPrint once and forks for every request, so that each section starts small and
gives all its memory back; a section that crashes takes nobody with it. Requests come as one
line of JSON each on standard input, answers leave as one line each: {"id", "status"}. What the
fork has to say lies in the request's `answer` file. It reads no database and no settings.
"""

import gc
import json
import os
import resource
import selectors
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from union_portal.kit import pdf, pdf_fonts, pdf_join

CRASHED = 70


def cut_fonts(request: dict[str, Any]) -> dict[str, Any]:
    """Cut the fonts down to the report's characters; tells their files. See `pdf_fonts.settle`."""
    characters = Path(request["characters"]).read_text(encoding="utf-8")
    fonts = pdf.report_fonts([characters], Path(request["out"]).parent)
    texts = pdf_fonts.settle(fonts, [characters, *pdf.ALWAYS])
    Path(request["out"]).write_text(json.dumps(texts), encoding="utf-8")
    return {"fonts": [str(fonts.regular), str(fonts.bold)]}


def print_section(request: dict[str, Any]) -> dict[str, Any]:
    """Render one section; tells its pages."""
    import pikepdf

    out = Path(request["out"])
    style = Path(request["style"]).read_text(encoding="utf-8") + request["page_style"]
    body = Path(request["body"]).read_text(encoding="utf-8")
    html = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f"<style>{style}</style></head><body>{body}</body></html>"
    )
    pdf.render(
        html,
        out,
        fonts=pdf.FontFiles(*map(Path, request["fonts"])),
        cache_dir=Path(sys.argv[1]),
        full_fonts=True,
        pdf_tags=request["is_tagged"],
    )
    with pikepdf.open(out) as printed:
        return {"pages": len(printed.pages)}


def join_sections(request: dict[str, Any]) -> dict[str, Any]:
    """Join rendered sections into one document; tells its pages."""
    pages = pdf_join.join(
        [Path(part) for part in request["parts"]],
        Path(request["out"]),
        details=pdf_join.Details(**request["details"]),
        font_texts=json.loads(Path(request["font_texts"]).read_bytes()),
        outline=[pdf_join.Bookmark(*bookmark) for bookmark in request["outline"]],
        is_tagged=request["is_tagged"],
    )
    return {"pages": pages}


WORKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "fonts": cut_fonts,
    "print": print_section,
    "join": join_sections,
}


def main() -> None:
    """Serve until standard input ends."""
    _import_early()
    # A fork is short-lived and gives everything back: looking for garbage costs it a quarter.
    gc.disable()
    gc.freeze()
    wakeup, wakeup_in = os.pipe()
    os.set_blocking(wakeup_in, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup_in, warn_on_full_buffer=False)
    children: dict[int, str] = {}
    with selectors.DefaultSelector() as watched:
        watched.register(0, selectors.EVENT_READ)
        watched.register(wakeup, selectors.EVENT_READ)
        pending = b""
        while True:
            for key, _events in watched.select():
                if key.fd == wakeup:
                    os.read(wakeup, 512)
                    _answer_for_ended(children)
                    continue
                received = os.read(key.fd, 65536)
                if not received:
                    _stop(children)
                    return
                *lines, pending = (pending + received).split(b"\n")
                for line in lines:
                    request = json.loads(line)
                    children[_fork(request)] = request["id"]


def _import_early() -> None:
    """What every fork needs, once: most of a small section's time would be imports."""
    try:
        pdf.require_pango()
        pdf.ensure_fontconfig(Path(sys.argv[1]))
        import pikepdf  # noqa: F401
        import weasyprint  # noqa: F401
    except (OSError, ImportError, pdf.PangoMissing, pdf.FontMissing):
        return  # the fork meets it again and says so in its answer


def _fork(request: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    status = CRASHED
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        status = _serve(request)
    finally:
        os._exit(status)


def _serve(request: dict[str, Any]) -> int:
    try:
        answer = WORKS[request["work"]](request)
        status = 0
    except Exception as error:
        traceback.print_exc()
        answer = {"error": f"{type(error).__name__}: {error}"}
        status = 1
    answer["peak_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")
    return status


def _answer_for_ended(children: dict[int, str]) -> None:
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        answer = {"id": children.pop(child), "status": os.waitstatus_to_exitcode(status)}
        os.write(1, json.dumps(answer).encode() + b"\n")


def _stop(children: dict[int, str]) -> None:
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
