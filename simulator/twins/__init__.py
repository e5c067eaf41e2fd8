"""Twins of the parts at the level of their registers, bytes and pins, with faults to script: one for each driver.

What a part does is written here a second time, from its data sheet, and never taken from firmware/drivers: a twin that
used the driver's own numbers would agree with its mistakes. Runs on CPython and on MicroPython; time is a function
given. `fault` is a word: empty for a sound part, `absent` for one that does not answer, and what each twin says
besides.
"""
