"""Endpoints of settlement."""
