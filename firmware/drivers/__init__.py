"""Drivers of sensors and actuators on MicroPython. They report integers and decide nothing."""
