"""Plants: the physical world of the trades, apart from the code under test, in integers and deterministic."""
