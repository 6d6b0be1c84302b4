"""Pages for members about themselves, for merchants, and the public directory of offers."""
