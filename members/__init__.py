"""Who belongs: people, their accounts and memberships."""
