"""The billing register of a connector: which meter bills it, and whether a new value can be true (B22)."""

from dataclasses import dataclass, replace

from siteward.model.site import Connector, Site
from siteward.model.snapshot import Snapshot

LSB_WH = 100
"""Coarsest register step that is taken for plausible on top of what the connector can deliver."""

REREADS = 3
"""Implausible readings in a row after which the register is no longer believed (B22)."""

STILL_WH = 3 * LSB_WH
"""Energy by the meter's own power that its register may miss before it counts as standing still (B22)."""

STRAY_SHARE = 0.02
STRAY_WH = 50.0 + LSB_WH
"""Energy by power and energy by register of one meter that lie further apart than both of these do not fit (B22)."""

HOLE_S = 15.0
"""Between two readings that lie further apart nobody knows the power."""

FRESH_S = 10.0
"""Age beyond which a reading is no reading of now."""

UNKNOWN_GAP_S = 86_400.0
"""How long a register may have counted unread after a restart of which no clock tells how long it took."""

LAST_HUNDREDTH = 0.99
"""A register rolls over only out of the last hundredth of its range (B22)."""

_HEADROOM = 1.2


@dataclass(frozen=True, slots=True)
class RegisterReading:
    """One reading of the import register in Wh, sent_at in boot-time s; serial is None where the meter told none.

    power_w is what the same meter shows to flow, None where it does not tell; rollover_wh is where its register begins
    at 0 again, None where its profile does not say; rough: the power is made of currents.
    """

    wh: int
    sent_at: float
    serial: str | None
    power_w: float | None = None
    rollover_wh: int | None = None
    rough: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """The register as believed: last accepted value, since when it can have grown, and how many readings were refused.

    `name` is the serial where it is known, else the meter's id; fresh_at is when a value was last accepted.
    still_wh is the energy that flowed by the meter's own power since the register last moved; rolled_wh is what its
    rollovers took off its value since the session began; power_w is that of the last accepted reading, flowed_wh what
    flowed by it so far and beside_wh what the register counted over the same time: a check, never billed.
    """

    name: str
    wh: int | None = None
    since: float = 0.0
    fresh_at: float | None = None
    judged_at: float | None = None
    held: int = 0
    serial: str | None = None
    still_wh: float = 0.0
    rolled_wh: int = 0
    power_w: float | None = None
    flowed_wh: float = 0.0
    beside_wh: int = 0

    @property
    def strays(self) -> bool:
        """Whether its meter's own power contradicts it by more than readings and rounding explain."""
        apart = abs(self.flowed_wh - self.beside_wh)
        return apart > max(STRAY_WH, STRAY_SHARE * max(self.flowed_wh, self.beside_wh))

    @property
    def still(self) -> bool:
        """Whether it stands still while energy flows."""
        return self.still_wh >= STILL_WH

    @property
    def doubted(self) -> bool:
        """Whether it was implausible too often to be a slip of the wire, or stands still while energy flows."""
        return self.held >= REREADS or self.still


def billing_meter(site: Site, connector: Connector) -> str | None:
    """Name of the meter that bills a connector, or None: unmetered. A VAh counter never bills (ruling 9)."""
    if connector.meter is None:
        return connector.id if connector.facts.bills_energy else None
    for meter in site.meters:
        if meter.id == connector.meter:
            return meter.id if meter.facts.bills_energy else None
    return None


def read_register(site: Site, snapshot: Snapshot, connector: Connector) -> RegisterReading | None:
    """Reading of the billing register, None when there is none, or none of the last FRESH_S seconds."""
    oldest = snapshot.at - FRESH_S
    if connector.meter is not None:
        meter = snapshot.meters.get(connector.meter)
        if meter is None or meter.energy_wh is None or meter.sent_at < oldest:
            return None
        return RegisterReading(meter.energy_wh, meter.sent_at, meter.serial, meter.power_w, _rollover(site, connector))
    charger = snapshot.chargers.get(connector.id)
    if charger is None or charger.energy_wh is None:
        return None
    if charger.energy_at is None:
        reading = RegisterReading(charger.energy_wh, charger.sent_at, None, charger.power_w)
    else:
        # Its power may be as old as its register would be; its currents are of the poll.
        amps = charger.measured_a
        power_w = None if amps is None else sum(amps) * site.phase_voltage_v
        reading = RegisterReading(charger.energy_wh, charger.energy_at, None, power_w, rough=True)
    return reading if reading.sent_at >= oldest else None


