"""The door for bus tools: turns a call from outside into a visit of a line, and lets none through that could harm."""

import asyncio
from collections.abc import Mapping

from siteward.model.errors import Withdrawn
from siteward.model.ids import LineId
from siteward.model.ports import Gate, WireLog
from siteward.model.site import Charger, Connector, Site
from siteward.model.visit import WireCall, WireHeard
from siteward_drivers.errors import SettingsRefused
from siteward_drivers.feeding import Feeding, listeners, reset_by
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Rank, no_trace
from siteward_drivers.line_visit import LONGEST_S, Visit, visitor
from siteward_drivers.modbus import Request
from siteward_drivers.speech import AnyRequest

WAIT_S = 20.0
"""How long a call waits for its share of a busy wire before it gives up."""

_READS = (1, 2, 3, 4)
_UNITS = range(1, 256)
_MOST_REGISTERS = 125


class LineCalls:
    """Calls of bus tools on the lines of a site."""

    def __init__(self, site: Site, owners: Mapping[LineId, LineOwner], gate: Gate, log: WireLog) -> None:
        self._site = site
        self._owners = owners
        self._gate = gate
        self._log = log

    async def call(self, line: LineId, call: WireCall) -> WireHeard | None:
        """Perform one call, None on a strange line.

        Raises ValueError for a call that is no read, Withdrawn when the wire has no time for it, DeviceUnreachable when
        the port is gone.
        """
        owner = self._owners.get(line)
        if owner is None:
            return None
        own = call.settings is None or call.settings == owner.line.settings
        visit = self._visit(owner, call, own)
        fed = self._fed(line, call.unit if own and not call.protocol else None)
        barred = [c for c in fed if reset_by(c) is not None]

        def guard(at: float) -> str:
            # What may hold a charger at its last limit is sent only while core may speak to it itself (R2, ruling 1).
            return "" if all(self._gate.may_speak(c.id, at) for c in barred) else "could feed a charger's watchdog"

        visit.guard = guard
        visit.trace = Feeding(barred, self._log, strange=not own).stage if barred else no_trace
        return await _perform(owner, visit)

    def _fed(self, line: LineId, unit: int | None) -> tuple[Connector, ...]:
        """Connectors whose watchdog the call may feed: those at the address, and those that listen to everything."""
        here: list[Charger] = [c for c in self._site.chargers if c.line == line]
        called = [connector for charger in here if charger.unit == unit for connector in charger.connectors]
        return (*called, *(c for c in listeners(here) if c not in called))

    def _visit(self, owner: LineOwner, call: WireCall, own: bool) -> Visit:
        request = _request(call)
        resident = next((s for s in owner.slaves if s.unit == call.unit and not call.protocol), None) if own else None
        slave = visitor(call.unit, resident, None if own else call.settings)
        answer_s = min(call.answer_s, LONGEST_S)
        return Visit(slave, request, Rank.VISIT, answer_s=answer_s, patient=call.patient, resident=resident)


def _request(call: WireCall) -> AnyRequest:
    """The request of a call. Raises ValueError for all but reads."""
    if call.protocol:
        # Only a scan asks for it (goal 14).
        from siteward_drivers.protocol_probes import PROTOCOL_PROBES

        for probe in PROTOCOL_PROBES:
            if probe.name == call.protocol:
                return probe.request
        raise ValueError(f"nobody here speaks {call.protocol}")
    if call.function not in _READS or call.unit not in _UNITS:
        raise ValueError("a call reads registers or bits of one unit (functions 1 to 4, units 1 to 255)")
    if not (0 <= call.address <= 0xFFFF and 1 <= call.count <= _MOST_REGISTERS):
        raise ValueError(f"a call reads 1 to {_MOST_REGISTERS} registers from an address of 16 bits")
    return Request(call.unit, call.function, call.address, call.count)


async def _perform(owner: LineOwner, visit: Visit) -> WireHeard:
    try:
        async with asyncio.timeout(WAIT_S):
            answer = await owner.perform(visit)
    except TimeoutError as late:
        raise Withdrawn(f"line {owner.line.id} has no time to spare for a tool now") from late
    except SettingsRefused:
        return WireHeard(refused=True)
    except Withdrawn:
        return WireHeard(left_alone=True)
    found = answer.exception is not None or bool(answer.values)
    return WireHeard(visit.heard, answer.values if found else None, answer.exception)
