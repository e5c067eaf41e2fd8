"""The control centre keeps policies, orders and leases, and sends them to the gateways."""
