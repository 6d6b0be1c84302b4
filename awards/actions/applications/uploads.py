"""Files that come with an application or a visit: seen by the member and by the case's staff."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from awards.models import HomeVisit, SubsidyCase
from awards.queries import may_see
from union_portal import files
from union_portal.models import Account, Organization, StoredFile

_PURPOSES = {
    "subsidy_document": _("document of an application"),
    "visit_photo": _("photo of a home visit"),
    "visit_signature": _("signature of a home visit"),
}


@dataclass(frozen=True)
class Upload:
    """A file as its form let it pass."""

    name: str
    content: bytes


def attach(case: SubsidyCase, documents: Iterable[Upload], by: Account) -> int:
    """Keep the documents of an application; returns how many."""
    kept = [stored(case, "subsidy_document", document, by) for document in documents]
    return len(kept)


def stored(
    subject: SubsidyCase | HomeVisit,
    purpose: str,
    upload: Upload,
    by: Account,
    *,
    organization: Organization | None = None,
) -> StoredFile:
    place = organization or (subject.organization if isinstance(subject, SubsidyCase) else None)
    return files.store(
        purpose=purpose,
        name=upload.name,
        content=upload.content,
        subject=subject,
        organization=place,
        by=by,
    )


def register() -> None:
    """Say who may fetch which files."""
    for name, label in _PURPOSES.items():
        files.purpose(name, label=label, may=_may, is_sensitive=True)


def _may(account: Account, file: StoredFile) -> bool:
    if file.subject_type == HomeVisit._meta.label_lower:
        case = SubsidyCase.objects.filter(visits=int(file.subject_id)).first()
    else:
        case = SubsidyCase.objects.filter(pk=int(file.subject_id)).first()
    return case is not None and may_see(account, case)
