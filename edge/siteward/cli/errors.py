"""What a command could not do, with what to do next."""

from siteward.model.errors import SitewardError


class CommandFailed(SitewardError):
    """Exit status 1: the sentence says what did not hold, the advice what to do next."""

    def __init__(self, sentence: str, advice: str = "", code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice
        self.code = code
