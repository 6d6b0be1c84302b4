"""Programs that leave the portal: they run without it, on Python's standard library."""
