"""What a run has shown, as text, picture and JSON."""
