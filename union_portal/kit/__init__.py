"""Things true in any hospital or bank: no ORM, no settings, no clock.

Keys, paths, holidays and today's date come as arguments.
"""
