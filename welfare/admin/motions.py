"""Acts of two people, and the restore gate."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access, roles
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact, Told
from union_portal.admin.scoped import ScopedModelAdmin, federation, reader
from union_portal.admin.trail import Step, trail_of
from union_portal.models import Account
from welfare.admin.shown import breakable, column, link, shown_state, titled, yuan
from welfare.disbursement import gate, motions, replay
from welfare.disbursement.models import (
    Gate,
    Motion,
    MotionKind,
    Result,
    SentMark,
    StrayPayment,
)
from welfare.disbursement.states import GateState, MotionState


def _facts(motion: Motion, account: Account) -> list[tuple[Any, Any]]:
    about = about_of(motion)
    told = [
        (_("What"), motion.get_kind_display()),
        (_("About"), about),
        (_("Moved by"), motion.moved_by),
        (_("Reason"), motion.reason),
    ]
    labels = {"result": _("Result"), "bank_ref": _("Reference")}
    words = {str(result): result.label for result in Result}
    return told + [
        (labels.get(key, key), words.get(value, value)) for key, value in motion.detail.items()
    ]


def about_of(motion: Motion) -> Any:
    """The row a motion is about, as a link."""
    subject = motion.batch or motion.line or motion.entitlement
    return link(subject) if subject is not None else _("restore gate")


def _holds_a_duty(motion: Motion, account: Account) -> Any:
    """Declining takes either of the two duties."""
    duties = motions.DUTIES[MotionKind(motion.kind)]
    if any(access.may(account, duty) for duty in duties):
        return None
    return _("It takes another duty than yours.")


def _holds_the_other_duty(motion: Motion, account: Account) -> Any:
    """Carrying out takes the duty that the mover lacks."""
    if Motion.objects.filter(_carried_out_by(account), pk=motion.pk).exists():
        return None
    return _("It takes another duty than yours.")


def _carried_out_by(account: Account) -> Q:
    """Motions whose mover holds what the account lacks; if the mover holds both, the first duty."""
    carried_out = Q(pk__in=[])
    for kind, (one, other) in motions.DUTIES.items():
        of_kind = Q(kind=kind)
        for duty in (one, other):
            if not access.may(account, duty):
                of_kind &= Q(_mover_holds(duty))
        if not access.may(account, one):
            of_kind &= ~Q(_mover_holds(other))
        carried_out |= of_kind
    return carried_out


def _mover_holds(duty: Permission) -> Exists:
    held = roles.held(today=timezone.localdate()).filter(role__in=access.roles_with(duty))
    return Exists(held.filter(account=OuterRef("moved_by"), account__is_active=True))


@admin.register(Motion)
class MotionAdmin(ScopedModelAdmin):
    """Shown to finance and auditors as a whole: there are few, and all are the city's."""

    section = "money"
    icon = "handshake"
    order = 50
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = None
    list_display = (
        "__str__",
        "about",
        "reason",
        "shown_mover",
        "shown_moved",
        "shown_second",
        shown_state,
    )
    list_filter = (("state", titled(_("state"), admin.ChoicesFieldListFilter)), "kind")
    list_select_related = ("moved_by", "seconded_by", "batch", "line", "entitlement")
    search_fields = ("=batch__number", "=line__e2e", "reason")
    fields = (
        "kind",
        "about",
        "reason",
        "shown_mover",
        "shown_moved",
        "shown_second",
        "shown_seconded",
        shown_state,
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="second",
            label=_("Carry it out"),
            permission=Permission.BATCH_VIEW,
            act=lambda obj, by, data: motions.second(motion=obj, by=by) and None,
            explain=_("You are the second person: what was moved happens now."),
            done=_("It is carried out."),
            why_not=every(
                only_in(MotionState.MOVED),
                not_by("moved_by", _("You moved it yourself: a second person carries it out.")),
                _holds_the_other_duty,
            ),
            facts=_facts,
            reauth=True,
        ),
        Button(
            name="decline",
            label=_("Decline"),
            permission=Permission.BATCH_VIEW,
            act=lambda obj, by, data: motions.decline(motion=obj, by=by, **data) and None,
            explain=_("Nothing happens; the reason is kept."),
            why_not=every(
                only_in(MotionState.MOVED),
                not_by("moved_by", _("You moved it yourself: a colleague declines it.")),
                _holds_a_duty,
            ),
            facts=_facts,
            form=ReasonForm,
            danger=True,
        ),
    )

    shown_mover = column("moved_by", _("moved by"))
    shown_moved = column("moved_at", _("moved at"))
    shown_second = column("seconded_by", _("carried out or declined by"))
    shown_seconded = column("seconded_at", _("carried out or declined at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Motion]:
        rows = super().get_queryset(request).defer("line__account_number")
        return rows if reaches_city(reader(request)) else rows.none()

    @admin.display(description=_("about"))
    def about(self, motion: Motion) -> Any:
        return about_of(motion)

    def facts(self, request: HttpRequest, obj: Motion) -> list[Fact]:
        tone = "wait" if obj.state == MotionState.MOVED else "good"
        told = [Fact(label, value) for label, value in _facts(obj, reader(request))]
        return [Fact(_("State"), obj.get_state_display(), tone), *told]

    def trail(self, request: HttpRequest, obj: Motion) -> list[Step]:
        return trail_of(obj)


def reaches_city(account: Account) -> bool:
    city = federation()
    return city is not None and access.may(account, Permission.BATCH_VIEW, city)


def _replay(obj: Gate, by: Account, data: dict[str, Any]) -> Told:
    left = replay.run()
    if left.is_nothing:
        return Told(_("The register is replayed; nothing remains."), "✓")
    sentence = gettext("Still unknown to the database: %(count)s payments of the batches")
    return Told(sentence % {"count": left.payments}, ", ".join(left.batches))


@admin.register(Gate)
class GateAdmin(ScopedModelAdmin):
    section = "money"
    icon = "gpp_maybe"
    order = 80
    view_permissions = (Permission.GATE_LIFT, Permission.TRAIL_VIEW)
    scope_path = None
    list_display = ("__str__", "cause", "shown_shut")
    fields = (shown_state, "cause", "shown_shut", "shown_server", "shown_timeline")
    readonly_fields = fields
    buttons = (
        Button(
            name="replay",
            label=_("Replay the sent register"),
            permission=Permission.GATE_LIFT,
            act=_replay,
            explain=_("The database is told what was sent. Safe to repeat."),
            why_not=only_in(GateState.SAFE),
            reauth=True,
        ),
        Button(
            name="lift",
            label=_("Move to leave safe mode"),
            permission=Permission.GATE_LIFT,
            act=lambda obj, by, data: replay.lift(by=by, **data) and None,
            explain=_("A second person carries it out, and only if nothing remains."),
            done=_("It waits for a second person."),
            why_not=only_in(GateState.SAFE),
            form=ReasonForm,
            reauth=True,
        ),
    )

    shown_shut = column("shut_at", _("shut at"))
    shown_server = column("system_identifier", _("database server"))
    shown_timeline = column("timeline", _("database timeline"))

    def facts(self, request: HttpRequest, obj: Gate) -> list[Fact]:
        if not obj.is_shut:
            return []
        left = replay.remaining()
        return [
            Fact(_("Batches the database does not know"), len(left.batches), "bad"),
            Fact(_("Payments in them"), left.payments, "bad"),
        ]


@admin.register(SentMark)
class SentMarkAdmin(ScopedModelAdmin):
    section = "money"
    icon = "fact_check"
    order = 81
    view_permissions = (Permission.TRAIL_VIEW, Permission.GATE_LIFT)
    scope_path = None
    list_display = (
        "shown_sequence",
        "batch_number",
        "shown_name",
        "lines_count",
        "total",
        "shown_at",
    )
    search_fields = ("=batch_number",)
    fields = (
        "shown_sequence",
        "batch_number",
        "shown_name",
        "lines_count",
        "total",
        "shown_digest",
        "shown_chain",
        "shown_at",
    )
    readonly_fields = fields
    shows_trail = False

    shown_sequence = column("sequence", _("sequence number"))
    shown_name = column("name", _("file name"))
    shown_at = column("marked_at", _("recorded at"))

    @admin.display(description="SHA-256")
    def shown_digest(self, mark: SentMark) -> Any:
        return breakable(mark.sha256)

    @admin.display(description=_("chain"))
    def shown_chain(self, mark: SentMark) -> Any:
        return breakable(mark.chain)

    @admin.display(description=_("total"))
    def total(self, mark: SentMark) -> str:
        return yuan(mark.total_fen)


@admin.register(StrayPayment)
class StrayPaymentAdmin(ScopedModelAdmin):
    section = "money"
    icon = "person_search"
    order = 82
    view_permissions = (Permission.TRAIL_VIEW, Permission.GATE_LIFT)
    scope_path = None
    list_display = ("e2e", "batch_number", "amount", "shown_found", "shown_placed")
    list_filter = (("placed_at", admin.EmptyFieldListFilter),)
    search_fields = ("=e2e", "=batch_number")

    shown_found = column("found_at", _("found at"))
    shown_placed = column("placed_at", _("placed at"))
    fields = ("e2e", "batch_number", "amount", "shown_found", "shown_placed")
    readonly_fields = fields
    shows_trail = False

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, stray: StrayPayment) -> str:
        return yuan(stray.amount_fen)


def _waiting(account: Account) -> QuerySet[Motion]:
    """What somebody else moved and the account may carry out."""
    if not reaches_city(account):
        return Motion.objects.none()
    moved = Motion.objects.filter(_carried_out_by(account), state=MotionState.MOVED)
    return moved.exclude(moved_by=account)


def _gate_text(account: Account) -> str:
    standing = gate.row()
    if not standing.is_shut:
        return ""
    return gettext("Safe mode: nothing is sent to the bank. %(cause)s") % {"cause": standing.cause}


desk.add_queue(
    desk.Queue(
        "motions",
        _("Acts that wait for a second person"),
        Permission.BATCH_VIEW,
        Motion,
        _waiting,
        icon="handshake",
    )
)
desk.add_caution(desk.Caution((Permission.BATCH_VIEW, Permission.GATE_LIFT), _gate_text))
