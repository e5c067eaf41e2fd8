"""Holds the estates of a territory: streets, heated rooms and green spaces, with the nodes in them."""
