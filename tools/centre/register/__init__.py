"""Holds the register of a territory: what stands where, what it hangs on, and which node serves it, from day to day."""
