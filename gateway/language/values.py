"""Formats the values of an event's detail as people read them, by the name of their field in `firmware/wire/event.py`.

Integers are shown in the units of people (`power_dw` 412 is `41,2 W`), words (`no-flow`) by the table below, and what
is not known by a question mark. A word that the table does not have stands as it came.
"""

from datetime import datetime

from gateway.language import N_, NC_, Phrases
from gateway.language.figures import duration, number

UNKNOWN = "?"
_CHARACTERS_MAX = 80

WORDS = Phrases({
    "about.self": N_("this equipment"),
    "zone.master": N_("master valve"),
    "zone.number": N_("zone {number}"),
    "closed.true": N_("closed"),
    "closed.false": NC_("contactor", "open"),
    "ordered.true": NC_("contactor", "stays open against the order: its lamps are dark"),
    "ordered.false": NC_("contactor", "stays closed against the order: its lamps burn"),
    "open.true": NC_("valve", "opened"),
    "open.false": NC_("valve", "shut"),
    "cause.power-on": N_("power is back"),
    "cause.reset": N_("reset"),
    "cause.brown-out": N_("supply too weak"),
    "cause.deep-sleep": N_("end of sleep"),
    "cause.watchdog": N_("watchdog"),
    "cause.panic": N_("failure of the system"),
    "cause.crash": N_("failure of the program"),
    "cause.planned": N_("restart on order"),
    "cause.soft": N_("restart of the program"),
    "cause.hard": N_("reset"),
    "cause.unknown": N_("cause unknown"),
    "bearer.fibre": N_("fibre"),
    "bearer.mobile": NC_("by which bearer", "4G"),
    "basis.photocell": N_("the photocell decides"),
    "basis.carried": N_("the time is carried, less and less certain"),
    "basis.safety": N_("the safe rule decides"),
    "basis.clock": N_("the time is back"),
    # why
    "why.thinned": N_("thinned"),
    "why.fair-use": N_("beyond the equipment's fair use"),
    "why.dropped": N_("memory full"),
    "why.damaged": N_("memory damaged"),
    "why.journal-full": N_("journal full"),
    "why.journal-damaged": N_("journal damaged"),
    "why.gaps-joined": N_("gap records joined (nothing lost)"),
    "why.no-keys": N_("no keys are installed here"),
    "why.stranger": N_("signed by an unknown key"),
    "why.signature": N_("the signature does not hold"),
    "why.form": N_("it is not signed"),
    "why.addressee": N_("it is for another gateway"),
    "why.altered": N_("batches arrive there otherwise than they were sent"),
    "why.too-few": N_("signatures are missing"),
    "why.commune": N_("it is another commune's"),
    "why.version-order": N_("it does not follow the one before"),
    "why.older": N_("it is older than the one in force"),
    "why.silent": N_("no answer"),
    "why.range": N_("out of its range"),
    "why.rate": N_("it changes too fast"),
    "why.stuck": N_("it does not change any more"),
    "why.absent": NC_("feminine", "absent"),
    "why.cable": N_("cable cut"),
    "why.coil": N_("coil fault"),
    "why.open-coil": N_("coil cut"),
    "why.short": N_("short circuit"),
    "why.coil-changed": N_("the coil has changed"),
    "why.no-flow": N_("no water flows"),
    "why.stuck-open": N_("it stays open"),
    "why.drift": N_("the flow has changed"),
    "why.energy": N_("not enough energy"),
    "why.rain": N_("rain"),
    "why.freeze": N_("frost"),
    "why.wind": N_("wind"),
    "why.forbidden": N_("forbidden hours"),
    "why.drought": N_("drought order"),
    "why.satisfied": N_("the soil is wet enough"),
    "why.time": N_("no time left"),
    "why.lock": N_("locked on the spot"),
    "why.test": N_("test on the spot"),
    "why.order": N_("ordered"),
    "why.burst": N_("burst pipe"),
    "why.leak": N_("water leak"),
    "why.valve": N_("valve failure"),
    "why.complete": N_("complete"),
    "why.deadline": N_("deadline reached"),
    "why.unreadable": N_("unreadable"),
    "why.faulty": N_("faulty"),
    "why.crashed": N_("the program failed with them"),
    "why.stopped": N_("it has stopped"),
    "why.disagrees": N_("far from the gateway's time"),
    "why.locked": N_("locked on the spot"),
    # why a gateway's package was not exchanged
    "why.interrupted": N_("cut off three times"),
    "why.agent": N_("the agent does not run, or does not go on running"),
    "why.nodes": N_("equipment is not heard any more"),
    "why.centre": N_("the centre confirms nothing any more"),
    "why.install": N_("the package cannot be installed"),
    "why.journal": N_("the journal cannot be read or written"),
    "why.not-published": N_("it is not in the repository"),
    "why.no-way-back": N_("the version before is not in the repository"),
    "why.unreachable": N_("the archive is not reached"),
    "why.no-snapshots": N_("no source of the system keeps snapshots"),
    "why.no-such-state": N_("the archive has no snapshot of that instant: begin a campaign for another"),
    "why.not-kept": N_("the former packages could not be kept"),
    "why.disk-full": N_("no room on the card"),
    "why.digest": N_("what came is not what was signed"),
    # sensors
    "sensor.room": N_("room sensor"),
    "sensor.outdoor": N_("outdoor sensor"),
    "sensor.photocell": N_("photocell"),
    "sensor.meter": N_("meter"),
    # what a lamp's control gear says of itself (DALI part 253)
    "flag.gear": N_("general fault"),
    "flag.undervoltage": N_("voltage too low"),
    "flag.overvoltage": N_("voltage too high"),
    "flag.power-limit": N_("power limited"),
    "flag.thermal-derating": N_("hot, it dims itself"),
    "flag.thermal-shutdown": N_("too hot, it has shut down"),
    "flag.lamp-short-circuit": N_("lamp in short circuit"),
    "flag.lamp-open-circuit": N_("lamp cut off"),
    "flag.lamp-thermal-derating": N_("hot lamp, it is dimmed"),
    "flag.lamp-thermal-shutdown": N_("lamp too hot, it is put out"),
    "seen_by.contact": N_("contact"),
    "seen_by.slope": N_("sudden fall of temperature"),
    # rules, from the strongest down
    "rule.interlock": N_("local interlock"),
    "rule.emergency": N_("emergency"),
    "rule.manual": N_("test at the cabinet"),
    "rule.override": N_("command of the centre"),
    "rule.command": N_("command of the centre"),
    "rule.policy": N_("policy"),
    "rule.calendar": N_("calendar"),
    "rule.default": N_("sunset and sunrise"),
    "rule.photocell": N_("photocell"),
    "rule.photocell-alone": N_("photocell alone, without the time"),
    "rule.carried": N_("time carried without network"),
    "rule.feeder": N_("mains of the feeder"),
    "rule.boot": N_("start of the equipment"),
    "rule.safety": N_("safety"),
    "rule.no-time": N_("clock not set yet"),
    "rule.frost": N_("frost protection"),
    "rule.safe-duty": N_("fixed heat without a sensor"),
    "rule.window": N_("window open"),
    "rule.programme": N_("heating programme"),
    "rule.preheat": N_("preheating"),
    "rule.early-stop": N_("early stop"),
    "rule.load-shed": N_("load shedding"),
    "rule.ceiling": N_("legal ceiling"),
    "rule.balance": N_("water balance"),
    "rule.depth": N_("fixed depth"),
    "rule.deadline": N_("deadline reached"),
    # what became of it
    "outcome.sent": N_("sent"),
    "outcome.received": N_("received"),
    "outcome.applied": N_("applied"),
    "outcome.measured": N_("measured"),
    "outcome.refused": N_("refused"),
    "outcome.expired": NC_("command", "expired"),
    "outcome.ended": N_("ended"),
    "outcome.ready": N_("ready, it starts now"),
    "outcome.confirmed": NC_("program", "confirmed"),
    "outcome.signer": N_("refused: signed by an unknown key"),
    "outcome.signature": N_("refused: the signature does not hold"),
    "outcome.manifest": N_("refused: its manifest is not sound"),
    "outcome.product": N_("refused: it is for other equipment"),
    "outcome.digest": N_("refused: the memory returns other than what was written"),
    "outcome.state": N_("refused: the memory refuses to write"),
    "outcome.kept": NC_("program", "installed and well"),
    "outcome.rolled-back": N_("taken back, the former one runs again"),
    "outcome.no-outputs": N_("on trial an output has not followed"),
    "outcome.no-sample": N_("on trial something that it measures is silent"),
    "outcome.no-gateway": N_("on trial it has not reached its gateway"),
    "outcome.no-soundness": N_("on trial what it measures contradicts its outputs"),
    "outcome.space": N_("refused: its memory is full"),
    "outcome.crash": N_("it has crashed"),
    "outcome.rescue": N_("it is in rescue mode"),
    "outcome.silent": N_("it has not been heard of since its restart"),
    "phase.canary": N_("the first nodes go first"),
    "phase.soak": N_("the first nodes run it"),
    "phase.rest": N_("all others follow"),
    "phase.done": NC_("campaign", "done"),
    "phase.halted": N_("halted by failures"),
    "phase.stopped": NC_("campaign", "stopped"),
    "outcome.fell-back": N_("it did not last, the former one runs again"),
    "holds.program": N_("program"),
    "holds.interpreter": N_("interpreter"),
    "what.test": N_("test"),
    "what.test-end": N_("test ended"),
    "what.lock": N_("lock-out"),
    "what.unlock": N_("end of the lock-out"),
})  # fmt: skip

