"""Shape and constraints of the kernel's tables, one file per module."""

from union_portal.models.account_reviews import AccountReview, ReviewedRole
from union_portal.models.accounts import Account, PastPassword, RoleAssignment
from union_portal.models.api import ApiToken, CallCount, SentCall
from union_portal.models.appeals import Appeal
from union_portal.models.audit import AuditBlock, AuditEntry
from union_portal.models.decisions import Decision, DecisionOutcome, RuleSet
from union_portal.models.factors import FactorReset
from union_portal.models.figures import CountedFigure
from union_portal.models.files import ForgottenFile, StoredFile
from union_portal.models.holidays import Holiday
from union_portal.models.jobs import Job
from union_portal.models.notices import Notice, NoticeEntry, Objection
from union_portal.models.notifications import Channel, Message
from union_portal.models.once import SentForm
from union_portal.models.organizations import Organization, OrganizationLevel
from union_portal.models.reports import FileDownload, ReportRun

__all__ = [
    "Account",
    "AccountReview",
    "ApiToken",
    "Appeal",
    "AuditBlock",
    "AuditEntry",
    "CallCount",
    "Channel",
    "CountedFigure",
    "Decision",
    "DecisionOutcome",
    "FactorReset",
    "FileDownload",
    "ForgottenFile",
    "Holiday",
    "Job",
    "Message",
    "Notice",
    "NoticeEntry",
    "Objection",
    "Organization",
    "OrganizationLevel",
    "PastPassword",
    "ReportRun",
    "ReviewedRole",
    "RoleAssignment",
    "RuleSet",
    "SentCall",
    "SentForm",
    "StoredFile",
]
