"""What an event of the journal says, in the reader's words: labels of its data, and values of known vocabularies."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from siteward.client.bill_text import CUTS, fee
from siteward.client.signed import FAILURES, MARKS, STATES, STEPS
from siteward.model.alarms import ALARMS, AlarmCode
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.sentences import Sentence
from siteward.panel import vocabulary as v
from siteward.panel.text import masked
from siteward.panel.words import say

LABELS: Final[dict[str, Sentence]] = {
    "address": Sentence("address", "地址"),
    "barrierId": Sentence("barrier", "道闸"),
    "baseVersion": Sentence("over version", "基于版本"),
    "bayId": Sentence("bay", "车位"),
    "by": Sentence("let in by", "授权依据"),
    "cause": Sentence("cause", "原因"),
    "charging_s": Sentence("charging, s", "充电时间 s"),
    "commandId": Sentence("command", "命令编号"),
    "connectorId": Sentence("connector", "充电枪"),
    "connectors": Sentence("connectors", "充电枪"),
    "count": Sentence("cards in all", "卡总数"),
    "createdAt": Sentence("created", "创建时间"),
    "current_a": Sentence("current, A", "电流 A"),
    "duration_s": Sentence("duration, s", "时长 s"),
    "emergency": Sentence("emergency stop", "急停"),
    "required": Sentence("signature required", "须签名"),
    "problem": Sentence("problem", "问题"),
    "cable": Sentence("cable", "电缆"),
    "effect": Sentence("effect", "效果"),
    "sent": Sentence("sent", "已发送"),
    "endedAt": Sentence("ended", "结束时间"),
    "end_register_wh": Sentence("end register, Wh", "结束读数 Wh"),
    "energy_wh": Sentence("energy, Wh", "电量 Wh"),
    "estimated": Sentence("estimated", "估算"),
    "feeRule": Sentence("fee by rule", "计费规则"),
    "from": Sentence("from", "原状态"),
    "gap": Sentence("gap in the readings", "读数有缺口"),
    "limit_a": Sentence("limit, A", "限值 A"),
    "limitId": Sentence("limit id", "限值编号"),
    "line": Sentence("line", "线路"),
    "listAge_s": Sentence("age of the list, s", "名单时效 s"),
    "listVersion": Sentence("version of the list", "名单版本"),
    "locked": Sentence("locked out", "已锁定"),
    "installed": Sentence("in force", "已生效"),
    "lockId": Sentence("parking lock", "地锁"),
    "message": Sentence("message", "说明"),
    "meter": Sentence("meter", "电表"),
    "mustChange": Sentence("must change password", "须修改密码"),
    "observed": Sentence("observed", "实际状态"),
    "online": Sentence("answers", "在线"),
    "onExpiry": Sentence("at its end", "到期后"),
    "operative": Sentence("in service", "可用"),
    "part": Sentence("part", "分段"),
    "parts": Sentence("of parts", "总段数"),
    "platformReached": Sentence("platform reached", "平台在线"),
    "reader": Sentence("reader", "读卡器"),
    "reason": Sentence("reason", "原因"),
    "removed": Sentence("taken off", "移除"),
    "reservationId": Sentence("reservation", "预约"),
    "role": Sentence("role", "角色"),
    "sessionId": Sentence("session", "会话编号"),
    "settings": Sentence("settings", "串口参数"),
    "since": Sentence("since", "起始"),
    "source": Sentence("by", "来源"),
    "startedAt": Sentence("started", "开始时间"),
    "start_register_wh": Sentence("start register, Wh", "起始读数 Wh"),
    "stood_s": Sentence("stood, s", "停留 s"),
    "start_soc_percent": Sentence("battery at start, %", "起始电量 %"),
    "state": Sentence("state", "内部状态"),
    "status": Sentence("status", "状态"),
    "suspendedBy": Sentence("paused by", "暂停方"),
    "target": Sentence("on", "对象"),
    "token": Sentence("card", "卡"),
    "to": Sentence("to", "新状态"),
    "until": Sentence("until", "截止"),
    "update": Sentence("update", "更新方式"),
    "tariffId": Sentence("tariff", "计费方案"),
    "tariffVersion": Sentence("version", "版本"),
    "total": Sentence("total", "合计"),
    "currency": Sentence("currency", "币种"),
    "period": Sentence("price period", "电价时段"),
    "step": Sentence("reading", "读数"),
    "late": Sentence("after the end of the session", "会话结束后补收"),
    "encodingMethod": Sentence("format", "格式"),
    "signingMethod": Sentence("signed by", "签名算法"),
    "pagination": Sentence("page", "页码"),
    "register_wh": Sentence("register, Wh", "读数 Wh"),
    "verified": Sentence("signature holds", "签名有效"),
    "marks": Sentence("doubts", "疑点"),
    "failure": Sentence("because", "原因"),
    "difference_wh": Sentence("beside our own, Wh", "与自有计量相差 Wh"),
    "validFrom": Sentence("valid from", "生效时间"),
    "user": Sentence("user", "用户"),
    "validFor_s": Sentence("valid for, s", "有效时间 s"),
    "version": Sentence("version", "版本"),
    "waiting": Sentence("until it is free", "等待空闲"),
    "waitingFor": Sentence("waiting for", "等待"),
    "what": Sentence("what", "事件"),
    "why": Sentence("because", "原因"),
    "tokens": Sentence("cards", "卡"),
    "after_wh": Sentence("after, Wh", "之后读数 Wh"),
    "amount": Sentence("amount", "金额"),
    "before_wh": Sentence("before, Wh", "之前读数 Wh"),
    "begin": Sentence("begin", "开始"),
    "begin_register_wh": Sentence("begin register, Wh", "起始读数 Wh"),
    "end": Sentence("end", "结束"),
    "ended": Sentence("ended by", "结束于"),
    "error": Sentence("error", "错误"),
    "estimated_wh": Sentence("estimated, Wh", "估算电量 Wh"),
    "fault": Sentence("fault", "故障"),
    "flagged": Sentence("clock not trusted", "时钟不可信"),
    "idle_s": Sentence("stood without charging, s", "停车未充 s"),
    "inForce": Sentence("in force", "已生效"),
    "max_amount": Sentence("amount limit", "金额上限"),
    "max_current_a": Sentence("current limit, A", "电流上限 A"),
    "max_energy_wh": Sentence("energy limit, Wh", "电量上限 Wh"),
    "max_time_s": Sentence("time limit, s", "时间上限 s"),
    "name": Sentence("name", "名称"),
    "newMeter": Sentence("new meter", "新电表"),
    "notices": Sentence("messages", "消息数"),
    "number": Sentence("number", "序号"),
    "ok": Sentence("delivered", "已送达"),
    "output": Sentence("output", "输出"),
    "rolled_wh": Sentence("register rolled over or meter exchanged, Wh", "读数翻转或换表 Wh"),
    "segments": Sentence("segments", "分段数"),
    "stopReason": Sentence("ended by", "结束原因"),
    "stop_register_wh": Sentence("end register, Wh", "结束读数 Wh"),
    "stop_soc_percent": Sentence("battery at the end, %", "结束电量 %"),
    "unmetered": Sentence("without a meter", "无计量"),
    "unpriced_wh": Sentence("without a price, Wh", "无价格电量 Wh"),
}
"""Names of the data that events carry, the usual ones; others are shown by their key."""

VALUES: Final[Mapping[str, Mapping[Any, Sentence]]] = {
    "source": v.SOURCES,
    "role": v.ROLES,
    "status": v.STATUSES,
    "reason": v.REASONS,
    "waitingFor": v.WAITS,
    "by": v.AUTHORISED,
    "why": v.RELEASES,
    "cable": v.CABLES,
    "effect": v.CABLES,
    "what": v.STOPS_TOLD,
    "update": v.UPDATES,
    "from": {**v.ARM_STATES, **v.CLOCKS},
    "to": {**v.ARM_STATES, **v.CLOCKS},
    "suspendedBy": v.PAUSERS,
    "state": {**v.POINT_STATES, **v.ARM_STATES, **STATES, "stopping": Sentence("stopping", "停止中")},
    "step": STEPS,
    "failure": FAILURES,
    "marks": MARKS,
    "ended": CUTS,
    "stopReason": v.REASONS,
}
"""Vocabularies of the values, by their key."""

_YES, _NO = Sentence("yes", "是"), Sentence("no", "否")
_CARDS = frozenset({"token", "removed"})
"""Numbers of cards, of which nobody sees more than the end."""

_QUIET = frozenset({"estimated", "estimated_wh", "flagged", "gap", "idle_s", "rolled_wh", "unmetered", "unpriced_wh"})
"""Worth a word only where there is some of it."""

_MONEY = frozenset({"total", "amount", "max_amount"})
"""Minor units of the currency beside it: nobody reads 179 as 1.79."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)

