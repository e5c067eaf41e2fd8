"""Twins of the cabinet's equipment for a bench, on the wall clock: a Modbus line and a Linky meter on pseudo-terminals,
a GPIO chip. Independent of what reads them: registers and checksums are made here a second time."""
