"""Files that come with an application or a visit."""

from collections.abc import Iterable
from dataclasses import dataclass

from awards.models import HomeVisit, SubsidyCase
from union_portal import files
from union_portal.models import Account, Organization, StoredFile


@dataclass(frozen=True)
class Upload:
    """A file as it came in."""

    name: str
    content: bytes


def attach(case: SubsidyCase, documents: Iterable[Upload], by: Account) -> int:
    stored = [stored(case, "subsidy_document", document, by) for document in documents]
    return len(stored)


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
