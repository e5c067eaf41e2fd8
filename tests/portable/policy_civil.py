"""Prints the integer calendar and French local time around changes of the century: same text on every VM."""

from policy import civil

total = 0
for day in range(10957, 47482):  # 2000-01-01 to 2099-12-31
    year, month, date = civil.civil_from_days(day)
    assert civil.days_from_civil(year, month, date) == day
    total = (total * 31 + year * 400 + month * 32 + date + civil.weekday(day)) % 1000003
print("calendar", total)

for year in (2000, 2024, 2026, 2034, 2038, 2099):
    for change in civil.EU_SUMMER_TIME:
        day = civil.change_day(year, change)
        instant = day * civil.day_s + change[2]
        for unix_s in (instant - 3600, instant - 1, instant, instant + 3599, instant + 3600):
            local = civil.local_from_unix(civil.PARIS, unix_s)
            back = civil.unix_from_local(civil.PARIS, local.civil_day, local.second)
            print(year, unix_s, local.civil_day, local.second, local.offset_s, back - unix_s)
        for second in range(5400, 12600, 900):
            print(second, civil.unix_from_local(civil.PARIS, day, second) - instant)
print(
    civil.is_date(2024, 2, 29),
    civil.is_date(2026, 2, 29),
    civil.is_date(2026, 13, 1),
    civil.is_date(2026, 0, 1),
)
