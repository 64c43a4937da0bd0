"""Whether the points of arms and limits exist, have the right direction and one master, and can do what is asked."""

import re
from collections.abc import Iterator

from siteward.model.facts import RelayFacts
from siteward.model.points import GPIO_PREFIX, PointName, device_of, local_of
from siteward.model.ports import ProfileCatalogue
from siteward.settings.access_tables import ArmTable, BarrierTable, LockTable, RelayTable
from siteward.settings.document import Draft
from siteward.settings.entry_tables import BayTable, EmergencyTable
from siteward.settings.faults import Faults, nearest
from siteward.settings.limit_tables import LimitTable
from siteward.settings.positions import Path
from siteward.settings.schema import FeederTable

_GPIO = re.compile(r"gpio:[A-Za-z0-9_-]{1,32}/\d{1,4}", re.ASCII)
BARRIER_OUTPUTS, LOCK_OUTPUTS = ("open", "close", "stop"), ("down", "up", "stop")
BARRIER_INPUTS = ("loop", "arm_closed", "arm_open", "loop_fault", "fault", "fire", "power")
LOCK_INPUTS = ("bay", "arm_up", "arm_down", "fault", "fire", "power")


class _Boards:
    """The boards of the file that are well formed, with what their profiles offer."""

    def __init__(self, draft: Draft, catalogue: ProfileCatalogue) -> None:
        self.names = draft.names.get("relay", frozenset())
        self.tables: dict[str, tuple[RelayTable, RelayFacts]] = {}
        for _, table in draft.of("relay", RelayTable):
            facts = catalogue.relay(table.profile)
            if facts is not None:
                self.tables[table.id] = table, facts

    def outputs(self, board: str) -> tuple[str, ...]:
        """Outputs that may be named: those of a pair in use stand for the two relays that it takes."""
        table, facts = self.tables[board]
        taken = {facts.outputs[n] for pair in table.pairs for n in (2 * pair - 2, 2 * pair - 1)}
        pairs = tuple(name for pair in table.pairs for name in facts.pairs[pair - 1])
        return (*(name for name in facts.outputs if name not in taken), *pairs)


def check_access(draft: Draft, catalogue: ProfileCatalogue) -> None:
    """Add every fault between barriers, locks and the boards that drive them."""
    if not _pairs(draft, catalogue):
        return
    boards = _Boards(draft, catalogue)
    masters: dict[str, str] = {}
    inputs: list[tuple[Path, str]] = []
    for path, arm, outputs, readable in _arms(draft):
        for role, point in _named(arm, outputs):
            if not _exists((*path, role), point, boards, "output", draft.faults):
                continue
            first = masters.setdefault(point, f"{arm.id}.{role}")
            if first != f"{arm.id}.{role}":
                draft.faults.add((*path, role), f"'{point}' is already driven as {first}; an output has one master")
        for role, point in _named(arm, readable):
            if _exists((*path, role), point, boards, "input", draft.faults):
                inputs.append(((*path, role), point))
        _normally_closed(path, arm, readable, draft.faults)
        _drive(path, arm, outputs, boards, draft.faults)
    _trips(draft, boards, masters)
    inputs += [row for row in _contacts(draft) if _exists(*row, boards, "input", draft.faults)]
    for where, point in inputs:
        if point in masters:
            draft.faults.add(where, f"'{point}' is driven as {masters[point]}; it cannot be read as an input")


def _trips(draft: Draft, boards: _Boards, masters: dict[str, str]) -> None:
    for path, feeder in draft.of("feeder", FeederTable):
        where = (*path, "trip")
        if feeder.trip is None or not _exists(where, feeder.trip, boards, "output", draft.faults):
            continue
        first = masters.setdefault(feeder.trip, f"{feeder.id}.trip")
        if first != f"{feeder.id}.trip":
            draft.faults.add(where, f"'{feeder.trip}' is already driven as {first}; an output has one master")
        board = boards.tables.get(device_of(PointName(feeder.trip)))
        _ends_pulse(where, None if board is None else board[1], draft.faults)


def _contacts(draft: Draft) -> list[tuple[Path, str]]:
    """The inputs that limits and connectors follow."""
    found: list[tuple[Path, str]] = [
        ((*path, "input", index, "point"), step.point)
        for path, limit in draft.of("limit", LimitTable)
        for index, step in enumerate(limit.input)
    ]
    found += [((*path, "input"), stop.input) for path, stop in draft.of("emergency", EmergencyTable)]
    return found + [
        ((*path, "sensor"), bay.sensor) for path, bay in draft.of("bay", BayTable) if bay.sensor is not None
    ]


