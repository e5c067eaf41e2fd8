"""Each module is one sub-command of `bocage centre`: its help, its arguments, what it prints. Must not decide
anything."""
