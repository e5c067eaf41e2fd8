"""Shows the agent to people: sentences, findings, reports, explanations, the technician's page."""
