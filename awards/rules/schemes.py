"""The clauses of the three schemes, each written once.

Source: 西安市《市级劳模专项补助资金管理暂行办法》 (2019), the sample that ships with the
product. Amounts, ages and days are parameters of the rule set. X1 to X16 number its rules;
tests/awards/test_rules.py goes through them one by one. What the Measures leave open is a
parameter and said so there.
"""

from django.utils.translation import gettext_noop as _

from awards.rules.clauses import Award, Clause, SchemeRules
from awards.rules.expressions import (
    AtLeast,
    AtMost,
    Fact,
    Given,
    Not,
    OneOf,
    all_of,
    any_of,
    when,
)

FESTIVAL = "festival_gift"
HARDSHIP = "special_hardship"
LIVING = "living_allowance"

# Under which the city may refuse a special hardship, each with what it asks.
REFUSABLE = {
    "X3": _("a municipal model worker, alive and keeping the honour"),
    "X6": _("one of the grounds: illness, livelihood, or disaster"),
    "X6(a)": _(
        "a major or chronic illness in the family whose costs stay heavy after insurance and aid"
    ),
    "X6(b)": _("lay-off, lost work capacity, or schooling within China"),
    "X6(c)": _("a natural disaster, or an accident in the family"),
    "X7": _("one subsidy a year, by degree of hardship, within the band"),
    "X11": _("home visit and review come before the decision"),
}

# X3: a municipal model worker, alive and keeping the honour.
_BENEFICIARY = (
    Clause("X3", Fact("is_municipal"), _("Holds no municipal model-worker title.")),
    Clause("X3", Fact("is_alive"), _("Is no longer alive, according to the register.")),
    Clause("X3", Fact("retains_honour"), _("The honour was revoked or is not retained.")),
    Clause(
        "X3",
        when(Given("requires_verification"), Fact("is_verified")),
        _("Not yet verified for %(period)s as alive and keeping the honour."),
        holds=_("Municipal model worker, alive and keeping the honour in %(period)s."),
        names=("period",),
    ),
)

FESTIVAL_GIFT = SchemeRules(
    FESTIVAL,
    _BENEFICIARY,
    (
        Award(
            "X5",
            Fact("in_hardship"),
            Given("hardship_standard_fen"),
            _("In hardship in %(period)s: the year's standard of %(amount_fen)s yuan instead."),
        ),
        Award("X4", None, Given("gift_fen"), _("Festival gift of %(amount_fen)s yuan.")),
    ),
)

LIVING_ALLOWANCE = SchemeRules(
    LIVING,
    (
        *_BENEFICIARY,
        Clause(
            "X8",
            Fact("is_farmer"),
            _("Is not a farmer model worker."),
            holds=_("Farmer model worker; the year of conferral does not matter."),
        ),
        Clause(
            "X8",
            any_of(
                Fact("has_lost_work_capacity"),
                all_of(Fact("is_male"), AtLeast(Fact("age"), Given("male_from_age"))),
                all_of(Not(Fact("is_male")), AtLeast(Fact("age"), Given("female_from_age"))),
            ),
            _(
                "Aged %(age)s on %(age_on)s: men are entitled from %(male_from_age)s, women"
                " from %(female_from_age)s, or after losing work capacity."
            ),
            holds=_("Aged %(age)s on %(age_on)s, or without work capacity."),
            names=("age", "age_on", "male_from_age", "female_from_age"),
        ),
    ),
    (Award("X8", None, Given("allowance_fen"), _("Living allowance of %(amount_fen)s yuan.")),),
)

_IS_ILLNESS = OneOf(Fact("ground"), ("illness",))
_IS_LIVELIHOOD = OneOf(Fact("ground"), ("livelihood",))
_IS_DISASTER = OneOf(Fact("ground"), ("disaster",))

_IS_NAMED = any_of(_IS_ILLNESS, _IS_LIVELIHOOD, _IS_DISASTER)

