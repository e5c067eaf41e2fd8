"""Keeps the packages of the cabinets' agents, and decides which cabinet is to have which version."""
