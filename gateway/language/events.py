"""What every event of the wire means: a name for a list, a sentence with its values, and what a person can do.

`firmware/wire/event.py` has the codes and what their details hold; a test keeps the two tables the same. Values are
shown in the units of people (`power_dw` 412 is `41,2 W`), words of a detail (`no-flow`) by their own table, and what
is not known by a question mark. Longer than 400 lines because it is one table.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gateway.language import N_, NC_, NN_, Message, Phrases, translate
from gateway.language.figures import duration, number
from wire import event

UNKNOWN = "?"


class EventText(NamedTuple):
    """`ended`: the sentence of the end of a condition, where the name with "over" would not do."""

    name: Message
    sentence: Message
    remedy: Message | None = None
    ended: Message | None = None


TEXTS: dict[int, EventText] = {
    # --- housekeeping
    event.BOOT: EventText(N_("start"), N_("The equipment has started: {cause}")),
    event.ANCHOR: EventText(N_("time reference"), N_("The uptimes of {about} are dated, to ± {uncertainty_s}")),
    event.GAP: EventText(N_("missing records"), N_("Records of {about} will not come: {why}")),
    event.RAW: EventText(
        N_("undecoded record"), N_("A record of {about} cannot be decoded, its bytes are kept: {why}")
    ),
    event.HOLE: EventText(N_("damaged journal"), N_("The journal has lost positions {first} to {last}: {why}")),
    event.CONFLICT: EventText(
        N_("number used twice"),
        N_("Two different records of {about} have the number {sequence}"),
        N_("both are kept; look for a second board with this identity"),
    ),
    event.TIME_DOUBTFUL: EventText(
        N_("doubtful time"),
        N_("A record of {about} says {said_unix_s} but came at {heard_unix_s}"),
        N_("compare the clocks of this equipment and of its gateway"),
    ),
    event.CLOCK_STEPPED: EventText(
        N_("clock corrected"), N_("The clock was corrected from {before_unix_s} to {after_unix_s}")
    ),
    event.BEARER_CHANGED: EventText(
        N_("change between fibre and 4G"), N_("The link to the centre goes by {bearer} (before: {before})")
    ),
    event.AUDIT_HEAD: EventText(N_("audit log"), N_("The cabinet's audit log has {entries} entries")),
    event.POLICY_TAKEN: EventText(
        N_("policy received"), N_("Policy no. {version} is accepted, valid from {valid_from_s} to {valid_until_s}")
    ),
    event.POLICY_REFUSED: EventText(
        N_("policy refused"),
        N_("A policy or key set is refused: {why}; the one in force goes on"),
        N_("sign it and publish it again"),
    ),
    event.LEASE_CHANGED: EventText(
        N_("commands of the centre"),
        N_("Commands of the centre are accepted for {left_s} more"),
        None,
        N_("Without news from the centre: only the policy and emergencies count"),
    ),
    event.CRASH: EventText(
        N_("internal error"),
        N_("The program has failed and started again: {cause}"),
        N_("once: nothing; several times: send its log to the support"),
    ),
    event.DIRECTIVE_TAKEN: EventText(N_("directive received"), N_("The equipment follows directive {code}: {value}")),
    event.SETTINGS_CHANGED: EventText(N_("settings changed"), N_("Settings no. {version} are in force")),
    event.UPDATE: EventText(N_("program update"), N_("Program no. {number}: {outcome}")),
    # --- alarms of lamps
    event.LAMP_FAILURE: EventText(
        N_("lamp out of order"),
        N_("The lamp does not light although it is on"),
        N_("see the fuse at the foot of the mast, then the lamp and its control gear"),
    ),
    event.LAMP_UNEXPECTED_ON: EventText(
        N_("lamp on by mistake"),
        N_("The lamp draws power although it should be off"),
        N_("look for a welded relay or for a load connected beside the lamp"),
    ),
    event.METER_FAILURE: EventText(
        N_("meter silent"),
        N_("The meter of this equipment does not answer"),
        N_("check its connection; the equipment goes on without it"),
    ),
    event.DIMMING_FAILURE: EventText(
        N_("dimming failure"),
        N_("The lamp's power does not follow its dimming level"),
        N_("check the dimming line (DALI, 0-10 V), then the control gear"),
    ),
    event.CYCLING_FAILURE: EventText(
        N_("lamp cycling"),
        N_("The lamp goes out and comes back by itself"),
        N_("replace the lamp, at the end of its life, or its control gear"),
    ),
    event.RELAY_FAILURE: EventText(
        N_("relay failure"), N_("The relay of the output does not follow the order"), N_("replace the controller")
    ),
    event.GEAR_COMM_FAILURE: EventText(
        N_("control gear silent"),
        N_("The lamp's control gear does not answer"),
        N_("check its supply and the DALI line"),
    ),
    event.POWER_TOO_HIGH: EventText(
        N_("power too high"),
        N_("The lamp draws more power than it should"),
        N_("compare the lamp with its data sheet; look for a load connected beside it"),
    ),
    event.POWER_TOO_LOW: EventText(
        N_("power too low"),
        N_("The lamp draws less power than it should"),
        N_("see the lamp by night: modules out, or another lamp than the one entered"),
    ),
    event.VOLTAGE_TOO_HIGH: EventText(
        N_("voltage too high"),
        N_("The mains voltage is too high"),
        N_("measure at the cabinet; a lost neutral is dangerous: open the feeder, then call the network's operator"),
    ),
    event.VOLTAGE_TOO_LOW: EventText(
        N_("voltage too low"),
        N_("The mains voltage is too low"),
        N_("measure at the cabinet and at the mast; look for a loose connection on the line"),
    ),
    event.GEAR_FAILURE: EventText(
        N_("control gear fault"),
        N_("The lamp's control gear reports a fault: {flag}"),
        N_("replace the control gear if it lasts"),
    ),
    event.PRESENCE_SENSOR_FAILURE: EventText(
        N_("presence detector stuck"),
        N_("The presence detector triggers without an end"),
        N_("see what moves in front of it; clean it or replace it"),
    ),
    # --- alarms of a cabinet
    event.BEARER_FAILURE: EventText(
        N_("link down"),
        N_("The link to the centre by {bearer} is down"),
        N_("check the cable, the fibre converter, the modem and its antenna"),
    ),
    event.FEEDER_UNEXPECTED_ON: EventText(
        N_("feeder on by mistake"),
        N_("Feeder `{feeder}` burns although its contactor is open"),
        N_("look for a bypass switch, a welded contactor or a tap"),
    ),
    event.FEEDER_FAILURE: EventText(
        N_("feeder without current"),
        N_("Feeder `{feeder}` draws no current although it should light"),
        N_(
            "see the feeder's breaker and fuses; close it once, if it trips again look for the fault on the line"
        ),
    ),
    event.LAMPS_LOST: EventText(
        N_("lamps out"),
        NN_("{count} lamp out on the feeder `{feeder}`", "{count} lamps out on the feeder `{feeder}`"),
        N_("find them by night and replace them; their number is inferred from the watts"),
    ),
    event.CABLE_FAULT: EventText(
        N_("cable cut or stolen"),
        N_("Cable cut or stolen on the feeder `{feeder}`: {count} lamps at once"),
        N_("open the feeder's breaker before any search, conductors may be bare; then follow the line"),
    ),
    event.CONTACTOR_STUCK: EventText(
        N_("contactor stuck"),
        N_("The contactor of the feeder `{feeder}` does not follow the order"),
        N_("with the power off, check coil, relay and auxiliary contact; welded, replace it"),
    ),
    event.SUPPLY_LOSS: EventText(
        N_("mains lost"),
        N_("The cabinet has no supply"),
        N_("check the main breaker and the Linky meter, then call the electricity network's operator"),
    ),
    event.DOOR_OPEN: EventText(
        N_("door open"),
        N_("The cabinet's door is open"),
        N_("close it; if nobody is there, go and see"),
        N_("The cabinet's door is closed again"),
    ),
    event.LOCAL_OVERRIDE: EventText(
        N_("hand switch not at AUTO"),
        N_("The cabinet's hand switch is not at AUTO"),
        N_("put it back to AUTO on leaving: until then neither the policy nor the centre commands"),
    ),
    event.TIME_FALLBACK: EventText(
        N_("time unknown"),
        N_("The time is not known: {basis}"),
        N_("restore access to the time server (timedatectl)"),
    ),
    event.POLICY_EXPIRED: EventText(
        N_("policy expired"),
        N_("The lighting policy has expired"),
        N_("its calendar goes on; the commune must sign a new one"),
    ),
    event.HANDED_BACK: EventText(
        N_("in the hands of the astronomical clock"),
        N_("The cabinet is in the hands of its astronomical clock"),
        N_(
            "the gateway no longer commands: give it the time (network, timedatectl), then restart the agent if it "
            "lasts"
        ),
        N_("The gateway commands the cabinet again"),
    ),
    event.PHOTOCELL_FAILURE: EventText(
        N_("photocell stuck"), N_("The photocell is stuck"), N_("clean it, and check that no lamp shines on it")
    ),
    event.CABINET_METER_FAILURE: EventText(
        N_("meter of the cabinet silent"),
        N_("Silent meter: {meter}"),
        N_("check its power, its cable (RS-485, TIC) and its address; the lighting goes on without it"),
    ),
    # --- alarms of rooms
    event.SENSOR_FAILURE: EventText(
        N_("sensor failure"),
        N_("No usable measurement: {sensor}, {why}"),
        N_("check the sensor's cable and connector; replace it if it lasts"),
    ),
    event.FROST_PROTECTION: EventText(
        N_("frost protection"),
        N_("The room is near freezing, at {temperature_ck}: it is heated against everything else"),
        N_("close doors and windows; see the boiler, the radiators and a lock-out left behind"),
    ),
    event.HEATING_FAILURE: EventText(
        N_("heating without effect"),
        N_("Full heat and the room does not get warmer ({rise_ck})"),
        N_("see the boiler, the circulation pump, the radiator's valve and air in the circuit"),
    ),
    event.HEATING_UNEXPECTED_ON: EventText(
        N_("heating by mistake"),
        N_("The room gets warmer although nothing is ordered ({rise_ck})"),
        N_("look for a valve or relay that stays open, or for another source of heat"),
    ),
    event.BOILER_FAULT: EventText(
        N_("boiler fault"),
        N_("The boiler reports a fault, code {oem_code}"),
        N_("look the code up in the boiler's manual; call the heating company"),
    ),
    event.BOILER_COMM_FAILURE: EventText(
        N_("boiler silent"),
        N_("The boiler does not answer (OpenTherm)"),
        N_("check that the boiler is on, then its two-wire line"),
    ),
    # --- alarms of green spaces
    event.VALVE_FAILURE: EventText(
        N_("valve failure"),
        N_("{zone}: the valve does not do what is ordered, {why}"),
        N_("check the cable, the coil and the valve; shut the water off by hand if it stays open"),
    ),
    event.FLOW_TOO_HIGH: EventText(
        N_("flow too high"),
        N_("{zone}: too much water, {flow_ml_min} for {expected_ml_min} expected"),
        N_("look for a broken sprinkler or pipe in this zone"),
    ),
    event.FLOW_TOO_LOW: EventText(
        N_("flow too low"),
        N_("{zone}: too little water, {flow_ml_min} for {expected_ml_min} expected"),
        N_("clean the filter and the nozzles; check the pressure and the stop valve"),
    ),
    event.PIPE_BURST: EventText(
        N_("burst pipe"),
        N_("Burst pipe ({zone}, {flow_ml_min}): the master valve is shut until the alarm is acknowledged"),
        N_("find the burst and mend it, then acknowledge the alarm at the controller"),
    ),
    event.WATER_LEAK: EventText(
        N_("water leak"),
        N_("Water flows with every valve shut: {volume_ml} in {over_s}"),
        N_("shut the stop valve, then look for the leak between the meter and the valves"),
    ),
    event.CONTAINER_FULL: EventText(
        N_("container full"), N_("The container is full: {fill} %"), N_("have it emptied")
    ),
    # --- alarms of any node
    event.BATTERY_LOW: EventText(
        N_("battery low"), N_("The battery is low: {battery_mv}"), N_("replace the battery at the next visit")
    ),
    event.RESCUE_MODE: EventText(
        N_("rescue mode"),
        N_("The program has failed three times: outputs are safe, it waits for another program ({why})"),
        N_("bring it another program: bocage gateway images … add"),
        N_("The equipment runs its own program again"),
    ),
    event.SETTINGS_FAILURE: EventText(
        N_("settings not usable"),
        N_("Settings are refused, the last good ones are in force: {why}"),
        N_("write the settings again at the workshop"),
    ),
    event.CLOCK_FAILURE: EventText(
        N_("clock failure"),
        N_("The clock of this equipment is not to be relied on: {why}"),
        N_("replace the clock's battery, or the board"),
    ),
    # --- what equipment did
    event.LEVEL_CHANGED: EventText(
        N_("level changed"), N_("Lamp at {level} % (before: {previous} %), decided by: {rule}")
    ),
    event.FEEDER_SWITCHED: EventText(
        N_("feeder switched"), N_("Feeder `{feeder}`: contactor {closed}, decided by: {rule}")
    ),
    event.COMMAND_OUTCOME: EventText(N_("outcome of a command"), N_("Command {id}: {outcome}")),
    event.LOCAL_ORDER: EventText(N_("order at the cabinet"), N_("At the cabinet, {who}: {what}, feeder `{feeder}`")),
    event.SETPOINT_CHANGED: EventText(
        N_("set-point changed"), N_("Set-point {setpoint_ck} (before: {previous_ck}), decided by: {rule}")
    ),
    event.WINDOW_OPEN: EventText(
        N_("window open"),
        N_("A window is open ({seen_by}): the heating pauses"),
        None,
        N_("The window is closed: the heating goes on"),
    ),
    event.VALVE_SWITCHED: EventText(N_("valve switched"), N_("{zone}: valve {open}, decided by: {rule}")),
    event.WATERING_DONE: EventText(N_("watering done"), N_("{zone}: watered for {open_s}, {volume_ml} ({ended})")),
    event.WATERING_SKIPPED: EventText(N_("watering skipped"), N_("{zone}: not watered, {why}")),
    event.HEATING_LEARNED: EventText(N_("heating learned"), N_("Preheating took {minutes} min for {rise_ck}")),
    event.VALVE_EXERCISED: EventText(N_("valve exercised"), N_("The radiator's valve was moved, stroke {stroke_s}")),
    event.LOAD_SHED: EventText(
        N_("load shedding"),
        N_("Load shedding: the set-point is lowered by {setback_ck}"),
        None,
        N_("Load shedding is over"),
    ),
    event.CEILING_APPLIED: EventText(
        N_("legal ceiling"), N_("Legal ceiling: {allowed_ck} instead of the {wished_ck} wished ({text})")
    ),
    event.LOCAL_TEST: EventText(N_("technician at the equipment"), N_("A technician at the equipment: {what}")),
    event.CONTAINER_EMPTIED: EventText(N_("container emptied"), N_("The container is emptied: {fill} %")),
    event.LAMP_ASSET: EventText(
        N_("luminaire data sheet"), N_("The luminaire gives its data sheet: {identification}, {nominal_w} W")
    ),
}  # fmt: skip

_OVER = N_("{name}: over")
_OTHER = N_("event {label}, which this version does not know")

# Words of details, by the name of their field in `wire.event`. A word that is not here stands as it came.
VALUES = Phrases({
    "about.self": N_("this equipment"),
    "zone.master": N_("master valve"),
    "zone.number": N_("zone {number}"),
    "closed.true": N_("closed"),
    "closed.false": NC_("contactor", "open"),
    "open.true": NC_("valve", "opened"),
    "open.false": NC_("valve", "shut"),
    "cause.power-on": N_("power is back"),
    "cause.reset": N_("reset"),
    "cause.brown-out": N_("supply too weak"),
    "cause.deep-sleep": N_("end of sleep"),
    "cause.watchdog": N_("watchdog"),
    "cause.panic": N_("failure of the system"),
    "cause.crash": N_("failure of the program"),
    "bearer.fibre": N_("fibre"),
    "bearer.mobile": NC_("by which bearer", "4G"),
    "basis.photocell": N_("the photocell decides"),
    "basis.carried": N_("the time is carried, less and less certain"),
    "basis.safety": N_("the safe rule decides"),
    "basis.clock": N_("the time is back"),
    # why
    "why.thinned": N_("thinned"),
    "why.dropped": N_("memory full"),
    "why.damaged": N_("memory damaged"),
    "why.journal-full": N_("journal full"),
    "why.journal-damaged": N_("journal damaged"),
    "why.gaps-joined": N_("gap records joined (nothing lost)"),
    "why.no-keys": N_("no keys are installed here"),
    "why.stranger": N_("signed by an unknown key"),
    "why.signature": N_("the signature does not hold"),
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
    "why.newer-schema": N_("written for a later program"),
    "why.faulty": N_("faulty"),
    "why.crashed": N_("the program failed with them"),
    "why.stopped": N_("it has stopped"),
    "why.disagrees": N_("far from the gateway's time"),
    "why.locked": N_("locked on the spot"),
    # sensors
    "sensor.room": N_("room sensor"),
    "sensor.outdoor": N_("outdoor sensor"),
    "sensor.photocell": N_("photocell"),
    "sensor.meter": N_("meter"),
    "seen_by.contact": N_("contact"),
    "seen_by.slope": N_("sudden fall of temperature"),
    # rules, from the strongest down
    "rule.interlock": N_("local interlock"),
    "rule.emergency": N_("emergency"),
    "rule.manual": N_("test at the cabinet"),
    "rule.override": N_("order on the spot"),
    "rule.command": N_("command of the centre"),
    "rule.presence": N_("presence"),
    "rule.policy": N_("policy"),
    "rule.calendar": N_("calendar of the policy"),
    "rule.default": N_("sunset and sunrise"),
    "rule.photocell": N_("photocell"),
    "rule.photocell-alone": N_("photocell alone, without the time"),
    "rule.carried": N_("time carried without network"),
    "rule.feeder": N_("mains of the feeder"),
    "rule.boot": N_("start of the equipment"),
    "rule.safety": N_("safety"),
    "rule.no-time": N_("time unknown"),
    "rule.frost": N_("frost protection"),
    "rule.safe-duty": N_("fixed heat without a sensor"),
    "rule.window": N_("window open"),
    "rule.standby": N_("standby"),
    "rule.programme": N_("heating programme"),
    "rule.preheat": N_("preheating"),
    "rule.early-stop": N_("early stop"),
    "rule.load-shed": N_("load shedding"),
    "rule.ceiling": N_("legal ceiling"),
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
    "outcome.fell-back": N_("it did not last, the former one runs again"),
    "what.test": N_("test"),
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


def name(code: int, language: str) -> str:
    """Two or three words for a list; the label of the wire for a code that the table does not have."""
    text = TEXTS.get(code)
    return event.label(code) if text is None else translate(text.name, language)


def sentence(code: int, active: bool | None, detail: object, language: str) -> str:
    """What has happened; `active` and `detail` as an event's body has them."""
    text = TEXTS.get(code)
    if text is None:
        return translate(_OTHER, language, label=event.label(code))
    if active is not False:
        said = translate(text.sentence, language, **values(code, detail, language))
    elif text.ended is not None:
        said = translate(text.ended, language, **values(code, detail, language))
    else:
        said = translate(_OVER, language, name=name(code, language))
    return said[:1].upper() + said[1:]


