"""A wire that core owns, as bus tools use it: each call goes to core, which sends it when control has had its share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from siteward.cli.errors import CommandFailed
from siteward.client.client import Client
from siteward.client.errors import Refused
from siteward.client.records import WireCallMessage, WireHeardMessage
from siteward.model.ids import LineId
from siteward.model.refusals import Refusal
from siteward.model.site import Line, Parity
from siteward_drivers.modbus import Answer, Request
from siteward_drivers.scan import Scan
from siteward_drivers.scan_plan import Attempt, Setting

HOME_FACTOR, FOREIGN_FACTOR = 5.0, 10.0
"""How many times as long as on a free wire a call takes: core gives tools a fifth of the time, a tenth at other
settings."""

_TRIES = 3


async def line_of(client: Client, line: str) -> Line:
    """The line as core has it. Raises CommandFailed when it has none of that name."""
    for known in (await client.site())["lines"]:
        if known["id"] == line:
            rest = (known["baud"], Parity(known["parity"]), known["stopBits"])
            return Line(LineId(line), known["port"], *rest)
    raise CommandFailed(f"core has no line {line!r}", "see `siteward status`", "NO_LINE")


def home_of(line: Line) -> Setting:
    """The line's own setting; behind a gateway it only stands for the gateway's."""
    return Setting(line.baud, line.parity, line.stop_bits) if line.is_serial else Setting()


@dataclass(slots=True)
class CoreWire:
    """One wire of core's. `left_alone`: addresses that core does not let anybody speak to now."""

    client: Client
    line: str
    home: Setting
    left_alone: set[int] = field(default_factory=set)

    async def scan(self, scan: Scan, told: Callable[[Attempt], None]) -> None:
        """Take all steps of a scan. Raises CommandFailed, ClientError."""
        steps = scan.steps()
        try:
            attempt = next(steps)
            while True:
                told(attempt)
                attempt = steps.send(await self._take(attempt))
        except StopIteration:
            return

    async def _take(self, attempt: Attempt) -> bytes | None:
        if not attempt.frame:
            # Core listens all the time, and alarms when another master speaks.
            return b""
        heard = await self._call(_message(attempt, self.home))
        if heard.refused:
            return None
        if heard.left_alone and attempt.request is not None:
            self.left_alone.add(attempt.request.unit)
        return bytes.fromhex(heard.data)

    async def ask(self, request: Request) -> Answer | None:
        """Read registers; None when nobody answered. Raises CommandFailed, ClientError."""
        r = request
        heard = await self._call(
            WireCallMessage(unit=r.unit, function=r.function, address=r.address, count=r.count, answer_s=0.5)
        )
        if heard.left_alone:
            raise CommandFailed(
                f"core may not speak to unit {request.unit} now: a read could hold it at its last current",
                "it is silent or the turn is late; see `siteward status`",
                "LEFT_ALONE",
            )
        if heard.values is None and heard.exception is None:
            return None
        return Answer(heard.values or (), heard.exception)

    async def _call(self, call: WireCallMessage) -> WireHeardMessage:
        for tries in range(_TRIES):
            try:
                return await self.client.call(self.line, call)
            except Refused as no:
                if no.code != Refusal.RATE_LIMITED or tries == _TRIES - 1:
                    raise
        raise AssertionError("the last try answers or raises")


def _message(attempt: Attempt, home: Setting) -> WireCallMessage:
    own = attempt.setting == home
    settings = {} if own else {"baud": attempt.setting.baud, "parity": str(attempt.setting.parity)}
    common = {"answer_s": attempt.answer_s, "patient": attempt.patient, "stop_bits": attempt.setting.stop_bits}
    r = attempt.request
    what = {"protocol": attempt.what} if r is None else {"unit": r.unit, "address": r.address, "count": r.count}
    function = {} if r is None else {"function": r.function}
    return WireCallMessage.model_validate({**settings, **common, **what, **function})
