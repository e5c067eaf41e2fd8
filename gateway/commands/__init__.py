"""The sub-commands of `bocage gateway`, one module each."""
