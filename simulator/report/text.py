"""What a run has shown, for people (French or English) and for programs (one JSON object)."""

from datetime import UTC, datetime
from typing import Any

from policy import civil
from simulator.options import Options, districts
from simulator.report import village
from simulator.report.result import Result

FRENCH = {
    "title": "Territoire simulé",
    "seed": "graine",
    "story": "ce qui arrive",
    "fibre": "fibre coupée",
    "power": "coupure de courant de l’armoire",
    "ingest": "centre muet (entrepôt arrêté)",
    "broker": "courtier tué, il oublie tout",
    "dead": "lampe morte",
    "stuck": "relais collé",
    "lamp": "lampadaire",
    "records": "Enregistrements",
    "made": "produits",
    "delivered": "livrés à l’entrepôt",
    "duplicated": "comptés deux fois",
    "altered": "altérés",
    "lost": "perdus",
    "gaps": "manquants expliqués par un trou déclaré",
    "waiting": "encore en attente dans un nœud allumé",
    "wait": "attente la plus longue (médiane)",
    "alarms": "pannes signalées",
    "false": "fausses alarmes",
    "light": "Lumière",
    "street": "rue sombre ou allumée à tort plus de 2 min",
    "never": "jamais",
    "delay": "plus long écart à la consigne",
    "cell": "à cellule : allumés par leur cellule, jour couvert",
    "detector": "à détecteur : passants de nuit, éclairés à plein feu",
    "gear": "DALI : fiches de luminaire reçues",
    "away": "Pendant l’absence",
    "followed": "lampes saines attendues allumées, en écart au plus",
    "energy": "Énergie",
    "used": "consommée",
    "full": "toute la nuit à pleine puissance",
    "stored": "comptée par l’entrepôt",
    "heat": "Chaleur",
    "rooms": "salles chauffées : consommé",
    "comfort": "heures d’occupation à 18 °C au moins",
    "frozen": "salle sous 5 °C, ou chauffée au-delà du plafond légal",
    "water": "Eau",
    "greens": "espaces verts : arrosés avec",
    "stress": "heures de soif des plantes",
    "drained": "ruissellement et drainage, pluie comprise",
    "valves": "vanne hors délai, arrosage interdit, fuite non coupée",
    "room": "salle",
    "thermometer": "thermomètre mort, salle",
    "pipe": "tuyau rompu, espace vert",
    "green": "espace vert",
    "link": "Vers le centre",
    "batches": "lots",
    "bytes": "octets par mesure, tout compris",
    "mobile": "par la 4G, tout compris (changements de porteuse)",
    "sealed": "Messages chiffrés (nonce employé deux fois)",
    "limits": "Files et budgets au-delà de leur maximum",
    "speed": "Vitesse",
    "hours": "heures-nœud en",
    "digest": "empreinte",
    "good": "Rien de perdu, rien compté deux fois, les rues éclairées comme il faut.",
    "bad": "DÉFAUT : un invariant est violé, voir ci-dessus.",
}
ENGLISH = {
    "title": "Simulated territory",
    "seed": "seed",
    "story": "what happens",
    "fibre": "fibre cut",
    "power": "power cut in the cabinet",
    "ingest": "centre silent (ingest stopped)",
    "broker": "broker killed, it forgets everything",
    "dead": "lamp dies",
    "stuck": "relay sticks",
    "lamp": "street light",
    "records": "Records",
    "made": "made",
    "delivered": "delivered to the warehouse",
    "duplicated": "counted twice",
    "altered": "altered",
    "lost": "lost",
    "gaps": "missing, explained by a declared gap",
    "waiting": "still waiting in a powered node",
    "wait": "longest wait (median)",
    "alarms": "faults told",
    "false": "false alarms",
    "light": "Light",
    "street": "street dark or burning against policy for over 2 min",
    "never": "never",
    "delay": "longest deviation from policy",
    "cell": "with a photocell: lit by it, overcast day",
    "detector": "with a detector: people by night, met by full light",
    "gear": "DALI: asset records received",
    "away": "While it was away",
    "followed": "sound lamps expected lit, deviating at most",
    "energy": "Energy",
    "used": "used",
    "full": "all night at full power",
    "stored": "counted by the warehouse",
    "heat": "Heat",
    "rooms": "heated rooms: used",
    "comfort": "hours of use at 18 °C at least",
    "frozen": "room below 5 °C, or heated above its legal ceiling",
    "water": "Water",
    "greens": "green spaces: watered with",
    "stress": "hours of thirst",
    "drained": "run-off and drainage, rain included",
    "valves": "valve past its deadline, forbidden watering, burst not cut",
    "room": "room",
    "thermometer": "thermometer dies, room",
    "pipe": "pipe breaks, green space",
    "green": "green space",
    "link": "To the centre",
    "batches": "batches",
    "bytes": "bytes a reading, all included",
    "mobile": "by 4G, all included (changes of bearer)",
    "sealed": "Messages sealed (a nonce used twice)",
    "limits": "Queues and budgets beyond their maximum",
    "speed": "Speed",
    "hours": "node-hours in",
    "digest": "digest",
    "good": "Nothing lost, nothing counted twice, the streets lit as they should be.",
    "bad": "DEFECT: an invariant is violated, see above.",
}
WORDS = {"fr": FRENCH, "en": ENGLISH}


