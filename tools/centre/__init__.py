"""Implements the reference centre on one server: warehouse and ingest, control. From this repository it imports `wire`,
`policy` and the keys of `tools.policy`, and must not import the gateway."""
