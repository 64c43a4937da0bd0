"""What a scan's book means for an installer: findings in words, with the likely cause and what to do; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from siteward.model.sentences import Sentence
from siteward_drivers.scan import Book, Found
from siteward_drivers.scan_plan import ScanPlan

_STUCK = frozenset((0x00, 0x80, 0xFF, 0xFE, 0xFC, 0xF8, 0xF0, 0xE0, 0xC0))
_MANY = 3


class Code(StrEnum):
    """What can be the matter with a wire under a scan."""

    NO_ANSWER = "no_answer"
    NO_VALID_FRAME = "no_valid_frame"
    SWAPPED_PAIR = "swapped_pair"
    NOISE = "noise"
    DUPLICATE = "duplicate_unit"
    SEVERAL_SETTINGS = "several_settings"
    ECHO = "echo"
    OTHER_MASTER = "other_master"
    PARITY_IGNORED = "parity_ignored"
    LEFT_ALONE = "left_alone"
    MISSING = "missing"
    STRANGE = "strange_identity"
    PORTS_SWAPPED = "ports_swapped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `wrong` ones make the scan end with status 1."""

    code: Code
    text: Sentence
    wrong: bool = True
    units: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What the site file says about a wire: device and profile by unit; other wires for the case of swapped ports."""

    line: str
    devices: Mapping[int, tuple[str, str]]
    others: Mapping[str, Mapping[int, tuple[str, str]]] = field(default_factory=dict)


def findings(book: Book, plan: ScanPlan, expected: Expected | None = None) -> tuple[Finding, ...]:
    """Everything that an installer should hear about, the gravest first."""
    found = [*_silence(book), *_echo(book), *_others(book), *_duplicates(book), *_settings(book)]
    if expected is not None and book.found:
        found += compare(book, plan, expected)
    found += _remarks(book, plan)
    return tuple(found)


def _silence(book: Book) -> list[Finding]:
    if book.proven():
        return []
    if book.heard_bytes == 0:
        return [Finding(Code.NO_ANSWER, Sentence(_NO_ANSWER_EN, _NO_ANSWER_ZH))]
    sample = book.sample.hex(" ")
    made = [Finding(Code.NO_VALID_FRAME, Sentence(_NO_FRAME_EN + f" ({sample})", _NO_FRAME_ZH + f"（{sample}）"))]
    if all(byte in _STUCK for byte in book.sample):
        made.append(Finding(Code.SWAPPED_PAIR, Sentence(_SWAPPED_EN, _SWAPPED_ZH)))
    return made


def _echo(book: Book) -> list[Finding]:
    return [Finding(Code.ECHO, Sentence(ECHO_EN, ECHO_ZH))] if book.echo else []


def _others(book: Book) -> list[Finding]:
    if not book.foreign:
        return []
    en = f"{book.foreign} requests of another master were heard: this wire already has one; take it off first"
    return [Finding(Code.OTHER_MASTER, Sentence(en, f"听到另一主站的 {book.foreign} 条请求:总线上已有主站,请先断开它"))]


def _duplicates(book: Book) -> list[Finding]:
    clashing = sorted(book.clashing, key=lambda pair: (str(pair[0]), pair[1]))
    if len(clashing) > _MANY and 2 * len(clashing) > len(book.found):
        units = tuple(unit for _, unit in clashing)
        return [Finding(Code.NOISE, Sentence(_NOISE_EN, _NOISE_ZH), units=units)]
    made = []
    for setting, unit in clashing:
        en = (
            f"unit {unit} at {setting}: answers collide, so two devices seem to have this number; disconnect one of "
            "them, give it a free number, and scan again"
        )
        zh = f"地址 {unit}({setting}):应答冲突,疑似两台设备地址重复;请断开其中一台,改为空闲地址后重新扫描"
        made.append(Finding(Code.DUPLICATE, Sentence(en, zh), units=(unit,)))
    return made


def _settings(book: Book) -> list[Finding]:
    # Meters of another protocol are spoken to at settings of their own; only Modbus devices must agree.
    proven = [setting for setting in book.proven() if book.at(setting)]
    if len(proven) < 2:
        return []
    most = max(proven, key=lambda setting: len(book.at(setting)))
    others = tuple(f.unit for s in proven if s != most for f in book.at(s))
    names = ", ".join(str(setting) for setting in proven)
    en = (
        f"devices of one wire speak at {len(proven)} settings ({names}); set all to {most}, or give them their own wire"
    )
    zh = f"同一总线上的设备使用 {len(proven)} 种串口参数({names});请全部改为 {most},或另设总线"
    return [Finding(Code.SEVERAL_SETTINGS, Sentence(en, zh), units=others)]


def _remarks(book: Book, plan: ScanPlan) -> list[Finding]:
    made = []
    if book.parity_ignored:
        en = "the port sends the same whatever parity it is told; parities could not be told apart"
        made.append(Finding(Code.PARITY_IGNORED, Sentence(en, "端口忽略校验设置,无法区分校验方式"), wrong=False))
    if plan.left_alone:
        units = tuple(sorted(plan.left_alone))
        names = ", ".join(map(str, units))
        en = f"units {names} were not asked: a request would feed the watchdog of a charger that nobody controls now"
        zh = f"未询问地址 {names}:请求会刷新无人控制的充电桩的看门狗"
        made.append(Finding(Code.LEFT_ALONE, Sentence(en, zh), wrong=False, units=units))
    return made


def compare(book: Book, plan: ScanPlan, expected: Expected) -> list[Finding]:
    """What differs from the site file: silent or other devices, ports that changed places (fault 7)."""
    by_unit = {unit: found for (_, unit), found in book.found.items()}
    wanted = {unit: named for unit, named in expected.devices.items() if unit not in plan.left_alone}
    strange = [unit for unit in wanted if unit in by_unit and not _like(by_unit[unit], wanted[unit][1])]
    asked = {unit for _, unit in book.asked}
    missing = [unit for unit in wanted if unit in asked and unit not in by_unit and not _clashes(book, unit)]
    twin = _other_line(by_unit, expected) if strange or missing else None
    if twin is not None:
        en = f"the devices are those of wire {twin}, not of {expected.line}: the ports of both have changed places"
        zh = f"此处设备属于总线 {twin} 而非 {expected.line}:两个端口接反"
        return [Finding(Code.PORTS_SWAPPED, Sentence(en, zh), units=(*strange, *missing))]
    return [*(_strange(by_unit[unit], wanted[unit]) for unit in strange), *_missing(missing, wanted)]


def _clashes(book: Book, unit: int) -> bool:
    return any(clashing == unit for _, clashing in book.clashing)


def _like(found: Found, profile: str) -> bool:
    return found.likeness is None or profile in found.likeness.profiles


def _strange(found: Found, named: tuple[str, str]) -> Finding:
    device, profile = named
    seems = (
        " or ".join(found.likeness.profiles) if found.likeness is not None and found.likeness.profiles else "nothing"
    )
    en = f"unit {found.unit} ({device}) should be a {profile} but answers like {seems}; check the address and the port"
    zh = f"地址 {found.unit}({device})应为 {profile},但应答像 {seems};请检查地址和端口"
    return Finding(Code.STRANGE, Sentence(en, zh), units=(found.unit,))


def _missing(units: Sequence[int], wanted: Mapping[int, tuple[str, str]]) -> list[Finding]:
    made = []
    for unit in units:
        device = wanted[unit][0]
        en = (
            f"unit {unit} ({device}) is silent while others answer: no power, another address or speed, or A and B are "
            "swapped at this device"
        )
        zh = f"地址 {unit}({device})无应答而其他设备正常:未上电、地址或波特率不同,或该设备 A/B 接反"
        made.append(Finding(Code.MISSING, Sentence(en, zh), units=(unit,)))
    return made


def _other_line(by_unit: Mapping[int, Found], expected: Expected) -> str | None:
    """The other wire that fits perfectly where this one does not."""
    for name, devices in expected.others.items():
        fits = set(by_unit) <= set(devices) and all(_like(f, devices[unit][1]) for unit, f in by_unit.items())
        if devices and fits:
            return name
    return None


_NO_ANSWER_EN = (
    "no answer at any setting: is the port the right one, is there power, are A and B swapped, is the address above "
    "those tried? swap A and B and scan again, or scan --wide"
)
_NO_ANSWER_ZH = "所有参数下均无应答:请检查端口、电源、A/B 是否接反、地址是否超出范围;对调 A/B 后重扫,或使用 --wide"
_NO_FRAME_EN = (
    "bytes came but no valid frame at any setting: wrong speed or parity, a protocol that is not Modbus, or a wire "
    "without termination; scan --wide"
)
_NO_FRAME_ZH = "收到字节但没有有效帧:波特率或校验错误、非 Modbus 协议,或缺少终端电阻;请使用 --wide"
_SWAPPED_EN = "the bytes look like a line at rest read upside down: A and B seem to be swapped; swap them"
_SWAPPED_ZH = "字节像是极性相反的空闲线:疑似 A/B 接反,请对调"
_NOISE_EN = "answers of many devices are damaged: noise, missing termination or bias, or a bad screen, not addresses"
_NOISE_ZH = "多台设备应答损坏:干扰、缺少终端或偏置电阻,或屏蔽不良,而非地址重复"
ECHO_EN = "the adapter hears itself (local echo): switch its receiver off while it sends, or take another adapter"
ECHO_ZH = "适配器收到自己的发送(本地回显):请关闭回显或更换适配器"
