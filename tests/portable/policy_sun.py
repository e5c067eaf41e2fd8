"""Prints sun times and elevations, rounded as far as 24 and 53 bits must agree: same text on every VM.

Events are printed in 10 s and elevations in 0.1 degree; none of these samples lies on a rounding edge, which
tests/policy/test_sun.py checks."""

from policy import sun

PLACES = (
    (506310, 30580),
    (483904, -44861),
    (437102, 72620),
    (-208823, 554504),  # Saint-Denis of La Réunion
    (-175350, -1495700),  # Papeete
)


def tens(instant):
    return "none" if instant is None else instant // 10


for latitude_e4, longitude_e4 in PLACES:
    for day in range(20454, 20454 + 366, 61):
        rise, dusk = sun.sun_times(day, latitude_e4, longitude_e4)
        print(day, tens(rise), tens(dusk))
    for unix_s in range(1767225600, 1767225600 + 86400 * 183, 86400 * 30 + 10007):
        print(unix_s, sun.elevation_cdeg(unix_s, latitude_e4, longitude_e4) // 10)
for day in (20454, 20625):  # Tromsø: polar night, midnight sun
    print(day, sun.sun_times(day, 696492, 189553))
