"""What is shown of personal data to those who may not see it whole."""

_ACCOUNT_STARS = "*" * 12
_NAME_MARKS = frozenset("·• -'")


def _middle_masked(text: str, head: int, tail: int) -> str:
    """Keep ``head`` and ``tail`` characters; a text too short for both is masked whole."""
    hidden = len(text) - head - tail
    if hidden < max(1, tail):
        return "*" * len(text)
    return text[:head] + "*" * hidden + text[-tail:]


def mask_id(number: str) -> str:
    """Identity number as ``610***********123X``."""
    return _middle_masked(number.strip(), 3, 4)


def mask_phone(number: str) -> str:
    """Phone number as ``138****1234``."""
    return _middle_masked(number.strip(), 3, 4)


def mask_account(number: str) -> str:
    """Bank account as twelve stars and the last four, hiding its length as well."""
    plain = number.strip()
    return _ACCOUNT_STARS + (plain[-4:] if len(plain) >= 8 else "")


def _is_variation_selector(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


def mask_name(name: str) -> str:
    """Name as ``张*明`` or ``李*``; dots and spaces of longer names stay where they are."""
    characters = [c for c in name.strip() if not _is_variation_selector(c)]
    if len(characters) < 2:
        return "*" * len(characters)
    last = len(characters) - 1 if len(characters) > 2 else -1
    return "".join(
        c if position in (0, last) or c in _NAME_MARKS else "*"
        for position, c in enumerate(characters)
    )
