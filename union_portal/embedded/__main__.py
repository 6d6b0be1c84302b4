"""The sub-commands of `./portal`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from union_portal.embedded import demo, running, suite
from union_portal.embedded.places import LauncherError
from union_portal.embedded.signals import Interrupted, listen


def called_from() -> Path:
    """The folder the user typed the command in; the script itself changes to the checkout."""
    return Path(os.environ.get("PORTAL_CALLED_FROM") or Path.cwd())


def positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def port(text: str) -> int:
    number = positive(text)
    if number > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; ports go up to 65535")
    return number


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="./portal",
        description="The union portal on this machine. Settings: see .env.example.",
    )
    commands = top.add_subparsers(dest="command", metavar="command", required=True)
    show = commands.add_parser("demo", help="pay a festival gift for real, then serve the site")
    show.add_argument("--no-serve", action="store_true", help="end after the run, without a site")
    show.add_argument("--out", metavar="DIR", type=Path, help="leave files and summary.json there")
    show.add_argument("--people", metavar="N", type=positive, help="how many invented people")
    show.add_argument("--port", metavar="N", type=port, help="port of the site, else from 8000")
    commands.add_parser("test", help="every check and test; with arguments: pytest with them")
    commands.add_parser("bench", help="one of bench/, on servers that keep what they write")
    commands.add_parser("manage", help="manage.py on the demo's private servers")
    commands.add_parser("status", help="what runs")
    commands.add_parser("stop", help="end the demo and the private servers")
    commands.add_parser("help", help="this text")
    return top


def manage(arguments: Sequence[str]) -> int:
    # The command shares our terminal and answers Ctrl-C itself.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    return suite.manage(arguments, called_from=called_from())


# Commands whose arguments are another program's.
PASSED_ON: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "test": suite.suite,
    "bench": suite.bench,
    "manage": manage,
}


def main(argv: Sequence[str]) -> int:
    if argv and argv[0] in PASSED_ON:
        return PASSED_ON[argv[0]](argv[1:])
    if not argv or argv[0] == "help":
        parser().print_help()
        return 0
    options = parser().parse_args(argv)
    if options.command == "status":
        return running.status()
    if options.command == "stop":
        return running.stop()
    out = (called_from() / options.out).resolve() if options.out else None
    wish = demo.Wish(not options.no_serve, out, options.people, options.port)
    return demo.demo(wish)


def run(argv: Sequence[str]) -> int:
    """`main`, with every way out made an exit status."""
    listen()
    try:
        return main(argv)
    except LauncherError as error:
        print(f"portal: {error}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print(f"portal: ended by {interrupted}", file=sys.stderr)
        return 128 + interrupted.number


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
