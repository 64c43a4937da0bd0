"""Messages that a hostile or broken peer may send: hand-made bombs, and seeded damage to a good one."""

import json
import random
from collections.abc import Iterator

GOOD = {
    "protocolVersion": "1.0",
    "stationId": "SZ-0001",
    "messageId": "m-1",
    "sentAt": "2026-05-01T08:00:00.000Z",
    "payload": {
        "commandId": "c-1",
        "stationId": "SZ-0001",
        "name": "REPORT_NOW",
        "issuedAt": "2026-05-01T08:00:00.000Z",
        "expiresAt": "2099-05-01T08:00:00.000Z",
    },
}
TEXT = json.dumps(GOOD)

BOMBS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\x00\x01\x02",
    "no object": b"[]",
    "no UTF-8": TEXT.encode().replace(b"m-1", b"\xff\xfe"),
    "UTF-16": TEXT.encode("utf-16"),
    "half a surrogate": TEXT.replace("REPORT_NOW", "\\ud800").encode(),
    "too big": TEXT.encode() + b" " * 70_000,
    "deep arrays": b"[" * 60_000,
    "deep objects": b'{"a":' * 12_000,
    "deep payload": TEXT.replace('"c-1"', "[" * 100 + "]" * 100).encode(),
    "20000 digits": TEXT.replace('"c-1"', "9" * 20_000).encode(),
    "infinite": TEXT.replace('"c-1"', "1e999").encode(),
    "NaN": TEXT.replace('"c-1"', "NaN").encode(),
    "key twice": TEXT.replace('"name"', '"commandId": "c-2", "name"').encode(),
    "two values": TEXT.encode() * 2,
    "cut off": TEXT.encode()[:-20],
    "no version": TEXT.replace("protocolVersion", "version").encode(),
    "version is a number": TEXT.replace('"1.0"', "1.0").encode(),
    "version 2": TEXT.replace('"1.0"', '"2.0"').encode(),
    "version of letters": TEXT.replace('"1.0"', '"one"').encode(),
    "path as id": TEXT.replace("c-1", "../../etc/passwd").encode(),
    "NUL in an id": TEXT.replace("c-1", "c\\u0000").encode(),
    "bidi in an id": TEXT.replace("c-1", "c\\u202e1").encode(),
    "look-alike in an id": TEXT.replace("c-1", "с-1").encode(),
    "payload is text": json.dumps(GOOD | {"payload": "REPORT_NOW"}).encode(),
    "no payload": json.dumps({k: v for k, v in GOOD.items() if k != "payload"}).encode(),
    "time is a number": TEXT.replace('"2026-05-01T08:00:00.000Z"', "1777622400").encode(),
    "time without zone": TEXT.replace("00.000Z", "00").encode(),
    "params are a list": TEXT.replace('"name"', '"params": [1], "name"').encode(),
    "jws is a number": json.dumps(GOOD | {"payload": {"jws": 7}}).encode(),
}


def damaged(seed: int, count: int) -> Iterator[bytes]:
    """Good messages with bytes changed, cut, doubled or moved."""
    dice = random.Random(seed)
    for _ in range(count):
        data = bytearray(TEXT.encode())
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(data))
            kind = dice.randrange(4)
            if kind == 0:
                data[at] = dice.randrange(256)
            elif kind == 1:
                del data[at : at + dice.randint(1, 20)]
            elif kind == 2:
                data[at:at] = data[at : at + dice.randint(1, 40)]
            else:
                data[at:at] = bytes(dice.choice(b'{}[]",:\\0123456789eEnul') for _ in range(dice.randint(1, 8)))
            if not data:
                break
        yield bytes(data)
