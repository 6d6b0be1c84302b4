"""The API's frame: who calls, how often, what a call may ask, how it fails, and how it is told.

Each app has its endpoints in its own `api.py`; they call the same actions and queries as the
pages do. Decisions: docs/adr/0014. For callers: docs/api.md.
"""
