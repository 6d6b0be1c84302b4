"""The log: one line an event, with who and for what, and nothing of anybody's data.

Every handler of every process (web, worker, beat, commands) writes through the two forms below,
and both scrub all they write, tracebacks included. `json` is one object a line for machines;
`plain` is for eyes. Knows neither models nor settings: the web server's own process uses it too.
"""

import logging
import logging.config
import sys
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from union_portal.kit.scrub import Scrubber

# The request or job that is being served, and the request itself, to name who asked.
request_id: ContextVar[str] = ContextVar("request_id", default="")
current_request: ContextVar[Any] = ContextVar("current_request", default=None)

FORMS: Final = ("json", "plain")
SCRUBBER: Final = Scrubber()
# Loggers that libraries give handlers of their own: here they have none but ours.
ADOPTED: Final = ("django", "django.server", "celery", "gunicorn.error", "gunicorn.access")
# Our own lines say it shorter, or it would say too much at DEBUG (statements with their values).
QUIETER: Final = {
    "celery.app.trace": "WARNING",
    "celery.worker.strategy": "WARNING",
    "django.db.backends": "INFO",
    "django.template": "INFO",
    "fontTools": "WARNING",
}
_ORDINARY: Final = frozenset(RESERVED_ATTRS) | {"process_name", "request", "account"}


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """For `dictConfig`: every logger ends at one handler that scrubs. Errors: ValueError."""
    if form not in FORMS:
        raise ValueError(f"PORTAL_LOG_FORM is one of {', '.join(FORMS)}")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"around": {"()": "union_portal.logs.Around"}},
        "formatters": {
            "json": {"()": "union_portal.logs.JsonLines"},
            "plain": {"()": "union_portal.logs.PlainLines"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["around"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"handlers": [], "propagate": True, "level": "INFO"} for name in ADOPTED},
            **{name: {"level": least} for name, least in QUIETER.items()},
        },
    }


def configure(wanted: dict[str, Any]) -> None:
    """Put it in force, and let what nobody caught pass through it as well."""
    logging.config.dictConfig(wanted)
    logging.captureWarnings(True)
    # A line that can't be written is told of by its form, not by a dump of its values.
    logging.raiseExceptions = False
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def hide(secrets: Iterable[str]) -> None:
    """Name the secrets of this process: they never stand in a line."""
    SCRUBBER.hide(secrets)


class Around(logging.Filter):
    """Adds which process writes, for which request or job, and for whose account."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.process_name = process_name()
        if not hasattr(record, "request") or not isinstance(record.request, str):
            # Django hands its request along: a line names its number alone.
            record.request = request_id.get()
        if not hasattr(record, "account"):
            account = getattr(current_request.get(), "_cached_user", None)
            record.account = getattr(account, "pk", None)
        return True


class JsonLines(JsonFormatter):
    """One JSON object a line: when, how bad, where from, for whom, what, and its own fields."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "process_name", "request", "account", "message"],
            rename_fields={"levelname": "level", "name": "logger", "process_name": "process"},
            timestamp="at",
            json_ensure_ascii=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        return super().format(_sayable(record))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in ("at", "request") else SCRUBBER.value(name, value)
            for name, value in log_data.items()
            if value not in (None, "")
        }


class PlainLines(logging.Formatter):
    """The same for eyes: the fields stand behind the sentence."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        own = {name: value for name, value in vars(record).items() if name not in _ORDINARY}
        around = {name: getattr(record, name, None) for name in ("account", "request")}
        told = [
            f"{name}={SCRUBBER.value(name, value)}"
            for name, value in {**own, **around}.items()
            if value not in (None, "")
        ]
        # Frames may follow the sentence: they end with the error's own line.
        sentence, *frames = super().formatMessage(record).split("\n")
        return "\n".join([" ".join([sentence, *told]), *frames])

    def format(self, record: logging.LogRecord) -> str:
        return SCRUBBER.text(super().format(_sayable(record)))


def process_name() -> str:
    """web, worker, beat, or the command that runs."""
    program, *words = [word.rpartition("/")[2] for word in sys.argv] or [""]
    if "gunicorn" in (program, *words[:1]):
        return "web"
    if "celery" in (program, *words[:1]) or "union_portal" in words:
        return next((word for word in words if word in ("worker", "beat")), "celery")
    return words[0] if program == "manage.py" and words else program


def _sayable(record: logging.LogRecord) -> logging.LogRecord:
    """The record, or one that says its values do not fit its sentence."""
    try:
        record.getMessage()
    except Exception:
        record.msg = f"a line that can't be written: {record.msg!s}".replace("%", "%%")
        record.args = ()
    return record


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("uncaught").critical("nobody caught this", exc_info=(kind, error, trace))


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _uncaught(told.exc_type, told.exc_value, told.exc_traceback)
