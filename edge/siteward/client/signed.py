"""The signed values of a session as the journal carries them, taken apart again, and the file that a driver checks."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from siteward.control.ocmf import BadOcmf, Ocmf, parse
from siteward.model.ids import ulid_number
from siteward.model.sentences import Sentence
from siteward.model.signed import SignFailure, SignMark, SignStep

CONTEXTS = {SignStep.BEGIN: "Transaction.Begin", SignStep.END: "Transaction.End"}

MARKS = {
    SignMark.MISSING: Sentence("a signed reading is missing", "缺少签名读数"),
    SignMark.UNREADABLE: Sentence("the record cannot be read", "签名记录无法解析"),
    SignMark.SIGNATURE: Sentence("the signature does not hold", "签名验证失败"),
    SignMark.KEY: Sentence("the meter tells another key than its plate", "电表公钥与铭牌不符"),
    SignMark.DIFFERENCE: Sentence("the signed energy is not what was counted", "签名电量与计量不一致"),
    SignMark.PAGINATION: Sentence("a page of the meter's records is missing", "签名记录页码不连续"),
    SignMark.SERIAL: Sentence("the record is that of another meter", "签名记录来自其他电表"),
    SignMark.ERROR: Sentence("the meter reports an error of its own", "电表自报错误"),
    SignMark.CLOCK: Sentence("the meter's clock was not synchronised", "电表时钟未同步"),
}
FAILURES = {
    SignFailure.UNREACHABLE: Sentence("the meter did not answer", "电表无应答"),
    SignFailure.REFUSED: Sentence("the meter refused to sign", "电表拒绝签名"),
    SignFailure.NOT_ACTIVE: Sentence("the meter had no transaction open", "电表没有进行中的交易"),
    SignFailure.LATE: Sentence("the meter did not sign in time", "电表未及时签名"),
}
STEPS = {SignStep.BEGIN: Sentence("begin", "起始"), SignStep.END: Sentence("end", "结束")}
STATES = {
    "complete": Sentence("signed at both ends", "首尾均已签名"),
    "partial": Sentence("signed in part", "部分签名"),
    "none": Sentence("not signed", "未签名"),
}
"""Words for `state` of the summary in session.finished."""


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """One session.signed of the journal: the record byte for byte, or why there is none.

    key is the public key (DER) by which core judged it; record is what it says, None where it cannot be read.
    """

    step: SignStep
    document: bytes | None
    key: bytes | None
    record: Ocmf | None
    late: bool
    register_wh: int | None
    pagination: str
    marks: tuple[SignMark, ...]
    failure: SignFailure | None


def signed_values(events: Sequence[Mapping[str, Any]]) -> tuple[SignedEntry, ...]:
    """Every signed value of a session, in the order of the journal."""
    return tuple(_entry(event["data"]) for event in events if event["type"] == "session.signed")


def _entry(data: Mapping[str, Any]) -> SignedEntry:
    document = _bytes(data.get("signedMeterData"))
    record = None
    if document is not None:
        try:
            record = parse(document)
        except BadOcmf:
            record = None
    failure = data.get("failure")
    return SignedEntry(
        step=SignStep(data["step"]),
        document=document,
        key=_bytes(data.get("publicKey")),
        record=record,
        late=bool(data.get("late")),
        register_wh=data.get("register_wh"),
        pagination=str(data.get("pagination") or ""),
        marks=tuple(SignMark(mark) for mark in data.get("marks", ()) if mark in set(SignMark)),
        failure=SignFailure(failure) if failure in set(SignFailure) else None,
    )


def _bytes(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def summary_of(events: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What session.finished says of signed values, None where it says nothing."""
    told = [event["data"].get("signed") for event in events if event["type"] == "session.finished"]
    return told[-1] if told else None


def all_marks(events: Sequence[Mapping[str, Any]]) -> tuple[SignMark, ...]:
    """Every mark on a session's signed values, each once; a late end makes up for what was missing."""
    entries = signed_values(events)
    told = {mark for entry in entries for mark in entry.marks} | set((summary_of(events) or {}).get("marks", ()))
    told |= {SignMark.MISSING for entry in entries if entry.failure is not None}
    if any(entry.document is not None and entry.record is not None and whole(entry.record) for entry in entries):
        told.discard(SignMark.MISSING)
    return tuple(mark for mark in SignMark if mark in told)


def whole(record: Ocmf) -> bool:
    """Whether a record alone tells begin and end."""
    return record.begin is not None and record.end is not None


def mark_words(mark: SignMark) -> Sentence:
    """A mark for people."""
    return MARKS[mark]


def entry_name(entry: SignedEntry) -> Sentence:
    """Which reading, and on which page of the meter's records."""
    step = STEPS[entry.step]
    page = f" {entry.pagination}" if entry.pagination else ""
    late = Sentence(", came after the end of the session", "，会话结束后补收") if entry.late else Sentence("", "")
    return Sentence(f"Signed {step.en}{page}{late.en}", f"{step.zh}签名{page}{late.zh}")


def verdict_words(entry: SignedEntry, verified: bool | None) -> Sentence:
    """Whether its signature holds, or why there is none."""
    if entry.failure is not None:
        return FAILURES[entry.failure]
    if verified is None:
        return Sentence("no key to verify it by", "无可用公钥，无法验证")
    if verified:
        return Sentence("the signature holds over these very bytes", "签名与原始字节一致，验证通过")
    return MARKS[SignMark.SIGNATURE]


def container(session: str, entries: Sequence[SignedEntry]) -> bytes:
    """The file that the transparency software of S.A.F.E. e.V. reads: the records of one session with their keys.

    A record that holds both ends stands alone: beside another begin of the same session that software refuses it. Each
    is there as it is, with references for what XML would bend (ends of lines, tabs); what is no text is in base64.
    """
    rows = []
    handed = [(entry, entry.document) for entry in entries if entry.document is not None]
    alone = [(entry, document) for entry, document in handed if entry.record is not None and whole(entry.record)]
    for entry, document in alone or handed:
        encoding, data = _as_text(document)
        key = "" if entry.key is None else f'\n    <publicKey encoding="plain">{entry.key.hex().upper()}</publicKey>'
        rows.append(
            f'  <value transactionId="{ulid_number(session)}" context="{CONTEXTS[entry.step]}">\n'
            f'    <signedData format="OCMF" encoding="{encoding}">{data}</signedData>{key}\n'
            "  </value>\n"
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<values>\n{"".join(rows)}</values>\n'.encode()


def _as_text(document: bytes) -> tuple[str, str]:
    try:
        text = document.decode()
    except UnicodeDecodeError:
        text = "\0"
    if all(letter in "\t\n\r" or " " <= letter < "\ud800" or "\ue000" <= letter < "\ufffe" for letter in text):
        return "plain", escape(text, {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})
    return "base64", base64.b64encode(document).decode("ascii")
