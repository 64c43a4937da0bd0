"""A sentence for people in both languages: the form of every message of a closed vocabulary."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One message in English and Chinese; `{subject}` is replaced by the thing it speaks about."""

    en: str
    zh: str

    def about(self, subject: str) -> "Sentence":
        """Return the sentence with the thing filled in."""
        return Sentence(self.en.replace("{subject}", subject), self.zh.replace("{subject}", subject))