# Fields that use the words of another.
_LIKE = {"ended": "why", "before": "bearer"}
# Units of people: suffix of a field, factor, decimals, unit. The first that fits.
_UNITS = (
    ("rise_ck", 100, 1, "K"),
    ("setback_ck", 100, 1, "K"),
    ("_ck", 100, 1, "°C"),
    ("_dw", 10, 1, "W"),
    ("_ml_min", 1000, 1, "L/min"),
    ("_ml", 1000, 1, "L"),
    ("_mv", 1000, 2, "V"),
    ("_ma", 1, 0, "mA"),
)
_INSTANTS = ("_unix_s", "valid_from_s", "valid_until_s")
# States of Debian's archive.
_STATES = ("system_state", "system_before")


def value_text(field: str, value: object, language: str) -> str:
    """A value of a detail as people read it."""
    if field == "zone":
        return _zone(value, language)
    if field == "about":
        return WORDS.text("about.self", language) if value is None else _plain(value)
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        word = "true" if value else "false"
        return WORDS.text_or(f"{field}.{word}", word, language)
    if isinstance(value, int):
        return _measured(field, value, language)
    if field in _STATES and (unix_s := instant_of_state(value)) is not None:
        return _measured("_unix_s", unix_s, language)
    return WORDS.text_or(f"{_LIKE.get(field, field)}.{value}", _plain(value), language)