def heading(options: Options, drawn: Any, language: str) -> str:
    """Options and seed, printed before the run."""
    words = WORDS[language]
    communes = ", ".join(f"{district.commune}/{district.name}" for district in districts(options.lamps))
    lines = [
        f"{words['title']} · {words['seed']} {options.seed} · {options.hours} h · {options.lamps} × {words['lamp']}"
        f"{_others(options, words)} · {communes} · radio −{options.radio_loss_permille} ‰",
    ]
    events = [(cut.from_s, f"{words[cut.what]} {_cabinet(options, cut.cabinet)}→ {_clock(options, cut.to_s)}")
              for cut in drawn.cuts]
    events += [(at_s, f"{words['dead']} n° {index + 1}") for index, at_s in drawn.dead_lamps]
    events += [(at_s, f"{words['stuck']} n° {index + 1}") for index, at_s in drawn.stuck_relays]
    events += [(at_s, f"{words['thermometer']} n° {index + 1}") for index, at_s in drawn.dead_thermometers]
    events += [(at_s, f"{words['pipe']} n° {index + 1}") for index, at_s in drawn.broken_pipes]
    events += village.heading(drawn.happenings, language)
    for at_s, text in sorted(events):
        lines.append(f"  {_clock(options, at_s)}  {text}")
    return "\n".join(lines)


def text(result: Result, wall_s: float, language: str) -> str:
    """The report of a run."""
    words = WORDS[language]
    verdict, options = result.verdict, result.options
    rows = [
        "",
        words["records"],
        _row(words["made"], verdict.made),
        _row(words["delivered"], verdict.delivered),
        _row(words["duplicated"], verdict.duplicated),
        _row(words["altered"], verdict.altered),
        _row(words["lost"], verdict.lost),
        _row(words["gaps"], verdict.gaps_explained),
        _row(words["waiting"], verdict.waiting),
        _row(words["wait"], f"{_duration(result.longest_wait_s)} ({_duration(result.median_wait_s)})"),
        _row(words["alarms"], f"{result.alarms.told}/{result.alarms.expected}, {words['false']} {result.alarms.false}"),
        words["light"],
        _row(words["street"], len(result.lighting_violations) or words["never"]),
        _row(words["delay"], f"{result.worst_delay_s} s"),
        *_fitted(result, words),
    ]
    if result.cut_lines:
        rows.append(words["away"])
    for what, from_s, to_s, cabinet, wanted, short in result.cut_lines:
        name = f"{words[what]} {_cabinet(options, None if cabinet < 0 else cabinet)}"
        period = f"{_clock(options, from_s)}–{_clock(options, to_s)}"
        rows.append(f"  {period}  {name}: {wanted} {words['followed']} {short}")
    saved = 100 * (result.full_power_wh - result.true_wh) // max(1, result.full_power_wh)
    rows += [
        words["energy"],
        _row(words["used"], f"{_kwh(result.true_wh)} kWh (−{saved} %)"),
        _row(words["full"], f"{_kwh(result.full_power_wh)} kWh"),
        _row(words["stored"], f"{_kwh(result.stored_wh)} kWh"),
        *_heat(result, words),
        *_water(result, words),
        *(_row(name, value) if value else name for name, value in village.rows(result.village, language)),
        words["link"],
        _row(words["batches"], result.batches),
        _row(words["bytes"], f"{result.batch_bytes / max(1, result.readings):.2f}"),
        _row(words["mobile"], f"{result.mobile_bytes / 1000:.0f} kB ({result.bearer_changes})"),
        _row(words["sealed"], f"{result.sealed} ({result.nonces_reused or words['never']})"),
        _row(words["limits"], len(result.bounds_violations) or words["never"]),
        _row(words["speed"], f"{result.node_seconds / 3600:.0f} {words['hours']} {wall_s:.1f} s"),
        _row(words["digest"], result.digest),
        "",
    ]
    rows += [f"  ! {fault}" for fault in faults(result)]
    rows.append(words["good"] if result.is_good else words["bad"])
    return "\n".join(rows)


