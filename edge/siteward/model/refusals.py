"""Why a command is refused or failed: one closed list, each code with its sentence (ruling 30)."""

from enum import StrEnum

from siteward.model.sentences import Sentence


class Refusal(StrEnum):
    """Code of a rejected, failed or expired command."""

    MALFORMED = "MALFORMED"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    BAD_PARAMS = "BAD_PARAMS"
    UNKNOWN_TARGET = "UNKNOWN_TARGET"
    WRONG_STATION = "WRONG_STATION"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    UNSIGNED = "UNSIGNED"
    EXPIRED = "EXPIRED"
    RETAINED = "RETAINED"
    CLOCK_UNTRUSTED = "CLOCK_UNTRUSTED"
    NOT_AUTHORISED = "NOT_AUTHORISED"
    RATE_LIMITED = "RATE_LIMITED"
    CONNECTOR_BUSY = "CONNECTOR_BUSY"
    CONNECTOR_FAULTED = "CONNECTOR_FAULTED"
    CHARGER_UNREACHABLE = "CHARGER_UNREACHABLE"
    FAILSAFE_UNVERIFIED = "FAILSAFE_UNVERIFIED"
    NO_SUCH_SESSION = "NO_SUCH_SESSION"
    SESSION_MISMATCH = "SESSION_MISMATCH"
    ORDER_USED = "ORDER_USED"
    STORE_FAILED = "STORE_FAILED"
    NO_VEHICLE = "NO_VEHICLE"
    START_TIMEOUT = "START_TIMEOUT"
    SESSION_ENDED = "SESSION_ENDED"
    STOP_TIMEOUT = "STOP_TIMEOUT"
    LIMIT_NOT_CONFIRMED = "LIMIT_NOT_CONFIRMED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    CORE_DOWN = "CORE_DOWN"
    LOOP_NOT_FREE = "LOOP_NOT_FREE"
    BAY_NOT_FREE = "BAY_NOT_FREE"
    SENSOR_UNKNOWN = "SENSOR_UNKNOWN"
    ARM_MOVING = "ARM_MOVING"
    ARM_FAULTED = "ARM_FAULTED"
    ARM_TIMEOUT = "ARM_TIMEOUT"
    OBSTRUCTED = "OBSTRUCTED"
    EMERGENCY = "EMERGENCY"
    SUPERSEDED = "SUPERSEDED"
    TARIFF_CONFLICT = "TARIFF_CONFLICT"
    ALARM_STANDS = "ALARM_STANDS"
    CARD_UNKNOWN = "CARD_UNKNOWN"
    CARD_BLOCKED = "CARD_BLOCKED"
    CARD_EXPIRED = "CARD_EXPIRED"
    OFFLINE_DENIED = "OFFLINE_DENIED"
    OFFLINE_CAP = "OFFLINE_CAP"
    ACCESS_RULE = "ACCESS_RULE"
    LIST_VERSION = "LIST_VERSION"
    LIST_FULL = "LIST_FULL"
    CONNECTOR_RESERVED = "CONNECTOR_RESERVED"
    NO_SUCH_RESERVATION = "NO_SUCH_RESERVATION"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNLOCK_IMPOSSIBLE = "UNLOCK_IMPOSSIBLE"
    ONGOING_TRANSACTION = "ONGOING_TRANSACTION"
    CURRENT_FLOWS = "CURRENT_FLOWS"
    UNLOCK_FAILED = "UNLOCK_FAILED"
    NO_TARIFF = "NO_TARIFF"
    NO_METER = "NO_METER"
    EMERGENCY_STOP = "EMERGENCY_STOP"
    READER_UNCLEAR = "READER_UNCLEAR"


