"""Writes what a run has shown, for people (French or English) and for programs (one JSON object).

The streets come first, then energy, heat and water; records and messages, which carry all this, come last.
"""

from typing import Any

from gateway.language import N_, NC_, NN_, Phrases
from policy import civil
from simulator.options import Drawn, Options, districts
from simulator.report import village
from simulator.report.result import Absence, Result

WORDS = Phrases(
    {
        "title": N_("Simulated territory"),
        "seed": N_("seed {number}"),
        "loss": N_("{percent} % of radio datagrams lost"),
        "lamps": NN_("{count} street light", "{count} street lights"),
        "rooms": NN_("{count} room", "{count} rooms"),
        "greens": NN_("{count} green space", "{count} green spaces"),
        "cabinets": NN_("{count} cabinet", "{count} cabinets"),
        "more": NN_("… and {count} more", "… and {count} more"),
        "fibre": N_("fibre cut"),
        "power": N_("power cut in the cabinet"),
        "ingest": N_("centre silent (ingest stopped)"),
        "broker": N_("broker killed, it forgets everything"),
        "hostile": N_("broker in a stranger's hands"),
        "deleted": N_("a stranger deletes a file of the journal"),
        "stolen": N_("a lamp's key in a stranger's hands"),
        "opened": N_("cabinet opened, a stranger speaks in its name"),
        "dead": N_("lamp {number} fails"),
        "stuck": N_("relay of lamp {number} sticks"),
        "thermometer": N_("thermometer of room {number} fails"),
        "pipe": N_("pipe of green space {number} breaks"),
        "never": NC_("report", "never"),
        "light": N_("Streets"),
        "street": N_("street dark or lit wrongly 2 min, lamp and mains sound"),
        "delay": N_("longest deviation from policy"),
        "alarms": N_("faults that equipment had to report, and did"),
        "alarms.figures": N_("{reported} of {expected}; false alarms: {false}"),
        "cell": N_("{count} with a photocell: lit by it on an overcast day"),
        "detector": N_("{count} with a detector: people by night, met by full light"),
        "gear": N_("{count} on DALI: asset records received"),
        "away": N_("While something was cut off"),
        "followed": N_("{wanted} sound lamps to be lit, {short} at most were not as wanted"),
        "energy": N_("Energy of the lighting"),
        "used": NC_("report", "used"),
        "full": N_("all night at full power"),
        "stored": N_("counted by the warehouse"),
        "heat": NC_("report", "Heat"),
        "rooms.used": N_("{count} heated rooms: used"),
        "comfort": N_("hours of use at 18 °C at least"),
        "frozen": N_("room below 5 °C, or heated above its legal ceiling"),
        "water": NC_("report", "Water"),
        "greens.used": N_("{count} green spaces: watered with"),
        "stress": N_("hours of water stress of the plants"),
        "drained": N_("run-off and drainage, rain included"),
        "valves": N_("valve past its deadline, forbidden watering, burst not cut"),
        "records": NC_("report", "Records"),
        "made": NC_("report", "made"),
        "delivered": N_("delivered to the warehouse"),
        "duplicated": N_("counted twice"),
        "altered": NC_("report", "altered"),
        "lost": NC_("report", "lost"),
        "gaps": N_("missing, explained by a declared gap"),
        "waiting": N_("still on their way"),
        "wait": N_("longest wait (median)"),
        "link": N_("To the centre"),
        "batches": NC_("report", "batches"),
        "bytes": N_("bytes a reading, all included"),
        "mobile": N_("by 4G, all included (changes between fibre and 4G)"),
        "sealed": N_("messages encrypted (a nonce used twice)"),
        "limits": N_("queues and budgets beyond their maximum"),
        "speed": NC_("report", "Speed"),
        "speed.figures": N_("{hours} node-hours in {seconds} s"),
        "digest": NC_("report", "digest"),
        "good": N_("Streets lit as they should be, nothing lost, nothing counted twice."),
        "good.short": N_("Lamps not broken by hand lit as they should be, nothing lost, nothing counted twice."),
        "bad": N_("DEFECT: an invariant is violated, see above."),
    }
)
_FAULTS_SHOWN_MAX = 10
# A large territory has more than a page can show.
_LINES_MAX, _NAMES_MAX = 20, 6
_LIT_WH_MIN = 100  # less is shown as 0.1 kWh at most


