"""S-32, S-69: every shipped profile loads, plans its reads, is simulated, and its driver talks to the simulation."""

import math
import struct
from itertools import pairwise

import pytest

from siteward.model.errors import DeviceRefused, Withdrawn
from siteward.model.facts import OnExpiry, Readback
from siteward.model.ids import MeterId
from siteward.model.readings import Pilot
from siteward.model.serial import Parity, SerialSettings
from siteward.model.wire import FrameKind, Write, WriteKind
from siteward_drivers.blocks import poll_blocks
from siteward_drivers.charger_writes import heartbeat_frames, plan_write
from siteward_drivers.decode import decode, raw_value
from siteward_drivers.modbus_device import write_function
from siteward_drivers.profile_points import RegisterType
from siteward_drivers.profile_schema import Language
from siteward_drivers.quantities import Quantity, Unit
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Closes
from siteward_drivers.sim.registers import encode
from siteward_drivers.sim.site import SimSite

from .profile_bench import BOX, FAILSAFE_A, LINE, OUTLET, PROFILES, Bench, on_bench, site_of

ALL = sorted(name for name, profile in PROFILES.by_id.items() if profile.file.protocol is Language.MODBUS)
METERS = [name for name in PROFILES.names("meter") if name in ALL]
CHARGERS = PROFILES.names("charger")
SPEEDS = [SerialSettings(baud, Parity.NONE, 1) for baud in (1200, 9600, 19200, 115200)]
FIRST_A, SECOND_A, BASE_A = 12.0, 9.0, 13.0
MEASURED = (Unit.V, Unit.A, Unit.W, Unit.VA, Unit.WH, Unit.VAH)
FLOATS = {RegisterType.F32: ">f", RegisterType.F64: ">d"}
UNSIGNED = (RegisterType.U16, RegisterType.U32, RegisterType.U64, RegisterType.DEC_U24)


@pytest.mark.parametrize("name", ALL)
def test_polls_touch_documented_registers_only_and_keep_the_request_limit(name: str) -> None:
    """S-69: a device that refuses a block that is too long or crosses a hole is never asked for one."""
    profile = PROFILES[name]
    poll, most = profile.file.poll, profile.file.timing.max_registers
    for channel in {1, profile.file.channels.count}:
        documented = {(s.table, s.first + n) for s in profile.spans(channel) for n in range(s.count)}
        for at in (*SPEEDS, None):
            for quantities in (poll.always, poll.slow):
                blocks = poll_blocks(profile, quantities, channel, at)
                assert all(block.count <= most for block in blocks)
                assert {(b.table, b.first + n) for b in blocks for n in range(b.count)} <= documented
                assert sorted(q for b in blocks for q in b.points) == sorted(quantities)


@pytest.mark.parametrize("name", ALL)
def test_the_simulated_device_answers_its_own_probes(name: str) -> None:
    """A scan can tell the device by its profile."""
    profile = PROFILES[name]
    sim = SimSite.from_site(site_of(profile), PROFILES)
    sim.world.advance(10.0)
    device = sim.banks[LINE].devices[profile.file.wire.unit]
    for probe in profile.file.identify:
        point = profile.point(probe.quantity)
        words = device.read(point.table, point.address, point.width)
        value = decode({probe.quantity: point}, point.address, words, profile.file.word_order).values[probe.quantity]
        if probe.range is not None:
            assert probe.range[0] <= float(value) <= probe.range[1]
        else:
            assert str(value).startswith(str(probe.begins))


@pytest.mark.parametrize("name", ALL)
def test_what_cannot_be_true_is_no_value(name: str) -> None:
    """Faults 29 and 30: codes for "not known", NaN, infinity and all ones are rejected, never a number."""
    profile = PROFILES[name]
    order = profile.file.word_order
    judged = 0
    for quantity, point in profile.file.points.items():
        if not point.readable or point.unit not in MEASURED:
            continue
        wrong = [encode(point, code * point.scale, order) for code in point.invalid]
        if point.type in FLOATS:
            for number in (math.nan, math.inf, -math.inf):
                data = struct.pack(FLOATS[point.type], number)
                words = [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]
                wrong.append(words[::-1] if order == "lsw_first" else words)
        if point.type in UNSIGNED or point.type in FLOATS:
            wrong.append([0xFFFF] * point.width)
        for words in wrong:
            judged += 1
            assert decode({quantity: point}, point.address, words, order).rejected == (quantity,), quantity
    signed = {RegisterType.I16, RegisterType.I32, RegisterType.I64}
    all_signed = all(p.type in signed for p in profile.file.points.values() if p.unit in MEASURED)
    assert judged or all_signed


