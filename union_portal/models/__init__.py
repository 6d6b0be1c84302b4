"""Shape and constraints of the kernel's tables, one file per module."""

from union_portal.models.accounts import Account, RoleAssignment
from union_portal.models.appeals import Appeal
from union_portal.models.audit import AuditBlock, AuditEntry
from union_portal.models.decisions import Decision, DecisionOutcome, RuleSet
from union_portal.models.files import StoredFile
from union_portal.models.holidays import Holiday
from union_portal.models.jobs import Job
from union_portal.models.notices import Notice, NoticeEntry, Objection
from union_portal.models.notifications import Channel, Message
from union_portal.models.once import SentForm
from union_portal.models.organizations import Organization, OrganizationLevel
from union_portal.models.reports import FileDownload, ReportRun

__all__ = [
    "Account",
    "Appeal",
    "AuditBlock",
    "AuditEntry",
    "Channel",
    "Decision",
    "DecisionOutcome",
    "FileDownload",
    "Holiday",
    "Job",
    "Message",
    "Notice",
    "NoticeEntry",
    "Objection",
    "Organization",
    "OrganizationLevel",
    "ReportRun",
    "RoleAssignment",
    "RuleSet",
    "SentForm",
    "StoredFile",
]
