"""What a platform imports to speak with stations (decode, check, deduplicate, acknowledge), and a small one to run."""

from siteward_sync.chain import BrokenChain
from siteward_sync.codec import UP_LIMIT, Opened, open_envelope, read_payload
from siteward_sync.receiver.intake import Position, Taken, take_batch
from siteward_sync.receiver.platform import Platform, PlatformOptions, Signer, read_signer, run_platform
from siteward_sync.receiver.records import Records, RecordsFailed

__all__ = [
    "UP_LIMIT",
    "BrokenChain",
    "Opened",
    "Platform",
    "PlatformOptions",
    "Position",
    "Records",
    "RecordsFailed",
    "Signer",
    "Taken",
    "open_envelope",
    "read_payload",
    "read_signer",
    "run_platform",
    "take_batch",
]
