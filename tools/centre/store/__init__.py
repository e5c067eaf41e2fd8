"""The tables of the warehouse and how they are read."""
