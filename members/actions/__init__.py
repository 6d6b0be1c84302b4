"""The only place where people, accounts and imports change."""