def heading(options: Options, drawn: Drawn, language: str) -> str:
    """Returns the text that is printed before a run: options, seed, and the faults that the seed drew."""

    def words(key: str, **values: object) -> str:
        return WORDS.text(key, language, **values)

    counts = (("lamps", options.lamps), ("rooms", options.rooms), ("greens", options.greens))
    names = ", ".join(f"{district.commune}/{district.name}" for district in districts(options)[:_NAMES_MAX])
    if options.cabinets > _NAMES_MAX:
        names = words("cabinets", count=options.cabinets)
    lines = [
        " · ".join(
            (
                words("title"),
                words("seed", number=options.seed),
                f"{options.hours} h",
                *(words(key, count=count) for key, count in counts if count),
                names,
                words("loss", percent=number(options.radio_loss_permille / 10, language)),
            )
        )
    ]
    events = [
        (cut.from_s, f"{words(cut.what)} {_place(options, cut.cabinet)}→ {_clock(options, cut.to_s)}")
        for cut in drawn.cuts
    ]
    numbered = (
        ("dead", drawn.dead_lamps),
        ("stuck", drawn.stuck_relays),
        ("thermometer", drawn.dead_thermometers),
        ("pipe", drawn.broken_pipes),
    )
    events += [(at_s, words(key, number=index + 1)) for key, faults in numbered for index, at_s in faults]
    events += village.heading(drawn.happenings, language)
    lines += _first([f"  {_clock(options, at_s)}  {what}" for at_s, what in sorted(events)], language)
    return "\n".join(lines)


def _first(lines: list[str], language: str) -> list[str]:
    """Returns as many lines as a page shows, and how many there are besides."""
    more = len(lines) - _LINES_MAX
    return lines if more <= 0 else [*lines[:_LINES_MAX], "  " + WORDS.text("more", language, count=more)]


def text(result: Result, wall_s: float | None, language: str, *, is_short: bool = False) -> str:
    """Returns the report of a run; without `wall_s`, what everybody understands of it. `is_short`: a person has broken
    lamps, or what feeds them, by hand."""
    good = WORDS.text("bad" if not result.is_good else "good.short" if is_short else "good", language)
    rows = [
        "",
        *_streets(result, language),
        *_energy(result, language),
        *_heat(result, language),
        *_water(result, language),
        *(_row(name, value) if value else name for name, value in village.rows(result.village, language)),
        *_records(result, language),
        *(() if wall_s is None else _link(result, wall_s, language)),
        "",
        *(f"  ! {fault}" for fault in faults(result)),
        good,
    ]
    return "\n".join(rows)


def faults(result: Result) -> list[str]:
    """Returns every violated invariant, as its checker words it (at most the first few of each)."""
    reused = [f"{result.nonces_reused} messages were sealed with a nonce that was spent"]
    return [
        *result.verdict.first_faults,
        *result.alarms.faults[:_FAULTS_SHOWN_MAX],
        *result.lighting_violations[:_FAULTS_SHOWN_MAX],
        *result.bounds_violations[:_FAULTS_SHOWN_MAX],
        *result.rooms.violations[:_FAULTS_SHOWN_MAX],
        *result.greens.violations[:_FAULTS_SHOWN_MAX],
        *(reused if result.nonces_reused else ()),
        *village.faults(result.village),
    ]


