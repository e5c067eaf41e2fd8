"""Prints a village's nights over a year, both summer-time nights included, and a faulty document's faults.

The sun's instants are printed in minutes, so that 24-bit and 53-bit floats give the same text."""

from policy import civil, lighting, lighting_form

BREST = lighting.Site(483904, -44861, civil.PARIS)
VILLAGE = [
    1,
    [[0b0110000, 0, 0, 1], [127, 20260714, 20260714, 2], [127, 601, 831, 3], [127, 0, 0, 0]],
    [
        [[1, 0, 100], [0, 1410, 0], [0, 300, 100], [2, 0, 0]],
        [[1, 0, 100], [0, 60, 50], [0, 300, 100], [2, 0, 0]],
        [[1, -15, 100], [2, 15, 0]],
        [[1, 0, 100], [0, 1320, 0]],
    ],
]
FAULTY = [
    2,
    [[0, 230, 101, 9], [1, 20260101, 101, True], 7],
    [[[1, 0, 101], [2, 0]], [[0, 300, 50], [0, 1320, 50]]],
]

calendar, faults = lighting_form.decode(VILLAGE)
print(faults, lighting_form.encode(calendar) == VILLAGE)
plan = lighting.Plan(calendar, BREST)
for evening in (20454, 20540, 20541, 20590, 20605, 20630, 20648, 20752, 20750, 20751):
    night = plan.night(civil.unix_from_local(civil.PARIS, evening, 64800))
    print(evening, night.end_s - night.start_s, night.rule, night.overtaken)
    for unix_s, level, reason in night.changes():
        print(" ", (unix_s + 30) // 60, level, reason, lighting.reason_text(reason))
for fault in lighting_form.validate(FAULTY):
    print(fault.path, "|", fault.problem, "|", fault.remedy)
