"""Sheets of people: the template, the list of findings, exports, and the small-file door."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from import_export import fields, resources

from members.actions import bank_accounts, exports, people
from members.actions.staging import union_finder
from members.actions.unions import FIELDS as OFFICIAL
from members.models import (
    BankAccount,
    ImportFinding,
    ImportRun,
    MemberProfile,
    Membership,
    Person,
    Severity,
    StagedRow,
    UnionProfile,
)
from members.rules import columns, rows
from members.rules.columns import Cells, Layout
from members.states import BankAccountState
from union_portal import access
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit.identity import read_national_id
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import (
    Column,
    SheetData,
    SheetError,
    write_csv,
    write_xlsx,
)
from union_portal.kit.sheets import write_template as write_sheet_template
from union_portal.models import Account, Organization

Format = Literal["xlsx", "csv"]
Target = Path | BinaryIO
_BATCH: Final = 5_000


def write_template(target: Target) -> None:
    """The sheet to fill in, with an example row, drop-downs and notes, in the reader's language.

    Drop-downs offer the Chinese values in both languages: these are what the sheet holds.
    """
    in_english = (get_language() or "").startswith("en")
    offered = [
        Column(
            header=column.english if in_english else column.header,
            example=column.example,
            choices=column.choices,
            note=_(column.note) if column.note else "",
            width=column.width,
            as_text=column.as_text,
            is_required=column.is_required,
        )
        for column in columns.all_columns()
    ]
    write_sheet_template(target, offered, title=_("List of people"))


@transaction.atomic
def write_findings(target: Target, run: ImportRun) -> None:
    """Every finding of every row, to mend the file by: row, column, value, what, remedy."""
    found = ImportFinding.objects.filter(run=run).order_by("row", "id")
    headers = (_("Row"), _("Column"), _("Value"), _("Kind"), _("What is wrong"), _("Remedy"))
    lines = (
        (
            finding.row,
            finding.column,
            finding.shown,
            str(Severity(finding.severity).label),
            finding.message,
            finding.remedy,
        )
        for finding in found.iterator(chunk_size=_BATCH)
    )
    write_xlsx(target, [SheetData(_("List of findings"), headers, lines, (8, 18, 24, 10, 60, 60))])


@transaction.atomic
def write_preview(target: Target, run: ImportRun) -> None:
    """What every row of a checked file would do."""
    staged = StagedRow.objects.filter(run=run).select_related("organization").order_by("row")
    headers = (
        _("Row"), _("Name"), _("Identity number"), _("Union"), _("What would happen"),
        _("Columns that change"),
    )  # fmt: skip
    lines = (
        (
            row.row,
            row.name,
            row.national_id_shown,
            row.organization.name if row.organization else "",
            row.get_kind_display(),
            "、".join(changed_labels(row.changed)),
        )
        for row in staged.iterator(chunk_size=_BATCH)
    )
    write_xlsx(target, [SheetData(_("Preview"), headers, lines, (8, 14, 24, 36, 16, 40))])


def changed_labels(names: Iterable[str]) -> list[str]:
    """Names of changed columns as people read them."""
    labels = {
        "phone": _("phone"),
        "employer": _("employer"),
        "organization": _("union"),
        "died_on": _("died on"),
        "bank_account": _("bank account (to be confirmed)"),
        "profile": _("further fields"),
        "membership": _("membership"),
        **{group.name: group.label for group in columns.groups()},
    }
    return [str(labels[name]) for name in names]


@transaction.atomic
def write_people(
    target: BinaryIO,
    *,
    people: QuerySet[Person],
    by: Account,
    kind: Format = "xlsx",
    masked: bool = True,
    reason: str = "",
) -> None:
    """Stream people as a sheet: masked unless asked for with a reason, logged, formula-safe."""
    chosen = exports.begin(people=people, by=by, kind=kind, masked=masked, reason=reason)
    headers = (
        _("Name"), _("Identity number"), _("Sex"), _("Birth date"), _("Phone"), _("Union"),
        _("Employer"), _("Account number"), _("Died on"),
    )  # fmt: skip
    lines = _masked_lines(chosen) if masked else _whole_lines(chosen)
    if kind == "csv":
        write_csv(target, headers, lines)
    else:
        widths = (14, 22, 8, 12, 16, 36, 36, 24, 12)
        write_xlsx(target, [SheetData(_("List of people"), headers, lines, widths)])


def _masked_lines(chosen: QuerySet[Person]) -> Iterator[Sequence[str | date | None]]:
    last_four = Subquery(_confirmed().values("last_four")[:1])
    sexes = _sexes()
    found = chosen.annotate(last_four=last_four).values_list(
        "name", "national_id_shown", "sex", "born_on", "phone_shown", "organization__name",
        "employer", "last_four", "died_on",
    )  # fmt: skip
    for name, number, sex, born, phone, union, employer, four, died in found.iterator(_BATCH):
        account = f"{'*' * 12}{four}" if four else ""
        yield name, number, sexes[sex], born, phone, union, employer, account, died


def _whole_lines(chosen: QuerySet[Person]) -> Iterator[Sequence[str | date | None]]:
    number = Subquery(_confirmed().values("number")[:1])
    sexes = _sexes()
    found = chosen.annotate(whole_account=number).select_related("organization")
    for person in found.iterator(_BATCH):
        yield (
            person.name,
            str(person.national_id),
            sexes[person.sex],
            person.born_on,
            str(person.phone or ""),
            person.organization.name,
            person.employer,
            str(person.whole_account or ""),
            person.died_on,
        )


def _confirmed() -> QuerySet[BankAccount]:
    return BankAccount.objects.filter(
        person=OuterRef("pk"), state=BankAccountState.CONFIRMED
    ).order_by("pk")


def _sexes() -> dict[str, str]:
    return {"male": _("male"), "female": _("female")}


@transaction.atomic
def write_memberships(
    target: BinaryIO, memberships: QuerySet[Membership], *, by: Account, kind: Format = "xlsx"
) -> None:
    """Stream memberships as a sheet: numbers masked, logged, formula-safe."""
    rows = exports.begin_memberships(memberships=memberships, by=by, kind=kind)
    headers = (
        _("Name"), _("Identity number"), _("Sex"), _("Union"), _("Employer"),
        _("In this union since"), _("Member since"), _("Ended on"), _("State"), _("Ethnicity"),
        _("Education"), _("Hukou"), _("Employment"), _("Farmer worker"),
    )  # fmt: skip
    widths = (14, 22, 8, 36, 36, 12, 12, 12, 16, 12, 20, 24, 16, 10)
    if kind == "csv":
        write_csv(target, headers, _membership_lines(rows))
    else:
        sheet = SheetData(_("Memberships"), headers, _membership_lines(rows), widths)
        write_xlsx(target, [sheet])


def _membership_lines(
    rows: QuerySet[Membership],
) -> Iterator[Sequence[str | date | None]]:
    sexes = _sexes()
    answers = {False: _("no"), True: _("yes")}
    found = rows.select_related("person__profile", "organization")
    for one in found.iterator(_BATCH):
        person = one.person
        profile = getattr(person, "profile", None) or MemberProfile()
        yield (
            person.name,
            person.national_id_shown,
            sexes[person.sex],
            one.organization.name,
            person.employer,
            one.joined_on,
            one.first_joined_on,
            one.ended_on,
            str(one.get_state_display()),
            profile.ethnicity,
            str(profile.get_education_display()),
            str(profile.get_hukou_type_display()),
            str(profile.get_employment_display()),
            answers[profile.is_farmer_worker],
        )


@transaction.atomic
def write_unions(target: BinaryIO, *, by: Account) -> None:
    """Every union within reach with its official fields, logged and formula-safe."""
    named = {field.name: str(field.verbose_name) for field in UnionProfile._meta.local_fields}
    columns = [named[name] for name in OFFICIAL]
    headers = (_("Union"), _("Level"), *columns)
    rows = exports.begin_unions(by=by)
    lines = (
        (
            union.name,
            str(union.get_level_display()),
            *(_official(getattr(union, "profile", None), name) for name in OFFICIAL),
        )
        for union in rows.iterator(_BATCH)
    )
    widths = (36, 16, *(20 for _column in columns))
    write_xlsx(target, [SheetData(_("Unions"), headers, lines, widths)])


def _official(profile: UnionProfile | None, name: str) -> str | date | None:
    if profile is None:
        return None
    told = getattr(profile, f"get_{name}_display", None)
    return str(told()) if told else getattr(profile, name)


class PersonResource(resources.ModelResource):
    """The door for small files: the same columns and readers, row by row through the actions.

    Big files and the columns of other apps go through `members.actions.imports`. Rows are
    written as `user`, into the unions within that account's reach.
    """

    name = fields.Field("name", column_name="姓名")
    national_id = fields.Field("national_id_shown", column_name="证件号码", readonly=True)
    phone = fields.Field("phone_shown", column_name="手机号", readonly=True)
    organization = fields.Field("organization__name", column_name="工会名称", readonly=True)
    employer = fields.Field("employer", column_name="工作单位")

    class Meta:
        model = Person
        fields = ("name", "national_id", "phone", "organization", "employer")
        use_transactions = True
        skip_unchanged = False
        report_skipped = True
        clean_model_instances = False

    _layout: Layout
    _run: ImportRun

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Match the headers once; refuse the file if a required one is missing."""
        by: Account = kwargs["user"]
        try:
            self._layout = columns.lay_out(dataset.headers)
        except SheetError as refusal:
            raise ValidationError(str(refusal)) from refusal
        reach = access.reach(by, Permission.PERSON_IMPORT)
        own = Organization.objects.filter(path__in=reach).order_by("path").first()
        if own is None:
            raise ValidationError(_("You do not hold the role that this step needs."))
        self._run = ImportRun(organization=own, reach=reach, uploaded_by=by)
        self._find_union = union_finder(self._run)

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Leave the numbering alone: no row brings an id, and only the owner may set it."""

    def get_instance(self, instance_loader: Any, row: Any) -> Person | None:
        """The person with the row's number, wherever they belong."""
        try:
            read = read_national_id(self._text(row, "national_id"), today=timezone.localdate())
        except Refused:
            return None
        index = fingerprint("national_id", read.number)
        return Person.objects.filter(national_id_index=index).first()

    def import_instance(self, instance: Person, row: Any, **kwargs: Any) -> None:
        """Read the row; all its faults at once become the row's errors."""
        cells = Cells(
            {header: self._plain(row.get(header)) for header in self._layout.headers.values()},
            self._layout,
            timezone.localdate(),
        )
        read = rows.read_person(int(kwargs.get("row_number") or 0), cells, self._find_union)
        told = [
            f"{fault.column} {fault.shown}: {fault.refusal}"
            for fault in cells.faults
            if not fault.is_warning
        ]
        if instance.is_merged:
            told.append(_("This number was found to be a second one of somebody registered."))
        elif instance.pk and instance.name != read.name and not told:
            told.append(_("Somebody of another name is registered with this number."))
        if told:
            raise ValidationError(told)
        instance.name, instance.employer = read.name, read.employer or instance.employer
        instance._read_row = read  # type: ignore[attr-defined]

    def save_instance(self, instance: Person, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Write through the actions; a dry run's transaction is rolled back."""
        read: rows.PersonRow = instance._read_row  # type: ignore[attr-defined]
        by: Account = kwargs["user"]
        try:
            self._write(instance, is_create, read, by)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal

    def _write(self, instance: Person, is_create: bool, read: rows.PersonRow, by: Account) -> None:
        union = Organization.objects.get(pk=int(read.organization_id or 0))
        if is_create:
            made = people.register(
                name=read.name, national_id=read.national_id, phone=read.phone,
                employer=read.employer, organization=union, by=by, today=timezone.localdate(),
            )  # fmt: skip
            instance.pk = made.pk
            instance.refresh_from_db()
        else:
            said = {"phone": read.phone, "employer": read.employer, "organization": union}
            changes: dict[str, Any] = {key: value for key, value in said.items() if value}
            instance.refresh_from_db()
            people.update(person=instance, by=by, **changes)
        if read.account_number and not self._has(instance, read.account_number):
            bank_accounts.enter(
                person=instance, number=read.account_number, bank_name=read.bank_name,
                holder=read.account_holder, by=by,
            )  # fmt: skip

    @staticmethod
    def _has(person: Person, number: str) -> bool:
        index = fingerprint("bank_account", number)
        return BankAccount.objects.filter(person=person, fingerprint=index).exists()

    def _text(self, row: Any, key: str) -> str:
        header = self._layout.headers.get(key)
        return self._plain(row.get(header)) if header else ""

    @staticmethod
    def _plain(value: Any) -> str:
        return "" if value is None else str(value).strip()