def remedy(code: int, language: str) -> str | None:
    """What a person can do about it, where there is something."""
    text = TEXTS.get(code)
    return None if text is None or text.remedy is None else translate(text.remedy, language)


def values(code: int, detail: object, language: str) -> dict[str, Any]:
    """The values of a detail by name, in words; `count` is the number of lamps, where they are counted."""
    entry = event.BY_CODE[code]
    fields: Sequence[str] = entry.detail or ()
    given = list(detail) if isinstance(detail, (list, tuple)) else []
    found: Mapping[str, object] = dict(zip(fields, given, strict=False))
    shown: dict[str, Any] = {field: value_text(field, found.get(field), language) for field in fields}
    if "lamps" in fields:
        lamps = found.get("lamps")
        shown["count"] = lamps if isinstance(lamps, int) else UNKNOWN
    return shown


def value_text(field: str, value: object, language: str) -> str:
    """A value of a detail as people read it."""
    if field == "zone":
        return _zone(value, language)
    if field == "about":
        return VALUES.text("about.self", language) if value is None else _plain(value)
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        word = "true" if value else "false"
        return VALUES.text_or(f"{field}.{word}", word, language)
    if isinstance(value, int):
        return _measured(field, value, language)
    return VALUES.text_or(f"{_LIKE.get(field, field)}.{value}", _plain(value), language)


def _measured(field: str, value: int, language: str) -> str:
    if field.endswith(_INSTANTS):
        when = datetime.fromtimestamp(value).astimezone()
        return when.strftime("%d/%m/%Y %H:%M" if language == "fr" else "%Y-%m-%d %H:%M")
    for suffix, factor, digits, unit in _UNITS:
        if field.endswith(suffix):
            return f"{number(value / factor, language, digits)} {unit}"
    return duration(value, language) if field.endswith("_s") else str(value)


def _zone(value: object, language: str) -> str:
    if not isinstance(value, int):
        return UNKNOWN
    return VALUES.text("zone.master", language) if value == 0 else VALUES.text("zone.number", language, number=value)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, (bytes, bytearray)) else str(value)
