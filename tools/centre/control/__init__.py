"""The control centre: policies, orders and leases."""
