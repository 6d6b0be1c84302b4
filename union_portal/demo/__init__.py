"""The demo: a fictional federation, and its main job done for real.

Wiring, like `urls`: it knows every app and is imported by the `demo` command alone.
"""
