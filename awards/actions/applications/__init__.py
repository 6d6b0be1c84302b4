"""Special hardship: application, home visit, review, decision, in this order (X6, X7, X11).

Whoever visits, reviews and decides are three different people, none of them the applicant;
the database counts too. Every step shows to the member at once.
"""

from awards.actions.applications.applying import apply, resubmit, take_back
from awards.actions.applications.deciding import decide, refuse
from awards.actions.applications.reviewing import require_turn, return_, review, visit
from awards.actions.applications.uploads import Upload

__all__ = [
    "Upload",
    "apply",
    "decide",
    "refuse",
    "require_turn",
    "resubmit",
    "return_",
    "review",
    "take_back",
    "visit",
]