def _measured(field: str, value: int, language: str) -> str:
    if field.endswith(_INSTANTS):
        try:
            when = datetime.fromtimestamp(value).astimezone()
        except (OverflowError, ValueError, OSError):  # no instant of the calendar
            return str(value)
        return when.strftime("%d/%m/%Y %H:%M" if language == "fr" else "%Y-%m-%d %H:%M")
    for suffix, factor, digits, unit in _UNITS:
        if field.endswith(suffix):
            return f"{number(value / factor, language, digits)} {unit}"
    return duration(value, language) if field.endswith("_s") else str(value)


def instant_of_state(state: object) -> int | None:
    """Returns the instant (Unix s) of a state of Debian's archive, such as 20261130T000000Z; None for anything else: a
    gateway may report anything."""
    try:
        return int(datetime.strptime(f"{state}+0000", "%Y%m%dT%H%M%SZ%z").timestamp())
    except ValueError:
        return None


def _zone(value: object, language: str) -> str:
    if not isinstance(value, int):
        return UNKNOWN
    return WORDS.text("zone.master", language) if value == 0 else WORDS.text("zone.number", language, number=value)


def _plain(value: object) -> str:
    """Bytes in hexadecimal, a text without what could break or colour a line: a peer may have written it."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    shown = "".join(character if character.isprintable() else " " for character in str(value)[:_CHARACTERS_MAX])
    return shown.strip() or UNKNOWN
