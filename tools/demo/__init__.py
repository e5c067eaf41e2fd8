"""Puts the simulated territory behind the screens of the centre: a town that anybody can play with."""
