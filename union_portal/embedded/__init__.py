"""What `./portal` does on one machine: private servers, their processes, the demo, the tests.

Nothing here imports Django: it runs before there are settings, and hands every other
process what it needs through the environment. Production uses none of it.
"""
