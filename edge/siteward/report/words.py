"""The report's own words in English and Chinese."""

from siteward.model.sentences import Sentence

WORDS: dict[str, Sentence] = {
    "title": Sentence("Daily report", "日报"),
    "sofar": Sentence("until now", "截至目前"),
    "online": Sentence("Connectors answered", "充电枪在线率"),
    "starts": Sentence("Starts that came to charging", "启动成功率"),
    "abnormal": Sentence("Sessions that ended abnormally", "异常中断率"),
    "use": Sentence("Time in which connectors charged", "利用率"),
    "energy": Sentence("Energy of finished sessions", "已结束会话电量"),
    "sessions": Sentence("Sessions finished", "已结束会话数"),
    "alarms": Sentence("Alarms that rose", "告警次数"),
    "open": Sentence("Differences to handle", "待处理差异"),
    "connector": Sentence("Connector", "充电枪"),
    "created": Sentence("asked for", "请求"),
    "failed": Sentence("failed", "失败"),
    "cancelled": Sentence("cancelled", "取消"),
    "occupied": Sentence("occupied", "占用"),
    "charging": Sentence("charging", "充电"),
    "quarters": Sentence("Energy by quarters of an hour: feeder, and sessions", "每15分钟电量：馈线与会话"),
    "feeder": Sentence("Feeder", "馈线"),
    "by_feeder": Sentence("feeder", "馈线"),
    "by_sessions": Sentence("sessions", "会话"),
    "worst": Sentence("worst drift", "最大偏差"),
    "missing": Sentence("{count} quarters of an hour without a record", "{count} 个时段无记录"),
    "differences": Sentence("Differences", "差异"),
    "none": Sentence("none", "无"),
    "nothing": Sentence("Nothing was recorded on this day.", "当日没有任何记录。"),
    "unknown": Sentence("not known", "未知"),
    "expected": Sentence("expected {value} {unit}", "应为 {value} {unit}"),
    "found": Sentence("found {value} {unit}", "实为 {value} {unit}"),
    "order": Sentence("order", "订单"),
}


def say(key: str, language: str, **fill: object) -> str:
    """A word in a language."""
    sentence = WORDS[key]
    return (sentence.zh if language == "zh" else sentence.en).format(**fill)
