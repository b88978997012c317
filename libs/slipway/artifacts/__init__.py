"""Immutable bytes under the name of their own SHA-256: models, reports, anything a version points at.

An artifact is visible whole or not at all, never changes, and is checked against its digest on every read,
from the very bytes that are returned. Engines take an :class:`ArtifactStore`; ``main`` hands them a
:class:`FileArtifacts` (a folder on disk), tests may hand them ``slipway.artifacts.memory.MemoryArtifacts``.
Every adapter passes ``tests/contract/artifacts``.

Fails with :class:`InvalidDigest`, :class:`ArtifactNotFound`, :class:`ArtifactTooLarge`,
:class:`CorruptArtifact` (the bytes rotted: restore them, or put them again, which heals the artifact),
:class:`ArtifactStoreFull` and :class:`ArtifactStoreUnavailable` (the disk).
"""

from slipway.artifacts.announced import Announced
from slipway.artifacts.digest import check_digest
from slipway.artifacts.errors import (
    ArtifactNotFound,
    ArtifactStoreFull,
    ArtifactStoreUnavailable,
    ArtifactTooLarge,
    CorruptArtifact,
    InvalidDigest,
)
from slipway.artifacts.file import FileArtifacts
from slipway.artifacts.port import CHUNK_BYTES, Artifact, ArtifactStore

__all__ = [
    "CHUNK_BYTES",
    "Announced",
    "Artifact",
    "ArtifactNotFound",
    "ArtifactStore",
    "ArtifactStoreFull",
    "ArtifactStoreUnavailable",
    "ArtifactTooLarge",
    "CorruptArtifact",
    "FileArtifacts",
    "InvalidDigest",
    "check_digest",
]
