"""Manages the ways to the centre: probes, choice of bearer, reconnection, the byte budget, the modem."""
