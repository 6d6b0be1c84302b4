"""What staff see of the kernel, with buttons that call actions."""