def as_json(result: Result, wall_s: float) -> dict[str, Any]:
    """Returns the figures for programs; the key set only grows."""
    verdict = result.verdict
    node_hours = result.node_seconds / 3600
    return {
        "seed": result.options.seed,
        "digest": result.digest,
        "good": result.is_good,
        "faults": faults(result),
        "hours": result.options.hours,
        "lamps": result.options.lamps,
        "node_hours": round(node_hours, 1),
        "wall_s": round(wall_s, 2),
        "node_hours_per_s": round(node_hours / max(wall_s, 0.001), 1),
        "made": verdict.made,
        "acknowledged": verdict.acknowledged,
        "delivered": verdict.delivered,
        "duplicated": verdict.duplicated,
        "altered": verdict.altered,
        "lost": verdict.lost,
        "gaps_explained": verdict.gaps_explained,
        "waiting": verdict.waiting,
        "longest_wait_s": result.longest_wait_s,
        "median_wait_s": result.median_wait_s,
        "alarms_expected": result.alarms.expected,
        "alarms_told": result.alarms.reported,
        "alarms_false": result.alarms.false,
        "lighting_violations": len(result.lighting_violations),
        "bounds_violations": len(result.bounds_violations),
        "sealed": result.sealed,
        "nonces_reused": result.nonces_reused,
        "kwh": result.true_wh / 1000,
        "kwh_full_power": result.full_power_wh / 1000,
        "kwh_stored": result.stored_wh / 1000,
        "streets": {**result.streets._asdict(), "assets": result.assets},
        "rooms": result.rooms._asdict(),
        "greens": result.greens._asdict(),
        "batches": result.batches,
        "mobile_bytes": result.mobile_bytes,
        "bearer_changes": result.bearer_changes,
        "bytes_per_reading": round(result.batch_bytes / max(1, result.readings), 2),
        "village": village.as_json(result.village),
        "counters": result.counters,
    }


def number(value: float, language: str, decimals: int = 1) -> str:
    """Returns a figure in the language's notation: French has a decimal comma; a whole number has no decimals."""
    shown = f"{value:.{decimals}f}"
    if decimals and not shown.rpartition(".")[2].strip("0"):
        shown = shown.rpartition(".")[0]
    return shown.replace(".", ",") if language == "fr" else shown


def kwh(wh: int, language: str) -> str:
    """Returns an energy in kWh, always with its tenth."""
    shown = f"{wh / 1000:.1f} kWh"
    return shown.replace(".", ",") if language == "fr" else shown


def _streets(result: Result, language: str) -> list[str]:
    """Returns the rows on light, on faults that nodes reported, on lamps with more than a meter, and on absences."""

    def row(key: str, value: object, **values: object) -> str:
        return _row(WORDS.text(key, language, **values), value)

    never = WORDS.text("never", language)
    alarms, streets = result.alarms, result.streets
    figures = WORDS.text(
        "alarms.figures", language, reported=alarms.reported, expected=alarms.expected, false=alarms.false
    )
    rows = [
        WORDS.text("light", language),
        row("street", len(result.lighting_violations) or never),
        row("delay", f"{result.worst_delay_s} s"),
        row("alarms", figures),
    ]
    fitted = (
        ("cell", streets.cells, _duration(streets.by_cell_s)),
        ("detector", streets.detectors, f"{streets.met} / {streets.passed}"),
        ("gear", streets.gears, f"{result.assets} / {streets.gears}"),
    )
    rows += [row(key, figure, count=count) for key, count, figure in fitted if count]
    if result.absences:
        rows.append(WORDS.text("away", language))
    return rows + _first([_absence(result.options, absence, language) for absence in result.absences], language)


def _absence(options: Options, absence: Absence, language: str) -> str:
    """Returns one line on the streets while a part was away."""
    name = f"{WORDS.text(absence.what, language)} {_place(options, absence.cabinet)}".rstrip()
    period = f"{_clock(options, absence.from_s)}–{_clock(options, absence.to_s)}"
    figures = WORDS.text("followed", language, wanted=absence.wanted, short=absence.short)
    return f"  {period}  {name}: {figures}" if language == "en" else f"  {period}  {name} : {figures}"


