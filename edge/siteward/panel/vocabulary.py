"""Words in English and Chinese for the model's closed vocabularies: states, causes, event types, stages, reasons."""

from typing import Final

from siteward.model.events import EventType
from siteward.model.limits import Cause
from siteward.model.requests import Role, Source, Stage
from siteward.model.sentences import Sentence
from siteward.model.sessions import OrderState, StopReason

STATES: Final[dict[str, Sentence]] = {
    "charging": Sentence("Charging", "充电中"),
    "suspended_car": Sentence("Car paused", "车辆暂停"),
    "suspended_station": Sentence("Waiting", "等待电流"),
    "starting": Sentence("Starting", "启动中"),
    "plugged": Sentence("Plugged in", "已插枪"),
    "available": Sentence("Available", "空闲"),
    "reserved": Sentence("Reserved", "已预约"),
    "unavailable": Sentence("Out of service", "停用"),
    "faulted": Sentence("Fault", "故障"),
    "offline": Sentence("No answer", "无应答"),
}
"""What a connector does, in the panel's words; `connector_state` of panel/view.py chooses."""

ARM_STATES: Final[dict[str, Sentence]] = {
    "unknown": Sentence("Not read yet", "尚未读取"),
    "closed": Sentence("Closed", "已关闭"),
    "opening": Sentence("Opening", "正在打开"),
    "open": Sentence("Open", "已打开"),
    "closing": Sentence("Closing", "正在关闭"),
    "stopped": Sentence("Stopped half-way", "停在中途"),
    "failed": Sentence("Failed", "故障"),
    "down": Sentence("Down", "已降下"),
    "raising": Sentence("Rising", "正在升起"),
    "up": Sentence("Up", "已升起"),
    "lowering": Sentence("Going down", "正在降下"),
}
"""Where a barrier or a parking lock is: the words of control.barrier and control.lock."""

ARM_VERBS: Final[dict[str, Sentence]] = {
    "open": Sentence("Open", "打开"),
    "close": Sentence("Close", "关闭"),
    "raise": Sentence("Raise", "升起"),
    "lower": Sentence("Lower", "降下"),
}
"""The buttons of barriers and locks; panel/arms.py chooses."""

CAUSES: Final[dict[Cause, Sentence]] = {
    Cause.MAXIMUM: Sentence(
        "May take its maximum of {amps}\u00a0A; nothing else limits it.", "可用最大电流 {amps}\u00a0A，无其他限制。"
    ),
    Cause.NO_DEMAND: Sentence("No car asks for current here.", "当前没有车辆需要电流。"),
    Cause.FUSE: Sentence("The fuse of {feeder} leaves {amps}\u00a0A.", "{feeder} 的熔断器余量为 {amps}\u00a0A。"),
    Cause.NEUTRAL: Sentence(
        "The neutral of {feeder} leaves {amps}\u00a0A for one-phase cars.",
        "{feeder} 的中性线为单相车辆留出 {amps}\u00a0A。",
    ),
    Cause.IMBALANCE: Sentence(
        "The phases of {feeder} may lie {amps}\u00a0A apart, and this phase is the highest.",
        "{feeder} 三相允许相差 {amps}\u00a0A，本相负荷最高。",
    ),
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
}

EVENTS: Final[dict[EventType, Sentence]] = {
    EventType.SESSION_CREATED: Sentence("Session created", "会话已创建"),
    EventType.SESSION_STARTING: Sentence("Session starting", "会话启动中"),
    EventType.SESSION_CHARGING: Sentence("Charging began", "开始充电"),
    EventType.SESSION_SUSPENDED: Sentence("Session suspended", "会话暂停"),
    EventType.SESSION_RESUMED: Sentence("Session resumed", "会话恢复"),
    EventType.SESSION_FINISHED: Sentence("Session finished", "会话结束"),
    EventType.SESSION_SETTLED: Sentence("Session settled", "会话已结算"),
    EventType.SESSION_FAILED: Sentence("Session failed", "会话失败"),
    EventType.SESSION_CANCELLED: Sentence("Session cancelled", "会话取消"),
    EventType.CONNECTOR_STATUS: Sentence("Connector status", "充电枪状态"),
    EventType.LIMIT_CHANGED: Sentence("Limit changed", "限值变更"),
    EventType.ALARM_RAISED: Sentence("Alarm raised", "告警产生"),
    EventType.ALARM_CLEARED: Sentence("Alarm cleared", "告警解除"),
    EventType.ACCESS_OPENED: Sentence("Barrier opened", "道闸已打开"),
    EventType.ACCESS_CLOSED: Sentence("Barrier closed", "道闸已关闭"),
    EventType.ACCESS_RAISED: Sentence("Parking lock raised", "地锁已升起"),
    EventType.ACCESS_LOWERED: Sentence("Parking lock lowered", "地锁已降下"),
    EventType.ACCESS_OBSTRUCTED: Sentence("Something stood in the way", "遇到障碍"),
    EventType.ACCESS_FAILED: Sentence("Arm did not arrive", "动作未到位"),
    EventType.ACCESS_FORCED: Sentence("Arm moved by hand", "被人为移动"),
    EventType.ACCESS_EMERGENCY: Sentence("Way freed in an emergency", "紧急放行"),
    EventType.COMMAND_ACCEPTED: Sentence("Command accepted", "命令已接受"),
    EventType.COMMAND_REJECTED: Sentence("Command rejected", "命令被拒绝"),
    EventType.COMMAND_DONE: Sentence("Command done", "命令完成"),
    EventType.COMMAND_FAILED: Sentence("Command failed", "命令失败"),
    EventType.COMMAND_EXPIRED: Sentence("Command expired", "命令过期"),
    EventType.CONFIG_CHANGED: Sentence("Configuration changed", "配置变更"),
    EventType.CLOCK_CHANGED: Sentence("Clock changed", "时钟变更"),
    EventType.AUDIT_LOGIN: Sentence("Login", "登录"),
    EventType.AUDIT_REFUSED: Sentence("Refused", "被拒绝"),
    EventType.AUDIT_STARTED: Sentence("Started", "启动"),
    EventType.AUDIT_USER: Sentence("User changed", "用户变更"),
    EventType.AUDIT_FOREIGN_WRITE: Sentence("Foreign write", "外部写入"),
    EventType.AUDIT_SALVAGED: Sentence("Journal salvaged after damage", "日志损坏后已抢救恢复"),
    EventType.JOURNAL_STUB: Sentence("Entry past its retention", "超过保留期的记录"),
}

