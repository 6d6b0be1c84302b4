"""Endpoints of the register, of cards, of offers and of tills."""
