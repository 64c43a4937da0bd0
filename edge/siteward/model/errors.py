"""The error root of the daemon, split by what a caller must do: retry, accept the device's no, or fix us."""


class SitewardError(Exception):
    """Root of every error that siteward raises on purpose."""


class DeviceError(SitewardError):
    """A device did not do what was asked."""


class DeviceUnreachable(DeviceError):
    """Retry: nothing usable came back in time (time-out, checksum, lost link)."""


class DeviceRefused(DeviceError):
    """The device answered no; repeating the same request is pointless. `code` is the device's own number."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class Withdrawn(DeviceError):
    """The frame was never sent: newer write, deadline passed, lease ended or no room left (R4)."""


class StoreError(SitewardError):
    """The journal could not be written or read."""


class ConfigError(SitewardError):
    """A file of the installer is wrong; the text says file, line, key and what to do."""


class WeAreWrong(SitewardError):
    """A broken promise inside siteward: never caught, the supervisor restarts."""
