"""Word to systemd: ready, alive, stopping; silent where there is no systemd."""

import socket
from collections.abc import Mapping


class Notifier:
    """Sends sd_notify datagrams to the socket that the environment names; a leading @ is the abstract name space."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name

    def send(self, word: str) -> None:
        """Send one word such as READY=1, WATCHDOG=1 or STOPPING=1; never raises for want of a listener."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as speaker:
            try:
                speaker.sendto(word.encode(), self._address)
            except OSError:
                # Without the word systemd's watchdog ends us, which is what a lost notify socket deserves.
                return
