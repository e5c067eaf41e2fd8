"""Shows the territory to people in a browser: each sees what the scope grants, and writes nothing of the field."""
