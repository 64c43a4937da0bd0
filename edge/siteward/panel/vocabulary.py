"""Words in English and Chinese for the model's closed vocabularies: states, causes, event types, stages, reasons."""

from typing import Final

from siteward.model.auth import AuthorisedBy
from siteward.model.curve import CurveState
from siteward.model.events import EventType
from siteward.model.limits import OnLimitExpiry
from siteward.model.live import StopState
from siteward.model.requests import Role, Source, Stage
from siteward.model.sentences import Sentence
from siteward.model.sessions import ConnectorStatus, OrderState, StopReason, SuspendedBy

STATES: Final[dict[str, Sentence]] = {
    "charging": Sentence("Charging", "充电中"),
    "suspended_car": Sentence("Car paused", "车辆暂停"),
    "suspended_station": Sentence("Waiting", "等待电流"),
    "starting": Sentence("Starting", "启动中"),
    "ended": Sentence("Ended, car still there", "已结束，车辆未离开"),
    "plugged": Sentence("Plugged in", "已插枪"),
    "available": Sentence("Available", "空闲"),
    "reserved": Sentence("Reserved", "已预约"),
    "unavailable": Sentence("Out of service", "停用"),
    "faulted": Sentence("Fault", "故障"),
    "offline": Sentence("No answer", "无应答"),
}
"""What a connector does, in the panel's words; `connector_state` of panel/view.py chooses."""

STATUSES: Final[dict[str, Sentence]] = {
    ConnectorStatus.AVAILABLE: Sentence("Available", "空闲"),
    ConnectorStatus.OCCUPIED: Sentence("Occupied", "占用"),
    ConnectorStatus.RESERVED: Sentence("Reserved", "已预约"),
    ConnectorStatus.UNAVAILABLE: Sentence("Unavailable", "不可用"),
    ConnectorStatus.FAULTED: Sentence("Faulted", "故障"),
}
"""The status that core tells the platform, in words."""

POINT_STATES: Final[dict[str, Sentence]] = {
    "available": Sentence("available", "空闲"),
    "preparing": Sentence("preparing", "准备中"),
    "charging": Sentence("charging", "充电中"),
    "suspended_car": Sentence("car paused", "车辆暂停"),
    "suspended_station": Sentence("waiting for current", "等待电流"),
    "finishing": Sentence("finishing", "结束中"),
    "faulted": Sentence("fault", "故障"),
}
"""States of a connector's machine, as events name them."""

PAUSERS: Final[dict[str, Sentence]] = {
    SuspendedBy.CAR: Sentence("the car", "车辆"),
    SuspendedBy.STATION: Sentence("the station", "充电站"),
}

CURVE_STATES: Final[dict[str, Sentence]] = {
    CurveState.STARTING: Sentence("no current yet", "尚未充电"),
    CurveState.CHARGING: Sentence("charging", "充电中"),
    CurveState.CAR: Sentence("paused by the car", "车辆暂停"),
    CurveState.STATION: Sentence("paused by the station", "充电站暂停"),
    CurveState.ENDED: Sentence("ended, car still there", "已结束，车辆未离开"),
    CurveState.UNREAD: Sentence("charger silent", "充电桩无应答"),
}
"""What a stretch of a session was, in its picture."""

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

STOP_STATES: Final[dict[str, Sentence]] = {
    StopState.CLEAR: Sentence("Not pressed", "未触发"),
    StopState.PRESSED: Sentence("Pressed", "已触发"),
    StopState.LATCHED: Sentence("Released, not acknowledged", "已复位，待确认"),
    StopState.UNREAD: Sentence("Cannot be read", "无法读取"),
}
"""What an emergency stop says."""

AUTHORISED: Final[dict[str, Sentence]] = {
    AuthorisedBy.PLATFORM: Sentence("the platform", "平台"),
    AuthorisedBy.OPERATOR: Sentence("a person on site", "现场人员"),
    AuthorisedBy.LIST: Sentence("the list of cards", "卡名单"),
    AuthorisedBy.SEEN: Sentence("having been seen lately", "近期使用记录"),
    AuthorisedBy.POLICY: Sentence("the site's policy", "站点策略"),
}
"""By what somebody was let in."""

CABLES: Final[dict[str, Sentence]] = {
    "none": Sentence("no cable", "未插电缆"),
    "unlocked": Sentence("cable unlocked", "电缆未锁"),
    "locked": Sentence("cable locked", "电缆已锁"),
    "not_readable": Sentence(
        "the command was taken; this charger does not show its lock, so try the plug",
        "命令已接受；该充电桩不显示锁状态，请拔插头确认",
    ),
}
"""What is known of the cable in a socket, also after it was let go."""

RELEASES: Final[dict[str, Sentence]] = {
    "used": Sentence("its session began", "已开始充电"),
    "expired": Sentence("its time is over", "已到期"),
    "cancelled": Sentence("it was cancelled", "已取消"),
    "out_of_service": Sentence("the connector went out of service", "充电枪停用"),
}
"""Why a reservation ended."""