STAGES: Final[dict[Stage, Sentence]] = {
    Stage.RECEIVED: Sentence("Recorded; the controller looks at it.", "已记录；控制程序正在处理。"),
    Stage.ACCEPTED: Sentence("Accepted; on its way.", "已接受；正在执行。"),
    Stage.DONE: Sentence("Done.", "已完成。"),
    Stage.REJECTED: Sentence("Not accepted.", "未接受。"),
    Stage.FAILED: Sentence("Did not succeed.", "未成功。"),
    Stage.EXPIRED: Sentence("Came too late.", "已过期。"),
}

SEVERITIES: Final[dict[str, Sentence]] = {
    "highest": Sentence("act now", "立即处理"),
    "high": Sentence("high", "高"),
    "medium": Sentence("medium", "中"),
    "low": Sentence("low", "低"),
}

ORDERS: Final[dict[OrderState, Sentence]] = {
    OrderState.CREATED: Sentence("created", "已创建"),
    OrderState.STARTING: Sentence("starting", "启动中"),
    OrderState.CHARGING: Sentence("charging", "充电中"),
    OrderState.FINISHED: Sentence("finished", "已结束"),
    OrderState.SETTLED: Sentence("settled", "已结算"),
    OrderState.FAILED: Sentence("failed", "失败"),
    OrderState.CANCELLED: Sentence("cancelled", "已取消"),
}

REASONS: Final[dict[StopReason, Sentence]] = {
    StopReason.USER: Sentence("stopped by the user", "用户停止"),
    StopReason.REMOTE: Sentence("stopped remotely", "远程停止"),
    StopReason.FULL: Sentence("battery full", "电池已满"),
    StopReason.UNPLUGGED: Sentence("unplugged", "拔枪"),
    StopReason.FAULT: Sentence("fault", "故障"),
    StopReason.TIME_LIMIT: Sentence("time limit", "达到时间限制"),
    StopReason.ENERGY_LIMIT: Sentence("energy limit", "达到电量限制"),
    StopReason.POWER_LOSS: Sentence("power loss", "断电"),
    StopReason.NEVER_STARTED: Sentence("never started", "未启动"),
}

ROLES: Final[dict[Role, Sentence]] = {
    Role.VIEWER: Sentence("viewer", "查看者"),
    Role.TECHNICIAN: Sentence("technician", "技术员"),
    Role.INSTALLER: Sentence("installer", "安装员"),
}

SOURCES: Final[dict[Source, Sentence]] = {
    Source.CLOUD: Sentence("cloud", "云端"),
    Source.PANEL: Sentence("panel", "面板"),
    Source.CLI: Sentence("command line", "命令行"),
    Source.CARD: Sentence("card", "刷卡"),
    Source.LOCAL: Sentence("plugged in", "即插即充"),
}

WAITS: Final[dict[str, Sentence]] = {
    "current": Sentence("current", "电流"),
    "queue": Sentence("a free place", "排队"),
    "delay": Sentence("its start delay", "启动延时"),
    "car": Sentence("the car", "车辆"),
    "vehicle": Sentence("the car", "车辆"),
}
"""`result.waitingFor` of a START_CHARGE."""

CLOCKS: Final[dict[str, Sentence]] = {
    "ntp": Sentence("network time", "网络授时"),
    "rtc": Sentence("hardware clock", "硬件时钟"),
    "cloud": Sentence("cloud time", "云端时间"),
    "unsynced": Sentence("not synchronised", "未同步"),
}
