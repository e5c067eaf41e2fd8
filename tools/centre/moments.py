"""Writes instants and days as people say them, in the civil time of France. Files and commands write 2026-11-12."""

from gateway.language import N_, Phrases
from policy import civil

_WORDS = Phrases({
    "never": N_("never"),
    "yesterday": N_("yesterday {clock}"),
    "day": N_("{day} {month}"),
    "day.year": N_("{day} {month} {year}"),
    "months": N_("Jan. Feb. March April May June July Aug. Sept. Oct. Nov. Dec."),
})  # fmt: skip


def clock(unix_s: int) -> str:
    """Returns `17:04` in the civil time of France."""
    second = civil.local_from_unix(civil.PARIS, unix_s).second
    return f"{second // 3600:02}:{second // 60 % 60:02}"


def moment(unix_s: int | None, language: str, *, now_s: int) -> str:
    """Returns `17:04`, `hier 23:05`, or `12 nov. 01:00`."""
    if unix_s is None:
        return _WORDS.text("never", language)
    days = civil.local_from_unix(civil.PARIS, now_s).civil_day - civil.local_from_unix(civil.PARIS, unix_s).civil_day
    if days == 0:
        return clock(unix_s)
    if days == 1:
        return _WORDS.text("yesterday", language, clock=clock(unix_s))
    return f"{day(unix_s, language, now_s=now_s)} {clock(unix_s)}"


def day(unix_s: int, language: str, *, now_s: int | None = None) -> str:
    """Returns `12 nov. 2026`, without the year where it is that of now."""
    this, now = (None if one is None else civil.local_from_unix(civil.PARIS, one).civil_day for one in (unix_s, now_s))
    year, month, number = civil.civil_from_days(this)
    is_this_year = now is not None and civil.civil_from_days(now)[0] == year
    name = _WORDS.text("months", language).split()[month - 1]
    return _WORDS.text("day" if is_this_year else "day.year", language, day=number, month=name, year=year)
