"""The gate, faults 73 and 74: foreign origins, rebound names, framing, traversal, big and garbled bodies."""

import pytest

from siteward.panel.guard import HEADERS, MOST_BODY
from tests.siteward.panel.conftest import ORIGIN, Panel


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.0.2.99", "", "localhost@evil.example", "[::1", "127.0.0.2"]
)
async def test_foreign_hosts_get_nothing(panel: Panel, host: str) -> None:
    """Fault 73, DNS rebinding: another name in Host."""
    answer = await panel.client.get("/login", headers={"host": host})
    assert answer.status_code == 421
    assert "csrf" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8443", "127.0.0.1:8443", "[::1]:8443", "localhost."])
async def test_own_hosts_are_served(panel: Panel, host: str) -> None:
    """Loopback by any name and port."""
    assert (await panel.client.get("/login", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://localhost", "https://localhost:444"])
async def test_posts_from_elsewhere_are_refused(panel: Panel, origin: str | None) -> None:
    """Fault 73, CSRF: the Origin must be this panel, even with the right token."""
    await panel.login()
    headers = {"x-csrf-token": await panel.token(), "hx-request": "true"}
    panel.client.headers.pop("origin")
    answer = await panel.client.post(
        "/connectors/A01-1/stop", headers=headers | ({"origin": origin} if origin is not None else {})
    )
    assert (answer.status_code, panel.core.requests) == (403, [])


@pytest.mark.parametrize("token", [None, "", "wrong", "€"])
async def test_posts_without_the_sessions_token_are_refused(panel: Panel, token: str | None) -> None:
    """Fault 73, CSRF: right origin, right cookie, wrong token."""
    await panel.login()
    headers = {} if token is None else {"x-csrf-token": token.encode()}
    answer = await panel.client.post("/connectors/A01-1/stop", headers=headers)
    assert (answer.status_code, panel.core.requests) == (403, [])


@pytest.mark.parametrize("path", ["/login", "/", "/static/panel.js", "/static/none", "/nowhere", "/healthz"])
async def test_every_answer_is_fenced(panel: Panel, path: str) -> None:
    """Framing, sniffing, foreign scripts: the headers are on good and bad answers alike."""
    answer = await panel.client.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"].startswith("public" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/panel/app.py", "/static//etc/passwd", "/.env"],
)
async def test_traversal_finds_nothing(panel: Panel, path: str) -> None:
    """Fault 74."""
    assert (await panel.client.get(path)).status_code in (401, 404)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_the_frameworks_own_pages_are_off(panel: Panel, path: str) -> None:
    """They would load from a CDN and tell every route."""
    assert (await panel.client.get(path)).status_code == 404


async def test_a_big_body_is_refused_announced_or_not(panel: Panel) -> None:
    """Fault 74: 8 MB with a length, and the same in chunks without."""

    async def chunks() -> object:
        for _ in range(128):
            yield b"x" * 65536

    kind = {"content-type": "application/x-www-form-urlencoded"}
    announced = await panel.client.post("/login", content=b"x" * (MOST_BODY + 1), headers=kind)
    assert announced.status_code == 413
    chunked = await panel.client.post("/login", content=chunks(), headers=kind)  # type: ignore[arg-type]
    assert chunked.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "²", "9" * 30])
async def test_odd_lengths_are_refused(panel: Panel, length: str) -> None:
    """Fault 74."""
    answer = await panel.client.post("/login", content=b"", headers={"content-length": length.encode()})
    assert answer.status_code == 413


async def test_garbled_forms_are_refused(panel: Panel) -> None:
    """Fault 74: neither a broken multipart body nor a file nor fifty fields make an error of ours."""
    await panel.client.get("/login")
    multipart = {"content-type": "multipart/form-data; boundary=x"}
    for body, headers in [
        (b"--x\r\nnonsense", multipart),
        (b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nx\r\n--x--\r\n', multipart),
        (b"&".join(b"f%d=1" % i for i in range(50)), {"content-type": "application/x-www-form-urlencoded"}),
    ]:
        answer = await panel.client.post("/login", content=body, headers=headers)
        assert answer.status_code in (400, 403)


async def test_wrong_methods_and_unknown_pages_answer_in_words(panel: Panel) -> None:
    """4xx with a sentence, in the reader's language."""
    await panel.login()
    assert (await panel.client.get("/connectors/A01-1/start")).status_code == 405
    answer = await panel.client.get("/nowhere", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert (answer.status_code, "没有这个页面" in answer.text) == (404, True)
    assert ORIGIN not in answer.text
