"""What a territory owns: streets, heated rooms, green spaces, and the nodes in them."""
