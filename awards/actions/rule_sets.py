"""Enter and adopt the sample rule sets."""

from datetime import datetime

from django.db import transaction

from awards import sample_rules
from awards.rules import check
from awards.sample_rules import SampleRules
from union_portal import decisions
from union_portal.models import Account, RuleSet


@transaction.atomic
def install_samples(*, by: Account, second: Account, now: datetime) -> list[RuleSet]:
    """Enter Xi'an's lapsed Measures and the demo's rules; `second` adopts what `by` wrote.

    A sample that is there already is left alone, so that running again adds nothing.
    """
    return [
        made
        for sample in (*sample_rules.XIAN_2019, *sample_rules.DEMO)
        if (made := _install(sample, by=by, second=second, now=now)) is not None
    ]


def _install(sample: SampleRules, *, by: Account, second: Account, now: datetime) -> RuleSet | None:
    if RuleSet.objects.filter(scheme=sample.scheme, title=sample.title).exists():
        return None
    check(sample.scheme, sample.parameters)
    made = decisions.draft(by=by, **vars(sample))
    decisions.adopt(rule_set=made, by=second, now=now)
    return made