@pytest.mark.parametrize("name", METERS)
def test_swapped_words_do_not_pass_as_this_meter(name: str) -> None:
    """Fault 30: a probe of two words that come in the wrong order falls out of its span."""
    profile = PROFILES[name]
    order = profile.file.word_order
    typical = {Quantity.FREQUENCY: 50.0, Quantity.VOLTAGE_L1: 231.7, Quantity.VOLTAGE_L2: 229.1}
    for probe in profile.file.identify:
        point = profile.file.points[probe.quantity]
        if point.width < 2 or probe.quantity not in typical or probe.range is None:
            continue
        words = encode(point, typical[probe.quantity], order)
        right = decode({probe.quantity: point}, point.address, words, order).values.get(probe.quantity)
        assert right == pytest.approx(typical[probe.quantity], rel=0.001)
        swapped = decode({probe.quantity: point}, point.address, words[::-1], order).values.get(probe.quantity)
        assert swapped is None or not probe.range[0] <= float(swapped) <= probe.range[1]


@pytest.mark.parametrize("name", METERS)
def test_a_meter_reads_what_flows(name: str) -> None:
    """S-69: registers, scales and words of the profile bring back the simulated truth."""

    async def body(bench: Bench) -> None:
        profile = bench.profile
        bench.sim.base_step("grid", BASE_A)
        await bench.clock.sleep(10)
        for _ in range(4):
            reading = await bench.lines.meters[0].read()
            await bench.clock.sleep(profile.file.poll.every_s)
        assert reading.rejected == ()
        assert reading.energy_wh is not None
        assert reading.energy_wh > 0
        part = profile.file.meter
        assert part is not None
        if part.phases == 3:
            assert reading.current_a == pytest.approx((BASE_A,) * 3, rel=0.01)
            assert reading.voltage_v == pytest.approx((230.0,) * 3, rel=0.03)
        else:
            assert reading.current_a is None
        # A meter of one phase has no sum: its total is that phase.
        assert reading.power_w == pytest.approx(3 * BASE_A * 230, rel=0.03)
        if Quantity.FREQUENCY in profile.file.poll.always:
            assert reading.frequency_hz == pytest.approx(50.0, abs=0.1)

    on_bench(name, body)


@pytest.mark.parametrize("name", [n for n in METERS if getattr(PROFILES[n].file.meter, "valid_when", ())])
def test_a_meter_with_other_transformer_ratios_gives_no_values(name: str) -> None:
    """Law 5: currents that would have to be multiplied by a ratio are no currents."""

    async def body(bench: Bench) -> None:
        for _ in range(3):
            good = await bench.lines.meters[0].read()
        assert good.current_a is not None
        bench.sim.meters[MeterId("meter")].set_constant(Quantity.CURRENT_RATIO, 40.0)
        await bench.clock.sleep(100)
        for _ in range(3):
            reading = await bench.lines.meters[0].read()
        assert (reading.current_a, reading.power_w, reading.energy_wh) == (None, None, None)
        assert "current_l1" in reading.rejected

    on_bench(name, body)


@pytest.mark.parametrize("name", CHARGERS)
def test_every_verb_of_a_charger_fits_its_registers(name: str) -> None:
    """R19: the profile's own verbs, its function codes and its steps; a code that lifts the limit is never written."""
    profile = PROFILES[name]
    part = profile.charger
    lifted = part.limit.no_limit_code
    limit = profile.point(Quantity.CURRENT_LIMIT)
    values = [0.0, part.limit.min_a / 2, part.limit.min_a, part.limit.max_a / 2, part.limit.max_a, 10_000.0]
    for value_a in values:
        plan = plan_write(profile, 1, Write(OUTLET, WriteKind.LIMIT, value_a, False, 1, 0.0))
        assert plan.value_a <= value_a
        assert plan.value_a == 0.0 or plan.value_a >= part.limit.min_a
        for frame in plan.frames:
            assert write_function(profile, frame.table, len(frame.words)) in profile.file.timing.write_functions
            if frame.address == limit.address and lifted is not None:
                assert raw_value(limit, frame.words[: limit.width], profile.file.word_order) != lifted
    assert bool(heartbeat_frames(profile, 1)) == (part.heartbeat is not None)


