"""Core's figures as Prometheus text."""

from siteward.model.live import Health, LineView, LiveView


def prometheus(health: Health, lines: tuple[LineView, ...], view: LiveView | None) -> str:
    """Text exposition format 0.0.4."""
    rows = [
        ("siteward_turns_total", "counter", "", health.turn),
        ("siteward_turn_age_seconds", "gauge", "", health.turn_age_s),
        ("siteward_turn_seconds", "gauge", "", health.turn_ms / 1000),
        ("siteward_commit_age_seconds", "gauge", "", health.commit_age_s),
        ("siteward_store_ok", "gauge", "", int(health.store_ok)),
        ("siteward_uptime_seconds", "counter", "", health.uptime_s),
        ("siteward_journal_seq", "counter", "", health.last_seq),
        ("siteward_journal_acked_seq", "counter", "", health.acked_seq),
    ]
    rows += [("siteward_line_load", "gauge", f'{{line="{line.id}"}}', line.load) for line in lines]
    rows += [("siteward_line_open", "gauge", f'{{line="{line.id}"}}', int(line.open)) for line in lines]
    if view is not None:
        rows.append(("siteward_alarms", "gauge", "", len(view.alarms)))
        rows += [
            (
                "siteward_feeder_reserved_amps",
                "gauge",
                f'{{feeder="{feeder.id}",phase="L{i + 1}"}}',
                feeder.reserved_a[i],
            )
            for feeder in view.feeders
            for i in range(3)
        ]
    text: list[str] = []
    seen: set[str] = set()
    for name, kind, labels, value in rows:
        if name not in seen:
            text.append(f"# TYPE {name} {kind}")
            seen.add(name)
        text.append(f"{name}{labels} {value}")
    return "\n".join(text) + "\n"
