"""The gateway: keeps its district running with no centre, and every record until the warehouse has it."""
