"""Words and assets: complete in both languages, nothing from elsewhere, every vendored file as published."""

import hashlib
import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest

from siteward.client.messages import CauseMessage, LimitMessage, ReplyMessage
from siteward.control.connector import ConnectorState
from siteward.model.causes import CAUSES
from siteward.model.curve import CurveState
from siteward.model.events import ClockQuality, EventType
from siteward.model.limits import Cause, OnLimitExpiry
from siteward.model.requests import Role, Source, Stage
from siteward.model.sentences import Sentence
from siteward.model.sessions import ConnectorStatus, OrderState, StopReason, SuspendedBy
from siteward.panel import details, text, view, vocabulary
from siteward.panel.phrases_frame import FRAME
from siteward.panel.phrases_session import SESSION
from siteward.panel.phrases_site import SITE
from siteward.panel.render import HERE
from siteward.panel.words import WORDS
from tests.siteward.panel.conftest import Panel

TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
STATIC = HERE / "static"
TABLES = {
    "words": WORDS,
    "states": vocabulary.STATES,
    "arm states": vocabulary.ARM_STATES,
    "arm verbs": vocabulary.ARM_VERBS,
    "causes": CAUSES,
    "events": vocabulary.EVENTS,
    "ends": vocabulary.ENDS,
    "stages": vocabulary.STAGES,
    "severities": vocabulary.SEVERITIES,
    "orders": vocabulary.ORDERS,
    "reasons": vocabulary.REASONS,
    "roles": vocabulary.ROLES,
    "sources": vocabulary.SOURCES,
    "waits": vocabulary.WAITS,
    "clocks": vocabulary.CLOCKS,
    "statuses": vocabulary.STATUSES,
    "point states": vocabulary.POINT_STATES,
    "pausers": vocabulary.PAUSERS,
    "curve states": vocabulary.CURVE_STATES,
    "labels": details.LABELS,
}
SAME_IN_BOTH = {"latency_p99"}


@pytest.mark.parametrize("table", TABLES)
def test_every_sentence_has_both_languages(table: str) -> None:
    """Contract 5: Chinese and English; the same blanks are filled in both."""
    for key, sentence in TABLES[table].items():
        assert isinstance(sentence, Sentence)
        assert sentence.en.strip(), key
        assert key in SAME_IN_BOTH or re.search(r"[\u4e00-\u9fff]", sentence.zh), key
        assert not re.search(r"[\u4e00-\u9fff]", sentence.en), key
        blanks = [set(re.findall(r"\{(\w+)\}", said)) for said in (sentence.en, sentence.zh)]
        assert blanks[0] == blanks[1], key


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("causes", Cause),
        ("events", EventType),
        ("ends", OnLimitExpiry),
        ("stages", Stage),
        ("orders", OrderState),
        ("reasons", StopReason),
        ("roles", Role),
        ("sources", Source),
        ("clocks", ClockQuality),
        ("statuses", ConnectorStatus),
        ("point states", ConnectorState),
        ("pausers", SuspendedBy),
        ("curve states", CurveState),
    ],
)
def test_every_word_of_the_model_can_be_said(table: str, words: type[StrEnum]) -> None:
    """Ruling 30: closed vocabularies, each word with its sentence."""
    assert set(TABLES[table]) == set(words)
    assert set(vocabulary.STATES) == set(view.MARKS)


def test_templates_use_known_words_and_every_word_is_used() -> None:
    """No key is missing, none is left over."""
    sources = "\n".join(p.read_text(encoding="utf-8") for p in [*TEMPLATES, *HERE.glob("*.py")])
    asked = set(re.findall(r"""\b(?:t|word)\(["'](\w+)["']\s*[,)]""", sources))
    assert asked <= set(WORDS)
    starts = re.findall(r"""\bt\("(\w+_)" ~""", sources)
    assert starts
    lines = "\n".join(p.read_text(encoding="utf-8") for p in HERE.glob("phrases_*.py"))
    in_code = {key for key in WORDS if sources.count(f'"{key}"') > lines.count(f'"{key}"')}
    assert not {key for key in set(WORDS) - asked - in_code if not key.startswith(tuple(starts))}


def test_no_word_is_said_in_two_places() -> None:
    """The pages' words are joined into one table: of two of a key one would be lost."""
    assert len(FRAME) + len(SITE) + len(SESSION) == len(WORDS)


def test_nothing_is_fetched_from_elsewhere() -> None:
    """No internet: no template, script or style names another host, loads a font or runs inline."""
    for path in [*TEMPLATES, *STATIC.glob("*.css"), STATIC / "panel.js", STATIC / "icon.svg"]:
        source = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z0-9]", source.replace("// Small", ""), re.IGNORECASE), path.name
        assert "@import" not in source
        assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:|hx-on|<style", source), path.name
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)", source), path.name


