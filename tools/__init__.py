"""The command line and the tools behind it: what people and programs use to run and question Bocage."""
