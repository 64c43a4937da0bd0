"""What a run over real sessions comes to: energy delivered and owed, fairness between drivers, limits broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.months.depot import Stay

SHORT = 0.9
"""A driver who leaves with less than this share of what he wanted is short."""


def figures(stays: Sequence[Stay], got_wh: Mapping[int, float], broken: int) -> dict[str, float]:
    """Figures of one run: shares of the energy that could have flowed at 32 A in each stay.

    owed_kwh counts against what each car wanted and could have had; worst is the smallest share that a driver got;
    jain is Jain's index of these shares: 1 = all drivers got the same share.
    """
    shares = [min(1.0, got_wh.get(stay.number, 0.0) / stay.most_wh) for stay in stays if stay.most_wh > 0.0]
    wanted = sum(stay.most_wh for stay in stays)
    got = sum(min(stay.most_wh, got_wh.get(stay.number, 0.0)) for stay in stays)
    return {
        "sessions": len(stays),
        "wanted_kwh": round(wanted / 1000.0, 1),
        "delivered_percent": round(100.0 * got / wanted, 3),
        "owed_kwh": round((wanted - got) / 1000.0, 2),
        "short_drivers": sum(share < SHORT for share in shares),
        "worst_percent": round(100.0 * min(shares), 1),
        "jain": round(sum(shares) ** 2 / (len(shares) * sum(s * s for s in shares)), 5),
        "limits_broken": broken,
    }
