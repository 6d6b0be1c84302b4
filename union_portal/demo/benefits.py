"""The programme of service cards, played after the main job: members, cards, merchants, uses.

Every stage looks first at what is there, as those of the main job do: interrupted and run again
it goes on, and nothing is there twice.
"""

from collections.abc import Callable
from datetime import date

from union_portal import figures
from union_portal.demo import unions
from union_portal.demo.card_desk import CardDesk
from union_portal.demo.cast import Player
from union_portal.demo.members import Members
from union_portal.demo.merchants import Street
from union_portal.demo.register import Register
from union_portal.demo.setting import Setting
from union_portal.demo.statements import Statements
from union_portal.demo.uses import Uses

Stage = tuple[str, Callable[[], str]]


def stages(setting: Setting, players: dict[str, Player]) -> list[Stage]:
    """What is played, in its order: a name, and the work that says in words what it did."""
    uses = Uses(setting, players)
    return [
        ("members", Members(setting).take_over),
        ("cards", lambda: CardDesk(setting, players).play()),
        ("merchants", Street(setting).open),
        ("uses", uses.make),
        ("tills", uses.at_the_till),
        ("statements", Statements(setting).settle),
        ("unions", lambda: unions.report(setting)),
        ("register", Register(setting, players).play),
        ("figures", lambda: _count(setting.today)),
    ]


def _count(today: date) -> str:
    """Today's figures and those of the months before, for the page that counts nothing itself."""
    figures.look_back(today=today)
    figures.keep(today=today)
    return f"{len(figures.registered())} headline figures counted from the rows"
