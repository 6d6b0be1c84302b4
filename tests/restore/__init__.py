"""The restore drill: a database put back behind the files that were sent pays nobody twice."""
