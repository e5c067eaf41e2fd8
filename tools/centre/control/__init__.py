"""Policies, orders and leases, as the control centre keeps and sends them."""
