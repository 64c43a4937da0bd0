"""The call by which a bus tool reads on a wire that core owns, one at a time on each."""

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.answers import Denied, body, message, parse
from siteward.api.backend import Station
from siteward.client.records import WireCallMessage, WireHeardMessage
from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.ids import LineId
from siteward.model.refusals import Refusal
from siteward.model.serial import Parity, SerialSettings
from siteward.model.visit import WireCall


class Calls:
    """Endpoint over the lines."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._busy: set[LineId] = set()

    async def call(self, request: Request) -> Response:
        """POST /v1/lines/{id}/call."""
        line = LineId(request.path_params["id"])
        asked = to_call(parse(WireCallMessage, await body(request)))
        if line in self._busy:
            raise Denied(Refusal.RATE_LIMITED, f"another tool speaks on {line}")
        self._busy.add(line)
        try:
            heard = await self._station.call(line, asked)
        except ValueError as wrong:
            raise Denied(Refusal.BAD_PARAMS, str(wrong)) from wrong
        except Withdrawn as late:
            raise Denied(Refusal.RATE_LIMITED, str(late)) from late
        except DeviceUnreachable as gone:
            raise Denied(Refusal.NOT_SUPPORTED, str(gone)) from gone
        finally:
            self._busy.discard(line)
        if heard is None:
            raise Denied(Refusal.UNKNOWN_TARGET, f"no line {line!r} with frames")
        return message(WireHeardMessage.model_validate(heard))


def to_call(asked: WireCallMessage) -> WireCall:
    """The call that a message stands for. Raises Denied(BAD_PARAMS) for a parity that does not exist."""
    settings = None
    if asked.baud is not None:
        if asked.parity not in set(Parity):
            raise Denied(Refusal.BAD_PARAMS, f"parity is {', '.join(Parity)}")
        settings = SerialSettings(asked.baud, Parity(asked.parity), asked.stop_bits)
    return WireCall(
        asked.unit, asked.function, asked.address, asked.count, asked.protocol, asked.answer_s, asked.patient, settings
    )
