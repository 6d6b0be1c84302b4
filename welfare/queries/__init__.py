"""What one may see of payments and statements: why, in order, and how much."""

from welfare.queries.why import Event, Tone, messages, paid_at, timeline

__all__ = ["Event", "Tone", "messages", "paid_at", "timeline"]
