"""Whatever a browser sends to the panel: any path, query, form or way of writing a form; never a fault of ours."""

import asyncio
import tempfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from siteward.client.records import UserMessage
from siteward.panel import passwords
from siteward.panel.accounts import Accounts
from siteward.panel.app import build_app
from siteward.panel.desk import Desk
from siteward.panel.live import LiveHub
from tests.fixtures.depot import Depot
from tests.siteward.panel.conftest import ORIGIN, PASSWORD, HandClock, Panel

WORDS = (
    *(
        "x",
        "A01-1",
        "B02-1",
        "0",
        "-1",
        "1e999",
        "nan",
        "9" * 20,
        "9" * 5000,
        "\0",
        "a\nb",
        "é" * 70,
        "x" * 3000,
        "yes",
    ),
    *(
        "0001-01-01",
        "0001-01-02",
        "9999-12-31",
        "9999-12-30",
        "2026-02-30",
        "2026-W01-1",
        "٢٠٢٦-٠١-٠١",
        "24:00",
        "23:59",
    ),
    *(
        "٢٣:٥٩",
        "12345.123",
        "../..",
        "<script>",
        "%00",
        "open",
        "ack",
        "LINE_LOST",
        "en",
        "¹",
        "1440",
        "{{7*7}}",
        "csv",
    ),
)
PAGES = (
    *(
        "/",
        "/login",
        "/password",
        "/access",
        "/alarms",
        "/report",
        "/lines",
        "/events",
        "/healthz",
        "/readyz",
        "/metrics",
    ),
    *("/language/{}", "/connectors/{}", "/requests/{}", "/sessions/{}", "/sessions/{}/signed.xml", "/alarms/{}/{}"),
    *("/static/{}", "/{}"),
)
FORMS = (
    *(f"/connectors/{{}}/{verb}" for verb in ("start", "stop", "service", "reserve", "release", "unlock")),
    *("/emergencies/{}/reset", "/access/{}/{}", "/alarms/{}/{}/ack", "/alarms/{}/{}/{}", "/outputs/test"),
    *("/differences/{}", "/{}"),
)
QUERY = ("before", "page", "day", "next", "only", "as", "kind", "connector")
FIELDS = (
    *(
        "departs",
        "wants_kwh",
        "phase_switching",
        "reservation",
        "session",
        "operative",
        "minutes",
        "card",
        "who",
        "next",
    ),
    *("note", "raised", "state", "day", "csrf"),
)
WORD = st.sampled_from(WORDS)


@st.composite
def clicks(draw: st.DrawFn) -> tuple[str, dict[str, str], dict[str, str] | None]:
    """Path, query, and the fields of a form (None: a page is asked for)."""
    posts = draw(st.booleans())
    path = draw(st.sampled_from(FORMS if posts else PAGES))
    path = path.format(*(quote(draw(WORD), safe="") for _ in range(path.count("{}"))))
    query = draw(st.dictionaries(st.sampled_from(QUERY), WORD, max_size=2))
    return path, query, draw(st.dictionaries(st.sampled_from(FIELDS), WORD, max_size=5)) if posts else None


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@given(st.lists(clicks(), min_size=60, max_size=80))
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_any_click_is_answered(said: list[tuple[str, dict[str, str], dict[str, str] | None]]) -> None:
    """S-99: the application raises nothing and answers no 500, whoever types what."""

    async def story(folder: Path) -> None:
        hashed = passwords._HASHER.hash(PASSWORD)
        core = Depot([UserMessage(name="ines", role="installer", password_hash=hashed, must_change=False)])
        clock = HandClock()
        hub = LiveHub(core, clock)
        await hub._publish(core.live(), False)
        desk = Desk(core, hub, Accounts(core, clock, folder), clock)
        transport = httpx.ASGITransport(build_app(desk), client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
            panel = Panel(core, clock, desk, client, folder)
            await panel.login("ines")
            headers = {"x-csrf-token": await panel.token()}
            for path, query, fields in said:
                method = "GET" if fields is None else "POST"
                answer = await client.request(method, path, params=query, data=fields, headers=headers)
                assert answer.status_code < 500, (method, path, query, fields)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "9999-12-31"])
async def test_a_day_at_the_ends_of_the_calendar_is_none(panel: Panel, day: str) -> None:
    """S-99: it was a fault of ours (500)."""
    await panel.login("vera")
    assert (await panel.client.get("/report", params={"day": day})).status_code == 200


@pytest.mark.parametrize("charset", ["unicode_escape", "undefined", "raw_unicode_escape", "x\0y", "utf-8"])
async def test_a_form_written_in_parts_is_refused(panel: Panel, charset: str) -> None:
    """S-99: its sender chose the reader of its texts, and a stranger made faults of ours of that (500)."""
    part = 'Content-Disposition: form-data; name="csrf"\r\n\r\n\\ud800'
    body = f"--b\r\n{part}\r\n--b--\r\n".encode()
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    answer = await panel.client.post("/login", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
