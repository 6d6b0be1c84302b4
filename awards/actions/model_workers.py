"""The roll of model workers: enrolment, yearly verification, hardship, death."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from awards.actions import honours
from awards.actions.honours import Ended
from awards.actions.refusals import AwardsRefused, once_more
from awards.models import HardshipYear, ModelWorker, YearlyVerification
from members.actions import people
from members.models import Person
from union_portal import access, audit, sets
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account, StoredFile

EDITABLE = frozenset({"kind", "is_farmer", "lost_work_capacity_on"})


@dataclass(frozen=True)
class Enrolled:
    """How many rows really changed."""

    model_workers: int
    honours: int


@transaction.atomic
def enroll(
    *,
    person: Person,
    kind: str,
    by: Account,
    is_farmer: bool = False,
    lost_work_capacity_on: date | None = None,
) -> ModelWorker:
    """Put one person on the roll; the title is conferred by `honours.confer`."""
    access.require(by, Permission.HONOUR_EDIT, person.organization)
    try:
        with transaction.atomic():
            made = ModelWorker.objects.create(
                person=person,
                kind=kind,
                is_farmer=is_farmer,
                lost_work_capacity_on=lost_work_capacity_on,
                enrolled_by=by,
            )
    except IntegrityError as error:
        once_more(
            error,
            awards_modelworker_person_id_key=(
                gettext_noop("The person is on the roll of model workers already."),
                gettext_noop("Change the existing entry."),
            ),
        )
    audit.record("modelworker.enrolled", made, by=by, organization=person.organization)
    return made


# Each statement is ordered, so that its look-ups are done before it writes.
_ADD_TITLES = """
    INSERT INTO awards_honourtitle (code, name, level, is_model_worker)
    SELECT DISTINCT ON (r.title) 't' || substr(md5(r.title), 1, 12), r.title, r.level, true
    FROM {rows}
    WHERE NOT EXISTS (SELECT 1 FROM awards_honourtitle t WHERE t.name = r.title)
    ORDER BY r.title
    ON CONFLICT DO NOTHING
"""
_ENROLL = """
    INSERT INTO awards_modelworker (person_id, kind, is_farmer, lost_work_capacity_on,
        enrolled_by_id, enrolled_at)
    SELECT DISTINCT ON (r.person_id) r.person_id, r.worker_kind, r.is_farmer::boolean,
        r.lost_on::date, %s, %s
    FROM {rows} JOIN members_person p ON p.id = r.person_id
    JOIN union_portal_organization o ON o.id = p.organization_id
    WHERE o.path LIKE ANY (%s)
    ON CONFLICT (person_id) DO UPDATE SET kind = EXCLUDED.kind,
        is_farmer = EXCLUDED.is_farmer,
        lost_work_capacity_on = COALESCE(EXCLUDED.lost_work_capacity_on,
            awards_modelworker.lost_work_capacity_on)
    WHERE (awards_modelworker.kind, awards_modelworker.is_farmer,
           awards_modelworker.lost_work_capacity_on)
        IS DISTINCT FROM (EXCLUDED.kind, EXCLUDED.is_farmer,
            COALESCE(EXCLUDED.lost_work_capacity_on, awards_modelworker.lost_work_capacity_on))
"""
_CONFER = """
    INSERT INTO awards_honour (person_id, title_id, conferred_on, certificate_no,
        recorded_by_id, recorded_at, revoked_reason, state)
    SELECT r.person_id, t.id, r.conferred_on::date, r.certificate, %s, %s, '', 'held'
    FROM {rows} JOIN awards_honourtitle t ON t.name = r.title
    JOIN members_person p ON p.id = r.person_id
    JOIN union_portal_organization o ON o.id = p.organization_id
    WHERE o.path LIKE ANY (%s)
      AND NOT EXISTS (SELECT 1 FROM awards_honour h
                      WHERE h.person_id = r.person_id AND h.title_id = t.id)
    ORDER BY r.person_id
    ON CONFLICT DO NOTHING
