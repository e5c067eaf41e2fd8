"""Holds the tables of the warehouse, and reads them."""
