"""Templates: the one file that knows jinja2; every value is escaped, an unknown name is an error."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from siteward.panel import alarms, arms, details, text, view, vocabulary
from siteward.panel.words import word

HERE = Path(__file__).parent


class Pages:
    """Renders the templates of `panel/templates`."""

    def __init__(self) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._jinja.globals.update(
            alarms_of=alarms, arms=arms, details=details, text=text, view=view, vocabulary=vocabulary
        )

    def render(self, template: str, language: str, **values: Any) -> str:
        """HTML of a template; `t(key)` in it speaks the language."""

        def t(key: str, **fill: object) -> str:
            return word(key, language, **fill)

        return self._jinja.get_template(template).render(values, t=t, lang=language)

    def fragment(self, template: str, language: str, values: Mapping[str, Any]) -> str:
        """HTML of a part of a page, on as few lines as it has."""
        return self.render(template, language, **values).strip()
