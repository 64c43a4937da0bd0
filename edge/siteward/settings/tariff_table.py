"""The table [tariff] of site.toml: what the site says about prices; the tariffs themselves are no part of the file."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from siteward.client.command_keys import BadKeys, read_bytes
from siteward.model.currency import CURRENCIES
from siteward.model.signed import Unsigned
from siteward.model.tariff import MeterLost, Pin, Pricing, Unmetered, Unpriced
from siteward.settings.keys import Id, Table, key


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("is no currency of ISO 4217; write its code, such as CNY or EUR")
    return text


def _public_key(text: str) -> str:
    try:
        read_bytes(text)
    except BadKeys as bad:
        raise ValueError("is no Ed25519 public key; write its 32 bytes in base64, 44 characters") from bad
    return text


class TariffTable(Table):
    """[tariff]: which tariff prices a start, and what is taken for one."""

    default: Id | None = key(
        None,
        "Id of the tariff that prices a start which names none, offline too.",
        reason="Tariffs come by SET_TARIFF or `siteward tariff install`; this only says which of them counts.",
    )
    currency: Annotated[str, AfterValidator(_currency)] | None = key(
        None,
        "The one currency in which tariffs are taken, by ISO 4217; without it any is.",
        reason="A price in another currency than the site's is a mistake.",
    )
    pin: Literal["start", "boundary"] = key(
        "start",
        "Which version prices a session: that of its start, or that in force from each price boundary on.",
        reason="A driver pays the prices that were shown at the start.",
    )
    unpriced: Literal["allow", "refuse"] = key(
        "allow",
        "What becomes of a start for which no tariff is in force: charged without a bill, or refused.",
        reason="Many sites leave prices to their platform; where the station bills, refuse.",
    )
    unmetered: Literal["allow", "refuse"] = key(
        "allow",
        "What becomes of a start at a connector that no meter bills: charged without a bill, or refused.",
        reason="Energy that nothing counts can be sold to nobody; a depot of one's own need not count it.",
    )
    meter_lost: Literal["paid", "all", "none"] = key(
        "paid",
        "Which sessions end when their billing meter was not readable for 30 s: those of an order or with a price, "
        "all, or none. Those that go on are billed by what it shows once it is back.",
        reason="What cannot be counted cannot be charged for; a fleet may rather be full than billed.",
    )
    unsigned: Literal["allow", "refuse"] = key(
        "allow",
        "What becomes of a session whose meter signs values but did not sign its begin: charged and marked, or ended.",
        reason="Where calibration law asks for signed values, energy without them must not be sold: refuse.",
    )
    signer: Annotated[str, AfterValidator(_public_key)] | None = key(
        None,
        "The operator's Ed25519 public key in base64; with it only signed tariffs are taken, from whomever they come.",
        reason="Whoever can reach the broker could otherwise set prices.",
    )


def pricing(table: TariffTable) -> Pricing:
    """What the decision needs of the table."""
    return Pricing(
        default=table.default,
        currency=table.currency,
        pin=Pin(table.pin),
        unpriced=Unpriced(table.unpriced),
        signer=table.signer,
        unmetered=Unmetered(table.unmetered),
        meter_lost=MeterLost(table.meter_lost),
        unsigned=Unsigned(table.unsigned),
    )
