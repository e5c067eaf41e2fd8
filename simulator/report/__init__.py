"""The report of a run, as text, picture and JSON."""
