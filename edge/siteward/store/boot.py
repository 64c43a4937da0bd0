"""Tells one start of the machine from another, so that times of the boot clock are never read across a restart."""

from pathlib import Path


def boot_id() -> str:
    """The kernel's random name of this boot; empty (equal to no stored one) where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
