"""Holds the meaning of every event of the wire: a name for a list, a sentence with its values, and what a person can
do.

`firmware/wire/event.py` has the codes and what their details hold; a test keeps the two tables the same. A sentence
shows the values of a detail as `gateway/language/values.py` words them. Long because it is one table.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.language import N_, NC_, NN_, Message, directives, translate
from gateway.language.values import UNKNOWN, value_text
from wire import event, event_table


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
    event.DIRECTIVE_TAKEN: EventText(
        N_("directive received"), N_("The equipment follows the directive {code}: {value}")
    ),
    event.RECEIPT_REFUSED: EventText(
        N_("receipt refused"), N_("What came in the warehouse's name was refused, nothing was erased: {why}")
    ),
    event.CAMPAIGN: EventText(
        N_("campaign of programs"),
        N_("Program no. {number} for {product}: {phase}, {confirmed} confirmed, {failed} failed"),
    ),
    event.AGENT_UPDATE: EventText(
        N_("update of the gateway"), N_("Agent {agent_version} (before: {agent_before}): {outcome}")
    ),
    event.SYSTEM_UPDATE: EventText(
        N_("update of the gateway's system"), N_("System of {system_state} (before: {system_before}): {outcome}")
    ),
    event.UPDATE: EventText(N_("program update"), N_("{holds} no. {number}: {outcome}")),
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
        N_("The contactor of the feeder `{feeder}` {ordered}"),
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
        N_("close it; if no technician is there, go and see"),
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
    event.AGENT_UPDATE_FAILURE: EventText(
        N_("update of the gateway failed"),
        N_("The gateway keeps its former program: version {agent_version} failed ({why})"),
        N_("the cabinet works as before; find the cause before another campaign (bocage centre agents campaign)"),
        N_("The gateway runs the version that is wanted"),
    ),
    event.SYSTEM_UPDATE_FAILURE: EventText(
        N_("update of the gateway's system failed"),
        N_("The gateway keeps its former packages: the system of {system_state} failed ({why}): {packages}"),
        N_("the cabinet works as before; find the cause before another campaign of Debian's updates"),
        N_("The gateway has the system that is wanted"),
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
    event.PREHEAT_FAILURE: EventText(
        N_("room cold when people come"),
        N_("The room is at {temperature_ck} when people come, for {setpoint_ck}, after {minutes} min of full heat"),
        N_("the node begins earlier next time; if it comes back, keep the room warmer while it is empty"),
        N_("The room is warm, or its hours are over"),
    ),
    event.FAIR_USE_EXCEEDED: EventText(
        N_("equipment that sends too much"),
        N_("{about} sends far too much: {alarms} alarms, {events} events, {reading_bytes} B of readings today"),
        N_(
            "look at it on the spot; if it works as it should, somebody may have its key: take it away (bocage gateway "
            "adopt --remove), give it a new id and key (bocage node replace) and adopt that one"
        ),
        N_("{about} sends no more than its share"),
    ),
    event.CAMPAIGN_HALTED: EventText(
        N_("campaign of programs halted"),
        N_("The campaign of programs for {product} has halted: too many nodes have failed"),
        N_(
            "see at its gateway which and why (bocage gateway images … campaign status); the others keep what they "
            "run; bring a repaired one with a higher number"
        ),
        N_("The campaign of programs for {product} is no longer halted"),
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
        N_("find the burst and mend it, then hold the node's button for 5 s, twice: this acknowledges the alarm"),
    ),
    event.WATER_LEAK: EventText(
        N_("water leak"),
        N_("Water flows with every valve shut: {volume_ml} in {over_s}"),
        N_("shut the stop valve, then look for the leak between the meter and the valves"),
    ),
    # --- alarms of any node
    event.BATTERY_LOW: EventText(
        N_("battery low"), N_("The battery is low: {battery_mv}"), N_("replace the battery at the next visit")
    ),
    event.RESCUE_MODE: EventText(
        N_("rescue mode"),
        N_("The program has failed three times: outputs are safe, it waits for another program ({why})"),
        N_("bring it another program: bocage gateway images … add, then campaign start"),
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
    event.COMMAND_OUTCOME: EventText(N_("outcome of a command"), N_("Command of the centre: {outcome}")),
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
    event.LAMP_ASSET: EventText(
        N_("luminaire data sheet"), N_("The luminaire gives its data sheet: {identification}, {nominal_w} W")
    ),
    event.IDENTIFIED: EventText(N_("luminaire identified"), N_("It has blinked for a technician: {power_dw}")),
    event.NODE_PLACED: EventText(N_("node at its light"), N_("{who} states that {about} serves the light {light}")),
}  # fmt: skip

_OVER = N_("{name}: over")
_ENDED = NC_("directive", "over")
_OTHER = N_("event {label}, which this version does not know")


def name(code: int, language: str) -> str:
    """Returns two or three words for a list; the label of the wire for a code that the table does not have."""
    text = TEXTS.get(code)
    return event_table.label(code) if text is None else translate(text.name, language)


def sentence(code: int, active: bool | None, detail: object, language: str) -> str:
    """Returns what has happened; `active` and `detail` as an event's body has them."""
    text = TEXTS.get(code)
    if text is None:
        return translate(_OTHER, language, label=event_table.label(code))
    if active is not False:
        said = translate(text.sentence, language, **values(code, detail, language))
    elif text.ended is not None:
        said = translate(text.ended, language, **values(code, detail, language))
    else:
        said = translate(_OVER, language, name=name(code, language))
    return said[:1].upper() + said[1:]


def remedy(code: int, language: str) -> str | None:
    """Returns what a person can do about it, where there is something."""
    text = TEXTS.get(code)
    return None if text is None or text.remedy is None else translate(text.remedy, language)


def values(code: int, detail: object, language: str) -> dict[str, Any]:
    """Returns the values of a detail by name, in words; `count` is the number of lamps, where they are counted."""
    entry = event_table.BY_CODE[code]
    fields: Sequence[str] = entry.detail or ()
    given = list(detail) if isinstance(detail, (list, tuple)) else []
    found: Mapping[str, object] = dict(zip(fields, given, strict=False))
    shown: dict[str, Any] = {field: value_text(field, found.get(field), language) for field in fields}
    told, level = found.get("code"), found.get("value")
    if code == event.DIRECTIVE_TAKEN and isinstance(told, int):
        shown["code"] = directives.name(told, language)
        shown["value"] = (
            directives.value_text(told, level, language) if isinstance(level, int) else translate(_ENDED, language)
        )
    if code == event.UPDATE:
        shown["holds"] = value_text("holds", found.get("holds", "program"), language)
    if "lamps" in fields:
        lamps = found.get("lamps")
        shown["count"] = lamps if isinstance(lamps, int) else UNKNOWN
    return shown
