"""The protocols besides Modbus that a bus scan asks for; a new one adds its probe here and nowhere else."""

from siteward_drivers.scan_plan import ProtocolProbe

PROTOCOL_PROBES: tuple[ProtocolProbe, ...] = ()
"""Asked in this order, each at its own settings."""
