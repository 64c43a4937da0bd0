"""The protocols besides Modbus that a bus scan asks for; a new one adds its probe here and nowhere else."""

from siteward_drivers.dlt645_probe import Dlt645Probe

PROTOCOL_PROBES = (Dlt645Probe(),)
"""Asked in this order, each at its own settings."""
