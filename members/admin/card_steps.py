"""The buttons of one service card."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.actions import card_life, cards
from members.admin import card_forms
from members.models import ServiceCard
from members.states import CardState
from union_portal import files
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.models import Account

_P = Permission


def page_of(card: ServiceCard) -> str:
    return reverse("admin:members_servicecard_change", args=[card.pk])


def _hand_out(card: ServiceCard, by: Account, data: dict[str, Any]) -> None:
    upload = data["receipt"]
    receipt = None
    if upload is not None:
        receipt = files.store(
            purpose=card_life.RECEIPT, name=upload.name, content=upload, subject=card,
            organization=card.person.organization, by=by,
        )  # fmt: skip
    card_life.hand_out(card=card, by=by, now=timezone.now(), receipt=receipt)


def _activate(card: ServiceCard, by: Account, data: dict[str, Any]) -> None:
    now = timezone.now()
    card_life.activate(card=card, by=by, today=timezone.localdate(now), now=now, **data)


def _replace(card: ServiceCard, by: Account, data: dict[str, Any]) -> str:
    return page_of(cards.replace(card=card, by=by, today=timezone.localdate()))


def _has_other(card: ServiceCard, account: Account) -> Text | None:
    others = ServiceCard.objects.filter(Q(replaces=card) & ~Q(state=CardState.CANCELLED))
    return _("Another card is on its way already.") if others.exists() else None


def _with_number(card: ServiceCard, account: Account) -> Text | None:
    if card.state in cards.APPLICATIONS:
        return None
    return _("The bank has it: the city union cancels it.")


def _send_back(permission: Permission, name: str, state: CardState) -> Button:
    return Button(
        name=name,
        label=_("Return"),
        permission=permission,
        act=lambda obj, by, data: cards.send_back(card=obj, by=by, now=timezone.now(), **data),
        explain=_("Whoever applied reads what is missing and sends it again."),
        done=_("The application is returned."),
        why_not=only_in(state),
        form=ReasonForm,
        danger=True,
    )


def _cancel(permission: Permission, name: str, *reasons: Any) -> Button:
    return Button(
        name=name,
        label=pgettext_lazy("of a card", "Cancel"),
        permission=permission,
        act=lambda obj, by, data: cards.cancel(card=obj, by=by, now=timezone.now(), **data),
        explain=_("For good. A card in the member's hand is closed by the bank alone."),
        done=_("It is cancelled."),
        why_not=every(only_in(*(state for state in CardState if state not in _OVER)), *reasons),
        form=ReasonForm,
        danger=True,
    )


_OVER = (CardState.CANCELLED, CardState.REPLACED)
_OWN = _("You took the step before yourself: a colleague takes this one.")

BUTTONS = (
    Button(
        name="check",
        label=_("Check"),
        permission=_P.CARD_CHECK,
        act=lambda obj, by, data: cards.check(card=obj, by=by, now=timezone.now()),
        explain=_("You confirm that this is a member of the union."),
        done=_("The city union looks at it next."),
        why_not=every(only_in(CardState.UNION_REVIEW), not_by("applied_by", _OWN)),
    ),
    Button(
        name="approve",
        label=_("Approve"),
        permission=_P.CARD_APPROVE,
        act=lambda obj, by, data: cards.approve(card=obj, by=by, now=timezone.now()),
        explain=_("It waits for the bank's next batch from then on."),
        done=_("It waits for the bank's next batch."),
        why_not=every(only_in(CardState.CITY_REVIEW), not_by("checked_by", _OWN)),
    ),
    Button(
        name="send-again",
        label=_("Send again"),
        permission=_P.CARD_APPLY,
        act=lambda obj, by, data: cards.send_again(card=obj, by=by, now=timezone.now()),
        explain=_("What was missing is there now: the union checks it once more."),
        done=_("The application waits for the union's check."),
        why_not=only_in(CardState.DRAFT),
    ),
    Button(
        name="hand-out",
        label=_("Hand out"),
        permission=_P.CARD_APPLY,
        act=_hand_out,
        explain=_("The member holds the card and has signed for it."),
        done=_("The card is collected."),
        why_not=only_in(CardState.ISSUED),
        form=card_forms.ReceiptForm,
    ),
    Button(
        name="activate",
        label=_("Activate"),
        permission=_P.CARD_APPLY,
        act=_activate,
        explain=_("The member has activated it at the bank and shows it to you."),
        done=_("The card is active."),
        why_not=only_in(CardState.COLLECTED),
        form=card_forms.NumberForm,
    ),
    Button(
        name="lost",
        label=_("Report lost"),
        permission=_P.CARD_APPLY,
        act=lambda obj, by, data: card_life.report_lost(
            card=obj, by=by, now=timezone.now(), **data
        ),
        explain=_("The benefits stop at once. The member calls the bank as well."),
        done=_("The card is reported lost. The member calls the bank as well."),
        why_not=only_in(*card_life.LOSABLE),
        facts=lambda obj, by: [(_("Phone of the bank"), obj.bank.hotline)],
        form=ReasonForm,
        danger=True,
    ),
    Button(
        name="found",
        label=_("Found again"),
        permission=_P.CARD_APPLY,
        act=lambda obj, by, data: card_life.find_again(card=obj, by=by, now=timezone.now()),
        explain=_("The member holds it in hand and the bank has lifted its own stop."),
        done=_("The card is in use again."),
        why_not=every(only_in(CardState.LOST), _has_other),
    ),
    Button(
        name="replace",
        label=_("Apply for another"),
        permission=_P.CARD_APPLY,
        act=_replace,
        explain=_("A new card at the same bank. The lost one ends when it is issued."),
        done=_("The application waits for the union's check."),
        why_not=every(only_in(CardState.LOST), _has_other),
    ),
    Button(
        name="suspend",
        label=_("Suspend"),
        permission=_P.CARD_CHECK,
        act=lambda obj, by, data: card_life.suspend(card=obj, by=by, now=timezone.now(), **data),
        explain=_("The benefits stop until it is lifted. The member reads the reason."),
        done=_("The card is suspended."),
        why_not=only_in(CardState.ACTIVE),
        form=ReasonForm,
        danger=True,
    ),
    Button(
        name="lift",
        label=_("Lift the suspension"),
        permission=_P.CARD_CHECK,
        act=lambda obj, by, data: card_life.lift(card=obj, by=by, now=timezone.now(), **data),
        explain=_("The card is used again as before."),
        done=_("The card is in use again."),
        why_not=only_in(CardState.SUSPENDED),
        form=ReasonForm,
    ),
    _send_back(_P.CARD_CHECK, "return", CardState.UNION_REVIEW),
    _send_back(_P.CARD_APPROVE, "return-as-city", CardState.CITY_REVIEW),
    _cancel(_P.CARD_APPLY, "cancel", _with_number),
    _cancel(_P.CARD_APPROVE, "cancel-as-city"),
)
