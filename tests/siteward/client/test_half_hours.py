"""S-77: half-hour tables of Chinese practice become a tariff, or every wrong cell is named."""

import pytest

from siteward.client.half_hours import Head, read_table
from siteward.client.tariff_form import BadTariff, read_tariff

HEAD = Head("SZ", 1, "2026-07-01T00:00:00+08:00", "Asia/Shanghai")
PRICES = "时段,电价,服务费\n尖,1.4321,0.8\n峰,1.1009,0.6\n平,0.7007,0.6\n谷,0.3003,0.4\n"
CELLS = ["谷"] * 16 + ["峰"] * 6 + ["平"] * 15 + ["尖"] * 3 + ["平"] * 8


def test_48_columns_are_a_day() -> None:
    read = read_tariff(read_table(f"\ufeff{PRICES}每天,{','.join(CELLS)}\n", HEAD))
    assert [(s.begin_min, s.end_min, s.price) for s in read.days[0].stretches] == [
        (0, 480, "valley"),
        (480, 660, "peak"),
        (660, 1110, "flat"),
        (1110, 1200, "sharp"),
        (1200, 1440, "flat"),
    ]
    first = read.prices[0]
    assert (first.id, first.name, str(first.energy), str(first.service)) == ("sharp", "尖", "1.4321", "0.8000")


def test_48_rows_are_the_same_day() -> None:
    rows = [f"{i // 2:02d}:{i % 2 * 3}0,{cell}" for i, cell in enumerate(CELLS)]
    spans = [f"{i // 2}:{i % 2 * 3}0-{(i + 1) // 2}:{(i + 1) % 2 * 3}0,{cell}" for i, cell in enumerate(CELLS)]
    wide = read_table(f"{PRICES}每天,{','.join(CELLS)}", HEAD)
    assert read_table(PRICES + "\n".join(rows), HEAD) == wide
    assert read_table(PRICES + "\n".join(spans), HEAD) == wide


def test_months_weekends_and_holidays_have_their_own_rows() -> None:
    rows = [
        f"{days},{','.join([word] * 48)}"
        for days, word in (("工作日", "峰"), ("周末", "平"), ("节假日", "谷"), ("7-8月", "尖"))
    ]
    read = read_tariff(read_table(PRICES + "\n".join(rows), HEAD))
    assert [(sorted(p.weekdays), p.holidays, p.first is not None) for p in read.days] == [
        ([0, 1, 2, 3, 4], False, False),
        ([5, 6], False, False),
        ([], True, False),
        ([0, 1, 2, 3, 4, 5, 6], False, True),
    ]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            f"{PRICES}每天,{','.join([*CELLS[:10], '封', *CELLS[11:]])}",
            "row 6, column 12 (05:00): '封' is no period; write 尖, 峰",
        ),
        (f"{PRICES}每天,{','.join([*CELLS[:10], '', *CELLS[11:]])}", "row 6, column 12 (05:00): is empty; write 尖"),
        (f"{PRICES}每天,{','.join(CELLS[:47])}", "row 6: has 47 half hours; write all 48"),
        (f"峰,1.10091\n每天,{','.join(['峰'] * 48)}", "row 1, column 2: '1.10091' is no price; write it like 1.2345"),
        (
            f"峰,1,2,3\n每天,{','.join(['峰'] * 48)}",
            "row 1: a price line is period, energy price, service price; this has 4",
        ),
        (f"峰,1\n峰,2\n每天,{','.join(['峰'] * 48)}", "row 2, column 1: the price of 峰 is given twice"),
        (f"峰,1\n每天,{','.join(['平'] * 48)}", "no price for 平; add a line such as 平,1.2345,0.8000"),
        ("峰,1\n00:00,峰\n00:30,峰", "no period for 01:00, 01:30, 02:00, 02:30, 03:00, 03:30 ...; write all 48"),
        ("峰,1\n00:10,峰", "row 2, column 1: '00:10' begins no half hour"),
        ("峰,1\n00:00-01:00,峰", "row 2, column 1: '00:00-01:00' is no half hour; it ends at 00:30"),
        ("峰,1\n00:00,峰\n00:00,峰", "row 3, column 1: 00:00 is given twice"),
        ("峰,1\n00:00,峰,平", "row 2: a half hour has one period beside it; this line has 2"),
        ("峰,1\n13月,峰", "row 2, column 1: '13月' is no period"),
        ("峰,1", "no half hours; write a line of 48 periods"),
        ("", "no half hours"),
    ],
)
def test_every_wrong_cell_is_named(table: str, told: str) -> None:
    with pytest.raises(BadTariff) as caught:
        read_table(table, HEAD)
    assert told in str(caught.value)
