"""Ceilings over what one person may be granted for one purpose and period."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

from typing import Final

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models import Person
from union_portal.fields import FenField
from union_portal.row_guards import frozen, guard, kept, refusal
from union_portal.triggers import Trigger

# A yearly ceiling counts the months of its year too: 2026 covers 2026 and 2026-03.
COUNTED: Final = (
    "c.person_id = e.person_id AND c.schemes @> to_jsonb(e.scheme)"
    " AND (e.period = c.period OR starts_with(e.period, c.period || '-'))"
)
# First key of the advisory lock: entitlements are born under it shared, ceilings alone.
CAPS_LOCK: Final = 20_150_020

_BORN = f"""
    PERFORM pg_advisory_xact_lock({CAPS_LOCK}, 0);
    NEW.used_fen := COALESCE((SELECT sum(e.amount_fen) FROM disbursement_entitlement e
        CROSS JOIN (SELECT NEW.person_id AS person_id, NEW.schemes AS schemes,
                           NEW.period AS period) c
        WHERE e.state = 'granted' AND {COUNTED}), 0);
    RETURN NEW;
"""

_ADD = """
    EXECUTE $q$
        SELECT 1 FROM disbursement_cap WHERE id IN (
            SELECT c.id FROM {rows} e JOIN disbursement_cap c ON {counted})
        ORDER BY id FOR UPDATE
    $q$;
    EXECUTE $q$
        UPDATE disbursement_cap t SET used_fen = t.used_fen {sign} s.fen
        FROM (SELECT c.id, sum(e.amount_fen) AS fen
              FROM {rows} e JOIN disbursement_cap c ON {counted} GROUP BY c.id) s
        WHERE t.id = s.id
    $q$;
"""

COUNTED_WHEN_BORN: Final = (
    f"""
    PERFORM pg_advisory_xact_lock_shared({CAPS_LOCK}, 0);
    IF EXISTS (SELECT 1 FROM disbursement_cap) THEN
    """
    + _ADD.format(rows="born", counted=COUNTED, sign="+")
    + "END IF; RETURN NULL;"
)

GIVEN_BACK_WHEN_ENDED: Final = (
    "IF EXISTS (SELECT 1 FROM disbursement_cap) THEN "
    + _ADD.format(
        rows="(SELECT n.* FROM becomes n JOIN was o ON o.id = n.id"
        " WHERE o.state = 'granted' AND n.state <> 'granted')",
        counted=COUNTED,
        sign="-",
    )
    + "END IF; RETURN NULL;"
)


class Cap(models.Model):
    """At most so much for one person, purpose and period, over all schemes it names.

    Living relief stays within the year's subsistence allowance, medical relief within the
    self-paid part. `used_fen` is written by the entitlements' triggers alone; it is the sum
    of the granted ones. Source: 总工发〔2015〕20号, art. 5; `clause` names the one applied.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="caps", db_index=False
    )
    purpose = models.CharField(_("purpose"), max_length=40)
    period = models.CharField(_("period"), max_length=20)
    schemes = models.JSONField(_("schemes"), default=list)
    clause = models.CharField(_("source clause"), max_length=120)
    ceiling_fen = FenField(_("ceiling"))
    used_fen = FenField(_("granted under it"), default=0, editable=False)

    class Meta:
        verbose_name = _("ceiling")
        verbose_name_plural = _("ceilings")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "purpose", "period"], name="cap_once"),
            models.CheckConstraint(
                condition=models.Q(used_fen__gte=0, used_fen__lte=models.F("ceiling_fen")),
                name="cap_ceiling",
            ),
            models.CheckConstraint(condition=~models.Q(clause=""), name="cap_with_clause"),
        ]
        triggers = [
            # On a row that is there already (ON CONFLICT) the sum computed here is not used.
            Trigger(
                name="cap_born",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=guard(
                    "jsonb_typeof(NEW.schemes) <> 'array' OR NEW.schemes = '[]'",
                    "cap_names_schemes",
                    "cap: a ceiling names the schemes it covers",
                )
                + _BORN,
            ),
            Trigger(
                name="cap_used_counted",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.used_fen <> OLD.used_fen AND pg_trigger_depth() < 1"
                ),
                func=refusal("cap_used_counted", "cap: what is used follows the entitlements only"),
            ),
            frozen(
                "cap_frozen", "person_id, purpose, period, schemes", "cap: a ceiling stays its own"
            ),
            *kept("cap"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.period}"
