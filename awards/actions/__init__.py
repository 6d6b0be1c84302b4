"""The only place where honours, model workers and subsidy cases change."""
