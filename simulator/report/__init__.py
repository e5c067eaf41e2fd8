"""Makes the report of a run, as text, picture and JSON."""
