"""Edits by a superuser of the database, past every trigger: which check finds each."""
