"""`signed`: what the meter of a session signed, whether that holds, and the file with which anybody can check it."""

from pathlib import Path

from siteward.cli.bill import Say
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Screen
from siteward.cli.shelf import Records
from siteward.client.bill_messages import EvidenceMessage
from siteward.client.signed import (
    SignedEntry,
    all_marks,
    container,
    entry_name,
    mark_words,
    signed_values,
    summary_of,
    verdict_words,
    whole,
)
from siteward.model.sentences import Sentence
from siteward.trust.ocmf import verified


async def signed(
    records: Records, screen: Screen, session: str, out: Path | None, key: str | None, language: str
) -> int:
    """Show a session's signed values and judge them; status 1 when there is none or one does not hold.

    Raises CommandFailed for an unknown session, a key that is none, and a file that cannot be written.
    """
    evidence = await records.evidence(session)
    if evidence is None:
        raise CommandFailed(f"{session}: there is no such session", "`siteward sessions` lists them", "NO_SUCH_SESSION")
    entries = signed_values(evidence.events)
    verdicts = [_verdict(entry, _key(key)) for entry in entries]
    holds = bool(entries) and all(verdicts) and all(mark.quiet for mark in all_marks(evidence.events))
    if out is not None:
        _write(out, session, entries)
    if screen.as_json:
        screen.data({"session": session, **data(evidence, key), "holds": holds})
        return 0 if holds else 1
    screen.show([*page(evidence, lambda text: text.zh if language == "zh" else text.en, key)])
    return 0 if holds else 1


def page(evidence: EvidenceMessage, say: Say, key: str | None = None) -> list[str | Grid]:
    """What was signed, for people; nothing where no meter was asked to."""
    entries = signed_values(evidence.events)
    if not entries:
        return [say(Sentence("No meter signed anything in this session.", "本次充电没有签名电量值。"))]
    head = (say(Sentence("record", "记录")), "kWh", say(Sentence("verdict", "验证结果")))
    rows = [
        (
            say(entry_name(entry)),
            "" if entry.register_wh is None else f"{entry.register_wh / 1000:.3f}",
            say(verdict_words(entry, _verdict(entry, _key(key)))),
        )
        for entry in entries
    ]
    title = say(Sentence("Signed meter values", "签名电量值"))
    marks: list[str | Grid] = [say(mark_words(mark)) for mark in all_marks(evidence.events)]
    told = summary_of(evidence.events) or {}
    if told.get("energy_wh") is not None and told.get("difference_wh") is not None:
        kwh, off = told["energy_wh"] / 1000, told["difference_wh"]
        marks.append(
            say(
                Sentence(
                    f"By the signed registers {kwh:.3f} kWh, {off:+d} Wh beside our own.",
                    f"签名读数差 {kwh:.3f} kWh，与自有计量相差 {off:+d} Wh。",
                )
            )
        )
    return [Grid(title, head, rows, frozenset({"kWh"})), *marks]


def data(evidence: EvidenceMessage, key: str | None = None) -> dict[str, object]:
    """The same for programs; the records themselves byte for byte."""
    events = [event["data"] for event in evidence.events if event["type"] == "session.signed"]
    entries = signed_values(evidence.events)
    told = [{**event, "holds": _verdict(entry, _key(key))} for event, entry in zip(events, entries, strict=True)]
    return {"signed": told, "signedMarks": [mark.value for mark in all_marks(evidence.events)]}


def _verdict(entry: SignedEntry, key: bytes | None) -> bool | None:
    return None if entry.document is None else verified(entry.document, key or entry.key)


def _key(text: str | None) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError as error:
        raise CommandFailed("the key is no row of hexadecimal digits", "write it as on the plate", "BAD_USE") from error


def _write(out: Path, session: str, entries: tuple[SignedEntry, ...]) -> None:
    """The container for .xml, else the one record that tells most, byte for byte."""
    found = [entry for entry in entries if entry.document is not None]
    if not found:
        raise CommandFailed(f"{session}: no meter handed over a signed value", "", "NOTHING_SIGNED")
    most = next((entry for entry in reversed(found) if entry.record is not None and whole(entry.record)), found[-1])
    content = container(session, entries) if out.suffix.lower() == ".xml" else most.document or b""
    try:
        out.write_bytes(content)
    except OSError as error:
        raise CommandFailed(f"{out}: cannot be written: {error.strerror}", "choose another --out") from error