def _rollover(site: Site, connector: Connector) -> int | None:
    return next((meter.facts.rollover_wh for meter in site.meters if meter.id == connector.meter), None)


def most_watts(site: Site, connector: Connector) -> float:
    """The most that the connector can deliver, in W at nominal voltage."""
    return connector.hardware_max_a * len(connector.wiring) * site.phase_voltage_v


def judge(register: Register, reading: RegisterReading | None, watts: float) -> Register:
    """Take in a reading: accepted when it grew no more than `watts` allow (plus 20 % and one step), else held."""
    if reading is None or reading.sent_at == register.judged_at:
        return register
    if not plausible(register, reading, watts):
        rolled = _rolled(register, reading, watts)
        return rolled or replace(register, judged_at=reading.sent_at, held=register.held + 1)
    still_wh = _still_wh(register, reading)
    if still_wh >= STILL_WH:
        # It is believed no further than to here, and not called fresh: it may be what it was when it stopped.
        return replace(register, judged_at=reading.sent_at, held=0, still_wh=still_wh)
    flowed_wh, beside_wh = _by_power(register, reading)
    return replace(
        register,
        power_w=reading.power_w,
        flowed_wh=flowed_wh,
        beside_wh=beside_wh,
        still_wh=still_wh,
        name=reading.serial or register.name,
        serial=reading.serial or register.serial,
        wh=reading.wh,
        since=reading.sent_at,
        fresh_at=reading.sent_at,
        judged_at=reading.sent_at,
        held=0,
    )


def _by_power(register: Register, reading: RegisterReading) -> tuple[float, int]:
    """Energy by power, and by the register beside it, over all pairs of readings that have both."""
    gap_s = reading.sent_at - register.since
    before_w, now_w = register.power_w, reading.power_w
    if reading.rough or gap_s > HOLE_S or before_w is None or now_w is None or register.wh is None:
        return register.flowed_wh, register.beside_wh
    mean_w = max(0.0, before_w + now_w) / 2.0
    return register.flowed_wh + mean_w * gap_s / 3600.0, register.beside_wh + reading.wh - register.wh


def _rolled(register: Register, reading: RegisterReading, watts: float) -> Register | None:
    """The register in its new epoch, if the step back can be its rollover (B22, I6)."""
    top = reading.rollover_wh
    if top is None or register.wh is None or register.wh < LAST_HUNDREDTH * top:
        return None
    if not plausible(replace(register, wh=register.wh - top), reading, watts):
        return None
    epoch = replace(register, wh=register.wh - top, rolled_wh=register.rolled_wh + top)
    return judge(epoch, reading, watts)


def exchanged(register: Register, reading: RegisterReading | None) -> Register | None:
    """The register of another meter that has now answered REREADS times in the place of the old one (B22, fault 32).

    It counts on from the last value of the old one: what flowed in between is in neither of them. None: no exchange.
    """
    if reading is None or register.wh is None or register.held < REREADS or reading.sent_at != register.judged_at:
        return None
    if register.serial is None or reading.serial is None or reading.serial == register.serial:
        return None
    return Register(
        name=reading.serial,
        wh=reading.wh,
        since=reading.sent_at,
        fresh_at=reading.sent_at,
        judged_at=reading.sent_at,
        serial=reading.serial,
        rolled_wh=register.rolled_wh + register.wh - reading.wh,
    )


def _still_wh(register: Register, reading: RegisterReading) -> float:
    """Energy by power since the register last moved; what flowed between two readings is what the later one shows."""
    if register.wh != reading.wh or register.judged_at is None:
        return 0.0
    flowed_s = max(0.0, reading.sent_at - register.judged_at)
    return register.still_wh + max(0.0, reading.power_w or 0.0) * flowed_s / 3600.0


def plausible(register: Register, reading: RegisterReading, watts: float) -> bool:
    """Whether a value can follow the last one: same meter, not backward, no jump."""
    if register.serial is not None and reading.serial is not None and register.serial != reading.serial:
        return False
    if register.wh is None:
        return True
    most = watts * _HEADROOM * max(0.0, reading.sent_at - register.since) / 3600.0 + LSB_WH
    return 0 <= reading.wh - register.wh <= most
