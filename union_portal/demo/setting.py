"""What every scene of the demo shares: the day, the federation, its staff and its fund."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from union_portal import workdays
from union_portal.demo.waiting import DemoStopped
from union_portal.models import Account, Holiday, Organization
from welfare.disbursement.models import Fund

# Notices run five working days; nine plain days back is enough but for long holidays.
DAYS_BACK = 9
NOTICE_DAYS = 5
# Days off that never move, and some that do, until the State Council has announced the year.
_ASSUMED_DAYS_OFF = (
    *((1, 1), (4, 5), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)),
    *((2, 9), (2, 10), (2, 11), (2, 12), (6, 10), (9, 25)),
)


@dataclass
class Setting:
    """The stage on which the scenes are played."""

    today: date
    city: Organization = field(init=False)
    staff: dict[str, Account] = field(init=False, default_factory=dict)
    fund: Fund = field(init=False)

    @property
    def period(self) -> str:
        return str(self.today.year)

    def past(self) -> date:
        """A working day far enough back for a notice posted on it to have ended."""
        calendar = workdays.calendar()
        day = self.today - timedelta(days=DAYS_BACK)
        while not (
            calendar.is_workday(day)
            and calendar.window_end(day, days=NOTICE_DAYS, counts_first_day=True) < self.today
        ):
            day -= timedelta(days=1)
        return day

    def before(self, count: int, hour: int) -> datetime:
        """That hour of the working day that lies so many of them before today."""
        calendar, day = workdays.calendar(), self.today
        while count:
            day -= timedelta(days=1)
            count -= calendar.is_workday(day)
        return timezone.make_aware(datetime.combine(day, time(hour)))

    def assume_holidays(self) -> None:
        """Fill in years that the demo's notices reach and nobody has entered yet."""
        known = workdays.calendar().known_years
        reached = {(self.today + timedelta(days=days)).year for days in (-30, 0, 30)}
        for year in sorted(reached - known):
            for month, day in _ASSUMED_DAYS_OFF:
                if not Holiday.objects.filter(day=date(year, month, day)).exists():
                    workdays.enter(
                        day=date(year, month, day),
                        is_workday=False,
                        name="演示假定的假日",
                        source="演示假定，请按国务院办公厅通知更正",
                        by=self.staff["he"],
                    )

    def checker_of(self, county: Organization) -> Account:
        """Whoever checks for a county, an industry union or a directly affiliated one."""
        for name, account in self.staff.items():
            held = account.roles.filter(role="county_checker").first()
            if name.startswith("shi") and held and county.path.startswith(held.organization.path):
                return account
        raise DemoStopped(f"nobody checks for {county}")
