"""The engine under fire: real servers and workers, seeded faults, a bank with its own truth.

`python -m tests.faults --faults N --seed S`; see docs/proofs.md.
"""
