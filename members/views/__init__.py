"""Pages for members about themselves."""
