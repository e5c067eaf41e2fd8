"""One module a sub-command of `bocage centre`: its help, its arguments, what it prints. Decisions are elsewhere."""
