"""Files of people on their way in: the run, its staged rows and what was found in them."""

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models.people import Sex
from members.states import IMPORT_RUN, ImportState
from union_portal.fields import StateField
from union_portal.models import Account, Job, Organization, StoredFile
from union_portal.triggers import Trigger


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def to_confirm(self) -> "ImportRunQuerySet":
        """Checked, and free of errors."""
        return self.filter(state=ImportState.CHECKED, error_count=0)

    def with_errors(self) -> "ImportRunQuerySet":
        """Checked, but nobody can confirm them."""
        return self.filter(state=ImportState.CHECKED, error_count__gt=0)


class ImportRun(models.Model):
    """One uploaded file: checked by a worker, confirmed by its uploader, applied at once.

    `reach` are the paths for which the uploader may import, as they were at the upload.
    `digest` stands for every staged row and what it would change: if people changed
    between preview and confirmation, it differs and the file is checked again.
    """

    file = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("file"), null=True, related_name="+"
    )
    file_name = models.CharField(_("file"), max_length=160)
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", verbose_name=_("union")
    )
    reach = ArrayField(models.CharField(max_length=200), verbose_name=_("reach"), editable=False)
    uploaded_by = models.ForeignKey(
        Account, models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"), default=timezone.now, editable=False)
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    applied_at = models.DateTimeField(_("written at"), null=True, editable=False)
    job = models.ForeignKey(Job, models.PROTECT, verbose_name=_("job"), null=True, related_name="+")
    headers = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("column heads"),
        default=list,
        editable=False,
    )
    rows_count = models.PositiveIntegerField(_("rows"), default=0)
    new_count = models.PositiveIntegerField(_("new"), default=0)
    changed_count = models.PositiveIntegerField(_("changed"), default=0)
    unchanged_count = models.PositiveIntegerField(_("unchanged"), default=0)
    conflict_count = models.PositiveIntegerField(_("conflicts"), default=0)
    error_count = models.PositiveIntegerField(_("errors"), default=0)
    warning_count = models.PositiveIntegerField(_("warnings"), default=0)
    leaves_out_conflicts = models.BooleanField(_("conflicts left out"), default=False)
    digest = models.CharField(_("digest"), max_length=64, blank=True, editable=False)
    result = models.JSONField(_("result"), default=dict)
    fault_message = models.TextField(_("what is wrong"), blank=True)
    fault_remedy = models.TextField(_("how to mend it"), blank=True)
    fault_params = models.JSONField(_("values of the sentence"), default=dict)
    state = StateField(choices=ImportState.choices, default=ImportState.UPLOADED)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of people")
        verbose_name_plural = _("imports of people")
        ordering = ["-id"]
        triggers = [
            IMPORT_RUN.trigger(),
            # Whoever ends it, nothing of a file is kept once it is over.
            Trigger(
                name="import_run_forgets",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.state IN ('cancelled', 'refused', 'applied') AND NEW.state <> OLD.state"
                ),
                func="""
                    DELETE FROM members_stagedperson WHERE run_id = NEW.id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def fault(self) -> str:
        """Why the whole file is refused, with the remedy, in the reader's language."""
        texts = (_told(text, self.fault_params) for text in (self.fault_message, self.fault_remedy))
        return " ".join(filter(None, texts))

    @property
    def is_to_mend(self) -> bool:
        """Whether nobody can confirm it: the file is to be mended and uploaded again."""
        return self.state == ImportState.REFUSED or self._has_errors

    @property
    def outcome(self) -> str:
        """The state as its uploader needs it: a checked file with errors waits for nobody."""
        return (
            gettext("errors: mend the file and upload it again")
            if self._has_errors
            else str(self.get_state_display())
        )

    @property
    def _has_errors(self) -> bool:
        return self.state == ImportState.CHECKED and self.error_count > 0

    @property
    def changes_count(self) -> int:
        return self.new_count + self.changed_count


class StagedPerson(models.Model):
    """One row of a file, read and normalised. Sealed columns are filled only where needed:

    a number that the person already has is not sealed a second time, its fingerprint is
    enough to compare. Rows are unlogged (a crash empties them; the file is checked again)
    and go once the run is over.
    """

    run = models.ForeignKey(
        ImportRun,
        models.CASCADE,
        verbose_name=_("import"),
        related_name="rows",
        db_constraint=False,
    )
    row = models.PositiveIntegerField(_("row"))
    is_sound = models.BooleanField(_("sound"))
    name = models.CharField(_("name"), max_length=60, blank=True)
    pinyin = models.CharField(_("pinyin"), max_length=160, blank=True)
    initials = models.CharField(_("initials"), max_length=40, blank=True)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex.choices, blank=True)
    born_on = models.DateField(_("born on"), null=True)
    national_id = models.BinaryField(_("ID number"), null=True)
    national_id_index = models.CharField(
        _("look-up print of the ID number"), max_length=64, null=True
    )
    national_id_shown = models.CharField(_("ID number as shown"), max_length=18, blank=True)
    phone = models.BinaryField(_("phone"), null=True)
    phone_index = models.CharField(_("look-up print of the phone"), max_length=64, null=True)
    phone_shown = models.CharField(_("phone as shown"), max_length=20, blank=True)
    employer = models.CharField(_("employer"), max_length=120, blank=True)
    organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        verbose_name=_("union"),
        null=True,
        db_constraint=False,
        db_index=False,
    )
    died_on = models.DateField(_("died on"), null=True)
    account_number = models.BinaryField(_("account number"), null=True)
    account_index = models.CharField(_("look-up print of the account"), max_length=64, null=True)
    account_last_four = models.CharField(
        _("last four digits of the account"), max_length=4, blank=True
    )
    account_holder = models.CharField(_("account holder"), max_length=60, blank=True)
    bank_name = models.CharField(_("bank"), max_length=80, blank=True)
    # Whether the row holds anything of a membership, and what it holds.
    is_member = models.BooleanField(_("member"), default=False)
    ethnicity = models.CharField(_("ethnicity"), max_length=20, blank=True)
    education = models.CharField(_("education"), max_length=10, blank=True)
    political_status = models.CharField(_("political status"), max_length=14, blank=True)
    hukou_type = models.CharField(_("hukou"), max_length=12, blank=True)
    employment = models.CharField(_("employment"), max_length=12, blank=True)
    technical_grade = models.CharField(_("technical grade"), max_length=18, blank=True)
    is_farmer_worker = models.BooleanField(_("farmer worker"), null=True)
    joined_on = models.DateField(_("member since"), null=True)
    membership_state = models.CharField(_("state of the membership"), max_length=24, blank=True)
    extra = models.JSONField(_("further columns"), null=True)
    changed_groups = ArrayField(
        models.TextField(), verbose_name=_("further columns changed"), default=list
    )

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")

    def __str__(self) -> str:
        return f"{self.run_id}: {self.row}"


