"""The buttons above the list of service cards: for a whole union or a bank's list at once."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.http import FileResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members import queries
from members.actions import card_exports, card_life, cards
from members.actions.refusals import CardRefused
from members.admin import card_forms, card_sheets
from members.admin.card_steps import page_of
from members.models import Person
from members.queries import cards as queries_cards
from members.rules.card_applicants import REASONS
from members.states import CardState
from union_portal import access, files
from union_portal.access import Permission
from union_portal.admin.buttons import Button, export_button
from union_portal.admin.pages import Told
from union_portal.downloads import download_sheet
from union_portal.fields import keyring
from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.sheets import Limits, SheetError, open_sheet
from union_portal.models import Account

HEADER: Final = "卡号"
_MOST_LISTED: Final = 100_000
_P = Permission


def _apply(obj: None, by: Account, data: dict[str, Any]) -> str:
    print_ = keyring().fingerprint("national_id", data["national_id"])
    person = queries.people_for(by, _P.CARD_APPLY).filter(national_id_index=print_).first()
    if person is None:
        raise CardRefused(
            gettext_noop("Nobody in your area has this identity number."),
            gettext_noop("Compare with the card; people new to the union are registered first."),
            at="national_id",
        )
    card = cards.apply(person=person, bank=data["bank"], by=by, today=timezone.localdate())
    return page_of(card)


def _apply_many(obj: None, by: Account, data: dict[str, Any]) -> Told:
    people = Person.objects.filter(organization__path__startswith=data["organization"].path)
    if listed := data["numbers"]:
        prints = keyring().fingerprint_many("national_id", listed)
        people = people.filter(national_id_index__in=prints)
    done = cards.apply_many(people=people, bank=data["bank"], by=by, today=timezone.localdate())
    left = format_html_join(
        "",
        "<br>{} {}",
        ((count, gettext(REASONS[code][0])) for code, count in sorted(done.left_out.items())),
    )
    left_out = sum(done.left_out.values())
    if missing := max(0, len(listed) - done.count - left_out):
        left = format_html("{}<br>{} {}", left, missing, gettext("Nobody in your area."))
    told = gettext("Left out: %(count)s") % {"count": left_out + missing}
    return Told(
        format_html("{}{}", told, left),
        gettext("%(count)s applications made") % {"count": done.count},
    )


def _check_all(obj: None, by: Account, data: dict[str, Any]) -> Told:
    return _counted(cards.check_all(by=by, now=timezone.now(), **data))


def _approve_all(obj: None, by: Account, data: dict[str, Any]) -> Told:
    return _counted(cards.approve_all(by=by, now=timezone.now(), **data))


def _counted(count: int) -> Told:
    return Told(
        _("Those you took the step before of are left to a colleague."),
        gettext("%(count)s applications went on") % {"count": count},
    )


def _waiting(permission: Permission, state: CardState) -> Any:
    def facts(obj: None, by: Account) -> list[tuple[Any, Any]]:
        return [(_("Waiting for you"), queries_cards.waiting_for(by, permission, state).count())]

    return facts


def _hand_out_list(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    listed = card_life.to_hand_out(data["organization"], by)
    card_exports.begin_hand_out(cards=listed, by=by)
    sheet = BytesIO()
    card_sheets.write_hand_out(sheet, listed)
    return download_sheet(sheet, name=f"cards-to-sign-{timezone.localdate():%Y%m%d}.xlsx")


def _hand_out_all(obj: None, by: Account, data: dict[str, Any]) -> Told:
    union = data["organization"]
    access.require(by, _P.CARD_APPLY, union)
    receipt = files.store(
        purpose=card_life.RECEIPT, name=data["signed_list"].name, content=data["signed_list"],
        subject=union, organization=union, by=by,
    )  # fmt: skip
    count = card_life.hand_out_all(
        organization=union, receipt=receipt, by=by, now=timezone.now(), but=data["unsigned"]
    )
    return Told(
        _("The signed list is kept with each of the cards."),
        gettext("%(count)s cards collected") % {"count": count},
    )


def _activate_listed(obj: None, by: Account, data: dict[str, Any]) -> Told:
    done = card_life.activate_listed(
        numbers=_numbers(data["content"]), by=by, today=timezone.localdate()
    )
    told = gettext(
        "Active before: %(known)s. Never signed for here: %(not_collected)s. Unknown numbers:"
        " %(unknown)s."
    ) % {
        "known": done.known_already,
        "not_collected": done.not_collected,
        "unknown": done.unknown,
    }
    return Told(told, gettext("%(count)s cards activated") % {"count": done.count})


def _numbers(upload: Any) -> list[str]:
    """The card numbers of a bank's list, read in a confined process; the file is not kept.

    Errors: SheetError.
    """
    limits = Limits(max_rows=_MOST_LISTED)
    if upload.size > limits.max_bytes:
        raise SheetError(
            gettext_noop("The file is larger than %(megabytes)s MB."),
            gettext_noop("Split it into several files, or remove pictures from it."),
            {"megabytes": limits.max_bytes // (1024 * 1024)},
        )
    with TemporaryDirectory(prefix="activated-") as folder:
        path = Path(folder) / "list"
        path.touch(mode=0o600)
        path.write_bytes(upload.read())
        with open_sheet(path, expected=[HEADER], limits=limits) as sheet:
            if HEADER not in sheet.headers:
                raise SheetError(
                    gettext_noop("No column is called “%(header)s”."),
                    gettext_noop("Give the column with the card numbers this title."),
                    {"header": HEADER},
                )
            return [_number(row) for row in sheet.rows]


def _number(row: Any) -> str:
    if row.fault is not None:
        raise row.fault
    if HEADER in row.precision_lost:
        raise SheetError(
            gettext_noop("Row %(row)s: the spreadsheet has turned a number into a rounded one."),
            gettext_noop("Ask the bank for the numbers as text: the last digits are lost."),
            {"row": row.number},
        )
    return digits_as_typed(row.cells[HEADER])


def _export(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    chosen = card_exports.begin(by=by, kind=data["kind"])
    sheet = BytesIO()
    card_sheets.write_cards(sheet, chosen, kind=data["kind"])
    return download_sheet(sheet, name=f"cards-{timezone.localdate():%Y%m%d}.{data['kind']}")


LIST_BUTTONS = (
    Button(
        name="apply",
        label=_("Apply for a member"),
        permission=_P.CARD_APPLY,
        act=_apply,
        explain=_("One member who stands at the desk. A colleague checks it."),
        done=_("The application waits for the union's check."),
        form_for=card_forms.apply_form,
    ),
    Button(
        name="apply-many",
        label=_("Apply for many"),
        permission=_P.CARD_APPLY,
        act=_apply_many,
        explain=_(
            "For a union or a list of it. Who has no membership, no phone, no consent or a card"
            " already is left out, and counted by reason."
        ),
        form_for=card_forms.apply_many_form,
    ),
    Button(
        name="check-all",
        label=_("Check all that wait"),
        permission=_P.CARD_CHECK,
        act=_check_all,
        explain=_("You confirm that these are members of the union."),
        facts=_waiting(_P.CARD_CHECK, CardState.UNION_REVIEW),
        form_for=card_forms.union_form(_P.CARD_CHECK),
    ),
    Button(
        name="approve-all",
        label=_("Approve all that wait"),
        permission=_P.CARD_APPROVE,
        act=_approve_all,
        explain=_("They wait for the bank's next batch from then on."),
        facts=_waiting(_P.CARD_APPROVE, CardState.CITY_REVIEW),
        form_for=card_forms.union_form(_P.CARD_APPROVE),
    ),
    Button(
        name="hand-out-list",
        label=_("List to sign"),
        permission=_P.CARD_APPLY,
        act=_hand_out_list,
        explain=_("The cards of a union that wait to be collected, to print and have signed."),
        form_for=card_forms.union_form(_P.CARD_APPLY),
    ),
    Button(
        name="hand-out-all",
        label=_("Signed list came back"),
        permission=_P.CARD_APPLY,
        act=_hand_out_all,
        explain=_("All cards of the union that wait count as collected, but those you name."),
        form_for=card_forms.hand_out_form,
    ),
    Button(
        name="activate-listed",
        label=_("Activated at the bank"),
        permission=_P.CARD_BATCH,
        act=_activate_listed,
        explain=_("The bank's list of activated cards. The file itself is not kept."),
        form=card_forms.ActivatedForm,
    ),
    export_button(_export, form=card_forms.ExportForm),
)
