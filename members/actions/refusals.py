"""Why an action says no."""

from union_portal.kit.refusals import Refused


class PeopleRefused(Refused):
    """The step can't be taken as asked; the text names what and how to mend it."""


class CardRefused(Refused):
    """A step of a service card that can't be taken as asked."""


class BenefitRefused(Refused):
    """A step on merchants, agreements, offers or programmes that can't be taken as asked."""
