"""The engine that moves money, walled."""
