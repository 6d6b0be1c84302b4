"""The process behind `confined`: loads the readers once, then forks for every call.

It runs by itself (``python -I``) with no environment of ours. Standard input is the control
channel: each message brings one end of a socket, on which the fork is told its work and answers.
"""

import codecs
import contextlib
import ctypes
import gc
import json
import os
import platform
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

if __name__ == "__main__":
    # The package's own __init__ brings Celery, which has no business here.
    _package = ModuleType("union_portal")
    _package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules["union_portal"] = _package

from django.conf import settings
from django.utils import translation

from union_portal.kit import confined, image_writer, pdf_inspector
from union_portal.kit.confined import Answer
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import sheet_reader

WORKS: Final[dict[str, Callable[..., Iterator[Answer]]]] = {
    "picture": image_writer.write_anew,
    "pdf": pdf_inspector.look_through,
    "sheet": sheet_reader.read_out,
}
_ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "latin-1", "cp437")
_LONGEST_SECONDS: Final = 3600

# System calls that reach the network, start a program or look into another process, by machine:
# audit number, then socket, connect, socketpair, execve, execveat, ptrace, process_vm_*.
_MACHINES: Final = {
    "x86_64": (0xC000003E, (41, 42, 53, 59, 322, 101, 310, 311)),
    "aarch64": (0xC00000B7, (198, 203, 199, 221, 281, 117, 270, 271)),
}
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUALS, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOWED, _REFUSED_WITH_EPERM, _OTHER_ABI = 0x7FFF0000, 0x00050001, 0x40000000


def main() -> None:
    """Serve until the control channel closes."""
    _load_early()
    give_up_network_and_programs()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, lambda *_: _reap())
    with socket.socket(fileno=0) as control:
        while True:
            kind, handed, _flags, _sender = socket.recv_fds(control, 1, 1)
            if not kind:
                return
            with socket.socket(fileno=handed[0]) as channel:
                if kind == confined.PEAK:
                    _tell_peak(channel)
                elif os.fork() == 0:
                    _work(channel)


def _load_early() -> None:
    """A child that may open no file can import nothing either. Refusals leave untranslated."""
    settings.configure(USE_I18N=False)
    translation.get_language()
    for name in _ENCODINGS:
        codecs.lookup(name)
    image_writer.warm_up()
    pdf_inspector.warm_up()


def give_up_network_and_programs() -> bool:
    """For this process and all its forks, for good. False where the kernel or machine can't."""
    known = _MACHINES.get(platform.machine())
    if known is None or sys.platform != "linux":
        return False
    audit_number, denied = known
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUALS, 1, 0, audit_number),
        (_RETURN, 0, 0, _REFUSED_WITH_EPERM),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, len(denied) + 1, 0, _OTHER_ABI),
        *((_EQUALS, len(denied) - at, 0, number) for at, number in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOWED),
        (_RETURN, 0, 0, _REFUSED_WITH_EPERM),
    ]
    program = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    call = ctypes.CDLL(None, use_errno=True).prctl
    if call(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return call(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0


class _Step(ctypes.Structure):
    """One instruction of the filter: struct sock_filter."""

    _fields_ = [
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    """The filter: struct sock_fprog."""

    _fields_ = [("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step))]


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _tell_peak(channel: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    signal.signal(signal.SIGCHLD, lambda *_: _reap())
    confined.send(channel, {"peak_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss})


def _work(channel: socket.socket) -> None:
    """In the fork: take the work, do it within its bounds, answer, and end in any case."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(1, 0)  # the control channel is not for us
        told_size, content_size = confined.HEAD.unpack(
            confined.receive(channel, confined.HEAD.size)
        )
        asked = json.loads(confined.receive(channel, told_size))
        _bound(confined.Bounds(**asked["bounds"]))
        for answer in _answers(channel, asked, content_size):
            confined.send(channel, answer.told, answer.content)
    finally:
        os._exit(0)


def _answers(channel: socket.socket, asked: dict[str, Any], content_size: int) -> Iterator[Answer]:
    try:
        content = confined.receive(channel, content_size)
        yield from WORKS[asked["work"]](content, **asked["arguments"])
        yield Answer({"end": True})
    except Refused as refusal:
        yield Answer({"refused": [refusal.message_id, refusal.remedy_id, refusal.params]})
    except MemoryError:
        yield Answer({"failed": "memory"})
    except Exception as error:
        yield Answer({"failed": type(error).__name__})


def _bound(bounds: confined.Bounds) -> None:
    """Memory counts from what the bare process has; a second of grace lets Python say so."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + bounds.memory
    # Where no file may be opened, no other descriptor can come into being either.
    highest = max(map(int, os.listdir("/proc/self/fd")))
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: bounds.seconds,
        resource.RLIMIT_FSIZE: bounds.file_bytes,
        resource.RLIMIT_NOFILE: highest + bounds.files if bounds.files else 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }
    signal.setitimer(signal.ITIMER_REAL, _LONGEST_SECONDS)
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main()
