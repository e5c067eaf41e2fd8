"""States who may see what, and keeps who read or did what."""
