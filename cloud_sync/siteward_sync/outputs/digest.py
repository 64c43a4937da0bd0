"""What an output says: one message for all notices that go out together, for people and for programs."""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from siteward.model.alarms import Severity
from siteward.model.sentences import Sentence
from siteward_sync.outputs.box import Notice

_SEVERITIES = {
    Severity.HIGHEST.value: Sentence("HIGHEST", "最高"),
    Severity.HIGH.value: Sentence("HIGH", "高"),
    Severity.MEDIUM.value: Sentence("MEDIUM", "中"),
    Severity.LOW.value: Sentence("LOW", "低"),
}
WORDS = {
    "test": Sentence("Test: alarms of this station reach you.", "测试：本站告警可以送达。"),
    "more": Sentence("and {count} more", "另有 {count} 条"),
    "ended": Sentence("ended", "已解除"),
    "by": Sentence("by {user}", "处理人 {user}"),
    "behind": Sentence("behind it", "涉及"),
    "left_out": Sentence("{count} older notices were left out.", "已省略 {count} 条较早的通知。"),
}
"""The outputs' own words."""


@dataclass(frozen=True, slots=True)
class Station:
    """Whose alarms they are."""

    id: str
    name: str
    journal: str = ""


def languages(choice: str) -> tuple[str, ...]:
    """The languages of an output, in the order in which they are written."""
    return ("en", "zh") if choice == "both" else (choice,)


def subject_line(station: Station, batch: tuple[Notice, ...], language: str) -> str:
    """One line: the worst notice, and how many more there are."""
    first = languages(language)[0]
    if not batch:
        return f"[{station.name}] {_say(WORDS['test'], first)}"
    worst = min(batch, key=lambda n: (n.ended, Severity(n.severity).rank, n.seq))
    what = worst.text_zh if first == "zh" else worst.text_en
    ended = f"{_say(WORDS['ended'], first)}: " if worst.ended else ""
    more = f" ({_say(WORDS['more'], first, count=len(batch) - 1)})" if len(batch) > 1 else ""
    return f"[{station.name}] {ended}{_say(_SEVERITIES[worst.severity], first)} {what}{more}"


def body(station: Station, batch: tuple[Notice, ...], left_out: int, language: str) -> str:
    """The whole text, one block a language."""
    blocks = []
    for spoken in languages(language):
        rows = [_row(notice, spoken) for notice in batch] or [_say(WORDS["test"], spoken)]
        if left_out:
            rows.append(_say(WORDS["left_out"], spoken, count=left_out))
        blocks.append("\n\n".join(rows))
    return f"{station.name} ({station.id})\n\n" + "\n\n----\n\n".join(blocks) + "\n"


def _row(notice: Notice, language: str) -> str:
    text = notice.text_zh if language == "zh" else notice.text_en
    ended = f"{_say(WORDS['ended'], language)}: " if notice.ended else ""
    by = f", {_say(WORDS['by'], language, user=notice.by)}" if notice.by else ""
    rows = [f"{ended}{_say(_SEVERITIES[notice.severity], language)}  {text}", f"  {notice.at}{by}  {notice.code}"]
    if notice.figure:
        rows.append(f"  {notice.figure}")
    if notice.followers:
        rows.append(f"  {_say(WORDS['behind'], language)}: {', '.join(notice.followers)}")
    return "\n".join(rows)


def payload(station: Station, batch: tuple[Notice, ...], left_out: int, sent_at: str) -> bytes:
    """The same for programs, as JSON; an empty list is a test."""
    notices = [{"event": "cleared" if n.ended else "raised", **_keys(n)} for n in batch]
    told = {
        "stationId": station.id,
        "stationName": station.name,
        "journalId": station.journal,
        "sentAt": sent_at,
        "test": not batch,
        "leftOut": left_out,
        "notices": notices,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def delivery_id(station: Station, output: str, batch: tuple[Notice, ...], mark: str) -> str:
    """A name that is the same for every try of the same notices, so that a receiver can tell repetitions."""
    text = ":".join((station.id, station.journal, output, mark, *(str(n.seq) for n in batch)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def signature(key: bytes, timestamp: str, content: bytes) -> str:
    """HMAC-SHA256 over `timestamp.content`, as X-Siteward-Signature carries it."""
    return "v1=" + hmac.new(key, timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()


def _keys(notice: Notice) -> dict[str, object]:
    names = {"text_en": "textEn", "text_zh": "textZh", "raised_at": "raisedAt"}
    return {names.get(k, k): v for k, v in asdict(notice).items() if k != "ended" and v not in ("", ())}


def _say(sentence: Sentence, language: str, **fill: object) -> str:
    return (sentence.zh if language == "zh" else sentence.en).format(**fill)
