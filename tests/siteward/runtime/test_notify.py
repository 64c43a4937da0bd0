"""sd_notify on path sockets and abstract sockets, and silence where there is no systemd (fault 62)."""

import socket

import pytest

from siteward.runtime.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_the_word_reaches_systemd(tmp_path, abstract):
    name = f"@{tmp_path.name}-siteward" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name[1:] if abstract else name)
        Notifier({"NOTIFY_SOCKET": name}).send("READY=1")
        assert listener.recv(64) == b"READY=1"


def test_no_systemd_and_a_lost_socket_are_silent(tmp_path):
    silent = Notifier({})
    lost = Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert silent.send("WATCHDOG=1") is None
    assert lost.send("WATCHDOG=1") is None
