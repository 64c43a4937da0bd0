"""A catalogue of three invented devices, so that settings are judged without the shipped profiles."""

from collections.abc import Sequence

from siteward.model.facts import (
    BootFacts,
    ChargerFacts,
    FailsafeFacts,
    LimitFacts,
    MeterFacts,
    OnExpiry,
    Readback,
    RelayFacts,
    ResetBy,
    WireFacts,
)

_WIRES = {
    "fake_meter": WireFacts(("rtu",), (9600, 19200), ("none", "even"), (1,), 1),
    "fake_box": WireFacts(("rtu",), (19200,), ("even",), (1,), 1),
    "fake_group": WireFacts(("tcp",), (), (), (), 4),
    "fake_board": WireFacts(("rtu",), (9600, 19200), ("none", "even"), (1,), 1),
    "fake_guarded": WireFacts(("rtu",), (9600, 19200), ("none", "even"), (1,), 1),
}


def charger_facts(profile: str, rated_a: float) -> ChargerFacts:
    """Facts of an invented charger."""
    return ChargerFacts(
        profile=profile,
        rated_a=rated_a,
        limit=LimitFacts(6.0, rated_a, 0.1, Readback.ECHO, 1.0, 5.0),
        failsafe=FailsafeFacts(15.0, 0.0, ResetBy.ANY_REQUEST, OnExpiry.FAILSAFE, writable=True, persists=False),
        boot=BootFacts(None, 15.0, watchdog_at_start=True),
        measures_current=True,
        measure_lag_s=1.0,
        pwm_s=1.0,
        bills_energy=profile == "fake_group",
        common_mode=False,
        switches_phases=profile == "fake_group",
    )


class FakeCatalogue:
    """Implements model.ports.ProfileCatalogue."""

    def names(self, kind: str) -> Sequence[str]:
        """Names of a class."""
        names = {
            "meter": ["fake_meter"],
            "charger": ["fake_box", "fake_group"],
            "relay": ["fake_board", "fake_guarded"],
        }
        return names[kind]

    def charger(self, profile: str) -> ChargerFacts | None:
        """A 16 A box and a 32 A group."""
        rated = {"fake_box": 16.0, "fake_group": 32.0}.get(profile)
        return charger_facts(profile, rated) if rated is not None else None

    def meter(self, profile: str) -> MeterFacts | None:
        """One meter."""
        return MeterFacts("fake_meter", 1.0, 1.0, None, bills_energy=True) if profile == "fake_meter" else None

    def relay(self, profile: str) -> RelayFacts | None:
        """A board of two relays and two inputs; the guarded one has a watchdog and a pair."""
        if profile not in ("fake_board", "fake_guarded"):
            return None
        guarded = profile == "fake_guarded"
        pairs = (("open_1", "close_1"),) if guarded else ()
        inputs, outputs = ("input_1", "input_2", "input_3", "input_4"), ("relay_1", "relay_2", "relay_3", "relay_4")
        return RelayFacts(profile, inputs, outputs, pairs, pulses=True, watchdog=guarded)

    def wire(self, profile: str) -> WireFacts | None:
        """How each is wired."""
        return _WIRES.get(profile)