"""
_VERIFY = """
    INSERT INTO awards_yearlyverification (model_worker_id, year, is_alive, honour_retained,
        evidence, verified_by_id, verified_on)
    SELECT r.id, %s, true, true, %s, %s, %s
    FROM {rows} JOIN awards_modelworker w ON w.id = r.id
    JOIN members_person p ON p.id = w.person_id
    JOIN union_portal_organization o ON o.id = p.organization_id
    WHERE o.path LIKE ANY (%s) AND p.died_on IS NULL
      AND EXISTS (SELECT 1 FROM awards_honour h
                  WHERE h.person_id = p.id AND h.state = 'held')
      AND NOT EXISTS (SELECT 1 FROM awards_yearlyverification v
                      WHERE v.model_worker_id = w.id AND v.year = %s)
    ORDER BY w.id
"""


@transaction.atomic
def enroll_set(*, rows: QuerySet[Any, Any], by: Account) -> Enrolled:
    """Enrol many people and enter their honours, in three statements.

    `rows` has `values()` named person_id, worker_kind, is_farmer, lost_on, title, level,
    conferred_on and certificate; a title that is on no list yet is added to it. What is
    known is updated only where it differs; a title the person holds or lost stays as it
    is. People outside the account's reach are passed over.
    """
    access.require(by, Permission.HONOUR_EDIT)
    reach = [f"{path}%" for path in access.reach(by, Permission.HONOUR_EDIT)]
    titles = sets.source(rows.order_by(), "title", "level")
    if titles is None:
        return Enrolled(0, 0)
    added = sets.insert(_ADD_TITLES, titles, ("title", "level"))
    names = ("person_id", "worker_kind", "is_farmer", "lost_on")
    enrolled = _insert(_ENROLL, rows, names, by, reach)
    names = ("person_id", "title", "conferred_on", "certificate")
    conferred = _insert(_CONFER, rows, names, by, reach)
    done = Enrolled(enrolled.count, conferred.count)
    if enrolled.count or conferred.count:
        sets.analyse("awards_modelworker")
        sets.analyse("awards_honour")
        audit.record_ref(
            "modelworker.enrolled_set",
            "awards.modelworker",
            "set",
            by=by,
            count=enrolled.count,
            ids_sha256=enrolled.ids_sha256,
            titles=added.count,
            honours=conferred.count,
            honour_ids_sha256=conferred.ids_sha256,
        )
    return done


@transaction.atomic
def update(*, model_worker: ModelWorker, by: Account, **changes: Any) -> list[str]:
    """Change class, farmer flag or loss of work capacity; return what really changed."""
    held = ModelWorker.objects.select_for_update().get(pk=model_worker.pk)
    access.require(by, Permission.HONOUR_EDIT, held.person.organization)
    if set(changes) - EDITABLE:
        raise ValueError(", ".join(sorted(set(changes) - EDITABLE)))
    columns = sorted(name for name, value in changes.items() if getattr(held, name) != value)
    for name in columns:
        setattr(held, name, changes[name])
        setattr(model_worker, name, changes[name])
    if columns:
        held.save(update_fields=columns)
        audit.record(
            "modelworker.updated",
            held,
            by=by,
            organization=held.person.organization,
            columns=columns,
        )
    return columns


@transaction.atomic
def verify(
    *,
    model_worker: ModelWorker,
    year: int,
    is_alive: bool,
    honour_retained: bool,
    evidence: str,
    by: Account,
    today: date,
    file: StoredFile | None = None,
) -> YearlyVerification:
    """Write down what was found about one model worker for a year (X3).

    A finding against the person stops payments at once; death and revocation are entered by
    `record_death` and `honours.revoke`, which also withdraw what was decided.
    """
    person = model_worker.person
    access.require(by, Permission.HONOUR_VERIFY, person.organization)
    _require_year(year, today)
    if is_alive and person.died_on is not None:
        raise AwardsRefused(
            gettext_noop("The register says that the person has died."),
            gettext_noop("Correct the register first, if that is wrong."),
        )
    made = YearlyVerification.objects.create(
        model_worker=model_worker,
        year=year,
        is_alive=is_alive,
        honour_retained=honour_retained,
        evidence=_evidence(evidence),
        file=file,
        verified_by=by,
        verified_on=today,
    )
    audit.record(
        "modelworker.verified",
        model_worker,
        by=by,
        organization=person.organization,
        year=year,
        is_alive=is_alive,
        honour_retained=honour_retained,
    )
    return made


@transaction.atomic
def verify_set(
    *,
    year: int,
    by: Account,
    today: date,
    rows: QuerySet[ModelWorker] | None = None,
    evidence: str = "",
) -> int:
    """Verify many as alive and keeping the honour: `rows`, or everybody within reach.

    Those verified for the year stay as found; the dead and those who hold no honour are
    passed over. Without `evidence`, the comparison with the registers is named.
    """
    access.require(by, Permission.HONOUR_VERIFY)
    _require_year(year, today)
    chosen = ModelWorker.objects.all() if rows is None else rows
    table = sets.source(chosen.order_by(), "id")
    if table is None:
        return 0
    reach = [f"{path}%" for path in access.reach(by, Permission.HONOUR_VERIFY)]
    made = sets.insert(
        _VERIFY,
        table,
        ("id",),
        before=[year, _evidence(evidence or _("Compared with the registers")), by.pk, today],
        after=[reach, year],
    )
    if made.count:
        sets.analyse("awards_yearlyverification")
        audit.record_ref(
            "modelworker.verified_set",
            "awards.modelworker",
            "set",
            by=by,
            count=made.count,
            ids_sha256=made.ids_sha256,
            year=year,
        )
    return made.count


@transaction.atomic
def record_hardship(
    *, model_worker: ModelWorker, year: int, evidence: str, by: Account
) -> HardshipYear:
    """The person counts as in hardship in this year: the year's standard applies (X5)."""
    access.require(by, Permission.HONOUR_VERIFY, model_worker.person.organization)
    try:
        with transaction.atomic():
            made = HardshipYear.objects.create(
                model_worker=model_worker,
                year=year,
                evidence=_evidence(evidence),
                recorded_by=by,
            )
    except IntegrityError as error:
        once_more(
            error,
            hardship_year_once=(
                gettext_noop("Hardship in this year is recorded already."),
                gettext_noop("Nothing needs to be entered."),
            ),
        )
    audit.record(
        "modelworker.hardship",
        model_worker,
        by=by,
        organization=model_worker.person.organization,
        year=year,
    )
    return made


