"""Alarms: a closed vocabulary with severity and a sentence in both languages."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.sentences import Sentence


class Severity(StrEnum):
    """How soon somebody must act."""

    HIGHEST = "highest"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class AlarmCode(StrEnum):
    """What is wrong."""

    FEEDER_OVER_BOUND = "FEEDER_OVER_BOUND"
    FEEDER_UNPROVEN = "FEEDER_UNPROVEN"
    IMBALANCE_UNCORRECTED = "IMBALANCE_UNCORRECTED"
    METER_LOST = "METER_LOST"
    METER_IMPLAUSIBLE = "METER_IMPLAUSIBLE"
    BASE_LOAD_HIGH = "BASE_LOAD_HIGH"
    CHARGER_UNREACHABLE = "CHARGER_UNREACHABLE"
    CHARGER_DISOBEYS = "CHARGER_DISOBEYS"
    CHARGER_STILL_DRAWS = "CHARGER_STILL_DRAWS"
    FEEDER_TRIPPED = "FEEDER_TRIPPED"
    CHARGER_FAULT = "CHARGER_FAULT"
    VEHICLE_ASLEEP = "VEHICLE_ASLEEP"
    PHASE_SWITCH_LOCKED = "PHASE_SWITCH_LOCKED"
    FAILSAFE_UNVERIFIED = "FAILSAFE_UNVERIFIED"
    FOREIGN_WRITE = "FOREIGN_WRITE"
    FOREIGN_MASTER = "FOREIGN_MASTER"
    WRONG_DEVICE = "WRONG_DEVICE"
    DUPLICATE_ADDRESS = "DUPLICATE_ADDRESS"
    STORE_FAILED = "STORE_FAILED"
    STORE_DAMAGED = "STORE_DAMAGED"
    STORE_SALVAGED = "STORE_SALVAGED"
    STORE_NEARLY_FULL = "STORE_NEARLY_FULL"
    CLOCK_UNTRUSTED = "CLOCK_UNTRUSTED"
    TURN_GAP = "TURN_GAP"
    SESSION_METER_LOST = "SESSION_METER_LOST"
    SIGNED_VALUE_MISSING = "SIGNED_VALUE_MISSING"
    SIGNED_VALUE_DOUBTED = "SIGNED_VALUE_DOUBTED"
    IO_UNREACHABLE = "IO_UNREACHABLE"
    LOOP_LOST = "LOOP_LOST"
    LOOP_STUCK = "LOOP_STUCK"
    BARRIER_FAULT = "BARRIER_FAULT"
    BAY_SENSOR_LOST = "BAY_SENSOR_LOST"
    LOCK_FAULT = "LOCK_FAULT"
    LOCK_OBSTRUCTED = "LOCK_OBSTRUCTED"
    ACCESS_EMERGENCY = "ACCESS_EMERGENCY"
    EMERGENCY_STOP = "EMERGENCY_STOP"
    EMERGENCY_INPUT_LOST = "EMERGENCY_INPUT_LOST"
    READER_LOST = "READER_LOST"
    BAY_BLOCKED = "BAY_BLOCKED"
    LIMIT_INPUT_LOST = "LIMIT_INPUT_LOST"
    DEMAND_OVER = "DEMAND_OVER"
    LINE_LOST = "LINE_LOST"
    CHARGER_OFFLINE = "CHARGER_OFFLINE"
    METER_OFFLINE = "METER_OFFLINE"
    MASS_DISCONNECTION = "MASS_DISCONNECTION"
    UPLINK_LOST = "UPLINK_LOST"
    UPLINK_BACKLOG = "UPLINK_BACKLOG"
    OUTPUT_FAILED = "OUTPUT_FAILED"
    TEMPERATURE_HIGH = "TEMPERATURE_HIGH"
    VOLTAGE_HIGH = "VOLTAGE_HIGH"
    VOLTAGE_LOW = "VOLTAGE_LOW"
    FREQUENCY_HIGH = "FREQUENCY_HIGH"
    FREQUENCY_LOW = "FREQUENCY_LOW"
    CPU_HIGH = "CPU_HIGH"
    MEMORY_HIGH = "MEMORY_HIGH"
    DISK_HIGH = "DISK_HIGH"
    TURN_SLOW = "TURN_SLOW"
    ENERGY_DRIFT = "ENERGY_DRIFT"


STATION = "station"
"""Subject of alarms about the controller itself."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A standing alarm about one subject (a feeder, meter, connector, line, or "station")."""

    code: AlarmCode
    subject: str


