"""The append-only log, sealed into a chain of blocks."""

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from union_portal.triggers import Trigger


def refuse_truncate(name: str) -> Trigger:
    """A row trigger does not stop TRUNCATE: this one does."""
    return Trigger(
        name=f"{name}_no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=f"""
            RAISE EXCEPTION '{name}: history is never removed'
                USING ERRCODE = 'insufficient_privilege', CONSTRAINT = '{name}_no_truncate';
        """,
    )


# A sealed value may get a newer key and nothing else may change. Web and workers may not UPDATE
# kept rows at all, so this is the owner's way, and each step leaves an entry that it cannot avoid.
_RESEALED = """
                IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{column}' = to_jsonb(OLD) - '{column}'
                   AND substr(NEW."{column}", 2, 1) > substr(OLD."{column}", 2, 1) THEN
                    INSERT INTO union_portal_auditentry (at, actor, action, subject_type,
                        subject_id, organization_path, reason, detail, request_id)
                    VALUES (now(), session_user, 'keys.resealed', TG_TABLE_NAME, NEW."{key}"::text,
                        '', '', jsonb_build_object('column', '{column}',
                            'version', get_byte(NEW."{column}", 1),
                            'was', encode(sha256(OLD."{column}"), 'hex'),
                            'is', encode(sha256(NEW."{column}"), 'hex')), '');
                    RETURN NEW;
                END IF;
"""


def append_only(name: str, *, sealed: str = "", key: str = "id") -> list[Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE on a table.

    The column named by `sealed` alone may be sealed anew with a newer key; `key` names the row.
    """
    resealed = _RESEALED.format(column=sealed, key=key) if sealed else ""
    return [
        Trigger(
            name=f"{name}_append_only",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=f"""{resealed}
                RAISE EXCEPTION '{name}: history is never changed'
                    USING ERRCODE = 'insufficient_privilege', CONSTRAINT = '{name}_append_only';
            """,
        ),
        refuse_truncate(name),
    ]


class AuditEntry(models.Model):
    """Who did what to which row, when and why. No foreign keys: it outlives what it names.

    `block` is set once, when the entry is sealed into the chain.
    """

    at = models.DateTimeField(_("when"), db_default=Now())
    actor_id = models.BigIntegerField(_("number of the account"), null=True)
    actor = models.CharField(_("who"), max_length=60)
    action = models.CharField(_("what"), max_length=60)
    subject_type = models.CharField(_("kind of subject"), max_length=60)
    subject_id = models.CharField(_("number of the subject"), max_length=60)
    organization_path = models.CharField(_("path of the union"), max_length=200, blank=True)
    reason = models.TextField(_("why"), blank=True)
    detail = models.JSONField(_("details"), default=dict)
    request_id = models.CharField(_("number of the request"), max_length=36, blank=True)
    block = models.BigIntegerField(_("audit block"), null=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "id"], name="audit_subject"),
            models.Index(fields=["actor_id", "id"], name="audit_actor"),
            models.Index(
                fields=["id"], name="audit_unsealed", condition=models.Q(block__isnull=True)
            ),
            models.Index(fields=["block", "id"], name="audit_block"),
        ]
        triggers = [
            Trigger(
                name="audit_entry_append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.block IS NULL AND NEW.block IS NOT NULL
                       AND to_jsonb(NEW) - 'block' = to_jsonb(OLD) - 'block' THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'audit_entry: history is never changed'
                        USING ERRCODE = 'insufficient_privilege',
                              CONSTRAINT = 'audit_entry_append_only';
                """,
            ),
            refuse_truncate("audit_entry"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class AuditBlock(models.Model):
    """A sealed run of entries: `digest` covers the one before, so nothing can be cut out."""

    number = models.BigIntegerField(_("block number"), primary_key=True)
    sealed_at = models.DateTimeField(_("sealed at"), db_default=Now())
    entries = models.PositiveIntegerField(_("number of entries"))
    root = models.CharField(_("root digest"), max_length=64)
    previous = models.CharField(_("digest of the block before"), max_length=64)
    digest = models.CharField(_("digest"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("audit block")
        verbose_name_plural = _("audit blocks")
        ordering = ["-number"]
        triggers = append_only("audit_block")

    def __str__(self) -> str:
        return f"{self.number}: {self.digest[:16]}"