@transaction.atomic
def withdraw_hardship(*, hardship: HardshipYear, reason: str, by: Account) -> None:
    """The year was recorded in error; the row stays and no longer counts."""
    person = hardship.model_worker.person
    access.require(by, Permission.HONOUR_VERIFY, person.organization)
    why = require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Write what was wrong."),
    )
    HardshipYear.objects.filter(pk=hardship.pk).update(is_withdrawn=True)
    hardship.is_withdrawn = True
    audit.record(
        "modelworker.hardship_withdrawn",
        hardship.model_worker,
        by=by,
        reason=why,
        organization=person.organization,
        year=hardship.year,
    )


@transaction.atomic
def record_death(
    *, model_worker: ModelWorker, died_on: date, by: Account, today: date, reason: str = ""
) -> Ended:
    """Enter a death; what was decided and not yet sent to the bank is withdrawn (X3)."""
    person = model_worker.person
    people.record_death(person=person, died_on=died_on, by=by, today=today, reason=reason)
    return honours.end_unpaid(person, by=by, reason=reason or "died")


def _insert(
    statement: str,
    rows: QuerySet[Any, Any],
    names: tuple[str, ...],
    by: Account,
    reach: list[str],
) -> sets.Inserted:
    table = sets.source(rows.order_by(), *names)
    if table is None:
        return sets.Inserted(0, "")
    return sets.insert(statement, table, names, before=[by.pk, timezone.now()], after=[reach])


def _require_year(year: int, today: date) -> None:
    if not today.year - 1 <= year <= today.year + 1:
        raise AwardsRefused(
            gettext_noop("Verify for last year, this year or the next one."),
            gettext_noop("Check the year."),
        )


def _evidence(text: str) -> str:
    return require_text(
        text,
        gettext_noop("The evidence is missing."),
        gettext_noop("Say how it was verified: visit, call, register."),
    )[:200]
