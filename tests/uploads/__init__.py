"""Files that mean harm, and every door they may come to; what leaves, and that it is dead."""
