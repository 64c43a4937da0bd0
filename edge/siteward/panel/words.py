"""The panel's own words in English and Chinese; alarm and refusal sentences come from siteward.model."""

from typing import Final

from siteward.model.sentences import Sentence
from siteward.panel.phrases_frame import FRAME
from siteward.panel.phrases_session import SESSION
from siteward.panel.phrases_site import SITE

LANGUAGES: Final = ("en", "zh")

WORDS: Final[dict[str, Sentence]] = {**FRAME, **SITE, **SESSION}
"""Every key that a template or the code uses; tests/siteward/panel/test_words.py pins both languages."""


def word(key: str, language: str, **values: object) -> str:
    """The sentence of a key in a language, `{name}` filled in. Raises KeyError for a key that is not in WORDS."""
    return say(WORDS[key], language, **values)


def say(sentence: Sentence, language: str, **values: object) -> str:
    """A sentence in a language, `{name}` filled in."""
    text = sentence.zh if language == "zh" else sentence.en
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text
