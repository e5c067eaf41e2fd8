"""Holds what this gateway tells its nodes: who said it, whom it aims at, until when."""
