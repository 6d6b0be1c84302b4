"""One row per human."""

# The SQL below is made of words of our own.
# ruff: noqa: S608

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal.fields import BlindIndexField, SealedTextField
from union_portal.models import Account, Organization
from union_portal.row_guards import guard
from union_portal.triggers import Trigger

_LONGEST_BIGRAMS = 24

# A row that was merged once goes on to where the one it was merged into went.
_MERGED_BY_TWO = (
    guard(
        "NOT EXISTS (SELECT 1 FROM members_personmerge g WHERE g.merged_id = NEW.id"
        " AND g.kept_id = NEW.merged_into_id AND g.state = 'confirmed')"
        " AND NOT EXISTS (SELECT 1 FROM members_person p WHERE p.id = OLD.merged_into_id"
        " AND p.merged_into_id = NEW.merged_into_id)",
        "person_merged_by_two",
        "person: two people merge a row, and nobody takes that back",
    )
    + "RETURN NEW;"
)


def follows_merge(table: str) -> Trigger:
    """Rows of a person stay theirs; they go over only to whom the person was merged into."""
    return Trigger(
        name=f"{table}_follows_merge",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("person_id"),
        condition=pgtrigger.Condition("NEW.person_id IS DISTINCT FROM OLD.person_id"),
        func=guard(
            "NOT EXISTS (SELECT 1 FROM members_person p"
            " WHERE p.id = OLD.person_id AND p.merged_into_id = NEW.person_id)",
            f"{table}_follows_merge",
            f"{table}: it stays with its person",
        )
        + "RETURN NEW;",
    )


class Sex(models.TextChoices):
    MALE = "male", _("male")
    FEMALE = "female", _("female")


class Bigrams(models.Func):
    """The pairs of neighbouring characters of a text: "欧阳明" is 欧阳, 阳明 (and 明).

    Written with built-in functions only, so that it can stand in an index: trigrams are
    empty for the two-character pieces that names are searched by.
    """

    template = (
        "array_remove(ARRAY["
        + ", ".join(f"substr(%(expressions)s, {n}, 2)" for n in range(1, _LONGEST_BIGRAMS + 1))
        + "], '')"
    )
    output_field = ArrayField(models.TextField())


class Person(models.Model):
    """A human, known by the 18-digit number (GB 11643), once in the whole database."""

    name = models.CharField(_("name"), max_length=60)
    pinyin = models.CharField(_("pinyin"), max_length=160, editable=False)
    initials = models.CharField(_("initials"), max_length=40, editable=False)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex.choices)
    born_on = models.DateField(_("born on"))
    national_id = SealedTextField(_("identity number"), kind="national_id", null=False)
    # Unique by a constraint below: `unique=True` would add a second index for LIKE.
    national_id_index = BlindIndexField(
        _("look-up print of the ID number"), source="national_id", kind="national_id", null=False
    )
    national_id_shown = models.CharField(
        _("identity number"), max_length=18, editable=False, help_text=_("masked")
    )
    phone = SealedTextField(_("phone"), kind="phone")
    phone_index = BlindIndexField(_("look-up print of the phone"), source="phone", kind="phone")
    phone_shown = models.CharField(_("phone"), max_length=20, editable=False, blank=True)
    address = SealedTextField(_("address"), kind="address")
    employer = models.CharField(_("employer"), max_length=120, blank=True)
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        related_name="people",
        verbose_name=_("union"),
        db_index=False,  # person_organization below begins with it
    )
    died_on = models.DateField(_("died on"), null=True, blank=True)
    # A row that turned out to be the same human as another: it keeps its history and does no more.
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("same person as"),
        null=True,
        editable=False,
        related_name="merged_from",
        db_index=False,  # person_merged below
    )
    account = models.OneToOneField(
        Account,
        models.PROTECT,
        verbose_name=_("account"),
        null=True,
        editable=False,
        related_name="person",
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        indexes = [
            models.Index(fields=["organization", "id"], name="person_organization"),
            models.Index(
                fields=["initials"], name="person_initials", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(fields=["name"], name="person_name", opclasses=["varchar_pattern_ops"]),
            models.Index(
                fields=["phone_index"],
                name="person_phone",
                condition=models.Q(phone_index__isnull=False),
            ),
            GinIndex(Bigrams("name"), name="person_name_pieces"),
            models.Index(
                fields=["merged_into"],
                name="person_merged",
                condition=models.Q(merged_into__isnull=False),
            ),
            models.Index(
                fields=["id"], name="person_died", condition=models.Q(died_on__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["national_id_index"], name="person_national_id_once"),
            models.CheckConstraint(
                condition=models.Q(born_on__gte="1900-01-01"), name="person_born_since_1900"
            ),
            models.CheckConstraint(
                condition=models.Q(died_on__isnull=True)
                | models.Q(died_on__gte=models.F("born_on")),
                name="person_dies_after_birth",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True)
                | ~models.Q(merged_into=models.F("id")),
                name="person_not_merged_into_itself",
            ),
        ]
        triggers = [
            Trigger(
                name="person_merged_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("merged_into_id"),
                condition=pgtrigger.Condition(
                    "NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id"
                ),
                func=_MERGED_BY_TWO,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_merged(self) -> bool:
        """Whether the row is another's now: it takes part in nothing any more."""
        return self.merged_into_id is not None
