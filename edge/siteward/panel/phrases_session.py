"""Words of the session's page: its figures, its bill, its picture."""

from typing import Final

from siteward.model.sentences import Sentence

SESSION: Final[dict[str, Sentence]] = {
    "session": Sentence("Session", "充电会话"),
    "sessions": Sentence("Sessions at this connector", "该充电枪的会话"),
    "no_session": Sentence("No session.", "没有会话。"),
    "session_id": Sentence("Session id", "会话编号"),
    "order": Sentence("Order", "订单"),
    "source": Sentence("Started by", "启动来源"),
    "started": Sentence("Started", "开始"),
    "created": Sentence("Created", "创建"),
    "start_register": Sentence("Start register", "起始读数"),
    "last_register": Sentence("Last register", "最近读数"),
    "estimated": Sentence(
        "Energy is estimated: the stop register could not be read.", "电量为估算：未能读取停止读数。"
    ),
    "gap": Sentence("The controller was away during this session.", "会话期间控制程序曾中断。"),
    "stopped": Sentence("Ended by", "结束原因"),
    "fee": Sentence("Costs so far", "当前费用"),
    "bill": Sentence("Bill", "账单"),
    "bill_none": Sentence("No tariff prices this session.", "本次充电没有适用的计费方案。"),
    "bill_total": Sentence("Total", "合计"),
    "bill_so_far": Sentence("So far", "目前合计"),
    "bill_running": Sentence("running segment", "进行中分段"),
    "bill_running_why": Sentence(
        "Not closed yet: its lines come with the next price, or with the end.",
        "尚未结束：到下一电价时段或充电结束时列出明细。",
    ),
    "bill_goes_on": Sentence("The session is not over: its bill still grows.", "会话尚未结束，账单仍在累计。"),
    "ended_at": Sentence("Ended", "结束时间"),
    "bill_holds": Sentence(
        "The journal alone makes this bill again, to the cent.", "仅凭日志即可重算出同一账单，分毫不差。"
    ),
    "tariff_version": Sentence("{tariff} version {version}", "{tariff} 第 {version} 版"),
    "segments": Sentence("Segments", "分段"),
    "signed_values": Sentence("Signed meter values", "签名电量值"),
    "signed_file": Sentence("File for the transparency software", "透明度软件验证文件"),
    "back": Sentence("Back to the overview", "返回总览"),
    "session_look": Sentence("Bill and power", "账单与功率"),
    "power_over_time": Sentence("Power over time", "功率曲线"),
    "power_measured": Sentence("measured power", "实测功率"),
    "power_offered": Sentence("offered", "允许值"),
    "power_gap": Sentence("nothing recorded", "无记录"),
    "power_per_kwh": Sentence("{price} {currency} per kWh", "每 kWh {price} {currency}"),
    "power_boundary": Sentence("price boundary", "电价时段切换"),
    "power_boundary_about": Sentence("price boundary, energy estimated", "电价时段切换（电量估算）"),
    "power_clock": Sentence("{when}, by the site's clock ({zone})", "{when}（站点时间 {zone}）"),
    "power_watts": Sentence(
        "1 A offered is {watts} kW: on all phases that this connector has, at nominal voltage. "
        "A car that uses fewer phases takes less.",
        "允许电流 1 A 按该枪全部相数和额定电压折合 {watts} kW；使用较少相数的车辆功率更低。",
    ),
    "power_table": Sentence("The same as a table", "以表格查看"),
    "power_time": Sentence("Time", "时间"),
    "power_more": Sentence(
        "There are more changes than are listed here; the picture shows all of them.",
        "变化次数超出此表；图中为全部数据。",
    ),
    "power_cut": Sentence(
        "The beginning of this session is older than what is kept.", "该会话的开头部分已超出保留范围。"
    ),
    "power_old": Sentence(
        "No picture: this session is older than what is kept of power (since {since}). Its bill is complete.",
        "无曲线：该会话早于功率记录的保留范围（自 {since} 起）。账单不受影响。",
    ),
    "power_none": Sentence(
        "No picture: nothing of this session's power was recorded. Its bill is complete.",
        "无曲线：该会话没有功率记录。账单不受影响。",
    ),
    "power_down": Sentence(
        "No picture: the records of power cannot be read now. The bill is complete.",
        "无曲线：暂时无法读取功率记录。账单不受影响。",
    ),
    "power_said": Sentence(
        "{when}: measured {power}, offered {offered}.", "{when}：实测功率 {power}，允许值 {offered}。"
    ),
    "power_said_pauses": Sentence("Pauses: {count}.", "暂停 {count} 次。"),
    "power_said_gaps": Sentence("Times without a record: {count}.", "无记录时段 {count} 个。"),
    "power_said_prices": Sentence(
        "Price boundaries: {count}; prices: {prices}.", "电价时段切换 {count} 次；电价：{prices}。"
    ),
}
"""By key, for panel.words."""
