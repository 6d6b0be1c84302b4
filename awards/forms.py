"""What members fill in about subsidies: read and judged field by field, actions decide."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from awards.actions.applications import Upload
from awards.models import Ground
from awards.rules import grounds
from union_portal import appeals
from union_portal.forms import ReadField, YuanField
from union_portal.kit import money
from union_portal.kit.refusals import SENTENCE, Refused
from union_portal.kit.uploads import MEBIBYTE, clean_upload
from union_portal.models import Decision

MOST_FILES = 12
# All of them are held at once while the form is judged.
MOST_TOGETHER = 60 * MEBIBYTE
ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"


class ManyFiles(forms.ClearableFileInput):
    """One field of the phone's own chooser: several photos or documents at once."""

    allow_multiple_selected = True


class EvidenceField(forms.FileField):
    """Photos and PDFs, each judged by its content. Those that pass are kept in `passed`.

    Errors name the file: one bad photo does not cost the good ones.
    """

    widget = ManyFiles

    def __init__(self, *, most: int = MOST_FILES, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.most = most
        self.passed: list[Upload] = []
        self.widget.attrs["accept"] = ACCEPTED

    def clean(self, data: Any, initial: Any = None) -> list[Upload]:
        given = data if isinstance(data, list | tuple) else [data]
        chosen: list[UploadedFile] = [one for one in given if one]
        if len(chosen) > self.most:
            raise ValidationError(_("At most %(count)s files at a time.") % {"count": self.most})
        if sum(one.size or 0 for one in chosen) > MOST_TOGETHER:
            raise ValidationError(
                _("Together the files are larger than %(megabytes)s MB. Send fewer at a time.")
                % {"megabytes": MOST_TOGETHER // MEBIBYTE}
            )
        if not chosen and self.required:
            raise ValidationError(_("Choose at least one file."))
        self.passed, faults = sorted_out(chosen)
        if faults:
            raise ValidationError(faults)
        return self.passed


class OneFileField(EvidenceField):
    """A single photo or PDF."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=1, widget=forms.ClearableFileInput(), **kwargs)


def sorted_out(chosen: list[UploadedFile]) -> tuple[list[Upload], list[str]]:
    """The acceptable files, and a sentence for each of the others."""
    passed: list[Upload] = []
    faults: list[str] = []
    for one in chosen:
        name = str(one.name or "")
        try:
            passed.append(_judged(name, one))
        except Refused as refusal:
            faults.append(_("“%(name)s”: %(fault)s") % {"name": name, "fault": refusal})
    return passed, faults


def _judged(name: str, one: UploadedFile) -> Upload:
    """The file as it may be kept: what came is let go of."""
    most = settings.UPLOAD_MAX_BYTES
    content = one.read(most + 1)
    if len(content) > most:
        raise Refused(
            gettext_noop("The file is larger than %(megabytes)s MB."),
            gettext_noop("Take the photo at a lower resolution or split the document."),
            {"megabytes": most // MEBIBYTE},
        )
    return Upload(name, clean_upload(name, content, max_bytes=most).content)


def _amount(text: str) -> str:
    """An amount as typed, once it can be read and is not below zero."""
    if money.fen_as_typed(text) < 0:
        raise Refused(
            gettext_noop("An amount is below zero."),
            gettext_noop("Write what was paid as a positive number, or 0."),
        )
    return text


def _stated_amount(label: Any, **more: Any) -> ReadField:
    return ReadField(
        reader=_amount,
        label=label,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        **more,
    )


def _choices(named: dict[str, str]) -> list[tuple[str, str]]:
    return [(value, _(label)) for value, label in named.items()]


class StatementForm(forms.Form):
    """What is stated for a ground; the fields of the other grounds are not asked.

    `field_order` puts the story last: the short questions are easy on a phone.
    """

    text = forms.CharField(
        label=gettext_lazy("What happened, and what it costs"),
        min_length=SENTENCE,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "min_length": gettext_lazy("Write at least ten characters: what happened, since when.")
        },
    )

    def __init__(self, *args: Any, ground: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ground = ground
        asked = _illness() if ground == Ground.ILLNESS else _cause(ground)
        self.fields.update(asked)
        self.order_fields([*asked, "text"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("cause") == "schooling" and not self.cleaned_data.get(
            "is_school_in_china"
        ):
            self.add_error("is_school_in_china", _("Schooling abroad is not covered."))
        return self.cleaned_data

    def stated(self) -> dict[str, Any]:
        """What `rules.grounds.read_details` reads."""
        return {
            name: self.cleaned_data.get(name)
            for name in self.fields
            if name not in {"asked", "documents", "answer"}
        }


def _illness() -> dict[str, forms.Field]:
    return {
        "patient": forms.ChoiceField(
            label=_("Who is ill"), choices=_choices(grounds.PATIENTS), widget=forms.RadioSelect
        ),
        "is_serious": forms.BooleanField(
            label=_("It is a major or a chronic illness"),
            error_messages={
                "required": _("Ground (a) covers a major or chronic illness only: tick if it is.")
            },
        ),
        "costs": _stated_amount(
            _("Costs of the illness in all (yuan)"),
            help_text=_("The total of the bills, before anybody paid a part."),
        ),
        "basic": _stated_amount(
            _("Paid by basic medical insurance (yuan)"),
            help_text=_("Write 0 where nothing was paid."),
        ),
        "major_illness": _stated_amount(_("Paid by major-illness insurance (yuan)")),
        "assistance": _stated_amount(_("Paid by medical assistance (yuan)")),
        "worker_aid": _stated_amount(_("Paid by the aid to workers in hardship (yuan)")),
    }


def _cause(ground: str) -> dict[str, forms.Field]:
    asked: dict[str, forms.Field] = {
        "cause": forms.ChoiceField(
            label=_("What caused the hardship"),
            choices=_choices(grounds.CAUSES[ground]),
            widget=forms.RadioSelect,
        )
    }
    if ground == Ground.LIVELIHOOD:
        asked["is_school_in_china"] = forms.BooleanField(
            label=_("For schooling: the school is in China"), required=False
        )
    return asked


class ApplicationForm(StatementForm):
    """An application for a special hardship subsidy on one ground."""

    asked = YuanField(
        label=gettext_lazy("Amount you ask for (yuan)"),
        required=False,
        help_text=gettext_lazy("You may leave it empty: the union proposes an amount."),
    )
    documents = EvidenceField(
        label=gettext_lazy("Photos or PDFs of bills, reports, certificates"),
        help_text=gettext_lazy("Several at once; JPG, PNG or PDF, at most 20 MB each."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*(n for n in self.fields if n not in {"asked", "documents"}), "asked"])


class CompletionForm(StatementForm):
    """The answer to a return: more documents, words, and the statement corrected if need be."""

    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        min_length=2,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What you completed, or why you can't."),
    )
    documents = EvidenceField(
        label=gettext_lazy("Further photos or PDFs"),
        help_text=gettext_lazy("Several at once; JPG, PNG or PDF, at most 20 MB each."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rest = [name for name in self.fields if name not in {"answer", "documents"}]
        self.order_fields(["answer", "documents", *rest])


class AppealForm(forms.Form):
    """Why the decision is wrong, and what would be right."""

    text = forms.CharField(
        label=gettext_lazy("Why the decision should be changed"),
        min_length=SENTENCE,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "min_length": gettext_lazy("Write at least ten characters: what is wrong and why.")
        },
    )
    asked = YuanField(
        label=gettext_lazy("Amount you think is right (yuan)"),
        required=False,
        help_text=gettext_lazy("More than what was decided; you may leave it empty."),
    )

    def __init__(self, *args: Any, decision: Decision, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decision = decision

    def clean_asked(self) -> int | None:
        asked: int | None = self.cleaned_data["asked"]
        try:
            appeals.require_more(asked, self.decision)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return asked