def saved_percent(result: Result) -> int | None:
    """Returns what dimming saved; None for a run in which no lamp was to be lit, where a percentage means nothing."""
    if result.full_power_wh < _LIT_WH_MIN:
        return None
    return 100 * (result.full_power_wh - result.true_wh) // result.full_power_wh


def _energy(result: Result, language: str) -> list[str]:
    saved = saved_percent(result)
    beside = "" if saved is None else f" (−{saved} %)" if saved >= 0 else f" (+{-saved} %)"
    return [
        WORDS.text("energy", language),
        _row(WORDS.text("used", language), kwh(result.true_wh, language) + beside),
        _row(WORDS.text("full", language), kwh(result.full_power_wh, language)),
        _row(WORDS.text("stored", language), kwh(result.stored_wh, language)),
    ]


def _heat(result: Result, language: str) -> list[str]:
    rooms = result.rooms
    if not rooms.rooms:
        return []
    share = f" ({number(rooms.comfort_min * 100 / rooms.used_min, language)} %)" if rooms.used_min else ""
    return [
        WORDS.text("heat", language),
        _row(WORDS.text("rooms.used", language, count=rooms.rooms), kwh(rooms.wh, language)),
        _row(WORDS.text("comfort", language), f"{rooms.comfort_min // 60} / {rooms.used_min // 60}{share}"),
        _row(WORDS.text("frozen", language), len(rooms.violations) or WORDS.text("never", language)),
    ]


def _water(result: Result, language: str) -> list[str]:
    greens = result.greens
    if not greens.spaces:
        return []
    return [
        WORDS.text("water", language),
        _row(WORDS.text("greens.used", language, count=greens.spaces), f"{greens.ml // 1000} L"),
        _row(WORDS.text("drained", language), f"{greens.drained_ml // 1000} L"),
        _row(WORDS.text("stress", language), f"{greens.stress_min // 60} / {greens.zone_min // 60}"),
        _row(WORDS.text("valves", language), len(greens.violations) or WORDS.text("never", language)),
    ]


def _records(result: Result, language: str) -> list[str]:
    verdict = result.verdict
    figures = {
        "made": verdict.made,
        "delivered": verdict.delivered,
        "duplicated": verdict.duplicated,
        "altered": verdict.altered,
        "lost": verdict.lost,
        "gaps": verdict.gaps_explained,
        "waiting": verdict.waiting,
        "wait": f"{_duration(result.longest_wait_s)} ({_duration(result.median_wait_s)})",
    }
    rows = [_row(WORDS.text(key, language), figure) for key, figure in figures.items()]
    return [WORDS.text("records", language), *rows]


def _link(result: Result, wall_s: float, language: str) -> list[str]:
    never = WORDS.text("never", language)
    node_hours = f"{result.node_seconds / 3600:.0f}"
    seconds = number(wall_s, language)
    figures = {
        "batches": result.batches,
        "bytes": number(result.batch_bytes / max(1, result.readings), language, 2),
        "mobile": f"{result.mobile_bytes / 1000:.0f} kB ({result.bearer_changes})",
        "sealed": f"{result.sealed} ({result.nonces_reused or never})",
        "limits": len(result.bounds_violations) or never,
        "speed": WORDS.text("speed.figures", language, hours=node_hours, seconds=seconds),
        "digest": result.digest,
    }
    rows = [_row(WORDS.text(key, language), figure) for key, figure in figures.items()]
    return [WORDS.text("link", language), *rows]


def _row(name: str, value: object) -> str:
    return f"  {name:<58} {value}"


def _place(options: Options, cabinet: int | None) -> str:
    """Returns the cabinet's name and a space; "" for what concerns no single cabinet."""
    if cabinet is None:
        return ""
    district = districts(options)[cabinet]
    return f"{district.commune}/{district.name} "


def _clock(options: Options, at_s: int) -> str:
    """Returns the local time of an instant of the run."""
    local = civil.local_from_unix(civil.PARIS, options.start_unix_s + at_s)
    return f"{local.second // 3600:02}:{local.second // 60 % 60:02}"


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} min"
