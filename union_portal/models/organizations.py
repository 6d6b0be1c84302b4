"""The tree of unions: federation → county → grassroots, industry, directly affiliated."""

from typing import Any

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.triggers import Trigger


class OrganizationLevel(models.TextChoices):
    FEDERATION = "federation", _("city federation")
    COUNTY = "county", _("county federation")
    INDUSTRY = "industry", _("industry union")
    DIRECT = "direct", _("directly affiliated union")
    GRASSROOTS = "grassroots", _("grassroots union")


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def within(self, root: "Organization") -> "OrganizationQuerySet":
        """The root and everything below it."""
        return self.filter(path__startswith=root.path)


# Whatever is written into `path`, it follows from the parent; children follow in turn.
_PATH = """
    NEW.path := COALESCE(
        (SELECT path FROM union_portal_organization WHERE id = NEW.parent_id), ''
    ) || NEW.id || '/';
    IF TG_OP = 'UPDATE' AND NEW.parent_id IS DISTINCT FROM OLD.parent_id
       AND starts_with(NEW.path, OLD.path) THEN
        RAISE EXCEPTION 'organization: a union is never below itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'organization_path';
    END IF;
    RETURN NEW;
"""


class Organization(models.Model):
    """One union. `path` is the chain of ids from the root, each followed by a slash."""

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=120)
    short_name = models.CharField(_("short name"), max_length=40, blank=True)
    level = models.CharField(_("level"), max_length=16, choices=OrganizationLevel.choices)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("union above"),
        null=True,
        blank=True,
        related_name="children",
    )
    path = models.CharField(_("path"), max_length=200, editable=False, unique=True)
    division_code = models.CharField(
        _("division code"), max_length=6, blank=True, help_text=_("GB/T 2260, six digits")
    )
    uscc = models.CharField(
        _("unified social credit code"), max_length=18, null=True, blank=True, unique=True
    )
    phone = models.CharField(_("office phone"), max_length=30, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    witness_email = models.EmailField(
        _("e-mail address of the log's witness"),
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Whoever keeps the daily digest of the audit log: a mailbox that the city's"
            " administrators can't reach."
        ),
    )
    founded_on = models.DateField(_("founded on"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("a body of the tree", "union")
        verbose_name_plural = _("unions")
        ordering = ["path"]
        indexes = [
            models.Index(
                fields=["path"], name="organization_path_prefix", opclasses=["varchar_pattern_ops"]
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "name"], name="organization_name_once_per_parent"
            ),
            models.UniqueConstraint(
                fields=["level"],
                condition=models.Q(level="federation"),
                name="organization_one_federation",
            ),
            models.CheckConstraint(
                condition=models.Q(level="federation", parent__isnull=True)
                | (~models.Q(level="federation") & models.Q(parent__isnull=False)),
                name="organization_only_federation_is_root",
            ),
        ]
        triggers = [
            Trigger(
                name="organization_path",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id", "path"),
                func=_PATH,
            ),
            Trigger(
                name="organization_subtree",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.path <> OLD.path"),
                func="""
                    UPDATE union_portal_organization SET path = '' WHERE parent_id = NEW.id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        born = self._state.adding
        super().save(*args, **kwargs)
        if born:
            self.refresh_from_db(fields=["path"])

    def contains(self, other: "Organization") -> bool:
        return other.path.startswith(self.path)
