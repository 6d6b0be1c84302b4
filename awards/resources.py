"""Model-worker columns of the people import: how they are read, checked and written."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Count,
    DateField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from awards.actions import model_workers
from awards.models import Honour, HonourLevel, HonourTitle, ModelWorker, ModelWorkerKind
from awards.states import HonourState
from members.rules.columns import Cells, Column, ColumnGroup, Found, register
from members.rules.rows import RowError, read_line
from union_portal import access
from union_portal.access import Permission
from union_portal.kit.dates import read_date
from union_portal.models import Account

GROUP: Final = "model_worker"
LONGEST_TITLE: Final = 80
LONGEST_CERTIFICATE: Final = 40

_LEVELS: Final = {
    "国家级": HonourLevel.NATIONAL,
    "全国": HonourLevel.NATIONAL,
    "省级": HonourLevel.PROVINCIAL,
    "省部级": HonourLevel.PROVINCIAL,
    "市级": HonourLevel.MUNICIPAL,
    **{level.value: level for level in HonourLevel},
}
_KINDS: Final = {
    "科教": ModelWorkerKind.SCIENCE_EDUCATION,
    "文化": ModelWorkerKind.CULTURE,
    "企业": ModelWorkerKind.ENTERPRISE,
    "农村": ModelWorkerKind.RURAL,
    **{kind.value: kind for kind in ModelWorkerKind},
}
_YES_NO: Final = {"是": True, "否": False, "yes": True, "no": False, "": False}

COLUMNS: Final = (
    Column("title", "荣誉称号", "Honour title", example="榆林市劳动模范", width=20),
    Column("level", "荣誉级别", "Honour level", example="市级", choices=("国家级", "省级", "市级")),
    Column("conferred_on", "授予日期", "Conferred on", example="2015-04-28", as_text=True),
    Column("certificate", "证书编号", "Certificate number", as_text=True, width=20),
    Column(
        "worker_kind",
        "劳模类别",
        "Model worker class",
        example="农村",
        choices=("科教", "文化", "企业", "农村"),
    ),
    Column("is_farmer", "是否农民劳模", "Farmer model worker", example="是", choices=("是", "否")),
    Column("lost_on", "丧失劳动能力日期", "Lost work capacity on", as_text=True),
)


def read(cells: Cells) -> Mapping[str, Any] | None:
    """The row's honour, or None where all columns are empty. Faults go to the cells."""
    if not any(cells[column.key] for column in COLUMNS):
        return None
    title = cells.read("title", _read_title)
    level = cells.read("level", _chosen(_LEVELS))
    kind = cells.read("worker_kind", _chosen(_KINDS))
    is_farmer = cells.read("is_farmer", _chosen(_YES_NO))
    conferred = cells.read("conferred_on", lambda text: _past(text, cells.today))
    lost = cells.optional("lost_on", lambda text: _past(text, cells.today))
    certificate = cells.read("certificate", lambda text: read_line(text, LONGEST_CERTIFICATE))
    return {
        "title": title,
        "level": level,
        "worker_kind": kind,
        "is_farmer": is_farmer,
        "conferred_on": conferred.isoformat() if conferred else None,
        "lost_on": lost.isoformat() if lost else None,
        "certificate": certificate or "",
    }


def check(rows: QuerySet[Any]) -> Iterator[Found]:
    """What only the whole file and the roll show; one query for each kind of fault."""
    first = rows.select_related("run__uploaded_by").first()
    if first is None:
        return
    if not access.may(first.run.uploaded_by, Permission.HONOUR_EDIT):
        yield from _found(
            rows,
            "title",
            RowError(
                gettext_noop("Your role does not enter honours."),
                gettext_noop("Leave the columns of the honour empty, or ask the city to import."),
            ),
        )
        return
    facts = _facts(rows)
    yield from _levels_told(facts)
    yield from _certificates_told(facts)
    revoked = Honour.objects.filter(
        person=OuterRef("person_id"), title__name=OuterRef("title"), state=HonourState.REVOKED
    )
    yield from _found(
        facts.filter(Exists(revoked)),
        "title",
        RowError(
            gettext_noop("This honour was revoked; the import does not confer it again."),
            gettext_noop("If it was restored, confer it by hand at the person."),
        ),
        is_warning=True,
    )


