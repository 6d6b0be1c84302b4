"""Disbursement reports: figures read once, laid out in sections, printed in parallel, joined."""
