"""What the step test says: a sentence in both languages for each outcome, with what to do."""

from siteward.cli.phasing_judge import Outcome, Wiring
from siteward.cli.phasing_path import Place, Report, Row, Untested
from siteward.model.sentences import Sentence

_OUTCOMES = {
    Outcome.FITS: Sentence("{subject} saw the step as the file says", "{subject} 测得的阶跃与配置一致"),
    Outcome.OTHER_PHASE: Sentence(
        "{subject} saw the step on other phases than the file says: this connector is wired in another order; where "
        "every connector below this meter shows the same, its current transformers are swapped instead",
        "{subject} 在其他相上测得阶跃,与配置不符:该枪接线相序不同;若此电表下所有枪均如此,则为电表互感器相序接错",
    ),
    Outcome.CT_ORDER: Sentence(
        "{subject} saw the step on other phases than another meter above the connector: the current transformers of "
        "this meter are swapped; put each on the phase of its voltage",
        "{subject} 测得阶跃的相与同一路径上其他电表不同:该电表互感器相序接错,请使各互感器与其电压同相",
    ),
    Outcome.REVERSED: Sentence(
        "{subject}: a current transformer counts backwards: turn it round, or swap its two wires",
        "{subject}:电流互感器反向:请将互感器调头,或对调其两根二次线",
    ),
    Outcome.PHASE_MISSING: Sentence(
        "{subject}: the step is missing on a phase: is its current transformer closed and wired?",
        "{subject}:某相未测得阶跃:请检查该相互感器是否闭合、接线是否完好",
    ),
    Outcome.WRONG_SIZE: Sentence(
        "{subject} saw the step in another size: set the transformer ratio of the meter to what its transformers say",
        "{subject} 测得的阶跃大小不符:请按互感器铭牌设置电表变比",
    ),
    Outcome.NOT_SEEN: Sentence(
        "{subject} did not see the step: the connector hangs under another feeder, or this is another meter; correct "
        "`feeder` of the charger or `meter` of the feeder",
        "{subject} 未测得阶跃:该枪实际接在其他馈线下,或电表对应错误;请更正充电桩的 `feeder` 或馈线的 `meter`",
    ),
    Outcome.ELSEWHERE: Sentence(
        "{subject} saw the step although the file does not have it above the connector: the charger hangs under this "
        "feeder",
        "{subject} 测得阶跃,但配置中它不在该枪上级:该桩实际接在此馈线下",
    ),
    Outcome.NOISY: Sentence(
        "{subject}: too much else moved to tell; repeat when it is quiet, or with a larger current",
        "{subject}:干扰过大,无法判断;请在负荷平稳时或以更大电流重试",
    ),
    Outcome.SILENT: Sentence(
        "{subject} gave no readings during the test; `siteward doctor` tells why",
        "{subject} 测试期间无读数;请运行 `siteward doctor`",
    ),
}

_UNTESTED = {
    Untested.OFFLINE: Sentence(
        "{subject} was not tested: the charger does not answer; run `siteward doctor`",
        "{subject} 未测试:充电桩无应答;请运行 `siteward doctor`",
    ),
    Untested.NO_CAR: Sentence(
        "{subject} was not tested: nothing charges there; plug in a car or a load box and `siteward start {subject}`",
        "{subject} 未测试:当前未充电;请接入车辆或负载箱并运行 `siteward start {subject}`",
    ),
    Untested.NO_METER: Sentence(
        "{subject} was not tested: no feeder above it has a meter",
        "{subject} 未测试:其上级馈线均无电表",
    ),
    Untested.LIMITED: Sentence(
        "{subject} was not tested: a limit set by `siteward limit` stands there, and the test would replace it",
        "{subject} 未测试:该枪已有 `siteward limit` 设置的限值,测试会将其替换",
    ),
    Untested.TOO_LITTLE: Sentence(
        "{subject} was not tested: it may take too little now; the test needs 4 A above the least that it takes",
        "{subject} 未测试:当前可用电流过小;测试需比最小设定值至少高 4 A",
    ),
    Untested.NOT_FOLLOWED: Sentence(
        "{subject} was not tested: the current did not follow its limit by 4 A; take a car that is not nearly full",
        "{subject} 未测试:实际电流未随限值变化 4 A;请换用未充满的车辆",
    ),
    Untested.UNSTEADY: Sentence(
        "{subject} was not tested: its current did not come back within two minutes; repeat when it is quiet",
        "{subject} 未测试:电流在两分钟内未恢复;请在负荷平稳时重试",
    ),
}

_UNSHOWN = Sentence(
    "a load on several phases alike shows feeder, sign and size, not the order of these phases: repeat {subject} with "
    "a single-phase car",
    "多相对称负载只能验证馈线、方向和大小,不能验证相序:请用单相车辆重测 {subject}",
)

_FIRST_ONLY = Sentence(
    "{subject}: proven for the phases that the car used; the others follow if the wires turn in order",
    "{subject}:仅验证了车辆使用的相;其余各相按相序轮换推定",
)


def sentence(row: Row) -> Sentence:
    """What a meter said, and what to do."""
    subject = row.feeder
    verdict = row.verdict
    if verdict.phases:
        subject += " " + " ".join(verdict.phases)
    if verdict.outcome is Outcome.WRONG_SIZE:
        subject += f" (x {verdict.ratio:.2g})"
    return _OUTCOMES[verdict.outcome].about(subject)


def why_untested(report: Report, untested: Untested) -> Sentence:
    """Why nothing is said about a connector, and what to do."""
    return _UNTESTED[untested].about(report.connector)


def remark(place: Place, report: Report) -> Sentence | None:
    """What the load of this test could not show of the order of the phases; None when it showed all."""
    shown = [row.verdict.shown for row in report.rows if row.verdict.wiring]
    if not shown or max(shown) >= len(place.wiring):
        return None
    return (_FIRST_ONLY if max(shown) or report.put else _UNSHOWN).about(report.connector)


def site_line(wiring: Wiring) -> str:
    """The line of the charger's table in site.toml."""
    return "phases = [" + ", ".join(f'"{phase}"' for phase in wiring) + "]"
