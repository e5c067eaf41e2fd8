"""How the agent shows itself to people: words, findings, reports, explanations, the technician's page."""
