"""Under which licence each part came, told by its own metadata, and which licences we take."""

import csv
import io
import re
from importlib import metadata
from typing import Final

from tests.supply.lock import Copied, Locked, copied, locked
from union_portal.embedded.places import CHECKOUT

LISTED: Final = CHECKOUT / "docs" / "licences.csv"

# Compatible with AGPL-3.0-or-later, under which the portal itself stands.
ALLOWED: Final = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-2.1-or-later",
        "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "OFL-1.1", "PSF-2.0",
    }
)  # fmt: skip
# Metadata's own words for them; “BSD” where it does not say with how many clauses.
_WORDS: Final = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "LGPLv3": "LGPL-3.0-or-later",
}
# Where the metadata is silent, vague, or offers a choice; each was read in the package itself.
_READ: Final = {
    "psycopg2-binary": "LGPL-3.0-or-later",
    "pyphen": "LGPL-2.1-or-later",  # one of three that it offers
    "qrcode": "BSD-3-Clause",
}
# Wanted by other platforms or other Pythons alone, so not installed here to be asked.
_ELSEWHERE: Final = {
    "async-timeout": "Apache-2.0",
    "brotlicffi": "MIT",
    "colorama": "BSD-3-Clause",
}


def of_package(package: Locked) -> str:
    """Its licence. Errors: LookupError for a package that is neither installed nor read."""
    if package.name in _READ:
        return _READ[package.name]
    try:
        told = metadata.metadata(package.name)
    except metadata.PackageNotFoundError:
        if package.name in _ELSEWHERE and package.marker:
            return _ELSEWHERE[package.name]
        raise LookupError(f"the licence of {package.name} is not known here") from None
    expression = told.get("License-Expression")
    if expression:
        return str(expression)
    classified = [
        line.rpartition("::")[2].strip()
        for line in told.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    words = classified or [str(told.get("License") or "").splitlines()[0][:60]]
    return " AND ".join(sorted({_WORDS.get(word, word) for word in words}))


def is_allowed(licence: str) -> bool:
    """Whether we may take it: of alternatives one is enough, of several all are needed."""
    return any(
        all(part.strip(" ()") in ALLOWED for part in re.split(r"\bAND\b", alternative))
        for alternative in re.split(r"\bOR\b", licence)
    )


def table() -> str:
    """The list as it is kept in docs/licences.csv."""
    rows: list[tuple[str, str, str, str]] = [
        (one.name, one.version, of_package(one), _where(one)) for one in locked()
    ]
    rows += [(one.file, one.version, one.licence, _place(one)) for one in copied()]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("part", "version", "licence", "where"))
    writer.writerows(rows)
    return out.getvalue()


def _where(package: Locked) -> str:
    return f"package; {package.marker}" if package.marker else "package"


def _place(file: Copied) -> str:
    return str(file.path.relative_to(CHECKOUT).parent)
