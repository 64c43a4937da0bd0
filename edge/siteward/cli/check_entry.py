"""What `check` says of readers, emergency stops and bays: what the settings will do, and what was surely not meant."""

import os
from collections.abc import Iterator
from typing import Any

from siteward.cli.paint import Grid
from siteward.model.access import Reader, ReaderKind
from siteward.model.auth import OfflinePolicy
from siteward.model.bookings import Bay, EmergencyStop
from siteward.model.sentences import Sentence
from siteward.model.site import Site

_READERS = ("reader 读卡器", "port 端口", "speaks 方式", "serves 服务对象")
_STOPS = ("emergency stop 急停", "input 输入", "pressed when 触发条件", "stops 停止")
_BAYS = ("bay 车位", "connector 充电枪", "car seen by 占用检测", "told after min 上报分钟", "fee rule 计费规则")
_STABLE = ("/dev/serial/by-", "/dev/input/by-")
_NAMED = 6
"""Most connectors that a sentence or a cell names; of more it says how many."""


def grids(site: Site) -> list[Grid]:
    """A table each of readers, emergency stops and bays, in both languages, none of what is not there."""
    lists = (
        ("readers 读卡器", _READERS, [_reader(reader) for reader in site.readers]),
        ("emergency stops 急停", _STOPS, [_stop(stop, site) for stop in site.emergencies]),
        ("bays 车位", _BAYS, [_bay(bay, site) for bay in site.bays]),
    )
    return [Grid(title, columns, rows, frozenset({_BAYS[3]})) for title, columns, rows in lists if rows]


def notes(site: Site) -> list[Sentence]:
    """What a site may live with, but somebody should know."""
    return [*_reader_notes(site), *_stop_notes(site), *_bay_notes(site)]


def refusals(site: Site) -> list[Sentence]:
    """Readers on the very device of a line or of another reader, under another name of it on this computer."""
    owners = {os.path.realpath(line.port): Sentence(f"line {line.id}", f"线路 {line.id}") for line in site.lines}
    found = []
    for reader in site.readers:
        device = os.path.realpath(reader.port)
        owner = owners.setdefault(device, Sentence(f"reader {reader.id}", f"读卡器 {reader.id}"))
        if owner.en != f"reader {reader.id}":
            found.append(
                Sentence(
                    f"reader {reader.id}: {reader.port} is {device}, which {owner.en} uses; one port has one master",
                    f"读卡器 {reader.id}：{reader.port} 就是 {device}，已被{owner.zh}占用；一个端口只能有一个主人",
                )
            )
    return found


def report(site: Site) -> dict[str, Any]:
    """The same for programs."""
    return {
        "readers": [
            {"id": r.id, "port": r.port, "kind": r.kind, "connectors": list(r.connectors), "barrier": r.barrier}
            for r in site.readers
        ],
        "emergencies": [
            {"id": e.id, "input": e.contact.point, "pressedWhen": _when(e), "connectors": sorted(e.connectors)}
            for e in site.emergencies
        ],
        "bays": [
            {
                "id": b.id,
                "connector": b.connector,
                "sensor": None if b.sensor is None else b.sensor.point,
                "blockedAfter_s": b.blocked_after_s,
                "feeRule": b.fee_rule,
            }
            for b in site.bays
        ],
        "notes": [{"text": note.en, "text_zh": note.zh} for note in notes(site)],
    }


def _reader(reader: Reader) -> tuple[str, ...]:
    speaks = "keys 键盘" if reader.kind is ReaderKind.KEYS else f"serial {reader.baud} 串口"
    serves = _few(reader.connectors) if reader.barrier is None else f"barrier 道闸 {reader.barrier}"
    return reader.id, reader.port, speaks, serves


def _stop(stop: EmergencyStop, site: Site) -> tuple[str, ...]:
    when = "closed 闭合" if stop.contact.closed_is_yes else "open or cut 断开或断线"
    every = len(stop.connectors) == len(site.connectors)
    stops = f"all {len(stop.connectors)} 全部" if every else _few(sorted(stop.connectors))
    return stop.id, stop.contact.point, when, stops


def _when(stop: EmergencyStop) -> str:
    return "closed" if stop.contact.closed_is_yes else "open"


def _bay(bay: Bay, site: Site) -> tuple[str, ...]:
    lock = next((lock.id for lock in site.locks if lock.connector == bay.connector and lock.bay == bay.sensor), None)
    seen = "plug only 仅凭插枪" if bay.sensor is None else bay.sensor.point
    seen += "" if lock is None else f" (lock 地锁 {lock})"
    return bay.id, bay.connector, seen, f"{bay.blocked_after_s / 60:g}", bay.fee_rule or "–"


def _few(names: tuple[Any, ...] | list[Any]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else f"{', '.join(names[:_NAMED])} … ({len(names)})"


def _reader_notes(site: Site) -> Iterator[Sentence]:
    for reader in site.readers:
        if not reader.port.startswith(_STABLE):
            yield Sentence(
                f"reader {reader.id}: {reader.port} may be another device after the next start; take its name below "
                "/dev/serial/by-path or /dev/input/by-path",
                f"读卡器 {reader.id}：下次启动后 {reader.port} 可能是另一个设备；请使用 /dev/serial/by-path 或 "
                "/dev/input/by-path 下的名称",
            )
    served = {name for reader in site.readers for name in reader.connectors}
    left = [c.id for c in site.connectors if c.id not in served]
    if served and left:
        yield Sentence(
            f"no reader serves {_few(left)}; there only platform, panel and command line start",
            f"{_few(left)} 没有读卡器；只能由平台、面板或命令行启动",
        )
    if site.readers and site.auth.platform and site.auth.offline is OfflinePolicy.ALL:
        yield Sentence(
            "[auth] offline = all: a card that nobody knows charges",
            "[auth] offline = all：任何未知的卡都可以充电",
        )


def _stop_notes(site: Site) -> Iterator[Sentence]:
    for stop in site.emergencies:
        if stop.contact.closed_is_yes:
            yield Sentence(
                f"emergency stop {stop.id}: a cut cable does not count as pressed; wire a contact that opens, "
                "normally_closed = true",
                f"急停 {stop.id}：断线不会被视为按下；请改用常闭触点，normally_closed = true",
            )
    stopped = {name for stop in site.emergencies for name in stop.connectors}
    left = [c.id for c in site.connectors if c.id not in stopped]
    if stopped and left:
        yield Sentence(f"no emergency stop ends charging at {_few(left)}", f"没有急停可以停止 {_few(left)}")


def _bay_notes(site: Site) -> Iterator[Sentence]:
    for bay in site.bays:
        if bay.sensor is None:
            yield Sentence(
                f"bay {bay.id}: without a sensor a car that never plugs in is not seen",
                f"车位 {bay.id}：没有传感器，未插枪的车辆无法发现",
            )
