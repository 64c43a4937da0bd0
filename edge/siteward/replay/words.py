"""The replay's own words in English and Chinese; alarm sentences are the model's."""

from typing import Final

from siteward.model.sentences import Sentence
from siteward.replay.compare import Note

NOTES: Final[dict[Note, Sentence]] = {
    Note.CONNECTOR_GONE: Sentence(
        "Connector {subject} is not in the new file: what it drew is left out.",
        "新配置中没有充电枪 {subject}：其用电不计入。",
    ),
    Note.CONNECTOR_NEW: Sentence(
        "Connector {subject} is not in the trace: it stands idle, its load is not in the result.",
        "记录中没有充电枪 {subject}：按空闲处理，其负荷不计入结果。",
    ),
    Note.CONNECTOR_MOVED: Sentence(
        "Connector {subject} hangs at another feeder or on other phases in the new file: its car is moved with it.",
        "新配置中充电枪 {subject} 的馈线或相序不同：其车辆随之移动。",
    ),
    Note.FEEDER_GONE: Sentence(
        "Feeder {subject} is not in the new file: nothing is compared there.",
        "新配置中没有馈线 {subject}：此处不作比较。",
    ),
    Note.FEEDER_NEW: Sentence(
        "Feeder {subject} is not in the running file: it is shown for the new one only.",
        "当前配置中没有馈线 {subject}：只显示新配置的结果。",
    ),
    Note.METER_UNKNOWN: Sentence(
        "The meter of {subject} is not in the trace: its other load is taken as the worst of the new file.",
        "记录中没有 {subject} 的电表：其他负荷按新配置的最大值计算。",
    ),
    Note.NO_METER: Sentence(
        "{subject} has no meter: its load is what is known of chargers and meters below it, its own other load is not.",
        "{subject} 没有电表：只含其下已知的充电桩和电表负荷，不含自身其他负荷。",
    ),
    Note.GAP: Sentence(
        "Nothing was recorded in {subject}: both start anew after it.", "{subject} 期间没有记录：之后两者重新开始。"
    ),
    Note.SITE_CHANGED: Sentence(
        "The site file was changed in {subject}: what runs now is replayed before it too.",
        "{subject} 期间更换过配置：之前也按当前配置回放。",
    ),
    Note.NO_DEMANDS: Sentence(
        "The trace does not say who asked for current: whoever got some counts as asking until it left.",
        "记录未说明谁要求用电：得到电流的车辆视为一直要求到离开。",
    ),
    Note.UNPROVEN: Sentence(
        "`siteward check` refuses the new file: {subject}.", "`siteward check` 不接受新配置：{subject}。"
    ),
}

WORDS: Final[dict[str, Sentence]] = {
    "title": Sentence(
        "Replay of {began} to {ended} ({hours} h), {timezone}", "回放 {began} 至 {ended}（{hours} 小时），{timezone}"
    ),
    "open_loop": Sentence(
        "Open loop: each car draws the smaller of its limit and what it drew or wanted then; it takes 5 s to follow a "
        "cut. A car that got less does not stay longer here. Turns are replayed one a second.",
        "开环回放：每辆车的电流取限值与当时实际（或所需）电流中的较小者，降流后 5 秒跟随；"
        "少充的车辆不会因此停留更久。每秒回放一次控制。",
    ),
    "assumed": Sentence("Assumed or left out", "假设与缺失"),
    "feeders": Sentence("Load against rating", "负荷与额定值"),
    "connectors": Sentence("Connectors", "充电枪"),
    "feeder": Sentence("feeder", "馈线"),
    "rating": Sentence("rating A", "额定 A"),
    "recorded": Sentence("recorded", "记录"),
    "running": Sentence("running", "当前"),
    "changed": Sentence("new", "新配置"),
    "peak": Sentence("peak A", "峰值 A"),
    "over": Sentence("over s", "超限 s"),
    "sheds": Sentence("sheds", "强制降流"),
    "connector": Sentence("connector", "充电枪"),
    "energy": Sentence("kWh", "kWh"),
    "mean": Sentence("mean A", "平均 A"),
    "pauses": Sentence("pauses", "暂停次数"),
    "paused": Sentence("paused s", "暂停 s"),
    "why": Sentence(
        "Why this current: seconds under each cause, with its mean current", "电流原因：各原因持续秒数及平均电流"
    ),
    "held": Sentence("{seconds} s: {why}", "{seconds} 秒：{why}"),
    "disobeyed": Sentence("Chargers that drew more than they were granted, recorded", "超出分配电流的充电桩（记录）"),
    "disobeyed_at": Sentence(
        "{when} {connector}: {seconds} s above its grant, {longest} s of them in a row; "
        "at most {most} A above {granted} A",
        "{when} {connector}：超出分配电流共 {seconds} 秒，最长连续 {longest} 秒；最多超出 {most} A（分配 {granted} A）",
    ),
    "alarms": Sentence("Alarms", "告警"),
    "alarm": Sentence("{when} for {seconds} s: {text}", "{when} 起 {seconds} 秒：{text}"),
    "none": Sentence("none", "无"),
    "overloads": Sentence("Overloads and forced cuts", "过载与强制降流"),
    "overload": Sentence(
        "{when} {feeder}: {peak} A on {phase} of {rating} A, {seconds} s over, other load {base} A",
        "{when} {feeder}：{phase} 相 {peak} A / 额定 {rating} A，超限 {seconds} 秒，其他负荷 {base} A",
    ),
    "shed": Sentence(
        "{when} {feeder}: cut before the rating was reached; {peak} A on {phase} of {rating} A, other load {base} A",
        "{when} {feeder}：达到额定值之前降流；{phase} 相 {peak} A / 额定 {rating} A，其他负荷 {base} A",
    ),
    "more": Sentence("{count} more are only counted", "另有 {count} 次仅计数"),
    "step": Sentence("{connector}: {before} A -> {after} A. {why}", "{connector}：{before} A -> {after} A。{why}"),
    "differences": Sentence("First differences", "首次差异"),
    "difference": Sentence(
        "{when} {connector}: {running} A running, {changed} A new",
        "{when} {connector}：当前 {running} A，新配置 {changed} A",
    ),
    "same": Sentence("The new file would have changed no limit.", "新配置不会改变任何限值。"),
    "avoided": Sentence(
        "{feeder}: {before} s above the rating with the running file, {after} s with the new one.",
        "{feeder}：当前配置超限 {before} 秒，新配置 {after} 秒。",
    ),
    "percent": Sentence("load of the fullest phase, % of rating", "最满一相负荷，占额定 %"),
    "line_rating": Sentence("rating", "额定"),
}