SEVERITIES: dict[AlarmCode, Severity] = {
    AlarmCode.FEEDER_OVER_BOUND: Severity.HIGHEST,
    AlarmCode.FEEDER_UNPROVEN: Severity.HIGH,
    AlarmCode.IMBALANCE_UNCORRECTED: Severity.MEDIUM,
    AlarmCode.METER_LOST: Severity.HIGH,
    AlarmCode.METER_IMPLAUSIBLE: Severity.HIGH,
    AlarmCode.BASE_LOAD_HIGH: Severity.MEDIUM,
    AlarmCode.CHARGER_UNREACHABLE: Severity.MEDIUM,
    AlarmCode.CHARGER_DISOBEYS: Severity.HIGH,
    AlarmCode.CHARGER_STILL_DRAWS: Severity.HIGHEST,
    AlarmCode.FEEDER_TRIPPED: Severity.HIGHEST,
    AlarmCode.CHARGER_FAULT: Severity.MEDIUM,
    AlarmCode.VEHICLE_ASLEEP: Severity.LOW,
    AlarmCode.PHASE_SWITCH_LOCKED: Severity.MEDIUM,
    AlarmCode.FAILSAFE_UNVERIFIED: Severity.MEDIUM,
    AlarmCode.FOREIGN_WRITE: Severity.MEDIUM,
    AlarmCode.FOREIGN_MASTER: Severity.HIGH,
    AlarmCode.WRONG_DEVICE: Severity.HIGH,
    AlarmCode.DUPLICATE_ADDRESS: Severity.HIGH,
    AlarmCode.STORE_FAILED: Severity.HIGHEST,
    AlarmCode.STORE_DAMAGED: Severity.HIGH,
    AlarmCode.STORE_SALVAGED: Severity.MEDIUM,
    AlarmCode.STORE_NEARLY_FULL: Severity.HIGH,
    AlarmCode.CLOCK_UNTRUSTED: Severity.LOW,
    AlarmCode.TURN_GAP: Severity.LOW,
    AlarmCode.SESSION_METER_LOST: Severity.HIGH,
    AlarmCode.SIGNED_VALUE_MISSING: Severity.HIGH,
    AlarmCode.SIGNED_VALUE_DOUBTED: Severity.HIGH,
    AlarmCode.IO_UNREACHABLE: Severity.HIGH,
    AlarmCode.LOOP_LOST: Severity.HIGH,
    AlarmCode.LOOP_STUCK: Severity.MEDIUM,
    AlarmCode.BARRIER_FAULT: Severity.HIGH,
    AlarmCode.BAY_SENSOR_LOST: Severity.MEDIUM,
    AlarmCode.LOCK_FAULT: Severity.MEDIUM,
    AlarmCode.LOCK_OBSTRUCTED: Severity.MEDIUM,
    AlarmCode.ACCESS_EMERGENCY: Severity.HIGHEST,
    AlarmCode.EMERGENCY_STOP: Severity.HIGHEST,
    AlarmCode.EMERGENCY_INPUT_LOST: Severity.HIGH,
    AlarmCode.READER_LOST: Severity.MEDIUM,
    AlarmCode.BAY_BLOCKED: Severity.LOW,
    AlarmCode.LIMIT_INPUT_LOST: Severity.HIGH,
    AlarmCode.DEMAND_OVER: Severity.MEDIUM,
    AlarmCode.LINE_LOST: Severity.HIGH,
    AlarmCode.CHARGER_OFFLINE: Severity.HIGH,
    AlarmCode.METER_OFFLINE: Severity.HIGH,
    AlarmCode.MASS_DISCONNECTION: Severity.HIGHEST,
    AlarmCode.UPLINK_LOST: Severity.MEDIUM,
    AlarmCode.UPLINK_BACKLOG: Severity.MEDIUM,
    AlarmCode.OUTPUT_FAILED: Severity.MEDIUM,
    AlarmCode.TEMPERATURE_HIGH: Severity.HIGH,
    AlarmCode.VOLTAGE_HIGH: Severity.MEDIUM,
    AlarmCode.VOLTAGE_LOW: Severity.MEDIUM,
    AlarmCode.FREQUENCY_HIGH: Severity.MEDIUM,
    AlarmCode.FREQUENCY_LOW: Severity.MEDIUM,
    AlarmCode.CPU_HIGH: Severity.LOW,
    AlarmCode.MEMORY_HIGH: Severity.MEDIUM,
    AlarmCode.DISK_HIGH: Severity.MEDIUM,
    AlarmCode.TURN_SLOW: Severity.MEDIUM,
    AlarmCode.ENERGY_DRIFT: Severity.MEDIUM,
}

