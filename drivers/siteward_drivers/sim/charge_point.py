"""One simulated connector: set point, watchdog, restart and pilot of a charging point, on the world's own time."""

from siteward.model.facts import OnExpiry, ResetBy
from siteward.model.site import Connector
from siteward.model.units import LOWEST_SHARE
from siteward_drivers.profile import Profile
from siteward_drivers.profile_verbs import Step
from siteward_drivers.profile_watchdog import OnResume
from siteward_drivers.quantities import Quantity, Unit
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.contactors import Contactors
from siteward_drivers.sim.faults import DeviceFaults, Ignores
from siteward_drivers.sim.habits import Habits, habits_of
from siteward_drivers.sim.latch import SocketLatch
from siteward_drivers.sim.registers import to_raw, to_raw_below
from siteward_drivers.sim.states import Shown, States
from siteward_drivers.sim.world import World

_LEAST_A = 6.0


class ChargePoint:
    """Behaviour of one connector as its profile and habits say; registers hold raw numbers by quantity."""

    def __init__(self, world: World, connector: Connector, profile: Profile, faults: DeviceFaults) -> None:
        self.connector = connector
        self.outlet = world.outlets[connector.id]
        self.profile = profile
        self.part = profile.charger
        self.habits: Habits = habits_of(self.part, connector.hardware_max_a)
        self.faults = faults
        self.held: dict[Quantity, float] = {}
        self.contactors = Contactors(world, self.outlet, self.part.phases, faults)
        self.latch = SocketLatch(world, self.outlet, self.part.unlock, faults)
        self._states = States(self.part, profile.file.points)
        self.expired = False
        self.latched = False
        self.fault_state: str | None = None
        self.started_at = world.now
        self._world = world
        self._fed_at = world.now
        self._check_due = False
        self._check_order = 0
        self._order = 0
        self._restarted = False
        self._done_with: Car | None = None
        self._target_a = 0.0
        self._start()
        # A box that was up long before the simulation began already signals.
        self._target_a = self.allowed_a()
        world.signal(connector.id, self._target_a)

    def feed(self, *, limit_write: bool, heartbeat: bool = False) -> None:
        """A frame that the box heard: re-arms its watchdog if that is what its habits say."""
        if self.habits.reset_by is ResetBy.LIMIT_WRITE and not limit_write:
            return
        if self.habits.reset_by is ResetBy.HEARTBEAT and not heartbeat:
            return
        self._fed_at = self._world.now
        if self.expired and self.habits.on_resume is OnResume.OLD_SET_POINT:
            self.expired = False
            self._apply()
        self._watch()

    def write(self, quantity: Quantity, raw: float) -> None:
        """Put a raw number into a register and let it act."""
        if self.faults.ignores is Ignores.WRITES:
            return
        self.held[quantity] = raw
        self.contactors.follow(self.held)
        self.latch.follow(quantity, raw, self.outlet.signalled_a == 0.0)
        if quantity is Quantity.CURRENT_LIMIT and self.expired:
            self.expired = False
        if quantity is Quantity.WATCHDOG_TIMEOUT:
            # A shorter time must not wait for the check that the longer one had set.
            self._fed_at = self._world.now
            self._check_due = False
            self._watch()
        self._apply()

    def write_scaled(self, quantity: Quantity, value: float) -> None:
        """Put a value in the register's own unit into it and let it act."""
        self.write(quantity, to_raw_below(self.profile.file.points[quantity], value))

    def do(self, steps: tuple[Step, ...], value_a: float) -> None:
        """Perform a profile verb with its registers in order."""
        for step in steps:
            point = self.profile.file.points[step.quantity]
            value = self.part.in_register(point.unit, value_a, self._world.voltage_v)
            self.write(step.quantity, to_raw_below(point, value) if step.raw is None else step.raw)

    def restart(self) -> None:
        """The box restarts: what does not persist is lost, and it is silent for a while."""
        self.started_at = self._world.now
        self.expired = self.latched = False
        self.fault_state = None
        self._restarted = True
        self._start()
        self._apply()
        self._world.at(self.started_at + self.habits.boot_silent_s, self.refresh)

    @property
    def answers(self) -> bool:
        """Whether it is up: not booting, not asleep in standby."""
        boot = self.part.boot
        if self._booting:
            return False
        if boot.standby_silent and boot.standby_off is not None and self.outlet.car is None:
            awake = self.held.get(boot.standby_off.quantity) == boot.standby_off.raw
            idle_s = self._world.now - max(self.outlet.freed_at, self.started_at)
            return awake or idle_s < self.habits.standby_after_s
        return True

    @property
    def _booting(self) -> bool:
        return self._restarted and self._world.now < self.started_at + self.habits.boot_silent_s - 1e-9

    def scaled(self, quantity: Quantity) -> float:
        """A held register in its unit."""
        return self.held.get(quantity, 0) * self.profile.file.points[quantity].scale

    @property
    def paused(self) -> bool:
        """Whether the profile's pause is in force."""
        verbs, held = self.part.verbs, self.held
        if any(held.get(c.quantity) == c.raw for c in verbs.paused_when):
            return True
        if all(step.raw is not None and held.get(step.quantity) == step.raw for step in verbs.pause.steps):
            return True
        return not self._unlimited and self.amps(Quantity.CURRENT_LIMIT) < self._least_a

    @property
    def _unlimited(self) -> bool:
        """Whether the set point holds the code that lifts the limit."""
        return self.held.get(Quantity.CURRENT_LIMIT) == self.part.limit.no_limit_code

    @property
    def _least_a(self) -> float:
        """Least current that it can signal: below, nothing flows; a box limited in W knows 6 A only."""
        if self.part.dc is not None:
            return self.part.least_a(self._world.voltage_v / LOWEST_SHARE) - 1e-6
        least = self.part.limit.min_a
        return (least if self.part.limit.unit is Unit.A else min(least, _LEAST_A) * LOWEST_SHARE) - 1e-6

    def amps(self, quantity: Quantity) -> float:
        """A held current or power as A on each phase that the box counts, at the true voltage."""
        unit = self.profile.file.points[quantity].unit
        return self.part.in_amps(unit, self.scaled(quantity), self._world.voltage_v / LOWEST_SHARE)

    @property
    def timeout_s(self) -> float | None:
        """Watchdog time in force, None when it is off or the box has none."""
        failsafe, held = self.part.failsafe, self.held
        if failsafe is None or any(held.get(q) != raw for q, raw in failsafe.fixed.items()):
            return None
        if failsafe.off_current is not None and held.get(Quantity.FAILSAFE_CURRENT) == failsafe.off_current:
            return None
        if failsafe.timeout_fixed or not failsafe.writable:
            return failsafe.timeout_s
        raw = held.get(Quantity.WATCHDOG_TIMEOUT)
        return None if raw is None or raw == failsafe.off_code else self.scaled(Quantity.WATCHDOG_TIMEOUT)

    def shown_timeout_s(self) -> float:
        """What a register of the watchdog time shows: the rest of it where it counts down, 0 where it is off."""
        failsafe, timeout_s = self.part.failsafe, self.timeout_s
        if failsafe is None or timeout_s is None:
            return 0.0
        gone = self._world.now - self._fed_at if failsafe.counts_down else 0.0
        return max(0.0, timeout_s - gone)

    def states(self) -> Shown:
        """Raw state registers, by pilot: first the form "not allowed", then "allowed"."""
        if self.fault_state is not None or self.latched:
            return self._states.fault(self.fault_state)
        return self._states.of(self.outlet.pilot, self.outlet.signalled_a > 0, self.paused)

    def _start(self) -> None:
        """Registers as after power-up; what persists keeps its content."""
        failsafe = self.part.failsafe
        keeps = failsafe.persists if failsafe is not None and self.held else None
        habits, points = self.habits, self.profile.file.points
        for quantity, point in points.items():
            if point.access != "r":
                self.held.setdefault(quantity, 0)
        if keeps is None or not keeps.limit:
            verbs = self.part.verbs
            self._hold((verbs.limit if habits.boot_a > 0 else verbs.pause).steps, habits.boot_a)
        if failsafe is not None and not (keeps is not None and keeps.failsafe):
            point = points[Quantity.FAILSAFE_CURRENT]
            boot_a = habits.boot_failsafe_a if failsafe.writable else self.connector.failsafe_a
            self.held[Quantity.FAILSAFE_CURRENT] = to_raw(point, boot_a)
        if Quantity.WATCHDOG_TIMEOUT in points and failsafe is not None and not (keeps is not None and keeps.timeout):
            off, time_s = failsafe.off_code, habits.boot_timeout_s
            point = points[Quantity.WATCHDOG_TIMEOUT]
            self.held[Quantity.WATCHDOG_TIMEOUT] = (off or 0) if time_s is None else to_raw(point, time_s)
        self.contactors.reset(self.held)
        if self.part.boot.standby_off is not None:
            self.held[self.part.boot.standby_off.quantity] = 0
        self._fed_at = self._world.now
        self._watch()

    def _hold(self, steps: tuple[Step, ...], value_a: float) -> None:
        for step in steps:
            point = self.profile.file.points[step.quantity]
            low = self._world.voltage_v / LOWEST_SHARE
            value = self.part.in_register(point.unit, value_a, low)
            self.held[step.quantity] = to_raw(point, value) if step.raw is None else step.raw

    def _watch(self) -> None:
        timeout_s, failsafe = self.timeout_s, self.part.failsafe
        if timeout_s is None or failsafe is None or self._check_due:
            return
        self._check_due = True
        self._check_order += 1
        order = self._check_order
        self._world.at(self._fed_at + timeout_s * (1.0 + failsafe.tolerance), lambda: self._check(order))

    def _check(self, order: int) -> None:
        if order != self._check_order:
            return
        self._check_due = False
        timeout_s, failsafe = self.timeout_s, self.part.failsafe
        if timeout_s is None or failsafe is None or self.expired:
            return
        if self._world.now < self._fed_at + timeout_s * (1.0 + failsafe.tolerance) - 1e-6:
            self._watch()
            return
        self.expired = True
        self.latched = self.habits.on_expiry is OnExpiry.ERROR_LATCHED
        self._apply()

    def allowed_a(self) -> float:
        """Current that the box would signal now, before the delay of its electronics."""
        habits = self.habits
        if self.latched or self.fault_state is not None or (self._booting and not habits.charges_before_answer):
            return 0.0
        if self._done_with is not None and self._done_with is self.outlet.car:
            return 0.0
        if self.expired:
            amps = self.amps(Quantity.FAILSAFE_CURRENT) if habits.on_expiry is OnExpiry.FAILSAFE else 0.0
        elif self._unlimited and not self.paused:
            amps = self.connector.hardware_max_a
        else:
            amps = 0.0 if self.paused else self.amps(Quantity.CURRENT_LIMIT)
        amps = min(amps, self.connector.hardware_max_a)
        return amps * self.faults.overdraw if amps >= self._least_a else 0.0

    def _apply(self) -> None:
        if self.faults.ignores is Ignores.EFFECT:
            return
        target_a = self.allowed_a()
        if target_a == self._target_a:
            return
        resumes = self._target_a == 0.0
        if target_a == 0.0 and self.part.power.pause_ends_session:
            self._done_with = self.outlet.car
        self._target_a = target_a
        if target_a > 0.0:
            self.latch.hold()
        self._order += 1
        order = self._order

        def signal() -> None:
            if order == self._order:
                self._world.signal(self.connector.id, target_a)

        self._world.at(self._world.now + (self.habits.resume_s if resumes else self.habits.pwm_s), signal)

    def set_fault(self, state: str | None) -> None:
        """Show this raw fault state of the profile and allow no current; None ends it. ValueError for no such state."""
        if state is not None and state not in self.part.status.faults:
            raise ValueError(f"{self.profile.id} has the fault states {', '.join(self.part.status.faults)}")
        self.fault_state = state
        self._apply()

    def refresh(self) -> None:
        """Act again on the present registers, after a fault or habit was changed."""
        self._apply()
