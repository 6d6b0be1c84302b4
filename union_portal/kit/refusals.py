"""How the kit says no: what is wrong and how to mend it, in the reader's language."""

from collections.abc import (
    Mapping,
    Sequence,
)
from typing import Any, Final

from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from django.utils.translation import gettext, gettext_noop

# So many characters make a sentence that somebody else understands later.
SENTENCE: Final = 10
FAULTS_SHOWN: Final = 200


class Refused(ValueError):
    """Input that cannot be accepted.

    Holds message ids marked with ``gettext_noop`` and translates them only when they are
    read, so that one refusal found by a worker is shown to each reader in their language.
    Neither message nor parameters may hold personal data: refusals are logged. `at` is the
    question that is to be answered otherwise, by its name in the form, where it is one alone.
    """

    def __init__(
        self,
        message: str,
        remedy: str = "",
        params: Mapping[str, Any] | None = None,
        *,
        at: str = "",
    ) -> None:
        super().__init__(message, remedy, dict(params or {}))
        self.at = at
        self.message_id = message
        self.remedy_id = remedy
        self.params: dict[str, Any] = dict(params or {})

    def _told(self, message_id: str) -> str:
        if not message_id:
            return ""
        try:
            text = gettext(message_id)
        except (ImproperlyConfigured, AppRegistryNotReady):
            text = message_id  # a refusal during start-up is still readable
        return text % self.params if self.params else text

    @property
    def message(self) -> str:
        """What is wrong, translated."""
        return self._told(self.message_id)

    @property
    def remedy(self) -> str:
        """How to mend it, translated; may be empty."""
        return self._told(self.remedy_id)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ManyRefused(Refused):
    """Input that is wrong in several places; `faults` are all of them, in the form's order."""

    def __init__(self, faults: Sequence[Refused]) -> None:
        first = faults[0]
        super().__init__(first.message_id, first.remedy_id, first.params, at=first.at)
        self.faults = list(faults)


class FileRefused(Refused):
    """A file that can't be written or read; `faults` are all of its faults, in order."""

    def __init__(self, message: str, faults: Sequence[Refused] = ()) -> None:
        super().__init__(message, params={"count": len(faults)})
        self.faults = list(faults)

    def __str__(self) -> str:
        return "\n".join([self.message, *(str(fault) for fault in self.faults[:FAULTS_SHOWN])])


def require_text(text: str, message: str, remedy: str, *, shortest: int = 1) -> str:
    """Text with something in it, without space around it. Errors: Refused with the message."""
    said = text.strip()
    if len(said) < shortest:
        raise Refused(message, remedy)
    return said


def require_sentence(text: str, message: str, remedy: str) -> str:
    """What money or a person depends on, said so that others understand it later.

    Errors: Refused with the message for fewer characters than `SENTENCE`.
    """
    return require_text(text, message, remedy, shortest=SENTENCE)


def require_words(text: str) -> str:
    """What somebody has to say in their own words. Errors: Refused if they say nothing."""
    return require_text(
        text, gettext_noop("The text is missing."), gettext_noop("Write what you want to say.")
    )
