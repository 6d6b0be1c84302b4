"""Jobs of the awards app: each calls one action."""

from awards.actions import telling
from union_portal import queue


@queue.work("awards.tell_payments")
def tell_payments(run: queue.Run, *, batch_id: int) -> dict[str, int]:
    """Tell people that their money arrived, failed or came back."""
    return {"messages": telling.tell_payments(batch_id)}