def faults(result: Result) -> list[str]:
    """Every violated invariant, as its checker words it (at most the first few of each)."""
    return [
        *result.verdict.first_faults,
        *result.alarms.faults[:10],
        *result.lighting_violations[:10],
        *result.bounds_violations[:10],
        *result.rooms.violations[:10],
        *result.greens.violations[:10],
        *([f"{result.nonces_reused} messages were sealed with a nonce that was spent"] if result.nonces_reused else []),
        *village.faults(result.village),
    ]


def as_json(result: Result, wall_s: float) -> dict[str, Any]:
    """What a program reads; the key set only grows."""
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
        "alarms_told": result.alarms.told,
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


def _others(options: Options, words: dict[str, str]) -> str:
    """Rooms and green spaces, where there are any."""
    counts = ((options.rooms, words["room"]), (options.greens, words["green"]))
    return "".join(f" · {count} × {word}" for count, word in counts if count)


def _fitted(result: Result, words: dict[str, str]) -> list[str]:
    """Lamps that have more than a meter."""
    told = result.streets
    rows = (
        (told.cells, "cell", _duration(told.by_cell_s)),
        (told.detectors, "detector", f"{told.met} / {told.passed}"),
        (told.gears, "gear", f"{result.assets} / {told.gears}"),
    )
    return [_row(f"{count} {words[word]}", figure) for count, word, figure in rows if count]


def _heat(result: Result, words: dict[str, str]) -> list[str]:
    told = result.rooms
    if not told.rooms:
        return []
    share = f" ({1000 * told.comfort_min // told.used_min / 10} %)" if told.used_min else ""
    return [
        words["heat"],
        _row(f"{told.rooms} {words['rooms']}", f"{_kwh(told.wh)} kWh"),
        _row(words["comfort"], f"{told.comfort_min // 60} / {told.used_min // 60}{share}"),
        _row(words["frozen"], len(told.violations) or words["never"]),
    ]


def _water(result: Result, words: dict[str, str]) -> list[str]:
    told = result.greens
    if not told.spaces:
        return []
    return [
        words["water"],
        _row(f"{told.spaces} {words['greens']}", f"{told.ml // 1000} L"),
        _row(words["drained"], f"{told.drained_ml // 1000} L"),
        _row(words["stress"], f"{told.stress_min // 60} / {told.zone_min // 60}"),
        _row(words["valves"], len(told.violations) or words["never"]),
    ]


def _row(name: str, value: Any) -> str:
    return f"  {name:<54} {value}"


def _kwh(wh: int) -> str:
    return f"{wh / 1000:.1f}"


def _cabinet(options: Options, index: int | None) -> str:
    if index is None:
        return ""
    district = districts(options.lamps)[index]
    return f"{district.commune}/{district.name} "


def _clock(options: Options, at_s: int) -> str:
    """Local time of an instant of the run."""
    local = civil.local_from_unix(civil.PARIS, options.start_unix_s + at_s)
    return f"{local.second // 3600:02}:{local.second // 60 % 60:02}"


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02}" if hours else f"{minutes} min"


def stamp(unix_s: int) -> str:
    """UTC, for file names and axes."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M")
