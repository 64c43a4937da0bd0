"""Contract section 5, fault 81: the session page shows signed values, judges them, and hands out the file."""

from siteward.client.bill_messages import EvidenceMessage
from siteward.panel.details import event_detail
from tests.fixtures.depot import scene
from tests.fixtures.signing import finished_data, signed_data
from tests.siteward.panel.conftest import Panel


def evidence(*signed: dict[str, object], marks: tuple[str, ...] = ()) -> EvidenceMessage:
    """A finished session with these signed values."""
    row = next(c.session for c in scene(0).connectors if c.session is not None)
    events = [{"type": "session.signed", "data": data} for data in signed]
    events.append({"type": "session.finished", "data": finished_data(marks)})
    return EvidenceMessage(
        session=row.model_copy(update={"id": "S1", "state": "FINISHED"}), events=tuple(events), tariffs=()
    )


async def test_records_stand_with_their_verdicts(panel: Panel) -> None:
    """In both languages, with the file to check them by."""
    await panel.login()
    panel.core.bills["S1"] = evidence(signed_data("begin"), signed_data("end"))
    page = (await panel.client.get("/sessions/S1")).text
    for said in ("Signed meter values", "Signed begin T843", "332.084", "the signature holds over these very bytes"):
        assert said in page, said
    assert 'href="/sessions/S1/signed.xml"' in page
    assert 'class="problem"' not in page
    await panel.client.get("/language/zh")
    assert "签名电量值" in (await panel.client.get("/sessions/S1")).text
    file = await panel.client.get("/sessions/S1/signed.xml")
    assert (file.status_code, file.content.count(b"<signedData")) == (200, 1)
    assert file.headers["content-disposition"] == 'attachment; filename="S1.xml"'


async def test_what_does_not_hold_or_is_missing_is_an_alert(panel: Panel) -> None:
    """Never silently: the page judges the bytes itself, whatever the journal says."""
    await panel.login()
    lied = signed_data("end", secret=4712) | {"verified": True}
    panel.core.bills["S1"] = evidence(signed_data("begin"), lied, marks=("difference", "clock"))
    page = (await panel.client.get("/sessions/S1")).text
    assert "the signature does not hold" in page
    assert "the signed energy is not what was counted" in page
    assert page.count('class="problem"') == 1
    assert "clock was not synchronised" in page
    missing = {"step": "begin", "late": False, "signedMeterData": None, "failure": "REFUSED"}
    panel.core.bills["S1"] = evidence(missing, marks=("missing",))
    page = (await panel.client.get("/sessions/S1")).text
    assert "the meter refused to sign" in page
    assert "signed.xml" not in page
    assert (await panel.client.get("/sessions/S1/signed.xml")).status_code == 404


async def test_a_session_without_signed_values_and_a_stranger(panel: Panel) -> None:
    """Contract section 5: nothing is shown where nothing was asked for; nobody reads without a login."""
    assert (await panel.client.get("/sessions/S1/signed.xml")).status_code in (303, 401, 403)
    await panel.login()
    panel.core.bills["S1"] = evidence()
    assert "Signed meter values" not in (await panel.client.get("/sessions/S1")).text
    for name, status in (("S2", 404), ("a%20b", 404)):
        assert (await panel.client.get(f"/sessions/{name}/signed.xml")).status_code == status
    panel.core.down = True
    assert (await panel.client.get("/sessions/S1/signed.xml")).status_code == 503


def test_the_list_of_events_says_it_in_words() -> None:
    """Contract section 5: in both languages, without the bytes that nobody reads."""
    event = {"type": "session.signed", "data": signed_data("end", marks=("difference",))}
    assert event_detail(event, "en").startswith("reading: end · after the end of the session: no")
    chinese = event_detail(event, "zh")
    assert "疑点: 签名电量与计量不一致" in chinese
    assert "签名有效: 是" in chinese
    assert str(event["data"]["signedMeterData"])[:20] not in chinese  # type: ignore[index]
