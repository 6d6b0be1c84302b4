"""No form that posts can be forgotten: the tag every one of them needs brings its key."""

import re
from pathlib import Path

from django.conf import settings
from django.template import engines
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils.module_loading import import_string

from tests.architecture.sources import ROOT
from union_portal import once
from union_portal.templatetags.once import KeyedCsrfTokenNode

FORM = re.compile(r"<form\b[^>]*\bmethod=[\"']?post.*?</form>", re.IGNORECASE | re.DOTALL)


def forms_in(folder: Path) -> list[tuple[str, str]]:
    return [
        (str(path), form)
        for path in sorted(folder.rglob("*.html"))
        for form in FORM.findall(path.read_text(encoding="utf-8"))
    ]


def test_every_form_that_posts_carries_the_tag():
    forms = forms_in(ROOT / "templates")
    assert len(forms) > 15
    assert [path for path, form in forms if "{% csrf_token %}" not in form] == []


def test_every_form_has_a_key_of_its_own():
    two = "{% csrf_token %}{% csrf_token %}"
    page = engines["django"].from_string(two).render({}, RequestFactory().get("/"))
    keys = re.findall(rf'name="{once.FIELD}" value="([^"]+)"', page)
    assert len(keys) == len(set(keys)) == 2


def test_the_forms_of_the_libraries_carry_it_too():
    nodes = get_template("admin/change_form.html").template.nodelist  # type: ignore[attr-defined]
    assert nodes.get_nodes_by_type(KeyedCsrfTokenNode)


def test_the_middleware_is_the_last_one_that_looks_at_the_view():
    """What stands behind it would not be asked before the view runs."""
    ours = settings.MIDDLEWARE.index("union_portal.middleware.OnceMiddleware")
    behind = settings.MIDDLEWARE[ours + 1 :]
    assert [name for name in behind if hasattr(import_string(name), "process_view")] == []


def test_every_field_of_a_search_has_an_end():
    boxes = re.compile(r"<input\b(?:[^>{]|{%.*?%}|{{.*?}})*\bname=\"q\"(?:[^>{]|{%.*?%}|{{.*?}})*>")
    found = [
        box
        for path in (ROOT / "templates").rglob("*.html")
        for box in boxes.findall(path.read_text())
    ]
    assert len(found) >= 6
    assert [box for box in found if "maxlength=" not in box] == []
