"""Counts failed logins per account and per address, and locks either after five."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

TRIES = 5
LOCK_S = 300.0
FORGET_S = 900.0
_MOST_KEYS = 2048


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last_at: float = 0.0
    locked_until: float = 0.0


class LockOut:
    """Five failures lock an account, and an address, for 300 s (fault 72, IEC 62443-4-2 CR 1.11).

    Times are boot-time seconds. Counts are forgotten 900 s after the last failure, and the oldest ones when there are
    more than 2,048, so that a flood of names cannot eat the memory.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def locked(self, account: str, address: str, at: float) -> bool:
        """Whether this account or this address must wait."""
        return any(self._count(key, at).locked_until > at for key in _keys(account, address))

    def failed(self, account: str, address: str, at: float) -> bool:
        """Count one failure; returns whether it locked something that was not locked before."""
        locked = False
        for key in _keys(account, address):
            count = self._count(key, at)
            count.failures += 1
            count.last_at = at
            if count.failures >= TRIES and count.locked_until <= at:
                count.locked_until = at + LOCK_S
                locked = True
            self._counts[key] = count
            self._counts.move_to_end(key)
        while len(self._counts) > _MOST_KEYS:
            self._counts.popitem(last=False)
        return locked

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of both."""
        for key in _keys(account, address):
            self._counts.pop(key, None)

    def _count(self, key: str, at: float) -> _Count:
        count = self._counts.get(key)
        if count is None or (at - count.last_at > FORGET_S) or (count.locked_until and count.locked_until <= at):
            return _Count()
        return count


def _keys(account: str, address: str) -> tuple[str, str]:
    return (f"account {account.lower()}", f"address {_network(address)}")


def _network(address: str) -> str:
    """An IPv6 host owns its whole /64, so that counts as one address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
