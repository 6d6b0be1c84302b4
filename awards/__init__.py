"""Who is honoured: model workers and their subsidies."""
