"""Runs a node on a bare 32-bit machine: MicroPython built for it, and QEMU that runs it."""
