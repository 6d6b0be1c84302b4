"""Named points at which a test may kill the process for good."""

import os
import signal


def point(name: str) -> None:
    """Die here by SIGKILL if PORTAL_CRASH_AT names this point; otherwise nothing."""
    if os.environ.get("PORTAL_CRASH_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
