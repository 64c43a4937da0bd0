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
    "bill_so_far": Sentence("So far, with the running segment", "目前合计（含进行中分段）"),
    "bill_holds": Sentence(
        "The journal alone makes this bill again, to the cent.", "仅凭日志即可重算出同一账单，分毫不差。"
    ),
    "tariff_version": Sentence("{tariff} version {version}", "{tariff} 第 {version} 版"),
    "segments": Sentence("Segments", "分段"),
    "signed_values": Sentence("Signed meter values", "签名电量值"),
    "signed_file": Sentence("File for the transparency software", "透明度软件验证文件"),
    "back": Sentence("Back to the overview", "返回总览"),
}
"""By key, for panel.words."""
