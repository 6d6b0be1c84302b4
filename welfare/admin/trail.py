"""The engine's acts in words, for its own pages and for the log."""

from django.utils.translation import gettext_noop as _

from union_portal.admin.trail import name_acts

name_acts(
    {
        "payoutbatch.draft": _("Batch made"),
        "payoutbatch.fill": _("Payments put in"),
        "payoutbatch.hold": _("Held: it can't be paid as it was released"),
        "payoutbatch.approve_maker": _("Approved as maker"),
        "payoutbatch.approve_checker": _("Approved as checker"),
        "payoutbatch.approve_releaser": _("Approved as releaser"),
        "payoutbatch.approve_second_checker": _("Approved as second checker"),
        "payoutbatch.approve_second_releaser": _("Approved as second releaser"),
        "bankfile.fetch": _("Bank file fetched"),
        "returnfile.import": _("Return file imported"),
        "fund.open": _("Fund opened"),
        "fund.appropriate": _("Appropriation booked"),
        "fund.reverse": _("Appropriation booked back"),
        "entitlement.grant": _("Granted"),
        "entitlement.grant_set": _("Granted to many at once"),
        "entitlement.over_cap": _("Left out: a ceiling is reached"),
        "cap.put": _("Ceilings set"),
        "bankformat.describe": _("Bank format described"),
        "motion.void_batch": _("Moved: void the batch"),
        "motion.withdraw": _("Moved: withdraw the entitlement"),
        "motion.write_off": _("Moved: write the entitlement off"),
        "motion.retry": _("Moved: try the same account again"),
        "motion.certificate": _("Moved: enter the bank's certificate"),
        "motion.lift_gate": _("Moved: leave safe mode"),
        "payoutline.export": _("Payments exported"),
        "entitlement.export": _("Entitlements exported"),
    }
)
