"""django-import-export's own resources for the same sheet, with the product's readers."""

from typing import Any

from django.utils import timezone
from import_export import fields, resources, widgets

from members.models import Person
from union_portal.fields import fingerprint
from union_portal.kit import masks, names
from union_portal.kit.identity import read_national_id
from union_portal.kit.phone import read_mobile
from union_portal.models import Organization


class NameWidget(widgets.CharWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return names.read_name(str(value))


class NumberWidget(widgets.CharWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return read_national_id(str(value), today=timezone.localdate()).number


class PhoneWidget(widgets.CharWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return read_mobile(str(value))


class UnionWidget(widgets.ForeignKeyWidget):
    """The union's row, remembered: no query for each person."""

    known: dict[str, Organization] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value not in self.known:
            self.known[value] = super().clean(value, row, **kwargs)
        return self.known[value]


class DefaultResource(resources.ModelResource):
    """As the manual shows it; known people are found by the blind index."""

    name = fields.Field("name", column_name="姓名", widget=NameWidget())
    national_id = fields.Field("national_id", column_name="证件号码", widget=NumberWidget())
    national_id_index = fields.Field("national_id_index", column_name="national_id_index")
    phone = fields.Field("phone", column_name="手机号", widget=PhoneWidget())
    organization = fields.Field(
        "organization",
        column_name="工会名称",
        widget=widgets.ForeignKeyWidget(Organization, "name"),
    )
    employer = fields.Field("employer", column_name="工作单位")

    class Meta:
        model = Person
        import_id_fields = ("national_id_index",)
        fields = ("name", "national_id", "national_id_index", "phone", "organization", "employer")

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Known people are looked up by a column of the sheet: give it the blind index."""
        if "national_id_index" not in dataset.headers:
            marks = [fingerprint("national_id", str(number)) for number in dataset["证件号码"]]
            dataset.append_col(marks, header="national_id_index")

    def before_save_instance(self, instance: Person, row: Any, **kwargs: Any) -> None:
        derive(instance)


class BestResource(DefaultResource):
    """The fastest documented settings for a file of new people."""

    organization = fields.Field(
        "organization", column_name="工会名称", widget=UnionWidget(Organization, "name")
    )

    class Meta(DefaultResource.Meta):
        use_bulk = True
        batch_size = 1000
        skip_diff = True
        skip_html_diff = True
        force_init_instance = True
        report_skipped = False
        store_instance = False


def derive(instance: Person) -> None:
    """The columns that follow from the others."""
    read = read_national_id(str(instance.national_id), today=timezone.localdate())
    instance.sex, instance.born_on = read.sex, read.born_on
    instance.national_id_shown = masks.mask_id(read.number)
    instance.phone_shown = masks.mask_phone(str(instance.phone))
    instance.pinyin = names.pinyin(instance.name)
    instance.initials = names.initials(instance.name)


class ExportResource(resources.ModelResource):
    """A masked export as the manual shows it."""

    organization = fields.Field("organization__name", column_name="工会名称")

    class Meta:
        model = Person
        fields = (
            "name", "national_id_shown", "sex", "born_on", "phone_shown", "organization",
            "employer", "died_on",
        )  # fmt: skip
