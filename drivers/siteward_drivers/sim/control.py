"""Taking things away from a running simulation: commands of scenario files and of the control socket."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

from pydantic import ValidationError, validate_call

from siteward.model.errors import SitewardError
from siteward.model.ids import ConnectorId, FeederId, LineId
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Closes, Ignores, Latch, Shows
from siteward_drivers.sim.site import SimSite

Flag = Literal["fire", "power", "fault", "loop_fault"]
"""What an arm's inputs can report besides position and presence."""


class BadCommand(SitewardError):
    """The command is unknown, names a thing that the site has not, or has wrong arguments."""


class Plug(Protocol):
    """The transport of a line, as far as it can be pulled and put back."""

    async def plug_in(self) -> None:
        """Make it usable; nothing happens when it is."""
        ...

    async def pull(self) -> None:
        """Take it away; nothing happens when it is gone."""
        ...


Handler = Callable[..., Awaitable[dict[str, Any]]]


class SimControl:
    """Hands of a test on a simulated site; every command is `{"do": NAME, ...arguments}` and answers JSON values."""

    def __init__(self, sim: SimSite, plugs: Mapping[LineId, Plug]) -> None:
        self._sim = sim
        self._plugs = plugs
        self._handlers: dict[str, Handler] = {
            "cut_line": self._cut_line,
            "mute_line": self._mute_line,
            "noise": self._noise,
            "late": self._late,
            "echo": self._echo,
            "short": self._short,
            "foreign": self._foreign,
            "pull_line": self._pull_line,
            "silence": self._silence,
            "mute": self._mute,
            "slow": self._slow,
            "lossy": self._lossy,
            "meter": self._meter,
            "disobey": self._disobey,
            "contactors": self._contactors,
            "latch": self._latch,
            "overdraw": self._overdraw,
            "restart": self._restart,
            "fault": self._fault,
            "plug": self._plug,
            "unplug": self._unplug,
            "base_step": self._base_step,
            "reset_fuse": self._reset_fuse,
            "occupy": self._occupy,
            "flag": self._flag,
            "restore": self._restore,
            "truth": self._truth,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every command that can be given."""
        return tuple(self._handlers)

    async def do(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one command. Raises BadCommand, then nothing changed."""
        name = command.get("do")
        handler = self._handlers.get(name) if isinstance(name, str) else None
        if handler is None:
            raise BadCommand(f"unknown command {name!r}; known: {', '.join(self._handlers)}")
        self._sim.settle()
        try:
            return await validate_call(handler)(**{k: v for k, v in command.items() if k != "do"})
        except ValidationError as error:
            first = error.errors()[0]
            raise BadCommand(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        except KeyError as error:
            raise BadCommand(f"{name}: the site has no {error.args[0]!r}") from error
        except ValueError as error:
            raise BadCommand(f"{name}: {error}") from error

    async def _cut_line(self, line: str) -> dict[str, Any]:
        self._sim.bank(line).faults.cut = True
        return {}

    async def _mute_line(self, line: str) -> dict[str, Any]:
        self._sim.bank(line).faults.mute = True
        return {}

    async def _noise(self, line: str, per_byte: float) -> dict[str, Any]:
        self._sim.bank(line).faults.noise = per_byte
        return {}

    async def _late(self, line: str, seconds: float) -> dict[str, Any]:
        self._sim.bank(line).faults.late_s = seconds
        return {}

    async def _echo(self, line: str) -> dict[str, Any]:
        self._sim.bank(line).faults.echo = True
        return {}

    async def _short(self, line: str, by: int) -> dict[str, Any]:
        self._sim.bank(line).faults.short_by = by
        return {}

    async def _foreign(self, line: str) -> dict[str, Any]:
        self._sim.bank(line).faults.foreign = True
        return {}

    async def _pull_line(self, line: str) -> dict[str, Any]:
        await self._plugs[LineId(line)].pull()
        return {}

    async def _silence(self, device: str) -> dict[str, Any]:
        self._sim.device(device).faults.silent = True
        return {}

    async def _mute(self, device: str) -> dict[str, Any]:
        self._sim.device(device).faults.mute = True
        return {}

    async def _slow(self, device: str, seconds: float) -> dict[str, Any]:
        self._sim.device(device).faults.latency_s = seconds
        return {}

    async def _lossy(self, device: str, share: float) -> dict[str, Any]:
        self._sim.device(device).faults.loss = share
        return {}

    async def _meter(self, meter: str, shows: str, factor: float = 1.0) -> dict[str, Any]:
        faults = self._sim.meter(meter).faults
        faults.silent = shows == "off"
        faults.shows = Shows.TRUTH if shows in ("off", "on") else Shows(shows)
        faults.factor = factor
        return {}

    async def _disobey(self, charger: str, ignores: Ignores) -> dict[str, Any]:
        device = self._sim.charger(charger)
        device.faults.ignores = ignores
        device.refresh()
        return {}

    async def _contactors(self, charger: str, closes: Closes) -> dict[str, Any]:
        self._sim.charger(charger).faults.closes = closes
        return {}

    async def _latch(self, charger: str, latch: Latch) -> dict[str, Any]:
        self._sim.charger(charger).faults.latch = latch
        return {}

    async def _overdraw(self, charger: str, factor: float) -> dict[str, Any]:
        device = self._sim.charger(charger)
        device.faults.overdraw = factor
        device.refresh()
        return {}

    async def _restart(self, charger: str) -> dict[str, Any]:
        self._sim.charger(charger).restart()
        return {}

    async def _fault(self, connector: str, state: str | None) -> dict[str, Any]:
        self._sim.points[ConnectorId(connector)].set_fault(state)
        return {}

    async def _plug(
        self,
        connector: str,
        *,
        capacity_kwh: float = 60.0,
        soc: float = 0.3,
        phases: int = 3,
        max_a: float = 32.0,
        react_s: float = 2.0,
        obeys: float = 1.0,
    ) -> dict[str, Any]:
        world = self._sim.world
        name = f"{connector}-by-hand-{world.now:.0f}"
        car = Car(name, capacity_kwh * 1000.0, soc, phases, max_a, react_s, obeys=obeys)
        world.plug(ConnectorId(connector), car)
        return {"car": name}

    async def _unplug(self, connector: str) -> dict[str, Any]:
        stay = self._sim.world.unplug(ConnectorId(connector))
        return {"energy_wh": None if stay is None else stay.energy_wh}

    async def _base_step(self, feeder: str, current_a: float | None = None) -> dict[str, Any]:
        self._sim.base_step(feeder, current_a)
        return {}

    async def _reset_fuse(self, feeder: str) -> dict[str, Any]:
        self._sim.world.reset_fuse(FeederId(feeder))
        return {}

    async def _occupy(self, arm: str, occupied: bool) -> dict[str, Any]:
        self._sim.occupy(arm, occupied)
        return {}

    async def _flag(self, arm: str, role: Flag, on: bool) -> dict[str, Any]:
        self._sim.arms[arm].flags[role] = on
        return {}

    async def _restore(self, line: str | None = None, device: str | None = None) -> dict[str, Any]:
        sim = self._sim
        if device is not None:
            sim.restore_device(device)
        lines = [LineId(line)] if line is not None else ([] if device is not None else list(sim.banks))
        for name in lines:
            sim.banks[name].faults.clear()
            if name in self._plugs:
                await self._plugs[name].plug_in()
        if line is None and device is None:
            for known in (*sim.chargers, *sim.meters):
                sim.restore_device(known)
        return {}

    async def _truth(self) -> dict[str, Any]:
        return {"truth": self._sim.truth().as_json()}
