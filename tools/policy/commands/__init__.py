"""Each module is one sub-command of `bocage policy`: its help, its arguments, what it prints."""
