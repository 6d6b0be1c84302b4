"""A bill of materials (CycloneDX 1.6, JSON), made from the lock and the table of copied files.

The same lock gives the same bytes: no time of day, no place it was made at.
"""

import tomllib
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tests.supply.licences import of_package
from tests.supply.lock import PRODUCTION, Copied, Locked, copied, locked
from union_portal.embedded.places import CHECKOUT

_NAMESPACE: Final = UUID("6f6d1c0e-52a4-4c1c-9d0b-8d3a1f0f6b61")


def bill() -> str:
    """The bill as JSON. Errors: ValueError if it does not fit the schema of CycloneDX."""
    text = JsonV1Dot6(_bom()).output_as_string(indent=1)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise ValueError("the bill does not fit its schema")
    return text


def _bom() -> Bom:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    portal = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        licenses=[DisjunctiveLicense(id=project["license"])],
    )
    parts = [*map(_of_package, locked()), *map(_of_file, copied())]
    content = PRODUCTION.read_bytes() + "".join(one.sha256 for one in copied()).encode()
    bom = Bom(components=parts, serial_number=uuid5(_NAMESPACE, sha256(content).hexdigest()))
    bom.metadata.component = portal
    bom.metadata.timestamp = datetime(2026, 1, 1, tzinfo=UTC)
    bom.register_dependency(portal, parts)
    return bom


def _of_package(package: Locked) -> Component:
    address = PackageURL("pypi", name=package.name, version=package.version)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(address),
        purl=address,
        licenses=[DisjunctiveLicense(name=of_package(package))],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in package.hashes],
    )


def _of_file(file: Copied) -> Component:
    return Component(
        name=file.file,
        version=file.version,
        type=ComponentType.FILE,
        bom_ref=file.file,
        licenses=[DisjunctiveLicense(id=file.licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=file.sha256)],
    )
