"""A member's own service card: apply, follow, activate, report lost."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from members.actions import card_life, cards
from members.forms_cards import CardActivateForm, CardApplyForm
from members.models import ConsentPurpose, Person, ServiceCard
from members.own_pages import member_only
from members.queries import cards as queries_cards
from members.queries.card_history import history
from members.queries.privacy import text_in_force
from members.states import CardState
from union_portal import lifecycle
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused
from union_portal.models import Account
from union_portal.views import mine

# What the member reads of each state, and what they can do about it.
NEXT: dict[str, str | Promise] = {
    CardState.DRAFT: gettext_lazy("The application came back: see what is missing, then send it."),
    CardState.UNION_REVIEW: gettext_lazy("Your union checks the application."),
    CardState.CITY_REVIEW: gettext_lazy("The city union checks the application."),
    CardState.READY: gettext_lazy("It goes to the bank with the next batch of the month."),
    CardState.SENT_TO_BANK: gettext_lazy("The bank makes the card, which takes some weeks."),
    CardState.ISSUED: gettext_lazy(
        "The card is there: collect it from your union's office and sign for it."
    ),
    CardState.COLLECTED: gettext_lazy(
        "Activate it at the bank with your identity card and change its PIN; then activate it here."
    ),
    CardState.ACTIVE: gettext_lazy("The card is in use: show it wherever members have benefits."),
    CardState.SUSPENDED: gettext_lazy(
        "Its benefits are stopped for the reason below. Your union's office tells you more."
    ),
    CardState.LOST: gettext_lazy(
        "Its benefits are stopped. Call the bank too: only the bank can block the account."
    ),
}


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]


@require_safe
@member_only
def card(request: HttpRequest, person: Person) -> HttpResponse:
    """The card's face, where it stands, and what to do next."""
    return render(request, "members/card.html", _shown(person))


def _shown(person: Person) -> dict[str, Any]:
    held = queries_cards.card_of(person)
    lost = queries_cards.lost_card_of(person)
    state = held.state if held else ""
    told_of = held or queries_cards.last_card_of(person)
    return {
        "person": person,
        "card": held,
        # A lost one beside the application for another.
        "lost": lost if lost and held and lost.pk != held.pk else None,
        "next": NEXT.get(state, ""),
        "has_face": bool(held and held.last_four),
        "steps": history(told_of) if told_of else [],
        "told_of": told_of,
        "may_take_back": state in cards.APPLICATIONS,
        "may_send": state == CardState.DRAFT,
        "may_activate": state == CardState.COLLECTED,
        "may_report": state in card_life.LOSABLE,
        "may_find": state == CardState.LOST and held is not None and held.activated_on,
        "may_replace": state == CardState.LOST,
        "is_stopped": state in (CardState.LOST, CardState.SUSPENDED),
        "is_active": state == CardState.ACTIVE,
    }


@member_only
def card_apply(request: HttpRequest, person: Person) -> HttpResponse:
    """Apply for a card, or for another in the place of a lost one."""
    held = queries_cards.card_of(person)
    lost = held if held and held.state == CardState.LOST else None
    if held is not None and lost is None:
        return _moved_on(request)
    today = timezone.localdate()
    text = text_in_force(ConsentPurpose.CARD, today)
    form = CardApplyForm(request.POST or None, text=text, only=lost.bank if lost else None)
    status = 200
    if request.method == "POST":
        if form.is_valid() and _applied(request, person, form, lost):
            return redirect("members:card")
        status = 422
    context = {"form": form, "text": text, "lost": lost}
    return render(request, "members/card_apply.html", context, status=status)


def _applied(
    request: HttpRequest, person: Person, form: CardApplyForm, lost: ServiceCard | None
) -> bool:
    try:
        cards.apply(
            person=person,
            bank=form.cleaned_data["bank"],
            by=_account(request),
            today=timezone.localdate(),
            agrees_to=form.cleaned_data["version"],
            replaces=lost,
        )
    except Refused as refusal:
        refuse(form, refusal)
        return False
    messages.success(request, _("Your application is with your union."))
    return True


