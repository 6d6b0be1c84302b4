"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisbursementConfig(AppConfig):
    name = "welfare.disbursement"
    label = "disbursement"
    verbose_name = _("Disbursement")
