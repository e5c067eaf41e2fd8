"""The reference centre: warehouse and ingest on one server. It imports `wire` and nothing else of ours."""