STOPS_TOLD: Final[dict[str, Sentence]] = {
    "pressed": Sentence("pressed", "触发"),
    "acknowledged": Sentence("acknowledged", "已确认"),
}

UPDATES: Final[dict[str, Sentence]] = {
    "full": Sentence("whole list", "完整名单"),
    "differential": Sentence("difference", "差异更新"),
    "part": Sentence("part of a list", "名单分段"),
}

ARM_VERBS: Final[dict[str, Sentence]] = {
    "open": Sentence("Open", "打开"),
    "close": Sentence("Close", "关闭"),
    "raise": Sentence("Raise", "升起"),
    "lower": Sentence("Lower", "降下"),
}
"""The buttons of barriers and locks; panel/arms.py chooses."""

ENDS: Final[dict[OnLimitExpiry, Sentence]] = {
    OnLimitExpiry.RELEASE: Sentence("it is released", "解除"),
    OnLimitExpiry.KEEP: Sentence("it stays", "保持"),
    OnLimitExpiry.FAILSAFE: Sentence("its fail-safe value holds", "按安全值执行"),
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
    EventType.SESSION_SEGMENT: Sentence("Segment closed", "分段结束"),
    EventType.SESSION_SIGNED: Sentence("Meter signed", "电表签名"),
    EventType.TARIFF_INSTALLED: Sentence("Tariff installed", "计费方案已安装"),
    EventType.CONNECTOR_STATUS: Sentence("Connector status", "充电枪状态"),
    EventType.CONNECTOR_PHASES: Sentence("Switching phases", "单相/三相切换"),
    EventType.CONNECTOR_RESERVED: Sentence("Connector reserved", "充电枪已预约"),
    EventType.CONNECTOR_RELEASED: Sentence("Reservation over", "预约结束"),
    EventType.CONNECTOR_UNLOCK: Sentence("Cable unlocking", "电缆解锁"),
    EventType.CONNECTOR_SERVICE: Sentence("In or out of service", "启用/停用"),
    EventType.LIMIT_CHANGED: Sentence("Limit changed", "限值变更"),
    EventType.ALARM_RAISED: Sentence("Alarm raised", "告警产生"),
    EventType.ALARM_ACKNOWLEDGED: Sentence("Alarm acknowledged", "告警已确认"),
    EventType.ALARM_CLEARED: Sentence("Alarm cleared", "告警解除"),
    EventType.ACCESS_OPENED: Sentence("Barrier opened", "道闸已打开"),
    EventType.ACCESS_CLOSED: Sentence("Barrier closed", "道闸已关闭"),
    EventType.ACCESS_RAISED: Sentence("Parking lock raised", "地锁已升起"),
    EventType.ACCESS_LOWERED: Sentence("Parking lock lowered", "地锁已降下"),
    EventType.ACCESS_OBSTRUCTED: Sentence("Something stood in the way", "遇到障碍"),
    EventType.ACCESS_FAILED: Sentence("Arm did not arrive", "动作未到位"),
    EventType.ACCESS_FORCED: Sentence("Arm moved by hand", "被人为移动"),
    EventType.ACCESS_EMERGENCY: Sentence("Way freed in an emergency", "紧急放行"),
    EventType.ACCESS_GRANTED: Sentence("Let in", "授权通过"),
    EventType.ACCESS_DENIED: Sentence("Not let in", "授权被拒"),
    EventType.ACCESS_BAY_BLOCKED: Sentence("Bay blocked", "车位被占用"),
    EventType.ACCESS_BAY_FREED: Sentence("Bay free again", "车位已腾出"),
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
    EventType.AUDIT_METER_ROLLOVER: Sentence("Meter register began at 0 again", "电表计数翻转归零"),
    EventType.AUDIT_METER_SWAPPED: Sentence("Meter exchanged in a session", "充电期间更换电表"),
    EventType.AUDIT_WIRE_TOOL: Sentence("Bus tool on a wire", "总线工具访问"),
    EventType.AUDIT_SALVAGED: Sentence("Journal salvaged after damage", "日志损坏后已抢救恢复"),
    EventType.ENERGY_RECONCILED: Sentence("Energy reconciled", "电量已核对"),
    EventType.AUDIT_DIFFERENCE: Sentence("Difference handled", "差异已处理"),
    EventType.AUDIT_AUTH_LIST: Sentence("List of cards changed", "卡名单变更"),
    EventType.AUDIT_KEYS: Sentence("Keys of commands", "命令密钥"),
    EventType.AUDIT_EMERGENCY: Sentence("Emergency stop", "急停"),
    EventType.AUDIT_NOTIFIED: Sentence("Alarms delivered", "告警已送达"),
    EventType.AUDIT_OUTPUT_TEST: Sentence("Test of outputs asked for", "已请求测试告警输出"),
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
    StopReason.AMOUNT_LIMIT: Sentence("amount limit", "达到金额限制"),
    StopReason.EMERGENCY: Sentence("emergency stop", "急停"),
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
    "connector": Sentence("the connector to be free", "充电枪空闲"),
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