ALARMS: dict[AlarmCode, Sentence] = {
    AlarmCode.FEEDER_OVER_BOUND: Sentence(
        "Feeder {subject} may carry more than it is allowed and nothing is left to reduce; look at its other loads.",
        "馈线 {subject} 可能超过允许电流且已无可降负荷；请检查其他负载。",
    ),
    AlarmCode.FEEDER_UNPROVEN: Sentence(
        "Feeder {subject} would not be safe if the controller died now; check the chargers' fail-safe currents.",
        "若控制器此刻失效，馈线 {subject} 将不安全；请检查充电桩的安全电流。",
    ),
    AlarmCode.IMBALANCE_UNCORRECTED: Sentence(
        "The phases of feeder {subject} are loaded too unevenly and no charger can correct it; move other loads.",
        "馈线 {subject} 三相不平衡超限且充电桩无法纠正；请调整其他负载的相别。",
    ),
    AlarmCode.METER_LOST: Sentence(
        "Meter {subject} does not answer; the worst base load is assumed.",
        "电表 {subject} 无应答；按最大基础负荷计算。",
    ),
    AlarmCode.METER_IMPLAUSIBLE: Sentence(
        "Meter {subject} shows values that cannot be true; check wiring, phases and current transformers.",
        "电表 {subject} 读数不可信；请检查接线、相序和互感器。",
    ),
    AlarmCode.BASE_LOAD_HIGH: Sentence(
        "Other load on feeder {subject} is above the configured worst base load.",
        "馈线 {subject} 的其他负荷超过配置的最大基础负荷。",
    ),
    AlarmCode.CHARGER_UNREACHABLE: Sentence(
        "Connector {subject} does not answer; check its supply and its cable.",
        "充电枪 {subject} 无应答；请检查供电和通信线。",
    ),
    AlarmCode.CHARGER_DISOBEYS: Sentence(
        "Connector {subject} draws more than its limit; it is being stopped.",
        "充电枪 {subject} 电流超过限值；正在停止。",
    ),
    AlarmCode.CHARGER_STILL_DRAWS: Sentence(
        "Connector {subject} still draws current after a stop; switch it off at its breaker.",
        "充电枪 {subject} 停止后仍有电流；请断开其断路器。",
    ),
    AlarmCode.FEEDER_TRIPPED: Sentence(
        "Feeder {subject} was switched off, a charger below drew on after its stop; repair it, then switch on by hand.",
        "馈线 {subject} 已被切断：其下充电桩停止后仍有电流；请排除故障后手动合闸。",
    ),
    AlarmCode.CHARGER_FAULT: Sentence("Connector {subject} reports a fault.", "充电枪 {subject} 报告故障。"),
    AlarmCode.VEHICLE_ASLEEP: Sentence(
        "The car at connector {subject} did not take up charging after a pause; unplug and plug it in again.",
        "充电枪 {subject} 的车辆暂停后未恢复充电；请拔出后重新插枪。",
    ),
    AlarmCode.PHASE_SWITCH_LOCKED: Sentence(
        "Switching phases at connector {subject} did not work; it is not tried again in this session.",
        "充电枪 {subject} 的单相/三相切换未成功；本次会话内不再尝试。",
    ),
    AlarmCode.FAILSAFE_UNVERIFIED: Sentence(
        "The fail-safe current of connector {subject} is not confirmed; its full rating is reserved.",
        "充电枪 {subject} 的安全电流未确认；按额定电流预留。",
    ),
    AlarmCode.FOREIGN_WRITE: Sentence(
        "Somebody else changed the limit of connector {subject}; it was written back.",
        "充电枪 {subject} 的限值被其他系统修改；已写回。",
    ),
    AlarmCode.FOREIGN_MASTER: Sentence(
        "Another controller sends requests on line {subject}; disconnect it, a line has one master.",
        "线路 {subject} 上有其他主站在发送请求；请断开，一条线路只能有一个主站。",
    ),
    AlarmCode.WRONG_DEVICE: Sentence(
        "Another device than configured answers for {subject}; it is not controlled; look for swapped adapters.",
        "{subject} 的应答来自与配置不符的设备，已停止控制；请检查适配器是否接反。",
    ),
    AlarmCode.DUPLICATE_ADDRESS: Sentence(
        "Two devices seem to answer at the address of {subject}, which is not controlled; disconnect one of them, give "
        "it a free address, and scan the wire.",
        "{subject} 的地址疑似有两台设备应答，已停止控制；请断开其中一台，改为空闲地址后重新扫描总线。",
    ),
    AlarmCode.STORE_FAILED: Sentence(
        "The disk does not accept records; running sessions go on, no new one starts.",
        "磁盘无法写入；正在进行的充电继续，不开始新的充电。",
    ),
    AlarmCode.STORE_DAMAGED: Sentence(
        "The file of the records is damaged; restart the controller soon: it saves what can be read into a new file.",
        "记录文件已损坏；请尽快重启控制器：可读取的内容将保存到新文件。",
    ),
    AlarmCode.STORE_SALVAGED: Sentence(
        "The file of the records was damaged and has been replaced; look for missing records, and check the disk.",
        "记录文件曾损坏，已更换为新文件；请核对缺失的记录并检查磁盘。",
    ),
    AlarmCode.STORE_NEARLY_FULL: Sentence(
        "The disk is full; records are written into the last reserve; free some room.",
        "磁盘已满；记录正写入最后的预留空间；请清理磁盘。",
    ),
    AlarmCode.CLOCK_UNTRUSTED: Sentence("The clock is not synchronised; times are marked.", "时钟未同步；时间已标记。"),
    AlarmCode.TURN_GAP: Sentence(
        "The controller was held up for some seconds; raises wait until everything was read again.",
        "控制器停顿数秒；重新读取全部设备前不提升电流。",
    ),
    AlarmCode.SIGNED_VALUE_MISSING: Sentence(
        "The meter of connector {subject} did not sign the last session; look at the session, and check the meter.",
        "充电枪 {subject} 的电表未对最近一次充电签名；请查看该会话并检查电表。",
    ),
    AlarmCode.SIGNED_VALUE_DOUBTED: Sentence(
        "The signed meter value of connector {subject} does not hold or does not fit; bill it only after a check.",
        "充电枪 {subject} 的签名电量值未通过验证或与读数不符；核查后方可计费。",
    ),
    AlarmCode.SESSION_METER_LOST: Sentence(
        "The billing meter of connector {subject} does not answer.", "充电枪 {subject} 的计费电表无应答。"
    ),
    AlarmCode.IO_UNREACHABLE: Sentence(
        "Inputs and outputs {subject} do not answer; nothing that hangs on them is closed or raised.",
        "输入输出模块 {subject} 无应答；与其相连的道闸和地锁不会关闭或升起。",
    ),
    AlarmCode.LOOP_LOST: Sentence(
        "The loop of barrier {subject} cannot be trusted; the barrier is not closed. Check detector and cable.",
        "道闸 {subject} 的地感不可信，道闸不会关闭；请检查检测器和线缆。",
    ),
    AlarmCode.LOOP_STUCK: Sentence(
        "The loop of barrier {subject} has not changed for too long; look whether a vehicle stands there.",
        "道闸 {subject} 的地感长时间无变化；请查看是否有车停留。",
    ),
    AlarmCode.BARRIER_FAULT: Sentence(
        "Barrier {subject} did not arrive or reports a fault; look at arm, drive and position switches.",
        "道闸 {subject} 未到位或报告故障；请检查闸杆、电机和限位开关。",
    ),
    AlarmCode.BAY_SENSOR_LOST: Sentence(
        "The bay sensor of parking lock {subject} cannot be trusted; the lock is not raised. Clean or replace it.",
        "地锁 {subject} 的车位传感器不可信，地锁不会升起；请清洁或更换。",
    ),
    AlarmCode.LOCK_FAULT: Sentence(
        "Parking lock {subject} did not arrive or reports a fault; look at arm, drive and position switches.",
        "地锁 {subject} 未到位或报告故障；请检查摇臂、电机和限位开关。",
    ),
    AlarmCode.LOCK_OBSTRUCTED: Sentence(
        "Parking lock {subject} met something twice and stays down; look what stands there.",
        "地锁 {subject} 两次遇到障碍，保持降下；请查看车位。",
    ),
    AlarmCode.ACCESS_EMERGENCY: Sentence(
        "Fire or loss of power is reported at {subject}; the way is freed as configured.",
        "{subject} 处报告火警或断电；按配置放行。",
    ),
    AlarmCode.EMERGENCY_STOP: Sentence(
        "Emergency stop {subject} was pressed; remove its cause, release it, then acknowledge it at the panel.",
        "急停 {subject} 已触发；请排除原因、复位，然后在面板上确认。",
    ),
    AlarmCode.EMERGENCY_INPUT_LOST: Sentence(
        "Emergency stop {subject} cannot be read, so its connectors are paused; check contact, cable and board.",
        "无法读取急停 {subject}，其充电枪已暂停；请检查接点、线缆和模块。",
    ),
    AlarmCode.READER_LOST: Sentence(
        "Card reader {subject} is gone; check its plug and its cable.", "读卡器 {subject} 已断开；请检查插头和线缆。"
    ),
    AlarmCode.BAY_BLOCKED: Sentence(
        "A car stands in bay {subject} without charging; ask its driver to move it.",
        "车位 {subject} 被不充电的车辆占用；请通知车主移车。",
    ),
    AlarmCode.LIMIT_INPUT_LOST: Sentence(
        "Limit {subject} cannot read its input, its fail-safe value holds; check contact or sensor, cable and board.",
        "限值 {subject} 无法读取其输入，按安全值执行；请检查接点或传感器、线缆和模块。",
    ),
    AlarmCode.DEMAND_OVER: Sentence(
        "The demand window of limit {subject} will end above the contract; the chargers cannot save more.",
        "限值 {subject} 的需量周期将超过合同值；充电负荷已无可降。",
    ),
    AlarmCode.LINE_LOST: Sentence(
        "No device on line {subject} answers; check the adapter, the plug of the cable, and the devices' supply.",
        "线路 {subject} 上的设备全部无应答；请检查适配器、接线端子和设备供电。",
    ),
    AlarmCode.CHARGER_OFFLINE: Sentence(
        "Connector {subject} has not answered for minutes; somebody must look at its supply and its cable.",
        "充电枪 {subject} 已离线数分钟；请安排人员检查供电和通信线。",
    ),
    AlarmCode.METER_OFFLINE: Sentence(
        "Meter {subject} has not answered for minutes; somebody must look at its supply and its cable.",
        "电表 {subject} 已离线数分钟；请安排人员检查供电和通信线。",
    ),
    AlarmCode.MASS_DISCONNECTION: Sentence(
        "A large part of the chargers is gone at once; look for a power cut or a dead switch first.",
        "大量充电桩同时离线；请首先检查是否停电或交换机故障。",
    ),
    AlarmCode.UPLINK_LOST: Sentence(
        "The platform cannot be reached; charging goes on, records are kept and sent later.",
        "无法连接平台；充电继续进行，记录已保存并将补传。",
    ),
    AlarmCode.UPLINK_BACKLOG: Sentence(
        "The platform is connected but does not confirm what it gets; many records wait.",
        "平台已连接但未确认收到的数据；大量记录待确认。",
    ),
    AlarmCode.OUTPUT_FAILED: Sentence(
        "Alarms cannot be delivered through output {subject}; check its address, password and network.",
        "告警无法通过输出 {subject} 送达；请检查其地址、密码和网络。",
    ),
    AlarmCode.TEMPERATURE_HIGH: Sentence(
        "{subject} is too hot; look at its fan, its terminals and the sun on it.",
        "{subject} 温度过高；请检查风扇、接线端子和日晒情况。",
    ),
    AlarmCode.VOLTAGE_HIGH: Sentence(
        "The voltage at {subject} is too high; ask the grid operator, and check the neutral.",
        "{subject} 处电压过高；请联系电网运营商并检查零线。",
    ),
    AlarmCode.VOLTAGE_LOW: Sentence(
        "The voltage at {subject} is too low; look for a lost phase, a loose terminal or a cable too thin.",
        "{subject} 处电压过低；请检查缺相、端子松动或线径过小。",
    ),
    AlarmCode.FREQUENCY_HIGH: Sentence(
        "The mains frequency at {subject} is too high; look whether the site runs on a generator.",
        "{subject} 处电网频率过高；请查看站点是否由发电机供电。",
    ),
    AlarmCode.FREQUENCY_LOW: Sentence(
        "The mains frequency at {subject} is too low; look whether the site runs on a generator.",
        "{subject} 处电网频率过低；请查看站点是否由发电机供电。",
    ),
    AlarmCode.CPU_HIGH: Sentence(
        "The controller's processor is busy all the time; look what else runs on it.",
        "控制器处理器持续繁忙；请检查运行的其他程序。",
    ),
    AlarmCode.MEMORY_HIGH: Sentence(
        "The controller's memory is nearly used up; look what else runs on it.",
        "控制器内存即将用尽；请检查运行的其他程序。",
    ),
    AlarmCode.DISK_HIGH: Sentence(
        "The controller's disk is nearly full; free some room before records stop.",
        "控制器磁盘即将写满；请在记录中断前清理磁盘。",
    ),
    AlarmCode.TURN_SLOW: Sentence(
        "The controller decides more slowly than it should; look what else runs on it.",
        "控制器决策变慢；请检查运行的其他程序。",
    ),
    AlarmCode.ENERGY_DRIFT: Sentence(
        "The energy of feeder {subject} and that of its sessions differ too much; compare its meters.",
        "馈线 {subject} 的电量与其会话电量相差过大；请比对电表。",
    ),
}
"""Every alarm has its sentence; tests/model pins that the table is complete."""
