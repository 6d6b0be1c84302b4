"""The editable table of holidays and make-up working days."""

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal import workdays
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button
from union_portal.admin.fields import DateInput, ReasonForm
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account, Holiday


class HolidayForm(forms.Form):
    day = forms.DateField(label=_("Day"), widget=DateInput())
    is_workday = forms.BooleanField(label=_("Worked (make-up day)"), required=False)
    name = forms.CharField(label=pgettext_lazy("of a thing", "Name"), max_length=40)
    source = forms.CharField(
        label=_("Source"),
        max_length=120,
        help_text=_("The announcement, such as the State Council's notice with its number."),
    )


def _removed(holiday: Holiday, by: Account, data: dict[str, str]) -> str:
    workdays.remove(holiday=holiday, by=by, reason=data["reason"])
    return reverse("admin:union_portal_holiday_changelist")


@admin.register(Holiday)
class HolidayAdmin(ScopedModelAdmin):
    section = "rules"
    icon = "calendar_month"
    order = 20
    view_permissions = (Permission.HOLIDAY_EDIT, Permission.NOTICE_PUBLISH, Permission.TRAIL_VIEW)
    scope_path = None
    list_display = ("day", "name", "is_workday", "source")
    list_filter = ("is_workday",)
    search_fields = ("name",)
    ordering = ("-day",)
    fields = ("day", "is_workday", "name", "source")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="enter",
            label=_("Enter a day"),
            permission=Permission.HOLIDAY_EDIT,
            act=lambda obj, by, data: workdays.enter(by=by, **data) and None,
            explain=_(
                "A day off, or a weekend that is worked. A day in the table already is"
                " corrected. Windows published before stay as they are."
            ),
            form=HolidayForm,
        ),
    )
    buttons = (
        Button(
            name="remove",
            label=_("Remove"),
            permission=Permission.HOLIDAY_EDIT,
            act=_removed,
            explain=_("Windows published before stay as they are."),
            form=ReasonForm,
            danger=True,
        ),
    )


desk.add_caution(
    desk.Caution(
        (Permission.HOLIDAY_EDIT, Permission.NOTICE_PUBLISH),
        lambda account: workdays.warning(timezone.localdate()),
        lambda: reverse("admin:union_portal_holiday_changelist"),
    )
)
