"""The rules of alarms of a site file, for `check`: what is watched, where, and from which figure on."""

from siteward.cli.paint import Grid
from siteward.model.site import Site
from siteward.model.watch import UNITS, AlarmRule

_COLUMNS = ("alarm rule", "about", "figure", "below", "above", "for s", "severity", "from")


def grid(site: Site) -> list[Grid]:
    """One table of all rules, the installer's named as such."""
    return [Grid("", _COLUMNS, [_row(rule) for rule in site.alarms])] if site.alarms else []


def _row(rule: AlarmRule) -> tuple[str, ...]:
    narrow = rule.device or rule.profile or (rule.supply.value if rule.supply is not None else "")
    about = f"{rule.on.value} {narrow}".rstrip()
    unit = UNITS[rule.what]
    bounds = ("" if bound is None else f"{bound:g} {unit}".rstrip() for bound in (rule.below, rule.above))
    own = "site.toml" if rule.own else "shipped"
    return rule.id, about, rule.what.value, *bounds, f"{rule.after_s:g}", rule.severity.value, own
