"""The judgement of a wire in service: what its statistics mean, the likely cause and what to do; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from siteward.client.messages import LineMessage, SlaveMessage
from siteward.model.sentences import Sentence

MOST_LOAD = 0.7
"""Busy share of a wire above which reactions come late (the same bound that `siteward check` refuses)."""

MOST_LOST = 0.02
"""Share of a device's frames that may go unanswered, or be damaged, before something is wrong with it."""

SLOW_MS = 300.0
"""Latency of the slowest hundredth above which a device, or the gateway before it, holds everybody up."""

_ENOUGH = 20
_DEAD = 0.95
_BYTES_CAME = 5


class Trouble(StrEnum):
    """What can be the matter with a wire in service."""

    NOT_OPEN = "not_open"
    ALL_SILENT = "all_silent"
    SILENT = "silent"
    LOSSES = "losses"
    NOISE = "noise"
    COLLISIONS = "collisions"
    DUPLICATE = "duplicate_address"
    NO_VALID_FRAME = "no_valid_frame"
    REFUSALS = "refusals"
    SLOW = "slow"
    FULL = "full"
    EARLY = "early_frames"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding about a wire, or about one device on it."""

    line: str
    device: str | None
    trouble: Trouble
    text: Sentence


def judge_line(line: LineMessage) -> tuple[Diagnosis, ...]:
    """Everything that is wrong with a wire, the cause before its effects: a dead wire has no slow devices."""
    if not line.open:
        return (_about(line, None, Trouble.NOT_OPEN, line.port),)
    asked = [slave for slave in line.slaves if slave.sent]
    silent = [slave for slave in asked if _share(slave.sent - slave.answered - slave.refused, slave) >= _DEAD]
    if asked and len(silent) == len(asked) and sum(slave.garbled for slave in asked) >= _BYTES_CAME:
        return (_about(line, None, Trouble.NO_VALID_FRAME, line.id),)
    if len(asked) > 1 and len(silent) == len(asked):
        return (_about(line, None, Trouble.ALL_SILENT, line.id),)
    speaking = [slave for slave in asked if slave not in silent]
    found = [_about(line, s, Trouble.DUPLICATE, s.device) for s in asked if s.clash]
    found += [_about(line, s, Trouble.SILENT, s.device) for s in silent if not s.clash]
    found += _damage(line, speaking)
    for slave in speaking:
        found += _device(line, slave)
    if line.load > MOST_LOAD:
        found.append(_about(line, None, Trouble.FULL, f"{line.load:.0%}"))
    if line.early_frames:
        found.append(_about(line, None, Trouble.EARLY, str(line.early_frames)))
    return tuple(found)


def _damage(line: LineMessage, speaking: Sequence[SlaveMessage]) -> list[Diagnosis]:
    """Damage at one address is a number taken twice; damage at most of them is the wire."""
    damaged = [slave for slave in speaking if _enough(slave) and _share(slave.garbled, slave) > MOST_LOST]
    if len(damaged) > 1 and 2 * len(damaged) >= len(speaking):
        return [_about(line, None, Trouble.NOISE, line.id)]
    alone = len(speaking) == 1
    return [_about(line, s, Trouble.NOISE if alone else Trouble.COLLISIONS, s.device) for s in damaged if not s.clash]


def _device(line: LineMessage, slave: SlaveMessage) -> Iterator[Diagnosis]:
    if _enough(slave) and _share(slave.timeouts, slave) > MOST_LOST:
        yield _about(line, slave, Trouble.LOSSES, f"{slave.device}: {_share(slave.timeouts, slave):.0%}")
    if _enough(slave) and _share(slave.refused, slave) > MOST_LOST:
        yield _about(line, slave, Trouble.REFUSALS, slave.device)
    if slave.latency_p99_ms is not None and slave.latency_p99_ms > SLOW_MS:
        yield _about(line, slave, Trouble.SLOW, f"{slave.device}: {slave.latency_p99_ms:.0f} ms")


def _enough(slave: SlaveMessage) -> bool:
    return slave.sent >= _ENOUGH


def _share(part: int, slave: SlaveMessage) -> float:
    return part / slave.sent if slave.sent else 0.0


def _about(line: LineMessage, slave: SlaveMessage | None, trouble: Trouble, subject: str) -> Diagnosis:
    return Diagnosis(line.id, slave.device if slave is not None else None, trouble, _WORDS[trouble].about(subject))


def since(before: LineMessage, now: LineMessage) -> LineMessage:
    """The statistics of a wire between two looks at it; a device that is new, or began anew, counts from its start."""
    old = {slave.device: slave for slave in before.slaves}
    slaves = tuple(_less(slave, old.get(slave.device)) for slave in now.slaves)
    early = max(now.early_frames - before.early_frames, 0)
    return now.model_copy(update={"slaves": slaves, "early_frames": early})


def _less(now: SlaveMessage, before: SlaveMessage | None) -> SlaveMessage:
    if before is None or before.sent > now.sent:
        return now
    counts = ("sent", "answered", "timeouts", "garbled", "refused")
    return now.model_copy(update={name: getattr(now, name) - getattr(before, name) for name in counts})


def judge(lines: Iterable[LineMessage]) -> tuple[Diagnosis, ...]:
    """Everything that is wrong with the wires of a site."""
    return tuple(diagnosis for line in lines for diagnosis in judge_line(line))


_WORDS = {
    Trouble.NOT_OPEN: Sentence(
        "{subject} is not open: is the adapter plugged in, does the network peer answer, may core open the port?",
        "{subject} 未打开:请检查适配器、网络对端和端口权限",
    ),
    Trouble.ALL_SILENT: Sentence(
        "nobody answers on {subject}: power of the row, A and B swapped at our end, speed or parity; run "
        "`siteward scan {subject} --wide`",
        "{subject} 上无任何应答:检查该排电源、本端 A/B 接反、波特率或校验;运行 `siteward scan {subject} --wide`",
    ),
    Trouble.SILENT: Sentence(
        "{subject} is silent while others answer: no power, another address, or A and B swapped at this device",
        "{subject} 无应答而其他设备正常:未上电、地址不同,或该设备 A/B 接反",
    ),
    Trouble.LOSSES: Sentence(
        "{subject} of its answers did not come: a loose terminal at this device, or a time-out too short for it",
        "{subject} 的应答丢失:该设备接线松动,或超时设置过短",
    ),
    Trouble.NOISE: Sentence(
        "answers on {subject} come damaged: check termination at both ends, bias, screen and the distance to power "
        "cables; another master on the wire looks the same",
        "{subject} 上应答损坏:检查两端终端电阻、偏置、屏蔽及与动力线的距离;另有主站时现象相同",
    ),
    Trouble.COLLISIONS: Sentence(
        "only the answers of {subject} come damaged: a second device seems to have its address, or its own driver is "
        "bad; disconnect it and scan the wire",
        "只有 {subject} 的应答损坏:疑似另一设备地址相同,或其驱动器损坏;请断开它并扫描总线",
    ),
    Trouble.DUPLICATE: Sentence(
        "two devices seem to answer at the address of {subject}, so it is not controlled: disconnect one of them, give "
        "it a free address, and run `siteward scan` on the wire",
        "{subject} 的地址疑似有两台设备应答,已停止控制:请断开其中一台,改为空闲地址后运行 `siteward scan`",
    ),
    Trouble.NO_VALID_FRAME: Sentence(
        "bytes come on {subject} but no valid frame from anybody: speed or parity differ from the devices', A and B "
        "are swapped, or another protocol speaks; run `siteward scan {subject} --wide`",
        "{subject} 上收到字节但没有有效帧:波特率或校验与设备不符、A/B 接反或其他协议;"
        "运行 `siteward scan {subject} --wide`",
    ),
    Trouble.REFUSALS: Sentence(
        "{subject} refuses requests: its firmware has other registers than its profile, or it is another device; "
        "`siteward probe {subject} --raw` shows which",
        "{subject} 拒绝请求:固件寄存器与配置文件不符,或为其他设备;用 `siteward probe {subject} --raw` 查看",
    ),
    Trouble.SLOW: Sentence(
        "{subject} at worst, which holds up everybody on the wire: is there a gateway with a queue, or a repeater?",
        "{subject}(最慢),拖慢整条总线:是否有带缓存的网关或中继器?",
    ),
    Trouble.FULL: Sentence(
        "the wire is {subject} busy: move devices to another wire or raise its speed; `siteward check` shows its plan",
        "总线占用 {subject}:请将设备移到另一总线或提高波特率;`siteward check` 显示轮询计划",
    ),
    Trouble.EARLY: Sentence(
        "{subject} frames left before the silence was over: the computer is overloaded; report it with the page of "
        "`siteward status`",
        "{subject} 帧在静默期结束前发出:计算机过载;请附 `siteward status` 报告",
    ),
}
