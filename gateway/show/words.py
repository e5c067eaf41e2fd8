"""The sentences of `gateway status`, `losses` and `tell`, and durations and sizes as people read them.

For a technician at an open cabinet: short, what is wrong before what may be done, no term that only we use. People
there are near live parts: where a fault may have bared a conductor the remedy says so first. The guide `INCIDENTS.md`
quotes every finding. The sentences about TLS stand beside their detection (`gateway/io/tls.py`). Longer than 400 lines
because it is one table, which one lookup serves.
"""

from gateway.io import tls
from gateway.language import N_, NC_, NN_, Phrases

# A finding `x` has its sentence under `x` and what to do about it under `x.do`.
WORDS = Phrases({
    # headlines
    "well": N_("All is well"),
    "starting": N_("Starting: reading the journal"),
    "stopping": N_("Stopping"),
    "absent": N_("The agent is not running"),
    "absent.do": N_(
        "start it (systemctl start bocage-gateway), then read its log: journalctl -u bocage-gateway -n 50"
    ),
    "mute": N_("The agent runs but does not answer"),
    "mute.do": N_("wait a minute; then restart it: systemctl restart bocage-gateway (nothing is lost)"),
    "forbidden": N_("This user may not read the state"),
    "forbidden.do": N_("try again with sudo"),
    "and_more": NN_("{first} (and {count} more)", "{first} (and {count} more)"),
    "do": N_("to do: {text}"),
    "linking": N_("Link to the centre under way"),
    # findings
    "late": N_("Part of the agent is stuck: {names}"),
    "late.do": N_("it restarts by itself shortly; if it happens again, replace the memory card"),
    "late.modem": N_("The 4G modem blocks its USB port"),
    "late.modem.do": N_("unplug the modem for ten seconds, plug it in again; the rest of the agent goes on"),
    "write": N_("The memory card refuses to write"),
    "write.do": N_("replace the memory card; nodes keep what is not recorded"),
    "refused": N_("Records are refused: {why}"),
    "refused.do": N_("nodes keep them and try again; restore the link to the centre or free the disk"),
    "card_full": N_("The partition is nearly full: {free} left"),
    "card_full.do": N_("delete what is not the agent's; never touch the folder `journal`"),
    "journal_full": N_("The journal is nearly full: {share} %"),
    "journal_full.do": N_("restore the link to the centre; until then the oldest readings will be thinned"),
    "lost": NN_("{count} record let go in the last 24 h", "{count} records let go in the last 24 h"),
    "lost.do": N_("see which and why: bocage gateway losses"),
    "centre": N_("No link to the centre for {since}"),
    "silent": N_("The centre is reached but has confirmed nothing for {since}"),
    "silent.do": N_(
        "tell the centre's operator: the database does not answer, or this gateway may not read its topic tc/1/a; "
        "nothing is lost here"
    ),
    "deaf": N_("The broker refuses to pass confirmations on"),
    "deaf.do": N_(
        "tell the centre's operator: this gateway must be allowed to read its topic tc/1/a; nothing is lost here"
    ),
    "clock": N_("The time is not known"),
    "clock.do": N_("check access to the time server (timedatectl); records are kept and dated afterwards"),
    "certificate": N_("The certificate `{name}` expires in {days} d"),
    "certificate.do": N_("have the territory's authority renew it"),
    "expired": N_("The certificate `{name}` has expired"),
    "expired.do": N_("have the territory's authority renew it"),
    "detour": N_("Down: {bearer}; all goes by {active}"),
    "detour.do": N_("check the cable and the fibre converter, then tell the fibre's operator"),
    "standby": N_("The standby link is down: {bearer}"),
    "standby.do": N_("check the modem, its antenna and its SIM card before the fibre fails"),
    "thin": N_("4G budget running out: one batch of readings in four goes, the others wait here"),
    "thin.do": N_("restore the fibre"),
    "hold": N_("4G budget used up: alarms and events pass, readings wait for next month or for the fibre"),
    "hold.do": N_("restore the fibre"),
    "modem": N_("4G modem: {why}"),
    "modem.do": N_("check the modem's USB plug and power, then [mobile] modem in the configuration"),
    "modem.do.sim": N_("check the SIM card in a phone and remove its PIN there: the agent never enters one"),
    "modem.do.operator": N_("check the antenna; ask the operator whether the line is active"),
    "modem.link.absent": N_("not found"),
    "modem.link.silent": N_("does not answer"),
    "modem.link.answers": N_("answers"),
    "modem.sim.pin": N_("the SIM card asks for a PIN"),
    "modem.sim.puk": N_("the SIM card is locked (PUK)"),
    "modem.sim.locked": N_("the SIM card is locked"),
    "modem.sim.absent": N_("no SIM card"),
    "modem.sim.failed": N_("the SIM card is broken"),
    "modem.registration.denied": N_("the operator refuses the SIM card"),
    "modem.network.home": N_("home network"),
    "modem.network.roaming": N_("roaming"),
    "modem.network.searching": N_("searching for a network"),
    "modem.registration.limited": N_("emergency calls only"),
    "radio": N_("The radio concentrator does not answer"),
    "radio.do": N_(
        "check its USB plug and its light; unplug it for ten seconds; then [radio] port in the configuration"
    ),
    "bus": N_("The RS-485 line is lost: {why}"),
    "bus.do": N_("check the adapter and its USB plug; then [bus] port in the configuration"),
    "bus_silent": N_("On the RS-485 line these do not answer: {addresses}"),
    "bus_silent.do": N_("all of them: cable, terminals A and B, termination; one alone: its power and its address"),
    "wire": N_("The serial line of a node is lost: {why}"),
    "wire.do": N_("check the plug and the cable; then [wire] port in the configuration"),
    "radio_update": N_("The radio concentrator keeps its program: image no. {number} refused ({why})"),
    "radio_update.do": N_(
        "the radio goes on; make another image with a higher number, or withdraw this one "
        "(bocage gateway concentrator … withdraw)"
    ),
    "update.trial": N_("tried three times, it did not last"),
    "update.number": N_("not newer than its own"),
    "update.fixed": N_("it has no loader"),
    "update.space": N_("its memory is full"),
    "update.write": N_("its memory refuses to write"),
    "update.state": N_("its memory refuses to write"),
    "update.digest": N_("its memory returns other than what was written"),
    "unheard": N_("No node heard since the start"),
    "unheard.do": N_("check the antenna or cable of the nodes' network, and the address listened on"),
    "cannot_serve": N_("Local monitoring partly missing: {why}"),
    "cannot_serve.do": N_("correct [status], [metrics] or [page] in the configuration, then restart the agent"),
    # causes of a missing link, by the first word of what the connection said; TLS has its own sentences
    "why.connection-refused": N_("the server refuses the connection"),
    "why.connection-timeout": N_("the server does not answer"),
    "why.connection-closed": N_("the server closed the connection"),
    "why.name-unresolved": N_("the server's name cannot be found"),
    "why.network-error": N_("the network is down"),
    "why.mqtt-refused": N_("the broker refuses this gateway"),
    "why.mqtt-disconnected": N_("the broker sent this gateway away"),
    "why.mqtt-silent": N_("the broker no longer answers"),
    "why.mqtt-malformed": N_("the broker breaks the protocol"),
    "why.mqtt-flood": N_("the broker sends too much and reads nothing"),
    "why.mqtt-packet-too-large": N_("the broker's message is too long"),
    "why.not-mqtt": N_("that port is not an MQTT broker's"),
    "why.tls": N_("the encrypted link fails"),
    "why.unknown": N_("cause unknown"),
    "centre.do": N_("check the cable, the fibre converter and the address {broker}"),
    "centre.do.server": N_("tell the centre's operator; from here, check the address {broker}"),
    # labels and lines
    "label.since": N_("since"),
    "label.centre": N_("centre"),
    "label.waiting": N_("waiting"),
    "label.disk": N_("disk"),
    "label.losses": N_("losses"),
    "label.nodes": N_("nodes"),
    "label.clock": N_("clock"),
    "label.mobile": N_("4G"),
    "label.modem": N_("modem"),
    "label.certificates": N_("certificates"),
    "label.faults": N_("faults"),
    "since": N_("started {uptime} ago, start no. {boot}"),
    "last_boot": N_("last start no. {boot}"),
    "connected": N_("linked for {since}"),
    "connected_by": N_("linked by {bearer} for {since}"),
    "not_connected": N_("not linked for {since}: {why}"),
    "mark": N_("last confirmation {ago} ago"),
    "no_mark": N_("no confirmation since the start"),
    "bearer_up": N_("{bearer}: available"),
    "bearer_down": N_("{bearer}: down"),
    "bearer.fibre": N_("fibre"),
    "bearer.mobile": NC_("by which bearer", "4G"),
    "bearer.default": N_("the network"),
    "bearer.any": N_("the network"),
    "nothing": N_("nothing"),
    "none": N_("none"),
    "none_f": NC_("feminine", "none"),
    "lane.alarm": NN_("{count} alarm", "{count} alarms"),
    "lane.event": NN_("{count} event", "{count} events"),
    "lane.telemetry": NN_("{count} reading", "{count} readings"),
    "oldest": N_("the oldest has waited less than {age}"),
    "oldest_earlier": N_("some are from before this start"),
    "held": N_("journal {held} of {cap} ({share} %)"),
    "held_only": N_("journal {held}"),
    "free": N_("{free} free on the partition"),
    "wear": N_("wear {wear} a day"),
    "loss_total": NN_("{count} record in all ({why})", "{count} records in all ({why})"),
    "heard": NN_("{count} heard", "{count} heard"),
    "heard_of": NN_("{count} heard of {expected}", "{count} heard of {expected}"),
    "unknown": NN_(
        "{count} unknown, no key here ({kids}): bocage gateway adopt",
        "{count} unknown, no key here ({kids}): bocage gateway adopt",
    ),
    "odd": N_("{count} to be checked (odd readings)"),
    "quiet": NN_("{count} silent for more than {after}", "{count} silent for more than {after}"),
    "clock_good": N_("known to ± {uncertainty} s"),
    "clock_bad": NC_("feminine", "unknown"),
    "budget": N_("{used} of {limit} this month ({share} %)"),
    "budget_free": N_("{used} this month, no limit"),
    "policy.all": N_("everything passes"),
    "policy.thin": N_("readings thinned"),
    "policy.hold": N_("alarms and events only"),
    "signal": N_("signal {dbm} dBm"),
    "days_left": N_("{name}: {days} d"),
    "days_unknown": N_("{name}: cannot be read"),
    "ago": N_("{ago} ago: {what}"),
    "more_text": N_("{what} ({detail})"),
    # events of the log, as faults
    "event.crash": N_("internal error"),
    "event.report-failed": N_("internal error in this report"),
    "event.heartbeat-late": N_("part stuck"),
    "event.journal-sync-failed": N_("write refused by the card"),
    "event.record-refused": N_("record refused"),
    "event.own-record-refused": N_("gateway's own record refused"),
    "event.journal-damage": N_("journal damaged, repaired"),
    "event.journal-hole": N_("records in the journal cannot be read"),
    "event.cannot-serve": N_("local monitoring missing"),
    "event.page-failed": N_("technician's page failed"),
    "event.policy-refused": N_("policy refused"),
    "event.command-refused": N_("command refused"),
    "event.audit-not-written": N_("order not entered in the audit log"),
    "event.library": N_("warning of a library"),
    "event.bearer-down": N_("bearer down"),
    "event.return-failed": N_("return to the preferred bearer failed"),
    "event.attempt-expired": N_("connection without an answer"),
    "event.subscription-refused": N_("confirmations refused"),
    "event.stop-unfinished": N_("stopped before the write was over"),
    "event.suppressed": N_("log lines left out"),
    # `gateway losses`
    "losses.none": N_("No loss recorded."),
    "losses.head": NN_("{count} record let go:", "{count} records let go:"),
    "losses.records": N_("{node}, start {boot}, no. {numbers}"),
    "losses.positions": N_("positions {numbers} of journal {epoch}"),
    "lanes.alarm": N_("alarm"),
    "lanes.event": N_("event"),
    "lanes.telemetry": N_("reading"),
    "loss.thinned": N_("thinned"),
    "loss.journal-full": N_("journal full"),
    "loss.gaps-joined": N_("gap records joined (nothing lost)"),
    "loss.journal-damaged": N_("journal damaged"),
    "losses.unknown_time": NC_("record", "time unknown"),
    # numbers
    "decimal": N_("."),
    "bytes": N_("B"),
    "day": N_("d"),
    "hour": N_("h"),
    "minute": N_("min"),
    "second": N_("s"),
    # --- a cabinet
    "alarm.cableFault": N_("Cable cut or stolen on the feeder `{feeder}`: {count} lamps at once"),
    "alarm.cableFault.do": N_(
        "open the feeder's breaker before any search, conductors may be bare; then follow the line"
    ),
    "alarm.supplyLoss": N_("The cabinet has no supply"),
    "alarm.supplyLoss.do": N_(
        "check the main breaker and the Linky meter, then call the electricity network's operator"
    ),
    "alarm.contactorStuck": N_("The contactor of the feeder `{feeder}` does not follow the order"),
    "alarm.contactorStuck.do": N_(
        "with the power off, check coil, relay and auxiliary contact; welded, replace it"
    ),
    "alarm.feederFailure": N_("Feeder `{feeder}` draws no current although it should light"),
    "alarm.feederFailure.do": N_(
        "see the feeder's breaker and fuses; close it once, if it trips again look for the fault on the line"
    ),
    "alarm.feederUnexpectedOn": N_("Feeder `{feeder}` burns although its contactor is open"),
    "alarm.feederUnexpectedOn.do": N_("look for a bypass switch, a welded contactor or a tap"),
    "alarm.lampsLost": NN_(
        "{count} lamp out on the feeder `{feeder}`", "{count} lamps out on the feeder `{feeder}`"
    ),
    "alarm.lampsLost.do": N_("find them by night and replace them; their number is inferred from the watts"),
    "alarm.handedBack": N_("The cabinet is in the hands of its astronomical clock"),
    "alarm.handedBack.do": N_(
        "the gateway no longer commands: give it the time (network, timedatectl), then restart the agent if it lasts"
    ),
    "alarm.timeFallback": N_("The lighting does without the time: {basis}"),
    "alarm.timeFallback.do": N_("restore access to the time server (timedatectl)"),
    "alarm.localOverride": N_("The cabinet's hand switch is not at AUTO"),
    "alarm.localOverride.do": N_(
        "put it back to AUTO on leaving: until then neither the policy nor the centre commands"
    ),
    "alarm.policyExpired": N_("The lighting policy has expired"),
    "alarm.policyExpired.do": N_("its calendar goes on; the commune must sign a new one"),
    "alarm.meterFailure": N_("Silent meter: {feeder}"),
    "alarm.meterFailure.do": N_(
        "check its power, its cable (RS-485, TIC) and its address; the lighting goes on without it"
    ),
    "alarm.photocellFailure": N_("The photocell is stuck"),
    "alarm.photocellFailure.do": N_("clean it, and check that no lamp shines on it"),
    "alarm.doorOpen": N_("The cabinet's door is open"),
    "alarm.doorOpen.do": N_("close it; if nobody is there, go and see"),
    "alarm.other": N_("Alarm of the cabinet: {what}"),
    "alarm.other.do": N_("tell the operator: this version does not know it"),
    "basis.photocell": N_("the photocell decides"),
    "basis.carried": N_("the time is carried, less and less certain"),
    "basis.safety": N_("lit for safety"),
    "basis.clock": N_("the time is back"),
    # the lines of the figures
    "label.feeder": N_("feeder"),
    "label.cabinet": N_("cabinet"),
    "label.policy": N_("policy"),
    "label.lease": N_("lease"),
    "label.alarms": N_("alarms"),
    "feeder": N_("{name}: {state}"),
    "feeder.power": N_("{power} W"),
    "feeder.power_of": N_("{power} W of {expected} W"),
    "feeder.by": N_("decided by: {rule}"),
    "rule.interlock": N_("local interlock"),
    "rule.emergency": N_("emergency"),
    "rule.manual": N_("test at the cabinet"),
    "rule.command": N_("command of the centre"),
    "rule.policy": N_("policy"),
    "rule.default": N_("sunset and sunrise"),
    "rule.photocell": N_("photocell"),
    "rule.safety": N_("safety"),
    "control.yes": N_("the gateway commands"),
    "control.no": N_("the cabinet's own clock commands"),
    "door.open": N_("door open"),
    "door.closed": N_("door closed"),
    "mains.yes": N_("mains present"),
    "mains.no": N_("no mains"),
    "switch.auto": N_("switch at AUTO"),
    "switch.on": N_("switch at ON"),
    "switch.off": N_("switch at OFF"),
    "temperature": N_("{celsius} °C"),
    "policy.none": N_("none: from sunset to sunrise"),
    "policy.number": N_("no. {version}"),
    "policy.until": N_("valid until {date}"),
    "policy.expired": N_("expired on {date}, its calendar goes on"),
    "policy.next": N_("no. {version} waits for its day"),
    "lease.held": N_("held, {left} left"),
    "lease.held.bare": N_("held"),
    "lease.none": N_("run out: only the policy and emergencies count"),
    "alarm.since": N_("{sentence}, for {since}"),
    # --- what nodes are told
    "label.directives": N_("directives"),
    "told.to_all": N_("for all"),
    "told.to": N_("for {scope}"),
    "told.from": N_("from {at}"),
    "told.until": NC_("date", "until {at}"),
    "told.here": N_("said here by {who} ({reason})"),
    "told.centre": N_("ordered by the centre, {who} ({reason})"),
    "told.no_clock": N_("waits for the clock: nothing is told to nodes"),
    "told.nodes": NN_("{count} node has asked for it", "{count} nodes have asked for it"),
    "event.directive-refused": N_("directive refused"),
    "event.tell-unreadable": N_("directive unreadable"),
    # the command
    "tell.none": N_("no directive"),
    "tell.put": N_("directive {id}: {told}"),
    "tell.cleared": N_("directive {id}: to be taken back"),
    "tell.taken": N_("taken by the agent; each node hears of it within a quarter of an hour"),
    "tell.gone": N_("taken back; each node hears of it within a quarter of an hour"),
    "tell.refused": N_("the agent has refused it: see `bocage gateway audit`"),
    "tell.later": N_("the agent does not answer: it takes it at its start"),
    "tell.what": N_("{name}: no such directive; there are {names}"),
    "tell.value": N_("{name} {value}: give {bounds}"),
    "tell.pairs": N_("give a name and a value, such as `drought 2`"),
    "tell.end": N_("give an end: --until 2027-08-31, --until 22:30 or --for 2h"),
    "tell.time": N_("{text}: this is no date or time"),
    "tell.past": N_("this end has passed already"),
    "tell.order": N_("the end comes before the beginning"),
    "tell.long": N_("too long for {names}: {longest} at most; renew it afterwards"),
    "tell.ahead": N_("too early: a week ahead at most"),
    "tell.reason": N_("--reason: give 1 to {bytes_max} bytes, for example `prefect's order 2026-41`"),
    "tell.who": N_("--who: give a name of 1 to {bytes_max} bytes"),
    "tell.scope": N_("--to: a kind of node (irrigation), a group of [groups], a feeder or the 16 digits of a node"),
    "tell.id": N_("--clear: give the 16 digits that --list shows"),
    "tell.centres": N_("--clear {id}: said by the centre, which alone ends it (bocage centre end)"),
    "tell.unknown": N_("--clear {id}: no such directive"),
})  # fmt: skip

