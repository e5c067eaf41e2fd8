"""Simulates the parts at the level of their registers, bytes and pins, with faults to script: one twin for each driver.

The behaviour of a part is written here a second time, from its data sheet, and never taken from firmware/drivers: a
twin that used the driver's own numbers would agree with its mistakes. Runs on CPython and on MicroPython; time is a
function given. `fault` is a word: "" for a sound part, `absent` for one that does not answer, and the other words that
each twin lists.
"""
