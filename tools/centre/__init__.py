"""The reference centre on one server: warehouse and ingest, control. Of ours it imports `wire`, `policy` and the keys
of `tools.policy`; never the gateway."""
