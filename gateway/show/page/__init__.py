"""Serves the technician's page on the gateway: for a phone at an open cabinet, in French first, without any other
network."""
