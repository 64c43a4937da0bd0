"""Errors of the drivers that are no device's answer."""

from siteward.model.errors import SitewardError


class DriverError(SitewardError):
    """Root of errors of wires and codecs."""


class LinkDown(DriverError):
    """The port is gone, refused to open, or the peer closed it; opening again later may help."""


class Garbled(DriverError):
    """Bytes on a wire with its own framing (Modbus TCP) that can belong to no frame: only a new connection helps."""


class SettingsRefused(DriverError):
    """The port cannot take the serial settings that a device needs; it keeps those it had."""


class Disturbed(DriverError):
    """Bytes came in the silence that must stand before a frame: it was not sent, and may be after a new silence."""