def _pairs(draft: Draft, catalogue: ProfileCatalogue) -> bool:
    sound = True
    for path, table in draft.of("relay", RelayTable):
        facts = catalogue.relay(table.profile)
        most = 0 if facts is None else len(facts.pairs)
        if facts is None or all(1 <= pair <= most for pair in table.pairs):
            continue
        sound = False
        has = f"pairs 1 to {most}" if most else "no interlocked pairs"
        draft.faults.add((*path, "pairs"), f"{table.profile} has {has}")
    return sound


def _arms(draft: Draft) -> Iterator[tuple[Path, ArmTable, tuple[str, ...], tuple[str, ...]]]:
    for path, barrier in draft.of("barrier", BarrierTable):
        yield path, barrier, BARRIER_OUTPUTS, BARRIER_INPUTS
    for path, lock in draft.of("lock", LockTable):
        yield path, lock, LOCK_OUTPUTS, LOCK_INPUTS
        known = draft.names.get("connector", frozenset())
        if lock.connector is not None and lock.connector not in known:
            draft.faults.add((*path, "connector"), _no_such("connector", lock.connector, known))


def _named(arm: ArmTable, roles: tuple[str, ...]) -> list[tuple[str, str]]:
    found = [(role, getattr(arm, role)) for role in roles]
    return [(role, point) for role, point in found if point is not None]


def _no_such(kind: str, name: str, known: frozenset[str] | tuple[str, ...]) -> str:
    near = nearest(name, known)
    hint = f"nearest is '{near}'" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    return f"there is no {kind} '{name}'; {hint}"


def _exists(path: Path, text: str, boards: _Boards, direction: str, faults: Faults) -> bool:
    if text.startswith(GPIO_PREFIX):
        if _GPIO.fullmatch(text) is None:
            faults.add(path, f"'{text}' is no line; write gpio:pi/17 or gpio:gpiochip0/17")
            return False
        return True
    point = PointName(text)
    board, name = device_of(point), local_of(point)
    if not board:
        faults.add(path, f"'{text}' is no point; write board.relay_1, gpio:pi/17 or gpio:gpiochip0/17")
        return False
    if board not in boards.tables:
        if board not in boards.names:
            faults.add(path, _no_such("relay board", board, boards.names))
        return False
    known = boards.outputs(board) if direction == "output" else boards.tables[board][1].inputs
    if name not in known:
        faults.add(path, f"board '{board}': {_no_such(direction, name, known)}")
        return False
    return True


def _normally_closed(path: Path, arm: ArmTable, roles: tuple[str, ...], faults: Faults) -> None:
    if "normally_closed" not in arm.model_fields_set:
        return
    wired = {role for role, _ in _named(arm, roles)}
    for role in getattr(arm, "normally_closed", ()):
        if role not in wired:
            faults.add((*path, "normally_closed"), f"names '{role}', which is not wired here")


def _drive(path: Path, arm: ArmTable, outputs: tuple[str, ...], boards: _Boards, faults: Faults) -> None:
    """Whether each output ends by itself: a level falls with the board's watchdog, a pulse with the board's timer."""
    for role, text in _named(arm, outputs):
        board = boards.tables.get(device_of(PointName(text)))
        facts = None if board is None else board[1]
        if arm.drive == "level" and (facts is None or not facts.watchdog):
            faults.add((*path, "drive"), f"'{text}' has no watchdog that would end a level; drive it by pulses")
            return
        if arm.drive == "pulse":
            _ends_pulse((*path, role), facts, faults)
    _pair_whole(path, arm, outputs, boards, faults)


def _ends_pulse(where: Path, facts: RelayFacts | None, faults: Faults) -> None:
    if facts is not None and not facts.pulses:
        faults.add(where, f"{facts.profile} ends no pulse by itself; take a board that does")


def _pair_whole(path: Path, arm: ArmTable, outputs: tuple[str, ...], boards: _Boards, faults: Faults) -> None:
    """A pair drives one arm: its open is the way out and its close the way in, of the same pair."""
    free, block = PointName(getattr(arm, outputs[0])), PointName(getattr(arm, outputs[1]))
    for board, (table, facts) in boards.tables.items():
        for number in table.pairs:
            opens, closes = (f"{board}.{name}" for name in facts.pairs[number - 1])
            if (free == opens) is not (block == closes) or free == closes or block == opens:
                faults.add((*path, outputs[1]), f"pair {number} of '{board}' needs {opens} and {closes} together")