_SAID_ELSEWHERE = frozenset({"actor", "stage"})
"""The actor's parts stand beside it, the stage is the event's own name."""

_OTHER_PAGES = frozenset({"lines", "energyByPeriod", "currencyDigits", "days", "periods", "holidays", "steps", "idle"})
"""Lines of a bill stand on the session's page; the inside of a tariff is for programs."""

_BYTES = frozenset({"signedMeterData", "publicKey", "sha256", "beginSha256", "endSha256"})
"""Nobody reads these; the session's page hands them out."""


def event_detail(event: Mapping[str, Any], language: str, zone: tzinfo = UTC) -> str:
    """What an event says: an alarm's or refusal's sentence where it has one, then its data; times as in the zone."""
    data = dict(event.get("data") or {})
    code = str(data.get("code", ""))
    # An emergency stop is an alarm, and why a command is refused: the event says which is meant.
    if code in set(AlarmCode) and (code not in set(Refusal) or str(event.get("type", "")).startswith("alarm.")):
        return say(ALARMS[AlarmCode(code)].about(str(data.get("subject", ""))), language)
    parts = []
    if code in set(Refusal):
        # The sentence of the catalogue says it in both languages; the recorded one is English.
        parts.append(say(REFUSALS[Refusal(data.pop("code"))], language))
        data.pop("message", None)
    return " · ".join([*parts, *_told(data, language, zone)])


