"""Who is helped, and the one door money leaves by."""
