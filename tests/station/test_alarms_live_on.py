"""S-54, S-98: an alarm outlives a restart as one alarm, with its record, until its cause is really gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.alarms import AlarmCode
from siteward.model.requests import CommandName
from siteward.model.site import Site
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.memory_journal import MemoryJournal
from tests.fixtures.station import VirtualStation, demo_site

pytestmark = pytest.mark.station


def station_site(**changes: object) -> Site:
    """The demo, where a minute of silence is an alarm."""
    site = demo_site()
    rules = (replace(r, above=60.0, **changes) if r.id == "charger-offline" else r for r in site.alarms)  # type: ignore[arg-type]
    return replace(site, alarms=tuple(rules))


def told(journal: MemoryJournal, code: AlarmCode) -> list[str]:
    """What the journal says of an alarm."""
    return [f.type.value for f in journal.facts if f.type.value.startswith("alarm.") and f.data.get("code") == code]


def test_a_charger_that_is_silent_before_and_after_a_restart_is_one_alarm(tmp_path: Path) -> None:
    """S-98: silence is counted anew after a start; that is no sign of life of a charger."""

    async def story(clock: VirtualClock) -> None:
        site = station_site()
        first = VirtualStation(clock, tmp_path, site=site)
        first.sim.device("A01").faults.silent = True
        await first.start(drivers=False)
        await first.run_for(90)
        await first.ask(CommandName.ACK_ALARM, "station", code="CHARGER_OFFLINE", subject="A01-1", note="on my way")
        await first.run_for(5)
        await first.kill()
        second = VirtualStation(clock, tmp_path, site=site, journal=first.journal, sim=first.sim)
        await second.start(drivers=False)
        await second.run_for(50)
        live = second.station.live
        assert live is not None
        (alarm,) = (a for a in live.alarms if a.code == "CHARGER_OFFLINE")
        assert [note.note for note in alarm.notes] == ["on my way"]
        assert told(second.journal, AlarmCode.CHARGER_OFFLINE) == ["alarm.raised", "alarm.acknowledged"]
        second.sim.restore_device("A01")
        await second.run_for(50)
        assert told(second.journal, AlarmCode.CHARGER_OFFLINE)[2:] == ["alarm.cleared"]
        await second.stop()

    run_virtual(story)


@pytest.mark.parametrize("back_while_away", [False, True])
def test_a_latched_alarm_waits_for_a_person_over_a_restart(tmp_path: Path, back_while_away: bool) -> None:
    """S-54: it stands although its cause is gone, as before."""

    async def story(clock: VirtualClock) -> None:
        site, code = station_site(latched=True), AlarmCode.CHARGER_OFFLINE
        first = VirtualStation(clock, tmp_path, site=site)
        first.sim.device("A01").faults.silent = True
        await first.start(drivers=False)
        await first.run_for(90)
        assert told(first.journal, code) == ["alarm.raised"]
        if not back_while_away:
            first.sim.restore_device("A01")
            await first.run_for(50)
        await first.kill()
        first.sim.restore_device("A01")
        second = VirtualStation(clock, tmp_path, site=site, journal=first.journal, sim=first.sim)
        await second.start(drivers=False)
        await second.run_for(50)
        assert told(second.journal, code) == ["alarm.raised"]
        await second.ask(CommandName.CLEAR_ALARM, "station", code=code.value, subject="A01-1")
        await second.run_for(5)
        assert told(second.journal, code) == ["alarm.raised", "alarm.cleared"]
        await second.stop()

    run_virtual(story)