class RowKind(models.TextChoices):
    NEW = "new", _("new")
    CHANGED = "changed", _("changed")
    UNCHANGED = "unchanged", _("unchanged")
    CONFLICT = "conflict", _("conflict")
    ERROR = "error", _("error")


class StagedRow(models.Model):
    """What a staged row would do to the people as they are now: a view, never a second pass.

    `changed` names the columns that would change; `person_id` is the person who has the
    row's identity number today.
    """

    id = models.BigIntegerField(_("number"), primary_key=True)
    run = models.ForeignKey(
        ImportRun,
        models.DO_NOTHING,
        verbose_name=_("import"),
        related_name="staged",
        db_constraint=False,
    )
    row = models.PositiveIntegerField(_("row"))
    person_id = models.BigIntegerField(_("number of the person"), null=True)
    name = models.CharField(_("name"), max_length=60)
    national_id_shown = models.CharField(_("identity number"), max_length=18)
    phone_shown = models.CharField(_("phone"), max_length=20)
    employer = models.CharField(_("employer"), max_length=120)
    organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        verbose_name=_("union"),
    )
    account_last_four = models.CharField(_("last four digits"), max_length=4)
    bank_name = models.CharField(_("bank"), max_length=80)
    extra = models.JSONField(_("further columns"), null=True)
    kind = models.CharField(_("what would happen"), max_length=9, choices=RowKind.choices)
    changed = ArrayField(models.TextField(), verbose_name=_("columns that change"))
    conflict = models.CharField(_("conflict"), max_length=12)

    class Meta:
        managed = False
        db_table = "members_stagedrow"
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        ordering = ["row"]

    def __str__(self) -> str:
        return f"{self.row}: {self.kind}"


class Severity(models.TextChoices):
    ERROR = "error", _("error")
    CONFLICT = "conflict", _("conflict")
    WARNING = "warning", _("warning")


class ImportFinding(models.Model):
    """What is wrong in one cell: where, what (masked), why and how to mend it.

    Message ids are kept, not texts, so that each reader gets their own language.
    """

    run = models.ForeignKey(
        ImportRun, models.CASCADE, verbose_name=_("import"), related_name="findings", db_index=False
    )
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    shown = models.CharField(_("value"), max_length=60, blank=True)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity.choices)
    message_id = models.TextField(_("sentence"))
    remedy_id = models.TextField(_("how to mend it"), blank=True)
    params = models.JSONField(_("values of the sentence"), default=dict)

    class Meta:
        verbose_name = _("finding in a file")
        verbose_name_plural = _("findings in a file")
        ordering = ["row", "id"]
        indexes = [models.Index(fields=["run", "row", "id"], name="import_finding_row")]

    def __str__(self) -> str:
        return f"{self.row}: {self.message}"

    @property
    def message(self) -> str:
        return _told(self.message_id, self.params)

    @property
    def remedy(self) -> str:
        return _told(self.remedy_id, self.params)


def _told(message_id: str, params: dict[str, Any]) -> str:
    if not message_id:
        return ""
    text = gettext(message_id)
    return text % params if params else text