def _levels_told(facts: QuerySet[Any]) -> Iterator[Found]:
    other_level = HonourTitle.objects.filter(name=OuterRef("title")).exclude(
        level=OuterRef("level")
    )
    yield from _found(
        facts.filter(Exists(other_level)),
        "level",
        RowError(
            gettext_noop("This title is on the list of titles with another level."),
            gettext_noop("Correct the level, or write the title as it stands on the list."),
        ),
    )
    doubled = facts.values("title").annotate(n=Count("level", distinct=True)).filter(n__gt=1)
    yield from _found(
        facts.filter(title__in=list(doubled.order_by().values_list("title", flat=True)[:100])),
        "level",
        RowError(
            gettext_noop("The file gives this title more than one level."),
            gettext_noop("Correct the level, or write the title as it stands on the list."),
        ),
    )


def _certificates_told(facts: QuerySet[Any]) -> Iterator[Found]:
    named = facts.exclude(certificate="")
    # A person who is new has no id: every holder is another person then.
    taken = Honour.objects.filter(
        ~Q(person=Coalesce(OuterRef("person_id"), 0)),
        title__name=OuterRef("title"),
        certificate_no=OuterRef("certificate"),
    )
    yield from _found(
        named.filter(Exists(taken)),
        "certificate",
        RowError(
            gettext_noop("Another person holds this certificate number."),
            gettext_noop("Compare both certificates."),
        ),
    )
    pair = Concat("title", Value("\n"), "certificate", output_field=TextField())
    paired = named.annotate(pair=pair)
    doubled = paired.order_by().values("pair").annotate(n=Count("pair")).filter(n__gt=1)
    yield from _found(
        paired.filter(pair__in=doubled.values("pair")),
        "certificate",
        RowError(
            gettext_noop("The certificate number stands in more than one row."),
            gettext_noop("Compare the certificates; each has its own number."),
        ),
    )


def _found(
    rows: QuerySet[Any], key: str, refusal: RowError, *, is_warning: bool = False
) -> Iterator[Found]:
    header = next(column.header for column in COLUMNS if column.key == key)
    for row in rows.order_by("row").values_list("row", flat=True).iterator():
        yield Found(row, header, refusal, is_warning=is_warning)


def differing(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows of known people whose class, farmer flag, lost capacity or title is new."""
    facts = _facts(rows)
    same = ModelWorker.objects.filter(
        Q(lost_work_capacity_on=OuterRef("lost_on")) | Q(IsNull(OuterRef("lost_on"), True)),
        person=OuterRef("person_id"),
        kind=OuterRef("worker_kind"),
        is_farmer=OuterRef("is_farmer"),
    )
    held = Honour.objects.filter(person=OuterRef("person_id"), title__name=OuterRef("title"))
    return facts.filter(~Exists(same) | ~Exists(held))


def write(*, rows: QuerySet[Any], by: Account, today: date) -> int:
    """Enrol and confer, set-based; returns how many rows changed something.

    Rows of an uploader who may not enter honours were refused by `check`.
    """
    if not rows.exists():
        return 0
    done = model_workers.enroll_set(
        rows=_facts(rows.filter(person_id__isnull=False)).values(
            "person_id",
            "worker_kind",
            "is_farmer",
            "lost_on",
            "title",
            "level",
            "conferred_on",
            "certificate",
        ),
        by=by,
    )
    return max(done.model_workers, done.honours)


def _facts(rows: QuerySet[Any]) -> QuerySet[Any]:
    path = f"extra__{GROUP}__"
    return rows.annotate(
        title=KT(f"{path}title"),
        level=KT(f"{path}level"),
        worker_kind=KT(f"{path}worker_kind"),
        is_farmer=Cast(KT(f"{path}is_farmer"), BooleanField()),
        conferred_on=Cast(KT(f"{path}conferred_on"), DateField()),
        lost_on=Cast(KT(f"{path}lost_on"), DateField()),
        certificate=KT(f"{path}certificate"),
    )


def _chosen(choices: Mapping[str, Any]) -> Any:
    def reader(text: str) -> Any:
        if text.strip() in choices:
            return choices[text.strip()]
        raise RowError(
            gettext_noop("“%(text)s” is not one of the choices."),
            gettext_noop("Choose one of: %(choices)s."),
            {"text": text[:20], "choices": "、".join(key for key in choices if key)},
        )

    return reader


def _read_title(text: str) -> str:
    title = read_line(text, LONGEST_TITLE)
    if not title:
        raise RowError(
            gettext_noop("The honour title is missing."),
            gettext_noop("Write the title, or leave all honour columns of the row empty."),
        )
    return title


def _past(text: str, today: date) -> date:
    day = read_date(text)
    if day > today:
        raise RowError(
            gettext_noop("This date lies in the future."), gettext_noop("Correct the date.")
        )
    return day


def register_columns() -> None:
    """Add the columns to every import of people and to its template."""
    register(ColumnGroup(GROUP, _("honours"), COLUMNS, read, check, differing, write))