REFUSALS: dict[Refusal, Sentence] = {
    Refusal.MALFORMED: Sentence(
        "The message cannot be read; send JSON as the contract describes.",
        "消息无法解析；请按协议发送 JSON。",
    ),
    Refusal.TOO_LARGE: Sentence("The message is too large.", "消息过大。"),
    Refusal.UNSUPPORTED_VERSION: Sentence(
        "This protocol version is not supported; this station speaks 1.x.", "不支持该协议版本；本站使用 1.x。"
    ),
    Refusal.UNKNOWN_COMMAND: Sentence("There is no such command.", "没有这个命令。"),
    Refusal.NOT_SUPPORTED: Sentence("This station cannot do that.", "本站不支持该操作。"),
    Refusal.BAD_PARAMS: Sentence("A parameter is missing or out of range.", "参数缺失或超出范围。"),
    Refusal.UNKNOWN_TARGET: Sentence("The station has nothing with that name.", "站内没有该名称的对象。"),
    Refusal.WRONG_STATION: Sentence("The command is for another station.", "该命令属于其他站点。"),
    Refusal.BAD_SIGNATURE: Sentence("The signature is not valid.", "签名无效。"),
    Refusal.UNSIGNED: Sentence("This station accepts signed commands only.", "本站只接受已签名的命令。"),
    Refusal.EXPIRED: Sentence("The command came after its expiry.", "命令已过期。"),
    Refusal.RETAINED: Sentence("Retained commands are never executed.", "保留消息中的命令不会执行。"),
    Refusal.CLOCK_UNTRUSTED: Sentence(
        "The station's clock is not synchronised, so this command cannot be judged in time.",
        "站点时钟未同步，无法判断该命令是否有效。",
    ),
    Refusal.NOT_AUTHORISED: Sentence("You may not do this.", "您无权执行此操作。"),
    Refusal.RATE_LIMITED: Sentence("Too many requests; try again in a moment.", "请求过多；请稍后再试。"),
    Refusal.CONNECTOR_BUSY: Sentence("The connector is already in use.", "该充电枪正在使用中。"),
    Refusal.CONNECTOR_FAULTED: Sentence("The connector reports a fault.", "该充电枪有故障。"),
    Refusal.CHARGER_UNREACHABLE: Sentence("The charger does not answer.", "充电桩无应答。"),
    Refusal.FAILSAFE_UNVERIFIED: Sentence(
        "The charger's own fail-safe current is not confirmed yet; no session may start.",
        "充电桩的安全电流尚未确认；不能开始充电。",
    ),
    Refusal.NO_SUCH_SESSION: Sentence("There is no such session.", "没有该充电会话。"),
    Refusal.SESSION_MISMATCH: Sentence(
        "The order named is not the one that charges here.", "指定的订单不是此处正在充电的订单。"
    ),
    Refusal.ORDER_USED: Sentence(
        "This order has been charged already; another charge needs an order of its own.",
        "该订单已充过电；再次充电需要新的订单。",
    ),
    Refusal.STORE_FAILED: Sentence(
        "The station's disk does not accept records; no new session may start.",
        "站点磁盘无法写入；不能开始新的充电。",
    ),
    Refusal.NO_VEHICLE: Sentence("No vehicle was plugged in in time.", "规定时间内未插入车辆。"),
    Refusal.START_TIMEOUT: Sentence("The charger did not take the start in time.", "充电桩未能按时启动。"),
    Refusal.SESSION_ENDED: Sentence("The session ended before charging began.", "充电尚未开始，会话已结束。"),
    Refusal.STOP_TIMEOUT: Sentence("Current still flows after the stop.", "停止后仍有电流。"),
    Refusal.LIMIT_NOT_CONFIRMED: Sentence(
        "The limit could not be confirmed at every charger in time.", "未能按时在所有充电桩上确认限值。"
    ),
    Refusal.OUTCOME_UNKNOWN: Sentence(
        "A restart hid the outcome; the observed state is reported.", "重启导致结果未知；已上报观察到的状态。"
    ),
    Refusal.CORE_DOWN: Sentence("The station's controller is not running.", "站点控制程序未运行。"),
    Refusal.LOOP_NOT_FREE: Sentence("Something stands below the arm, or did just now.", "闸杆下方有车辆或刚有车辆。"),
    Refusal.BAY_NOT_FREE: Sentence(
        "A car stands in the bay, or the sensor changed in the last 5 s.", "车位上有车，或传感器在5秒内有变化。"
    ),
    Refusal.SENSOR_UNKNOWN: Sentence(
        "A sensor that must say that the way is free is not known.", "用于确认无障碍的传感器状态未知。"
    ),
    Refusal.ARM_MOVING: Sentence("The arm is still moving; try again in a moment.", "正在动作；请稍后再试。"),
    Refusal.ARM_FAULTED: Sentence("The arm reports a fault; free the way first.", "设备有故障；请先放行。"),
    Refusal.ARM_TIMEOUT: Sentence("The arm did not arrive in time.", "未能按时到位。"),
    Refusal.OBSTRUCTED: Sentence("Something stood in the way; it was freed again.", "遇到障碍，已重新放行。"),
    Refusal.EMERGENCY: Sentence("Fire or loss of power is reported; the way stays free.", "有火警或断电；保持放行。"),
    Refusal.ALARM_STANDS: Sentence(
        "The cause of the alarm is still there; it ends when that is gone.",
        "告警原因仍然存在；原因消除后告警才能解除。",
    ),
    Refusal.SUPERSEDED: Sentence("A later command or a hand moved it otherwise.", "已被后来的命令或人为操作取代。"),
    Refusal.NO_TARIFF: Sentence("No tariff is in force for this start.", "没有适用于本次充电的有效计费方案。"),
    Refusal.NO_METER: Sentence(
        "No meter counts what this connector delivers, and this site does not sell without one.",
        "该充电枪没有计费电表；本站不提供无计量充电。",
    ),
    Refusal.TARIFF_CONFLICT: Sentence(
        "This version of the tariff is installed with other content; give the change a higher version.",
        "该计费方案版本已存在且内容不同；请使用更高的版本号。",
    ),
    Refusal.CARD_UNKNOWN: Sentence("This card is not known here.", "本站不认识此卡。"),
    Refusal.CARD_BLOCKED: Sentence("This card is blocked.", "此卡已被停用。"),
    Refusal.CARD_EXPIRED: Sentence("This card is no longer valid.", "此卡已过有效期。"),
    Refusal.OFFLINE_DENIED: Sentence(
        "The platform cannot be reached, and cards are not accepted without it.",
        "平台无法连接；离线时不接受刷卡。",
    ),
    Refusal.OFFLINE_CAP: Sentence(
        "This card has used what it may use while the platform cannot be reached.",
        "此卡的离线使用额度已用完。",
    ),
    Refusal.ACCESS_RULE: Sentence("No rule lets this card in here at this time.", "按门禁规则，此卡此时不得在此使用。"),
    Refusal.LIST_VERSION: Sentence(
        "The update does not fit the list that is installed; send the whole list.",
        "更新与已安装的名单版本不符；请发送完整名单。",
    ),
    Refusal.LIST_FULL: Sentence(
        "The list would have more cards than the station can hold.",
        "名单超过本站可容纳的卡数。",
    ),
    Refusal.CONNECTOR_RESERVED: Sentence("The connector is reserved for somebody else.", "该充电枪已被他人预约。"),
    Refusal.NO_SUCH_RESERVATION: Sentence("There is no such reservation.", "没有该预约。"),
    Refusal.OUT_OF_SERVICE: Sentence("The connector is out of service.", "该充电枪已停用。"),
    Refusal.UNLOCK_IMPOSSIBLE: Sentence(
        "This charger has no remote unlocking; unplug at the vehicle or at the charger.",
        "该充电桩不支持远程解锁；请在车辆或充电桩处拔枪。",
    ),
    Refusal.ONGOING_TRANSACTION: Sentence(
        "A session goes on here; stop it first, then unlock.",
        "此处有进行中的充电会话；请先停止充电，再解锁。",
    ),
    Refusal.CURRENT_FLOWS: Sentence(
        "Current flows, or the charger has not confirmed its pause; a cable is never let go under load.",
        "仍有电流，或充电桩尚未确认暂停；带电时不会解锁。",
    ),
    Refusal.UNLOCK_FAILED: Sentence(
        "The cable is not free; pull it lightly and try again, or let a technician release it by hand.",
        "电缆未能解锁；请轻拉插头后重试，或由技术员手动释放。",
    ),
    Refusal.EMERGENCY_STOP: Sentence(
        "An emergency stop stands; when its cause is gone a technician must acknowledge it on site.",
        "急停有效；排除原因后须由技术员在现场确认。",
    ),
    Refusal.READER_UNCLEAR: Sentence(
        "It is not clear which connector is meant; plug in first, then hold the card.",
        "无法确定所选充电枪；请先插枪再刷卡。",
    ),
}
"""Every code has its sentence; tests/model pins that the table is complete."""
