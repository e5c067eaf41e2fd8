"""The ways to the centre: probes, choice, reconnection, the byte budget, the modem."""
