"""Keeps each record in a journal until the warehouse has it (custody), and chooses what to let go when it is full."""