def _told(data: Mapping[str, Any], language: str, zone: tzinfo) -> Iterator[str]:
    currency = data.get("currency")
    priced = isinstance(currency, str) and any(isinstance(data.get(key), int) for key in _MONEY)
    for key, value in data.items():
        if _skipped(key, value, data) or (key == "currency" and priced):
            continue
        if isinstance(value, Mapping):
            yield from _told(value, language, zone)
            continue
        label = say(LABELS[key], language) if key in LABELS else key
        if key in _MONEY and isinstance(value, int) and isinstance(currency, str):
            yield f"{label}: {fee(value, currency)}"
        else:
            yield f"{label}: {_value(key, value, language, zone)}"


def _skipped(key: str, value: object, data: Mapping[str, Any]) -> bool:
    elsewhere = key in _OTHER_PAGES or key in _BYTES or (key in _SAID_ELSEWHERE and "source" in data)
    return value is None or elsewhere or (key in _QUIET and not value)


def _value(key: str, value: object, language: str, zone: tzinfo) -> str:
    if key in _CARDS and isinstance(value, str):
        return masked(value)
    if key == "tokens":
        return str(len(value)) if isinstance(value, list) else str(value)
    if isinstance(value, bool):
        return say(_YES if value else _NO, language)
    if isinstance(value, str):
        table = VALUES.get(key, {})
        return say(table[value], language) if value in table else _instant(value, zone)
    if isinstance(value, list):
        return " / ".join(_value(key, one, language, zone) for one in value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _instant(text: str, zone: tzinfo) -> str:
    """A time as people write it, with its distance from UTC; any other text as it is."""
    if _INSTANT.fullmatch(text) is None:
        return text
    local = datetime.fromisoformat(text).astimezone(zone)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S} {'UTC' if offset == '+0000' else f'{offset[:3]}:{offset[3:]}'}"
