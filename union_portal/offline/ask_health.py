"""Ask the web server of this container how it is: `python ask_health.py`, exit status 0 if ready.

Standard library alone, started as a file: a health check every few seconds must cost nothing.
"""

import http.client
import os
import sys
from pathlib import Path

PORT = 8000
READY = 200


def token() -> str:
    """PORTAL_PROBE_TOKEN, from the environment or from its file."""
    file = os.environ.get("PORTAL_PROBE_TOKEN_FILE")
    return Path(file).read_text().strip() if file else os.environ.get("PORTAL_PROBE_TOKEN", "")


def main() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=8)
    connection.request("GET", "/health/ready", headers={"Authorization": f"Bearer {token()}"})
    answer = connection.getresponse()
    print(answer.read().decode("utf-8", "replace"))
    return 0 if answer.status == READY else 1


if __name__ == "__main__":
    sys.exit(main())
