"""Values in, explained amounts out: no ORM, no clock, no settings."""
