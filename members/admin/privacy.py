"""Texts of consent, corrections that wait, and runs of retention."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members import queries
from members.actions import consents, corrections, retention
from members.models import ConsentPurpose, ConsentText, Correction, Person, RetentionRun
from members.queries import privacy as queries_privacy
from members.rules import retention as rules
from members.states import CorrectionState
from union_portal import ways_back
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, not_by, only_in
from union_portal.admin.fields import DateInput
from union_portal.admin.filters import in_words
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.kit.shares import thousandths
from union_portal.models import Account

name_acts(
    {
        "consent_text.draft": gettext_noop("Text of a consent drafted"),
        "consent_text.edit": gettext_noop("Draft corrected"),
        "consent_text.adopt": gettext_noop("Text of a consent adopted"),
        "consent.give": gettext_noop("Consent given"),
        "consent.withdraw": gettext_noop("Consent withdrawn"),
        "correction.ask": gettext_noop("Correction asked for"),
        "person.profile": gettext_noop("Further fields changed"),
        "family.enter": gettext_noop("Family member entered"),
        "family.remove": gettext_noop("Family member removed"),
        "person.file_fetched": gettext_noop("A paper about the person was fetched"),
        "retention.count": gettext_noop("Dry run asked for"),
        "retention.remove": gettext_noop("Removal asked for"),
        "retention.counted": gettext_noop("Counted"),
        "retention.removed": gettext_noop("Removed"),
    }
)


# -- texts of consent --------------------------------------------------------------------------
class TextForm(forms.Form):
    text = forms.CharField(
        label=_("Text"), max_length=4000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Who, what for, which data, how long, and what follows from saying no."),
    )  # fmt: skip
    text_en = forms.CharField(
        label=_("English text"), max_length=4000, widget=forms.Textarea(attrs={"rows": 8})
    )
    valid_from = forms.DateField(
        label=_("Valid from"), initial=timezone.localdate, widget=DateInput()
    )


class DraftForm(TextForm):
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ConsentPurpose.choices)
    field_order = ("purpose", "text", "text_en", "valid_from")


def edit_form(text: ConsentText, by: Account) -> type[forms.Form]:
    class EditForm(TextForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {
                "text": text.text, "text_en": text.text_en, "valid_from": text.valid_from
            }  # fmt: skip
            super().__init__(*args, **kwargs)

    return EditForm


def _draft(obj: None, by: Account, data: dict[str, Any]) -> str:
    made = consents.draft(by=by, **data)
    return reverse("admin:members_consenttext_change", args=[made.pk])


def _edit(text: ConsentText, by: Account, data: dict[str, Any]) -> None:
    consents.edit_draft(
        text=text, words=data["text"], words_en=data["text_en"],
        valid_from=data["valid_from"], by=by,
    )  # fmt: skip


def _is_adopted(text: ConsentText, account: Account) -> Text | None:
    return _("It is adopted: write the next version.") if text.adopted_at else None


@admin.register(ConsentText)
class ConsentTextAdmin(ScopedModelAdmin):
    section = "rules"
    icon = "handshake"
    order = 40
    view_permissions = (Permission.RULES_EDIT, Permission.RULES_ADOPT)
    scope_path = None
    list_display = ("purpose", "version", "valid_from", "written_by", "adopted_by", "adopted_at")
    list_filter = ("purpose",)
    list_select_related = ("written_by", "adopted_by")
    search_fields = ("text", "text_en")
    empty_hint = _("Write the first text of a purpose; nobody is asked before it is adopted.")
    fields = (
        "purpose",
        "version",
        "text",
        "text_en",
        "valid_from",
        "written_by",
        "adopted_by",
        "adopted_at",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="draft",
            label=_("Write a text"),
            permission=Permission.RULES_EDIT,
            act=_draft,
            explain=_("The next version of a purpose; people are asked once it is adopted."),
            form=DraftForm,
        ),
    )
    buttons = (
        Button(
            name="edit",
            label=_("Correct the draft"),
            permission=Permission.RULES_EDIT,
            act=_edit,
            explain=_("Whoever changes it last is its author and does not adopt it."),
            why_not=_is_adopted,
            form_for=edit_form,
        ),
        Button(
            name="adopt",
            label=_("Adopt"),
            permission=Permission.RULES_ADOPT,
            act=lambda obj, by, data: consents.adopt(text=obj, by=by, now=timezone.now()),
            explain=_("From its day on people are asked for it anew, whatever they agreed to."),
            done=_("The text is adopted."),
            why_not=every(_is_adopted, not_by("written_by", _("You wrote this text."))),
            danger=True,
        ),
    )


# -- corrections -------------------------------------------------------------------------------
class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The member reads it."),
    )  # fmt: skip


class DeclineForm(forms.Form):
    answer = forms.CharField(
        label=_("Reason"), min_length=2, max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The member reads it."),
    )  # fmt: skip


def _whole(correction: Correction, by: Account) -> list[tuple[Any, Any]]:
    known = corrections.FIELDS[correction.field]
    return [
        (_("What"), known.label),
        (_("So far"), known.holds(correction.person) or "–"),
        (_("What it should be"), corrections.whole(correction)),
        (_("Words"), correction.words or "–"),
    ]


def _is_own(correction: Correction, by: Account) -> Text | None:
    if correction.person.account_id == by.pk:
        return _("You asked for this yourself: a colleague answers it.")
    return None


def _labels() -> dict[str, Any]:
    return {name: field.label for name, field in corrections.FIELDS.items()}


_OPEN = every(only_in(CorrectionState.ASKED), _is_own)


@admin.register(Correction)
class CorrectionAdmin(ScopedModelAdmin):
    section = "people"
    icon = "edit_note"
    order = 20
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "person__organization__path"
    list_display = ("person", "what", "asked_at", "answered_by", "state")
    list_filter = ("state", ("field", in_words(_("field"), _labels)))
    list_select_related = ("person__organization", "answered_by")
    search_fields = ("person__name",)
    empty_hint = _("Members ask in the portal when something about them is wrong.")
    fields = (
        "person",
        "what",
        "should_be",
        "words",
        "paper",
        "asked_at",
        "answer",
        "answered_by",
        "answered_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="carry-out",
            label=_("Correct it"),
            permission=Permission.PERSON_EDIT,
            act=lambda obj, by, data: corrections.carry_out(
                correction=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("It is written as the member asked; the member is told at once."),
            done=_("It is corrected, and the member is told."),
            why_not=_OPEN,
            facts=_whole,
            form=AnswerForm,
        ),
        Button(
            name="decline",
            label=_("Leave it as it is"),
            permission=Permission.PERSON_EDIT,
            act=lambda obj, by, data: corrections.decline(
                correction=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The member reads your reason."),
            done=_("The member is told why it stays."),
            why_not=_OPEN,
            facts=_whole,
            form=DeclineForm,
            danger=True,
        ),
    )

    @admin.display(description=_("field"))
    def what(self, correction: Correction) -> str:
        return str(corrections.FIELDS[correction.field].label)

    @admin.display(description=_("what it should be"))
    def should_be(self, correction: Correction) -> str:
        return corrections.shown(correction)

    @admin.display(description=_("evidence"))
    def paper(self, correction: Correction) -> SafeString | str:
        if correction.evidence_id is None:
            return "–"
        url = reverse("portal:file", args=[correction.evidence_id])
        return format_html('<a href="{}">{}</a>', url, correction.evidence)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correction], search_term: str
    ) -> tuple[QuerySet[Correction], bool]:
        """Whose it is: name, pinyin, exact number."""
        if not search_term.strip():
            return queryset, False
        found = Person.objects.filter(queries.matches(search_term))
        return queryset.filter(person__in=found), False

    def in_an_address(self, searched: str) -> str:
        return queries.in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or a whole identity number or phone")


desk.add_queue(
    desk.Queue(
        "corrections",
        _("Corrections that members asked for"),
        Permission.PERSON_EDIT,
        Correction,
        queries_privacy.corrections_waiting_for,
        icon="edit_note",
    )
)


# -- retention ---------------------------------------------------------------------------------
ways_back.begun_at(retention.COUNT, model=RetentionRun)
ways_back.begun_at(retention.REMOVE, model=RetentionRun, number="shown")


def _dry_run(obj: None, by: Account, data: dict[str, Any]) -> str:
    job = retention.ask_dry_run(by=by, today=timezone.localdate())
    return reverse("portal:job", args=[job.pk])


def _carry_out(run: RetentionRun, by: Account, data: dict[str, Any]) -> str:
    job = retention.ask_removal(shown=run, by=by, today=timezone.localdate())
    return reverse("portal:job", args=[job.pk])


def _is_closed(run: RetentionRun, account: Account) -> Text | None:
    found = retention.why_not(run, timezone.localdate())
    return " ".join(gettext(text) for text in found) if found else None


def _counted(run: RetentionRun, account: Account) -> list[tuple[Any, Any]]:
    return [(gettext(rule.what), run.counts.get(rule.key, 0)) for rule in rules.RULES]


@admin.register(RetentionRun)
class RetentionRunAdmin(ScopedModelAdmin):
    section = "system"
    icon = "auto_delete"
    order = 60
    view_permissions = (Permission.RETENTION_RUN, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("run_on", "is_dry", "rows", "asked_by", "finished_at")
    list_filter = ("is_dry",)
    list_select_related = ("requested_by",)
    empty_hint = _("Ask for a dry run: it counts what is kept too long and touches nothing.")
    fields = ("run_on", "is_dry", "rows", "shown_by", "asked_by", "finished_at")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="dry-run",
            label=_("Dry run"),
            permission=Permission.RETENTION_RUN,
            act=_dry_run,
            explain=_("A worker counts what is kept too long, rule by rule. Nothing is touched."),
            done=_("It is being counted."),
        ),
    )
    buttons = (
        Button(
            name="carry-out",
            label=_("Remove what was counted"),
            permission=Permission.RETENTION_RUN,
            act=_carry_out,
            explain=_("What the dry run counted is removed for good; accounts and log stay."),
            done=_("It is being removed."),
            why_not=every(
                _is_closed, not_by("requested_by", _("You asked for the dry run: a colleague"
                                                     " carries it out.")),
            ),
            facts=_counted,
            danger=True,
        ),
    )  # fmt: skip

    @admin.display(description=_("rows"))
    def rows(self, run: RetentionRun) -> int:
        return sum(run.counts.values())

    @admin.display(description=_("requested by"))
    def asked_by(self, run: RetentionRun) -> str:
        return str(run.requested_by or gettext("the schedule"))

    def facts(self, request: HttpRequest, obj: RetentionRun) -> list[Fact]:
        done = RetentionRun.objects.filter(shown_by=obj).first()
        facts = [
            Fact(_("Kind"), _("dry run") if obj.is_dry else _("removed")),
            Fact(_("Rows"), self.rows(obj)),
        ]
        if done is not None:
            facts.append(Fact(_("Carried out"), done.finished_at, "good"))
        return facts

    def panels(self, request: HttpRequest, obj: RetentionRun) -> list[Panel]:
        most = max(obj.counts.values(), default=0)
        counted = [
            (
                gettext(rule.what),
                obj.counts.get(rule.key, 0),
                _bar(thousandths(obj.counts.get(rule.key, 0), most)),
                gettext("%(days)d days after %(since)s")
                % {"days": rule.days, "since": gettext(rule.since)},
                rules.first_kept_day(rule, obj.run_on),
                gettext(rule.why),
                gettext(rule.source),
            )
            for rule in rules.RULES
        ]
        kept = [(gettext(one.what), gettext(one.why)) for one in rules.KEPT]
        columns = (
            _("What"), _("Rows"), _("Share"), _("Kept for"), _("Kept from"), _("Why"),
            _("Source"),
        )  # fmt: skip
        return [
            Panel(_("What is kept too long"), columns, counted),
            Panel(_("What is never removed"), (_("What"), _("Why")), kept),
        ]


def _bar(per_mille: int) -> SafeString:
    """The count, drawn: its share of the largest."""
    return format_html(
        '<svg viewBox="0 0 1000 100" width="120" height="12" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect width="{}" height="100" fill="#b3141b"></rect></svg>',
        per_mille,
    )
