"""What nodes act upon beside lamps: rooms, soils, pipes. Integers, quantised at each step; one seed, one world."""
