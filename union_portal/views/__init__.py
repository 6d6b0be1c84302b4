"""Pages of the kernel: a permission, a form, one action, a redirect."""
