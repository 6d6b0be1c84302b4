"""The end of a log, shown where something failed."""

from pathlib import Path


def last_lines(*logs: Path, lines: int = 12) -> str:
    """The last lines of these files taken together, indented."""
    text = "".join(log.read_text("utf-8", "replace") for log in logs if log.exists())
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (empty)"
