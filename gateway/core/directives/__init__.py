"""Holds the directives that this gateway gives its nodes: their author, their scope, their expiry."""
