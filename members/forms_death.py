"""What is asked of a death, wherever it is recorded."""

from datetime import date

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models import Person
from members.rules.rows import read_death
from union_portal.admin.fields import DateInput, ReasonForm
from union_portal.forms import judge


def death_form(person: Person) -> type[ReasonForm]:
    """The day lies between the birth and today; it is told with whatever else is missing."""

    class DeathForm(ReasonForm):
        died_on = forms.DateField(label=_("Died on"), widget=DateInput())

        def clean_died_on(self) -> date:
            day: date = self.cleaned_data["died_on"]
            judge(self, "died_on", read_death, day, person.born_on, timezone.localdate())
            return day

    return DeathForm
