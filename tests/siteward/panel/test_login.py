"""Logging in, fault 71 and 72: nobody gets in without, five tries lock, one text for everything, all audited."""

import asyncio
import stat

import httpx
import pytest

from siteward.client.errors import CoreDown
from siteward.client.records import UserMessage
from siteward.panel.accounts import FIRST_FILE
from siteward.panel.desk import SESSION_COOKIE
from siteward.panel.lockout import LOCK_S, TRIES, LockOut
from siteward.panel.passwords import Passwords, generate
from siteward.panel.sessions import ABSOLUTE_S, IDLE_S
from siteward.panel.words import WORDS
from tests.siteward.panel.conftest import ORIGIN, PASSWORD, Panel, token_in

PAGES = ("/", "/alarms", "/lines", "/events", "/connectors/A01-1", "/requests/x", "/live?page=overview", "/password")
REFUSED = WORDS["login_refused"].en


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("cookie", [None, "garbage", "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiaW5zdGFsbGVyIn0."])
async def test_no_page_without_a_session(panel: Panel, path: str, cookie: str | None) -> None:
    """Fault 71: no session, garbage, `alg none`."""
    if cookie:
        panel.client.cookies.set(SESSION_COOKIE, cookie)
    answer = await panel.client.get(path, headers={"x-forwarded-for": "127.0.0.1", "x-forwarded-user": "admin"})
    assert answer.status_code == 401
    assert "A01-1" not in answer.text.replace("/connectors/A01-1", "")


@pytest.mark.parametrize("path", ["/connectors/A01-1/start", "/connectors/A01-1/stop", "/logout", "/password"])
async def test_no_action_without_a_session(panel: Panel, path: str) -> None:
    """Fault 71."""
    assert (await panel.client.post(path)).status_code == 401
    assert panel.core.requests == []


async def test_a_login_opens_a_guarded_session_and_is_audited(panel: Panel) -> None:
    """The cookie is opaque, HttpOnly, Secure, SameSite=Strict, host-only; IEC 62443-4-2 CR 2.8."""
    answer = await panel.login()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION_COOKIE}="))
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    assert "tina" not in cookie
    kind, data, actor = panel.core.audits[-1]
    assert (kind, data, actor.role) == ("audit.login", {"user": "tina", "address": "192.0.2.7"}, "technician")
    assert (await panel.client.get("/")).status_code == 200


async def test_wrong_password_unknown_user_and_lock_say_the_same(panel: Panel) -> None:
    """Fault 72: same text for each; the sixth try fails even with the right password."""
    texts = set()
    for user, password in [("tina", "wrong"), ("nobody", "wrong"), ("<b>", "wrong"), ("tina", "x" * 500)]:
        answer = await panel.login(user, password)
        assert answer.status_code == 401
        texts.add(REFUSED in answer.text)
    for _ in range(TRIES):
        await panel.login("tina", "wrong")
    locked = await panel.login()
    assert locked.status_code == 401
    assert texts | {REFUSED in locked.text} == {True}
    panel.clock.at += LOCK_S
    assert (await panel.login()).status_code == 303


async def test_refusals_are_audited_without_what_was_typed(panel: Panel) -> None:
    """Fault 75: a password typed into the name field never reaches the journal; a known name does."""
    await panel.login("my secret passphrase", "x")
    await panel.login("tina", "x")
    kinds = [(kind, data["user"]) for kind, data, _ in panel.core.audits]
    assert [kind for kind, _ in kinds] == ["audit.refused", "audit.refused"]
    assert "secret" not in str(kinds)
    assert kinds[1][1] == "tina"


async def test_tries_that_arrive_together_are_all_counted(panel: Panel) -> None:
    """Fault 72: twenty at once get no more than five checks."""
    form = token_in((await panel.client.get("/login")).text)
    data = {"csrf": form, "user": "tina", "password": "wrong"}
    await asyncio.gather(*(panel.client.post("/login", data=data) for _ in range(20)))
    assert len(panel.core.audits) == TRIES


def test_lock_out_counts_accounts_and_addresses_apart() -> None:
    """Fault 72: per account over all addresses, per address over all accounts; an IPv6 /64 is one address."""
    lock = LockOut()
    for i in range(TRIES):
        assert not lock.locked("a", f"192.0.2.{i}", 0.0)
        lock.failed("a", f"192.0.2.{i}", 0.0)
    assert lock.locked("A", "198.51.100.1", 1.0)
    for i in range(TRIES):
        lock.failed(f"u{i}", f"2001:db8::{i + 1}", 0.0)
    assert lock.locked("fresh", "2001:db8::ffff", 1.0)
    assert not lock.locked("fresh", "2001:db8:0:1::1", 1.0)
    assert not lock.locked("a", "2001:db8::1", LOCK_S + 1.0)


def test_a_flood_of_names_does_not_eat_memory() -> None:
    """IEC 62443-4-2 CR 7.1."""
    lock = LockOut()
    for i in range(10_000):
        lock.failed(f"user{i}", "192.0.2.1", 0.0)
    assert len(lock._counts) <= 2048
    assert lock.locked("anybody", "192.0.2.1", 0.0)


async def test_sessions_end_when_idle_and_after_half_a_day(panel: Panel) -> None:
    """Idle time-out; the live stream does not count as activity."""
    await panel.login()
    panel.clock.at += IDLE_S - 1
    assert (await panel.client.get("/")).status_code == 200
    panel.clock.at += IDLE_S
    assert (await panel.client.get("/")).status_code == 401
    await panel.login()
    for _ in range(int(ABSOLUTE_S / 1000) + 1):
        panel.clock.at += 1000
        last = await panel.client.get("/")
    assert last.status_code == 401


