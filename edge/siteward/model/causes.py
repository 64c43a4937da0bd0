"""Why a connector has the current that it has, in words: a sentence in both languages for each cause."""

from siteward.model.limits import Cause
from siteward.model.sentences import Sentence

CAUSES: dict[Cause, Sentence] = {
    Cause.MAXIMUM: Sentence(
        "May take its maximum of {amps}\u00a0A; nothing else limits it.", "可用最大电流 {amps}\u00a0A，无其他限制。"
    ),
    Cause.NO_DEMAND: Sentence("No car asks for current here.", "当前没有车辆需要电流。"),
    Cause.FUSE: Sentence("The fuse of {feeder} leaves {amps}\u00a0A.", "{feeder} 的熔断器余量为 {amps}\u00a0A。"),
    Cause.FAIR_SHARE: Sentence(
        "{feeder} is shared among the cars; the fair share here is {amps}\u00a0A.",
        "{feeder} 由多辆车共享；此处公平份额为 {amps}\u00a0A。",
    ),
    Cause.LIMIT: Sentence("A limit in force{limit} allows {amps}\u00a0A.", "生效中的限值{limit}允许 {amps}\u00a0A。"),
    Cause.METER_STALE: Sentence(
        "The meter of {feeder} is late; the current is held at {amps}\u00a0A until it answers.",
        "{feeder} 的电表数据延迟；应答前保持 {amps}\u00a0A。",
    ),
    Cause.METER_LOST: Sentence(
        "The meter of {feeder} does not answer; with the worst other load {amps}\u00a0A remain.",
        "{feeder} 的电表无应答；按最大其他负荷计算剩余 {amps}\u00a0A。",
    ),
    Cause.UNREACHABLE: Sentence(
        "The charger does not answer; {amps}\u00a0A stay reserved for it.", "充电桩无应答；为其预留 {amps}\u00a0A。"
    ),
    Cause.UNVERIFIED: Sentence(
        "The charger's own fail-safe current is not confirmed yet; {amps}\u00a0A stay reserved.",
        "充电桩的安全电流尚未确认；预留 {amps}\u00a0A。",
    ),
    Cause.DISOBEDIENT: Sentence(
        "The charger drew more than its limit; it is being stopped.", "充电桩超过限值用电；正在停止。"
    ),
    Cause.PAUSED_NO_ROOM: Sentence(
        "Paused: less than 6 A are left below {feeder}.", "已暂停：{feeder} 下剩余不足 6 A。"
    ),
    Cause.RAMP: Sentence("Rising in steps; now at {amps}\u00a0A.", "正在逐步提升；当前 {amps}\u00a0A。"),
    Cause.CONFIRMING: Sentence(
        "Waiting until the charger confirms its last limit of {amps}\u00a0A.",
        "等待充电桩确认上一次限值 {amps}\u00a0A。",
    ),
    Cause.AFTER_SHED: Sentence(
        "Current was cut at {feeder} a moment ago; it may rise again after 30 s without a cut.",
        "{feeder} 刚刚降过电流；30 秒内无再次降流后才会提升。",
    ),
    Cause.CLOCK_GAP: Sentence(
        "The controller was held up; no raise until everything was read again.",
        "控制程序曾停顿；重新读取全部设备前不提升电流。",
    ),
    Cause.STORE: Sentence("A raise waits for its record on disk.", "等待记录写入磁盘后再提升电流。"),
    Cause.START: Sentence("The station has just started and reads its devices first.", "站点刚启动，正在先读取设备。"),
    Cause.START_DELAY: Sentence(
        "The charger has just restarted; it begins after a short random delay, so that not all begin at once.",
        "充电桩刚重启；随机延时后再启动，避免同时启动。",
    ),
    Cause.UNUSED: Sentence(
        "The car leaves some of its current unused; {amps}\u00a0A are kept for it and the rest goes to others.",
        "车辆未用满电流；为其保留 {amps}\u00a0A，其余分给其他车辆。",
    ),
    Cause.WAKING: Sentence(
        "The car did not wake after a pause; its offer is interrupted for 5 s.",
        "车辆暂停后未恢复；中断供电 5 秒以唤醒。",
    ),
    Cause.PAUSED_OFTEN: Sentence(
        "Paused six times within an hour; it is held at its lowest current.", "一小时内已暂停六次；保持最低电流。"
    ),
    Cause.LENT_PHASE: Sentence(
        "The car leaves a phase unused and may take it at any time; {feeder} could carry {amps}\u00a0A more there.",
        "车辆未使用某一相，但随时可能启用；{feeder} 在该相还可承受 {amps}\u00a0A。",
    ),
    Cause.PHASE_SWITCH: Sentence(
        "It is paused while its charger changes between one and three phases.",
        "充电桩正在单相与三相之间切换，暂停供电。",
    ),
    Cause.STATIC: Sentence("It stands in the site's settings: {amps}\u00a0A.", "由站点配置固定：{amps}\u00a0A。"),
    Cause.SCHEDULE: Sentence(
        "It follows the site's timetable; now {amps}\u00a0A.", "按站点时间表；当前 {amps}\u00a0A。"
    ),
    Cause.CLOCK_UNTRUSTED: Sentence(
        "The clock is not trusted, so the lowest value of the timetable counts: {amps}\u00a0A.",
        "时钟不可信，按时间表最低值 {amps}\u00a0A 执行。",
    ),
    Cause.GRID: Sentence("The grid operator asks for it: {amps}\u00a0A.", "电网公司要求：{amps}\u00a0A。"),
    Cause.GRID_INPUT_LOST: Sentence(
        "A contact of the grid operator cannot be read; its fail-safe value of {amps}\u00a0A holds until it can.",
        "电网公司的接点无法读取；恢复前按其安全值 {amps}\u00a0A 执行。",
    ),
    Cause.CLOUD: Sentence("The platform set it: {amps}\u00a0A.", "由平台设定：{amps}\u00a0A。"),
    Cause.PANEL: Sentence("It was set at the panel: {amps}\u00a0A.", "在面板上设定：{amps}\u00a0A。"),
    Cause.CLI: Sentence("It was set on the command line: {amps}\u00a0A.", "由命令行设定：{amps}\u00a0A。"),
    Cause.HEAT: Sentence(
        "It is hot there; at this temperature {amps}\u00a0A are allowed.", "温度较高；此温度下允许 {amps}\u00a0A。"
    ),
    Cause.HEAT_UNKNOWN: Sentence(
        "The temperature is not known; {amps}\u00a0A are allowed until it is.",
        "温度未知；恢复前允许 {amps}\u00a0A。",
    ),
    Cause.DEMAND: Sentence(
        "The mean power of the running demand window must stay below the contract; {amps}\u00a0A a phase are left.",
        "本需量周期的平均功率不得超过合同值；每相剩余 {amps}\u00a0A。",
    ),
    Cause.DEMAND_UNKNOWN: Sentence(
        "Part of the demand window was not measured and counts as the worst; {amps}\u00a0A a phase are left.",
        "需量周期部分时段未计量，按最坏情况计算；每相剩余 {amps}\u00a0A。",
    ),
    Cause.EXPIRED: Sentence(
        "Its validity ended without a successor; its fail-safe value of {amps}\u00a0A holds.",
        "其有效期已过且无后续指令；按其安全值 {amps}\u00a0A 执行。",
    ),
}
"""`{amps}`, `{feeder}` and `{limit}` (empty, or the limit's id in brackets) are filled in by who shows the chain."""


def told(cause: Cause, limit_a: float, feeder: str, limit: str | None) -> Sentence:
    """The sentence of one link of a chain; `feeder` is the name for people."""
    sentence = CAUSES[cause]
    filled = []
    for text in (sentence.en, sentence.zh):
        text = text.replace("{amps}", f"{limit_a:.1f}").replace("{limit}", f" ({limit})" if limit else "")
        filled.append(text.replace("{feeder}", feeder))
    return Sentence(*filled)
