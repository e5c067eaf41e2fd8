"""The agent as people see it: words, findings, reports, explanations, the technician's page."""