async def test_logout_ends_the_session_for_good(panel: Panel) -> None:
    """The old cookie is worth nothing afterwards."""
    await panel.login()
    old = panel.client.cookies[SESSION_COOKIE]
    answer = await panel.client.post("/logout", data={"csrf": await panel.token()})
    assert answer.status_code == 303
    panel.client.cookies.set(SESSION_COOKIE, old)
    assert (await panel.client.get("/")).status_code == 401


async def test_the_first_login_is_made_once_and_must_be_changed(panel: Panel) -> None:
    """Ruling 28, ETSI EN 303 645 5.1: no default password; nothing works before the change, the file goes with it."""
    panel.core.user_list.clear()
    first = await panel.desk.accounts.ensure_first()
    assert first is not None
    assert await panel.desk.accounts.ensure_first() is None
    file = panel.state / FIRST_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.password in file.read_text()
    assert panel.core.user_list["admin"].password_hash.startswith("$argon2id$")
    assert (await panel.login(first.user, first.password)).headers["location"] == "/password"
    assert (await panel.client.get("/")).headers["location"] == "/password"
    assert (await panel.client.get("/live?page=overview")).status_code == 403
    token = token_in((await panel.client.get("/password")).text)
    stop = await panel.client.post("/connectors/A01-1/stop", headers={"x-csrf-token": token})
    assert (stop.status_code, panel.core.requests) == (403, [])
    before = panel.client.cookies[SESSION_COOKIE]
    new = {"csrf": token, "old": first.password, "new": PASSWORD, "repeat": PASSWORD}
    assert (await panel.client.post("/password", data=new)).headers["location"] == "/"
    assert panel.client.cookies[SESSION_COOKIE] != before
    assert not panel.core.user_list["admin"].must_change
    assert not file.exists()
    assert (await panel.client.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "repeat", "says"),
    [
        (PASSWORD, "short", "short", "password_short"),
        (PASSWORD, "x" * 129, "x" * 129, "password_long"),
        (PASSWORD, PASSWORD, PASSWORD, "password_same"),
        (PASSWORD, "my name is tina", "my name is tina", "password_name"),
        (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", "password_simple"),
        (PASSWORD, "a good new one 1", "a good new one 2", "password_repeat"),
        ("not the old one", "a good new one 1", "a good new one 1", "password_wrong"),
    ],
)
async def test_bad_new_passwords_say_what_is_wrong(panel: Panel, old: str, new: str, repeat: str, says: str) -> None:
    """Each rule has its sentence, and nothing is changed."""
    await panel.login()
    before = panel.core.user_list["tina"]
    data = {"csrf": await panel.token(), "old": old, "new": new, "repeat": repeat}
    answer = await panel.client.post("/password", data=data)
    assert answer.status_code == 422
    assert WORDS[says].en in answer.text
    assert panel.core.user_list["tina"] is before


async def test_a_changed_password_ends_other_sessions(panel: Panel) -> None:
    """Whoever stole a session loses it."""
    await panel.login()
    stolen = panel.client.cookies[SESSION_COOKIE]
    new = "a good new one 1"
    data = {"csrf": await panel.token(), "old": PASSWORD, "new": new, "repeat": new}
    await panel.client.post("/password", data=data)
    panel.client.cookies.set(SESSION_COOKIE, stolen)
    assert (await panel.client.get("/")).status_code == 401


async def test_login_while_core_is_down_says_so(panel: Panel) -> None:
    """Users live in core; without it nobody can be checked, and that is no failed try."""
    panel.core.down = True
    answer = await panel.login()
    assert answer.status_code == 503
    assert WORDS["core_down"].en in answer.text
    with pytest.raises(CoreDown):
        await panel.desk.accounts.ensure_first()


async def test_unknown_user_costs_a_hash_and_a_broken_hash_is_no_way_in(panel: Panel) -> None:
    """Fault 72, user guessing by time; a damaged row never matches."""
    checker = Passwords()
    assert not await checker.check(None, "anything")
    panel.core.user_list["odd"] = UserMessage(name="odd", role="installer", password_hash="plain", must_change=False)
    assert (await panel.login("odd", "plain")).status_code == 401


def test_generated_passwords_differ_and_pass_the_rules() -> None:
    """59 bits, no look-alikes."""
    made = {generate() for _ in range(50)}
    assert len(made) == 50
    assert all(len(p) == 14 and not set(p) & set("0o1li") for p in made)


async def test_login_form_needs_its_own_token(panel: Panel) -> None:
    """Login CSRF: a form from elsewhere logs nobody in."""
    data = {"csrf": "", "user": "tina", "password": PASSWORD}
    assert (await panel.client.post("/login", data=data)).status_code == 403
    foreign = httpx.AsyncClient(transport=panel.client._transport, base_url=ORIGIN, headers={"origin": ORIGIN})
    token = token_in((await panel.client.get("/login")).text)
    assert (await foreign.post("/login", data=data | {"csrf": token})).status_code == 403


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/\x00"]
)
async def test_login_leads_nowhere_else(panel: Panel, onward: str) -> None:
    """No open redirect, neither here nor at the language switch."""
    form = token_in((await panel.client.get("/login")).text)
    data = {"csrf": form, "user": "tina", "password": PASSWORD, "next": onward}
    assert (await panel.client.post("/login", data=data)).headers["location"] == "/"
    switch = await panel.client.get("/language/zh", params={"next": onward})
    assert switch.headers["location"] == "/"
