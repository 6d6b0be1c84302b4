"""What the engine holds of a person, as sections of the copy of one's data."""

from django.utils.translation import gettext_lazy as _

from union_portal import my_data
from union_portal.my_data import of_model
from welfare.disbursement.models import Cap, Entitlement, PayoutLine


def register() -> None:
    """Money that is owed and that was paid, with the ceilings it counts towards."""
    my_data.add(
        of_model(
            "entitlements", _("Money granted to you"), Entitlement, "person", order=40,
            leave_out={"claim_key": "a keyed hash"},
        ),
        of_model(
            "payments", _("Payments to you"), PayoutLine, "entitlement__person", order=41,
            leave_out={"account_fingerprint": "a keyed hash"},
        ),
        of_model("ceilings", _("Ceilings of payments"), Cap, "person", order=42),
    )  # fmt: skip