def test_vendored_files_are_as_published() -> None:
    """Ruling 25: each with package, version, licence and hash; nothing unlisted comes from outside."""
    listed = json.loads((STATIC / "manifest.json").read_text())["vendored"]
    for row in listed:
        assert set(row) == {"file", "package", "version", "path", "licence", "sha256"}
        assert hashlib.sha256((STATIC / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    own = {"panel.js", "base.css", "live.css", "icon.svg", "manifest.json"}
    assert {p.name for p in STATIC.iterdir()} == own | {row["file"] for row in listed}


def test_the_whole_panel_is_light() -> None:
    """What a phone loads for the first page stays below 100 kB."""
    size = sum(p.stat().st_size for p in STATIC.iterdir())
    assert size < 100_000


@pytest.mark.parametrize("path", ["/", "/alarms", "/access", "/lines", "/events", "/connectors/A01-1", "/password"])
@pytest.mark.parametrize(("language", "sign"), [("en", 'lang="en"'), ("zh", 'lang="zh"')])
async def test_every_page_speaks_both(panel: Panel, path: str, language: str, sign: str) -> None:
    """The switch is a cookie; an English page has no Chinese but the switch itself and names."""
    await panel.login()
    await panel.client.get(f"/language/{language}")
    page = await panel.client.get(path)
    assert page.status_code == 200
    assert sign in page.text
    assert panel.client.cookies["__Host-siteward-lang"] == language
    chinese = re.findall(r"[\u4e00-\u9fff]+", page.text)
    assert set(chinese) <= {"中文", "语言"} if language == "en" else len(chinese) > 10


async def test_language_follows_the_browser_without_a_choice(panel: Panel) -> None:
    """Accept-Language, then the panel's own default."""
    for header, language in [("zh-TW,en;q=0.5", "zh"), ("de,en;q=0.5", "en"), ("de", "en"), ("", "en")]:
        page = await panel.client.get("/login", headers={"accept-language": header})
        assert f'<html lang="{language}"' in page.text


def test_causes_are_sentences_with_names_and_amps() -> None:
    """*Why this current* in words: the feeder by its name, the current, the limit's id."""
    names = {"row-a": "Row A"}
    fuse = CauseMessage(cause="fuse", limit_a=12.44, feeder="row-a")
    assert text.cause(fuse, names, "en") == "The fuse of Row A leaves 12.4\u00a0A."
    assert text.cause(fuse, names, "zh") == "Row A 的熔断器余量为 12.4\u00a0A。"
    limit = CauseMessage(cause="limit", limit_a=6.0, feeder="row-a", limit="dso-1")
    assert "(dso-1)" in text.cause(limit, names, "en")
    assert text.cause(CauseMessage(cause="brand_new", limit_a=1.0), names, "en") == "brand_new 1.0 A"


def test_a_limit_says_who_set_it_and_what_its_end_leaves() -> None:
    """B15: source, validity and expiry in words; a reason of a newer core is shown by its word."""
    ends = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
    limit = LimitMessage(
        id="k1",
        target="grid",
        limit_a=(20.0, 21.0, 22.0),
        source="cloud",
        reason="cloud",
        ends_at=ends,
        on_expiry="failsafe",
        failsafe_a=(8.0, 8.0, 8.0),
    )
    said = "The platform set it: 20.0\u00a0A. Until 12:30:00 UTC, then its fail-safe value holds."
    assert text.limit(limit, "en") == said
    assert text.limit(limit, "zh") == "由平台设定：20.0\u00a0A。 至 12:30:00 UTC，之后按安全值执行。"
    assert text.limit(limit.model_copy(update={"reason": "new", "ends_at": None}), "en") == "new"


def test_numbers_never_hide_what_is_not_known() -> None:
    """Law 5: an undefined value is never zero; rounding shows no current backwards."""
    assert text.amps(None) == text.kilowatts(None) == text.kilowatt_hours(None) == text.duration(None) == "–"
    assert text.amps(-0.04) == "0.0"
    assert text.kilowatt_hours(1_234_567, 3) == "1,234.567"
    assert text.duration(93_784) == "1 d 02:03:04"


def test_event_details_are_sentences_where_there_is_one() -> None:
    """Alarms and refusals speak; other data is shown as it is."""
    raised = {"data": {"code": "METER_LOST", "subject": "grid-meter"}}
    assert details.event_detail(raised, "zh").startswith("电表 grid-meter 无应答")
    rejected = {"data": {"code": "CONNECTOR_BUSY", "commandId": "c1"}}
    assert details.event_detail(rejected, "en") == "The connector is already in use. · command: c1"
    assert details.event_detail({"data": {"limit_a": [1, 2, 3]}}, "en") == "limit, A: 1 / 2 / 3"
    assert details.event_detail({}, "en") == ""


def test_event_data_speak_the_language_of_the_reader() -> None:
    """Ruling 30: labels and known values in both languages, who did it once; a key of a newer core stays as it is."""
    who = {"user": "li", "role": "technician", "address": "192.0.2.7"}
    told = {"data": {"actor": who, "source": "panel", "stage": "done", "result": {"state": "charging", "online": True}}}
    assert details.event_detail(told, "zh") == "来源: 面板 · 内部状态: 充电中 · 在线: 是"
    assert details.event_detail(told, "en") == "by: panel · state: charging · answers: yes"
    assert details.event_detail({"data": {"to": "opening", "newThing": "x"}}, "en") == "to: Opening · newThing: x"
    assert details.event_detail({"data": {"observed": {"state": "stopping"}}}, "zh") == "内部状态: 停止中"


def test_replies_of_a_newer_core_are_still_told() -> None:
    """An unknown code shows what core sent with it."""
    odd = ReplyMessage(command_id="c", stage="rejected", code="NEW_CODE", message="No moon.", message_zh="无月。")
    assert text.reply(odd, "en") == "Not accepted. No moon."
    assert text.reply(odd, "zh") == "未接受。 无月。"


def test_no_stray_files() -> None:
    """Assets that nobody serves do not belong in the wheel."""
    assert {p.suffix for p in Path(HERE).rglob("*") if p.is_file() and "__pycache__" not in p.parts} <= {
        ".py",
        ".html",
        ".css",
        ".js",
        ".svg",
        ".json",
    }
