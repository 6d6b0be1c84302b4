"""退票: a payment that succeeded comes back days later, after its batch was closed."""

from pathlib import Path

from django.conf import settings

from union_portal.celery import app
from union_portal.demo import cast, waiting
from union_portal.demo.setting import Setting
from welfare.disbursement import formats, simulator
from welfare.disbursement.models import PayoutLine
from welfare.disbursement.register import put_once
from welfare.disbursement.simulator import Payment
from welfare.disbursement.states import BatchState, LineState

SCHEME = "living_allowance"
_CAUSE = "账户已销户"


def give_back(setting: Setting) -> str:
    """The bank returns Tao's living allowance; the exception is left for finance to settle."""
    person = cast.TAO.person()
    line = (
        person
        and PayoutLine.objects.filter(
            entitlement__person=person,
            batch__scheme=SCHEME,
            batch__period=setting.period,
            batch__state=BatchState.CLOSED,
            state=LineState.PAID,
        ).first()
    )
    if not line:
        return "nothing more came back"
    _tell(line)

    def is_back() -> bool:
        line.refresh_from_db()
        return line.state == LineState.RETURNED

    waiting.until(is_back, what=f"return of {line.e2e}")
    return "one payment came back after its batch was closed; an exception is open"


def _tell(line: PayoutLine) -> None:
    """The bank's file of that day, put where its files arrive."""
    number, layout = line.batch.number, formats.layout(line.batch.bank_format)
    late = Payment(
        sequence=line.position,
        e2e=line.e2e,
        account=str(line.account_number),
        amount_fen=line.amount_fen,
        result="returned",
        cause=_CAUSE,
        reference=f"{number}-{line.position:06d}-T",
    )
    put_once(
        Path(settings.BANK_DIR) / "incoming",
        f"{number}-T01.{layout.extension}",
        simulator.write_return(layout, number, [late]),
    )
    app.send_task("disbursement.collect_returns", retry=False)