@pytest.mark.parametrize("name", CHARGERS)
def test_a_charger_is_limited_paused_resumed_and_read_back(name: str) -> None:
    """I4, R5: what is written is read back, and what truly flows never exceeds it."""

    async def body(bench: Bench) -> None:
        part = bench.profile.charger
        idle = await bench.poll(30)
        assert (idle.pilot, idle.charging, idle.rejected) == (Pilot.A, False, ())
        bench.sim.world.plug(OUTLET, Car("car", max_a=32.0, react_s=1.0))
        if part.failsafe is not None and part.failsafe.writable:
            await bench.write(WriteKind.FAILSAFE, FAILSAFE_A)
        first = await bench.hold(FIRST_A, 60)
        assert first.set_point_a == pytest.approx(FIRST_A, abs=0.05)
        assert (first.pilot, first.charging) == (Pilot.C, True)
        assert part.limit.min_a * 0.9 <= bench.signalled_a <= FIRST_A + 1e-6
        if part.measured.phases == 3:
            assert first.measured_a == pytest.approx((FIRST_A,) * 3, abs=0.2)
        paused = await bench.hold(0.0, 30)
        assert paused.set_point_a == 0.0
        assert (paused.pilot, paused.charging, bench.signalled_a) == (Pilot.B, False, 0.0)
        resumed = await bench.hold(SECOND_A, 60)
        assert resumed.set_point_a == pytest.approx(SECOND_A, abs=0.05)
        if part.power.pause_ends_session:
            assert (resumed.pilot, resumed.charging, bench.signalled_a) == (Pilot.B, False, 0.0)
            bench.sim.world.unplug(OUTLET)
            bench.sim.world.plug(OUTLET, Car("car", max_a=32.0, react_s=1.0))
            resumed = await bench.hold(SECOND_A, 60)
        assert (resumed.pilot, resumed.charging) == (Pilot.C, True)
        assert bench.signalled_a <= SECOND_A + 1e-6

    on_bench(name, body)


SWITCHED = [n for n in CHARGERS if PROFILES[n].charger.phases.switched]


@pytest.mark.parametrize("name", SWITCHED)
def test_a_charger_that_switches_phases_shows_what_its_contactors_closed(name: str) -> None:
    """B14: told one and three while paused, it shows and feeds them; one that sticks or lies is not hidden."""

    async def body(bench: Bench) -> None:
        point, closes = bench.sim.points[OUTLET], bench.sim.chargers[BOX].faults
        assert bench.profile.charger_facts().switches_phases
        bench.sim.world.plug(OUTLET, Car("car", max_a=32.0, react_s=1.0))
        three = await bench.hold(FIRST_A, 60)
        assert (three.phases_closed, three.measured_a) == (3, pytest.approx((FIRST_A,) * 3, abs=0.2))
        for told, flows in ((1.0, (FIRST_A, 0.0, 0.0)), (3.0, (FIRST_A,) * 3)):
            assert (await bench.hold(0.0, 30)).measured_a == pytest.approx((0.0,) * 3, abs=0.2)
            assert await bench.write(WriteKind.PHASES, told) == told
            assert (await bench.poll(10)).phases_closed == told
            assert (await bench.hold(FIRST_A, 60)).measured_a == pytest.approx(flows, abs=0.2)
        await bench.hold(0.0, 30)
        for stays, shown in ((Closes.AS_BEFORE, 3), (Closes.SAYS_SO, 1)):
            closes.closes = stays
            await bench.write(WriteKind.PHASES, 3.0)
            await bench.write(WriteKind.PHASES, 1.0)
            assert (await bench.poll(10)).phases_closed == shown
            assert point.outlet.closed == 3
        assert point.contactors.hot_moves == 0
        with pytest.raises(DeviceRefused):
            await bench.write(WriteKind.PHASES, 2.0)

    on_bench(name, body)


