"""Custody: keeps each record in a journal until the warehouse has it, and chooses what to let go when it is full."""
