"""The estates of a territory are its streets, heated rooms and green spaces, with the nodes in them."""