@pytest.mark.parametrize("name", sorted(set(CHARGERS) - set(SWITCHED)))
def test_a_charger_that_nobody_may_switch_refuses_to(name: str) -> None:
    """R9: where no contactor state is known, or no verb, nothing is ever written for it."""
    profile = PROFILES[name]
    assert not profile.charger_facts().switches_phases
    with pytest.raises(DeviceRefused):
        plan_write(profile, 1, Write(OUTLET, WriteKind.PHASES, 1.0, False, 1, 0.0))


GUARDED = [n for n in CHARGERS if PROFILES[n].charger.failsafe is not None]


@pytest.mark.parametrize("name", GUARDED)
def test_a_watchdog_is_loaded_verified_and_falls_to_what_was_declared(name: str) -> None:
    """R2, R8: fail-safe current and time are read back; after the declared silence the box holds that current."""

    async def body(bench: Bench) -> None:
        failsafe = bench.profile.charger.failsafe
        assert failsafe is not None
        bench.sim.world.plug(OUTLET, Car("car", max_a=32.0, react_s=1.0))
        held_a = FAILSAFE_A
        if failsafe.writable:
            before = await bench.poll(10)
            assert (before.failsafe_a, before.failsafe_timeout_s) != (FAILSAFE_A, failsafe.timeout_s)
            held_a = await bench.write(WriteKind.FAILSAFE, FAILSAFE_A)
        else:
            with pytest.raises(DeviceRefused):
                await bench.write(WriteKind.FAILSAFE, FAILSAFE_A)
        fed = await bench.hold(FIRST_A, 90)
        assert fed.failsafe_a == pytest.approx(held_a, abs=0.05)
        assert fed.failsafe_timeout_s == pytest.approx(failsafe.timeout_s)
        fed_a = bench.signalled_a
        assert fed_a == pytest.approx(FIRST_A, rel=0.11)
        latest = failsafe.timeout_s * (1 + failsafe.tolerance) + bench.profile.charger.react.pwm_s + 1
        await bench.clock.sleep(latest)
        assert bench.signalled_a < fed_a
        assert failsafe.on_expiry is OnExpiry.FAILSAFE
        assert held_a * 0.89 <= bench.signalled_a <= held_a + 1e-6

    on_bench(name, body)


@pytest.mark.parametrize("name", sorted(set(CHARGERS) - set(GUARDED)))
def test_a_charger_without_watchdog_keeps_its_last_limit(name: str) -> None:
    """R3: that is what `siteward check` reckons with."""

    async def body(bench: Bench) -> None:
        assert bench.profile.charger_facts().failsafe is None
        bench.sim.world.plug(OUTLET, Car("car", max_a=32.0, react_s=1.0))
        await bench.hold(FIRST_A, 60)
        held_a = bench.signalled_a
        assert held_a == pytest.approx(FIRST_A, rel=0.11)
        await bench.clock.sleep(3600)
        assert bench.signalled_a == held_a

    on_bench(name, body)


@pytest.mark.parametrize("name", [n for n in CHARGERS if PROFILES[n].charger.heartbeat is not None])
def test_a_life_bit_is_written_while_there_is_a_lease_and_ends_with_it(name: str) -> None:
    """R7: a blind controller lets the charger fall back."""

    async def body(bench: Bench) -> None:
        part = bench.profile.charger.heartbeat
        assert part is not None
        await bench.poll(60)
        bench.gate.speak = False
        with pytest.raises(Withdrawn):
            await bench.poll(60)
        beats = [e.at for e in bench.log if e.kind is FrameKind.OTHER and e.stage == "sent"]
        assert len(beats) >= 2
        assert max(after - before for before, after in pairwise(beats)) <= part.every_s + 8.0
        await bench.clock.sleep(60)
        assert beats[-1] < bench.clock.now() - 60

    on_bench(name, body)


def test_there_are_more_than_forty_profiles_and_effective_read_back_is_declared() -> None:
    """Issue 3: at least forty; KEBA shows the current in effect, not the one written (R5)."""
    assert len(ALL) >= 40
    effective = {n for n in CHARGERS if PROFILES[n].charger.readback.kind is Readback.EFFECTIVE}
    assert effective == {"keba_p30", "keba_p40"}