@member_only
def card_activate(request: HttpRequest, person: Person) -> HttpResponse:
    """Bind the card to the portal by its whole number. Tries are counted."""
    held = _in_state(person, CardState.COLLECTED)
    if held is None:
        return _moved_on(request)
    form, status = CardActivateForm(request.POST or None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and _activated(request, held, form):
            return redirect("members:card")
    context = {"form": form, "card": held}
    return render(request, "members/card_activate.html", context, status=status)


def _activated(request: HttpRequest, held: ServiceCard, form: forms.Form) -> bool:
    now = timezone.now()
    try:
        card_life.activate(
            card=held,
            number=form.cleaned_data["number"],
            by=_account(request),
            today=timezone.localdate(now),
            now=now,
        )
    except Refused as refusal:
        form.add_error("number", str(refusal))
        return False
    messages.success(request, _("Your card is active."))
    return True


@member_only
def card_lost(request: HttpRequest, person: Person) -> HttpResponse:
    """Report the loss: the benefits stop at once, and the page says how to reach the bank."""
    held = _in_state(person, *card_life.LOSABLE)
    if held is None:
        return _moved_on(request)
    if request.method == "POST":
        done = _("The loss is reported and the benefits are stopped. Now call the bank: %(phone)s")
        return _done(
            request,
            lambda: card_life.report_lost(card=held, by=_account(request), now=timezone.now()),
            done % {"phone": held.bank.hotline},
        )
    return render(request, "members/card_lost.html", {"card": held})


@member_only
def card_found(request: HttpRequest, person: Person) -> HttpResponse:
    held = _in_state(person, CardState.LOST)
    if held is None:
        return _moved_on(request)
    if request.method == "POST":
        return _done(
            request,
            lambda: card_life.find_again(card=held, by=_account(request), now=timezone.now()),
            _("Your card is in use again."),
        )
    return render(request, "members/card_found.html", {"card": held})


@member_only
def card_take_back(request: HttpRequest, person: Person) -> HttpResponse:
    held = _in_state(person, *cards.APPLICATIONS)
    if held is None:
        return _moved_on(request)
    if request.method == "POST":
        return _done(
            request,
            lambda: cards.cancel(card=held, by=_account(request), now=timezone.now()),
            _("Your application is taken back."),
        )
    return render(request, "members/card_take_back.html", {"card": held})


@member_only
def card_send_again(request: HttpRequest, person: Person) -> HttpResponse:
    held = _in_state(person, CardState.DRAFT)
    if held is None:
        return _moved_on(request)
    if request.method == "POST":
        return _done(
            request,
            lambda: cards.send_again(card=held, by=_account(request), now=timezone.now()),
            _("Your application is with your union."),
        )
    return render(request, "members/card_send_again.html", {"card": held})


def _in_state(person: Person, *states: CardState) -> ServiceCard | None:
    """The card that counts now, if it stands where the step begins."""
    held = queries_cards.card_of(person)
    return held if held is not None and held.state in states else None


def _done(request: HttpRequest, act: Callable[[], object], told: str) -> HttpResponse:
    try:
        act()
    except lifecycle.Stale:
        return _moved_on(request)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect("members:card")


def _moved_on(request: HttpRequest) -> HttpResponse:
    """An old page or a back button: show how the card stands now."""
    messages.warning(request, _("That is not possible now: this is how the card stands."))
    return redirect("members:card")


def _section(request: HttpRequest, person_id: int) -> dict[str, Any]:
    held = queries_cards.card_of(person_id)
    return {"card": held, "next": NEXT.get(held.state, "") if held else ""}


def _waiting(person: int) -> Iterable[ServiceCard]:
    """Cards with which only the member can go on."""
    states = (CardState.DRAFT, CardState.ISSUED, CardState.COLLECTED)
    return ServiceCard.objects.filter(person=person, state__in=states)[:1]


def _waiting_text(held: Sequence[ServiceCard]) -> str:
    return str(NEXT[held[0].state])


mine.add_section(mine.Section("members/my_card.html", _section, order=5))
mine.add_task(
    mine.Task("service_card", _waiting, _waiting_text, lambda held: reverse("members:card"))
)
mine.add_service(
    mine.Service(
        "card", gettext_lazy("My service card"),
        gettext_lazy("Apply, show the code, report a loss"), lambda: reverse("members:card"), 10,
    ),
    mine.Service(
        "offers", gettext_lazy("Offers"), gettext_lazy("What the card gives, on list and map"),
        lambda: reverse("members:offer-list"), 11,
    ),
)  # fmt: skip