# X6: only the named grounds; (a) counts what stays after four other reliefs.
_GROUNDS = (
    Clause("X6", _IS_NAMED, _("None of the grounds (a), (b) and (c) is named.")),
    Clause(
        "X6(a)",
        when(_IS_ILLNESS, OneOf(Fact("patient"), ("self", "parent", "spouse", "child"))),
        _("Ground (a) covers illness of oneself, a parent, the spouse or a child only."),
    ),
    Clause(
        "X6(a)",
        when(_IS_ILLNESS, Fact("is_serious")),
        _("Ground (a) covers a major or chronic illness only."),
    ),
    Clause(
        "X6(a)",
        when(_IS_ILLNESS, Fact("are_reliefs_stated")),
        _(
            "State what basic insurance, major-illness insurance, medical assistance and the"
            " aid to workers in hardship have paid; write 0 where they paid nothing."
        ),
    ),
    Clause(
        "X6(a)",
        when(_IS_ILLNESS, AtLeast(Fact("remaining_fen"), Given("heavy_from_fen"))),
        _("After all other relief the self-paid cost stays below %(heavy_from_fen)s yuan."),
        names=("heavy_from_fen",),
    ),
    Clause(
        "X6(b)",
        when(
            _IS_LIVELIHOOD,
            OneOf(Fact("cause"), ("lay_off", "unemployment", "lost_work_capacity", "schooling")),
        ),
        _("Ground (b) covers lay-off, unemployment, lost work capacity and schooling only."),
    ),
    Clause(
        "X6(b)",
        when(
            all_of(_IS_LIVELIHOOD, OneOf(Fact("cause"), ("schooling",))),
            Fact("is_school_in_china"),
        ),
        _("Ground (b) covers schooling within China only."),
    ),
    Clause(
        "X6(c)",
        when(_IS_DISASTER, OneOf(Fact("cause"), ("natural_disaster", "family_accident"))),
        _("Ground (c) covers a natural disaster or an accident in the family only."),
    ),
    # Said once, when no ground is left that could refuse.
    Clause(
        "X6",
        _IS_NAMED,
        _("None of the grounds (a), (b) and (c) is named."),
        holds=_("A named ground of special hardship is stated and covered."),
    ),
)

_ONCE = Clause(
    "X7",
    Not(Fact("has_other_case")),
    _("A special hardship subsidy for %(period)s was already granted or is under way."),
    holds=_("The only special hardship subsidy for %(period)s."),
    names=("period",),
)

# X7: from the least to the most, both of them possible.
WITHIN_BAND = all_of(
    AtLeast(Fact("amount_fen"), Given("least_fen")),
    AtMost(Fact("amount_fen"), Given("most_fen")),
)

HARDSHIP_APPLICATION = SchemeRules(HARDSHIP, (*_BENEFICIARY, *_GROUNDS, _ONCE))

SPECIAL_HARDSHIP = SchemeRules(
    HARDSHIP,
    (
        *HARDSHIP_APPLICATION.clauses,
        Clause(
            "X11",
            Fact("is_visited"),
            _("No home visit has confirmed the need."),
            holds=_("The grassroots union confirmed the need at a home visit."),
        ),
        Clause(
            "X11",
            Fact("is_reviewed"),
            _("The county has not reviewed the application."),
            holds=_("The county reviewed the application."),
        ),
        Clause(
            "X7",
            WITHIN_BAND,
            _("A payment lies between %(least_fen)s and %(most_fen)s yuan."),
            names=("least_fen", "most_fen"),
        ),
    ),
    (
        Award(
            "X7",
            None,
            Fact("amount_fen"),
            _("Special hardship subsidy of %(amount_fen)s yuan, by degree of hardship."),
        ),
    ),
)

SCHEMES = {FESTIVAL: FESTIVAL_GIFT, HARDSHIP: SPECIAL_HARDSHIP, LIVING: LIVING_ALLOWANCE}
