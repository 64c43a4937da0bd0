"""Starts child processes, restarts those that die, stops all of them in time: systemd's part where there is none."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from siteward.model.ports import Clock

_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_S = 30.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running: name, command line and the environment it gets on top of ours."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Keeps children running; `say` gets one line for each death, `started` the process ids after each start."""

    def __init__(
        self,
        children: Sequence[Child],
        clock: Clock,
        say: Callable[[str], None],
        started: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._children = children
        self._clock = clock
        self._say = say
        self._started = started
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Process id of each running child."""
        return {name: process.pid for name, process in self._processes.items() if process.returncode is None}

    async def run(self, environment: Mapping[str, str], stop: asyncio.Event, stop_s: float) -> None:
        """Run until `stop`, then end every child: SIGTERM, and SIGKILL after `stop_s`."""
        keepers = [asyncio.create_task(self._keep(child, environment)) for child in self._children]
        try:
            await stop.wait()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await self._end_all(stop_s)

    async def _keep(self, child: Child, environment: Mapping[str, str]) -> None:
        deaths = 0
        while True:
            started = self._clock.now()
            process = await asyncio.create_subprocess_exec(
                *child.command, env={**environment, **child.environment}, start_new_session=True
            )
            self._processes[child.name] = process
            self._started(self.pids)
            code = await process.wait()
            deaths = 1 if self._clock.now() - started > _STEADY_S else deaths + 1
            pause_s = _BACK_OFF_S[min(deaths, len(_BACK_OFF_S)) - 1]
            self._say(f"{child.name} ended with status {code}; starting it again in {pause_s} s")
            await self._clock.sleep(pause_s)

    async def _end_all(self, stop_s: float) -> None:
        processes = [p for p in self._processes.values() if p.returncode is None]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(stop_s):
                await asyncio.gather(*(process.wait() for process in processes))
        except TimeoutError:
            for process in processes:
                if process.returncode is None:
                    process.kill()
            await asyncio.gather(*(process.wait() for process in processes))
