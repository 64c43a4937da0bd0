"""What people typed into the forms of a connector, as the contract's params of the command behind the button."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from siteward.model.errors import SitewardError
from siteward.model.ids import is_id
from siteward.model.requests import CommandName
from siteward.panel.words import WORDS

Fields = Mapping[str, str]
Params = dict[str, Any]

_TIME, _KWH = re.compile(r"([01]\d|2[0-3]):[0-5]\d"), re.compile(r"\d{1,5}(\.\d{1,3})?", re.ASCII)
_MINUTES = re.compile(r"\d{1,4}", re.ASCII)
_DAY_MIN, _WHO_MOST = 1440, 64


class WrongForm(SitewardError):
    """A field is not what it should be; `key` names the sentence for the person, `code` the reply."""

    def __init__(self, key: str, code: str) -> None:
        super().__init__(WORDS[key].en)
        self.key = key
        self.code = code


def params_of(name: CommandName, fields: Fields) -> Params:
    """The params of a command. Raises WrongForm."""
    return _READ.get(name, _nothing)(fields)


def _start(fields: Fields) -> Params:
    """A departure where one was given, the consent to switch phases, and the reservation that it is for."""
    params: Params = {"phaseSwitching": True} if fields.get("phase_switching") == "yes" else {}
    kept = fields.get("reservation", "")
    if is_id(kept):
        params["reservationId"] = kept
    departs, wanted = fields.get("departs", "").strip(), fields.get("wants_kwh", "").strip()
    if not departs and not wanted:
        return params
    known = _TIME.fullmatch(departs), _KWH.fullmatch(wanted)
    if not all(known) or not 0.1 <= float(wanted) <= 10_000.0:
        raise WrongForm("departure_wrong", "BAD_DEPARTURE")
    return params | {"departsAt": departs, "wantedEnergy_wh": round(float(wanted) * 1000.0)}


def _stop(fields: Fields) -> Params:
    """The session that the person saw."""
    seen = fields.get("session")
    return {"sessionId": seen} if seen else {}


def _service(fields: Fields) -> Params:
    return {"operative": fields.get("operative") == "yes"}


def _reserve(fields: Fields) -> Params:
    """How long, for which card, and who it is."""
    minutes = fields.get("minutes", "").strip() or "15"
    card, who = fields.get("card", "").strip(), fields.get("who", "").strip()
    long_enough = _MINUTES.fullmatch(minutes) is not None and 1 <= int(minutes) <= _DAY_MIN
    if not long_enough or (card and not is_id(card)) or len(who) > _WHO_MOST or not who.isprintable():
        raise WrongForm("reserve_wrong", "BAD_RESERVATION")
    waits = {"next": True} if fields.get("next") == "yes" else {}
    return waits | {"hold_s": int(minutes) * 60} | ({"token": card} if card else {}) | ({"who": who} if who else {})


def _release(fields: Fields) -> Params:
    """The one that is named, else the connector's own."""
    named = fields.get("reservation", "")
    return {"reservationId": named} if is_id(named) else {}


def _nothing(fields: Fields) -> Params:
    return {}


_READ: Final[Mapping[CommandName, Callable[[Fields], Params]]] = {
    CommandName.START_CHARGE: _start,
    CommandName.STOP_CHARGE: _stop,
    CommandName.SET_AVAILABILITY: _service,
    CommandName.RESERVE: _reserve,
    CommandName.CANCEL_RESERVATION: _release,
}
