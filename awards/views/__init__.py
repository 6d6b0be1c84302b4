"""Pages about honours and subsidies."""