word = WORDS.text
word_or = WORDS.text_or


def why(text: str | None, language: str) -> str:
    """The cause of a missing link, from the stable word in front of `text`."""
    name = (text or "").partition(":")[0]
    if name in tls.REMEDIES:
        return word("why.tls", language)
    return word_or(f"why.{name}", text or word("why.unknown", language), language)


def duration(seconds: int, language: str) -> str:
    """Two units at most: `3 j 4 h`, `2 h 5 min`, `40 s`."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    parts: list[tuple[int, str]] = []
    for name, length in units:
        count, seconds = divmod(max(0, seconds), length)
        if count or (parts and len(parts) < 2):
            parts.append((count, name))
        if len(parts) == 2:
            break
    shown = [f"{count} {word(name, language)}" for count, name in parts if count]
    return " ".join(shown) or f"0 {word('second', language)}"


def size(count: int, language: str) -> str:
    """Bytes with three digits or so: `805 Mo`, `1,2 GB`."""
    number, prefix = float(count), ""
    for following in ("k", "M", "G", "T"):
        if number < 999.5:
            break
        number, prefix = number / 1000, following
    text = f"{number:.1f}" if prefix and number < 99.95 else f"{number:.0f}"
    return f"{text.replace('.', word('decimal', language))} {prefix}{word('bytes', language)}"
