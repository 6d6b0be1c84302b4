"""What no log may hold, taken out of a line of text.

The portal's own log lines are written in English and name rows by number. So whatever is
Chinese in a line came from a person's data or from a sentence made for a person, and goes as a
whole; the same holds for long numbers, for what PostgreSQL tells of a row, for what follows a
question mark in an address, and for secrets. Better too much than a name.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

TEXT, NUMBER, SECRET, DETAILS, QUERY = "[text]", "[number]", "[secret]", "[details]", "[query]"

# Fields and parameters whose value is a person's whatever it looks like.
PERSONAL: Final = frozenset(
    {
        "name", "full_name", "payee", "payee_name", "shown_name", "pinyin", "phone", "mobile",
        "national_id", "id_number", "account_number", "bank_account", "address", "born_on",
        "diagnosis", "medical", "details", "findings", "opinion", "objector", "recipient_name",
    }
)  # fmt: skip
CONFIDENTIAL: Final = frozenset(
    {
        "password", "passwd", "secret", "secret_key", "token", "authorization", "cookie", "keyring",
        "sessionid", "csrftoken", "csrfmiddlewaretoken", "api_key", "requirepass", "pgpassword",
    }
)  # fmt: skip
# An identity number has 18 or 15 places, a card 16 to 19, a phone 11.
DIGITS: Final = 11
# A secret shorter than this would take ordinary words with it.
SHORTEST_SECRET: Final = 8

_WORDS: Final = "|".join(sorted(PERSONAL | CONFIDENTIAL, key=len, reverse=True))
_RULES: Final = re.compile(
    rf"""
    (?P<kept>
        \b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b        # requests and jobs
      | \b(?=[0-9]*[a-f])[0-9a-f]{{32,128}}\b                          # digests
      | \bP20\d{{9}}(?:-\d{{6}})?\b                                      # batches and their lines
    )
  | (?P<details>
        (?-i:\b(?:DETAIL|HINT|CONTEXT|QUERY|STATEMENT)|描述|详细信息|提示|背景|语句)
        \s*[:：][\s\S]*?
        (?=\n\s*\n(?:The\ above\ exception|During\ handling)|\nTraceback\ \(most|\Z)
      | \bKey\ \([^)]*\)=\([\s\S]*?\)(?=\s+(?:already|is|conflicts)|[.\n]|\Z)
      | \bFailing\ row\ contains\ \([\s\S]*?\)\.?(?=\n|\Z)
      | \[(?:SQL|parameters):[\s\S]*?\](?=\n|\Z)
    )
  | (?P<query>(?<=[\w/%.~-])\?[\w.~%+\[\]-]*=[^\s"'<>)\]]*)
  | (?P<login>(?<=://)[^/\s@:]*:[^/\s@]+(?=@))
  | (?P<named>["']?\b(?:{_WORDS})\b["']?\s*[:=]\s*)
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:Bearer\s+|Basic\s+)?[^\s,;)\]}}]+)
  | (?P<text>
        [\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]
        [\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff·•\u3000-\u303f\uff00-\uffef\w（）]*
      | (?:\\u[0-9a-f]{{4}}|\\U000[0-9a-f]{{5}})+
      | (?:\\x[89a-f][0-9a-f]){{2,}}
      | (?:%[89a-f][0-9a-f]){{2,}}(?:%[0-9a-f]{{2}})*
    )
  | (?P<number>(?<!\d)(?<!\d\.)\d{{2,}}(?:[ \u3000-]\d{{2,}})*[Xx]?(?!\d))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SAID: Final = {"details": DETAILS, "query": f"?{QUERY}", "login": SECRET, "text": TEXT}


class Scrubber:
    """Takes out what the rules find, and the secrets of this process wherever they stand."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._secrets: re.Pattern[str] | None = None

    def hide(self, secrets: Iterable[str]) -> None:
        """Never let these values through, whatever stands around them, nor those named before."""
        self._known |= {one for one in secrets if len(one) >= SHORTEST_SECRET}
        longest_first = sorted(self._known, key=len, reverse=True)
        escaped = "|".join(map(re.escape, longest_first))
        self._secrets = re.compile(escaped) if escaped else None

    def text(self, text: str) -> str:
        """The line without what no log may hold."""
        if self._secrets is not None:
            text = self._secrets.sub(SECRET, text)
        return _RULES.sub(_instead, text)

    def value(self, name: str, value: Any) -> Any:
        """One field of a structured line: numbers and truth values stay what they are."""
        word = name.lower()
        if word in PERSONAL:
            return TEXT
        if word in CONFIDENTIAL:
            return SECRET
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(str(key), one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value("", one) for one in value]
        said = self.text(str(value))
        return value if isinstance(value, int | float) and said == str(value) else said


def _instead(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind == "number":
        return NUMBER if _digits(found[0]) >= DIGITS else found[0]
    if kind == "value":
        word = found["named"].strip(" \t\"':=").lower()
        return found["named"] + (SECRET if word in CONFIDENTIAL else TEXT)
    return _SAID.get(kind, found[0])


@lru_cache(maxsize=256)
def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)
