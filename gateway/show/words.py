"""Holds the sentences of `gateway status`, `losses` and `tell`.

They are for a technician at an open cabinet: short, the fault before the remedy, no term that only we use. He is near
live parts: where a fault may have bared a conductor the remedy begins with that. `INCIDENTS.md` quotes every finding.
The alarms of the wire have their sentences in `gateway/language/events.py`, TLS beside its detection (`io/tls.py`).
"""

from gateway.io import tls
from gateway.language import N_, NC_, NN_, Phrases, events
from wire import event_table

# A finding `x` has its sentence under `x` and what to do about it under `x.do`.
WORDS = Phrases({
    # The alarms of the wire, with what to do about each.
    **{f"alarm.{event_table.label(code)}": text.sentence for code, text in events.TEXTS.items()},
    **{f"alarm.{event_table.label(code)}.do": text.remedy for code, text in events.TEXTS.items() if text.remedy},
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
    "card_read_only": N_("The memory card is read-only: nothing is recorded, the cabinet works from memory"),
    "card_read_only.do": N_(
        "a worn card locks itself: replace it; else mount the partition writable; then restart the agent. "
        "Nodes keep what is not recorded"
    ),
    "card_failing": N_(
        "The memory card or the data folder cannot be used ({error}): nothing is recorded, "
        "the cabinet works from memory"
    ),
    "card_failing.do": N_(
        "replace the card, or put the folder right, then restart the agent; nodes keep what is not recorded"
    ),
    "journal_missed": NN_(
        "{count} recorded position of the journal is missing since the last start",
        "{count} recorded positions of the journal are missing since the last start",
    ),
    "journal_missed.do": N_(
        "the centre learns which; find out who had the card or opened the cabinet, keep `journal/quarantine-…`; "
        "if nobody, replace the card"
    ),
    "journal_version": N_("The journal holds {files} file(s) of another program version, not read: {name}"),
    "journal_version.do": N_(
        "install the version that wrote them until the centre has received all; only then return to this one"
    ),
    "foreign": N_("A file of a stranger is in the folder `state`: {name}"),
    "foreign.do": N_("find out who put it there, then delete it; the agent works without it"),
    "card_full": N_("The partition is nearly full: {free} left"),
    "card_full.do": N_("delete what is not the agent's; never touch the folder `journal`"),
    "journal_full": N_("The journal is nearly full: {share} %"),
    "journal_full.do": N_("restore the link to the centre; until then the oldest readings will be thinned"),
    "lost": NN_("{count} record let go in the last 24 h", "{count} records let go in the last 24 h"),
    "lost.do": N_("see which and why: bocage gateway losses"),
    "babbling": NN_(
        "{count} piece of equipment sends far more than its share: {nodes}",
        "{count} pieces of equipment send far more than their share: {nodes}",
    ),
    "babbling.do": N_(
        "what is too much waits behind everything else; look at it on the spot, and if it works as it should, somebody "
        "may have its key: take it away (bocage gateway adopt --remove), give it a new id and key (bocage node replace)"
        " and adopt that one"
    ),
    "babbling.node": N_("{node} ({alarms} alarms, {events} events, {readings} of readings today)"),
    "centre": N_("No link to the centre for {since}"),
    "silent": N_("The centre is reached but has confirmed nothing for {since}"),
    "silent.do": N_(
        "tell the centre's operator: the database does not answer, or this gateway may not read its topic tc/1/a; "
        "nothing is lost here"
    ),
    "no_warehouse": N_("The key set names no warehouse: no record can be freed here"),
    "no_warehouse.do": N_(
        "have the town hall name the warehouse in the key set (bocage policy keyset … --warehouse), then install it: "
        "bocage gateway setup --keys; nothing is lost here until the card is full"
    ),
    "forged": N_("Somebody sends receipts in the warehouse's name that it has not signed for this gateway: {why}"),
    "forged.do": N_(
        "nothing was erased. If the warehouse has a new key, have the key holders sign it in (bocage policy keyset "
        "change --add-warehouse). If not, warn the centre's operator: the broker or its passwords are in other hands; "
        "the evidence is in the files refused-*.log"
    ),
    "altered": N_("Somebody alters records between this gateway and the warehouse"),
    "altered.do": N_(
        "nothing was erased here. Warn the centre's operator: the broker or its passwords are in other hands; what the "
        "warehouse has received since is doubtful (bocage centre alarms)"
    ),
    "deaf": N_("The broker refuses to pass confirmations on"),
    "deaf.do": N_(
        "tell the centre's operator: this gateway must be allowed to read its topic tc/1/a; nothing is lost here"
    ),
    "clock_jumped": N_("The system clock has jumped by more than a day and is not believed"),
    "clock_jumped.do": N_("set it right (timedatectl) and look at its battery; if it is right, restart the agent"),
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
    "modem_of": N_("4G modem of {bearer}: {why}"),
    "modem.do": N_("check the modem's USB plug and power, then `modem` of its [[bearer]] in the configuration"),
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
    "cannot_serve.do": N_("correct [page], or the rights of the folder run, then restart the agent"),
    # causes of a missing link, by the first word of the connection's cause; TLS has its own sentences
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
    "lane.surplus": NN_("{count} record beyond fair use", "{count} records beyond fair use"),
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
    "certificate_of.ca": N_("authority's (`ca`)"),
    "certificate_of.certificate": N_("gateway's (`certificate`)"),
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
    "event.card-unusable": N_("memory card unusable"),
    "event.cannot-lock": N_("data folder not locked"),
    "event.journal-missed": N_("recorded positions of the journal missing"),
    "event.journal-other-version": N_("journal of another program version"),
    "event.foreign-file": N_("file of a stranger"),
    "event.journal-hole": N_("records in the journal cannot be read"),
    "event.cannot-serve": N_("local monitoring missing"),
    "event.page-failed": N_("technician's page failed"),
    "event.lights-unreadable": N_("list of lights unreadable"),
    "event.policy-refused": N_("policy refused"),
    "event.command-refused": N_("command refused"),
    "event.audit-not-written": N_("order not entered in the audit log"),
    "event.library": N_("warning of a library"),
    "event.bearer-down": N_("bearer down"),
    "event.return-failed": N_("return to the preferred bearer failed"),
    "event.attempt-expired": N_("connection without an answer"),
    "event.subscription-refused": N_("confirmations refused"),
    "event.certificate-not-renewed": N_("renewed certificate refused"),
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
    "lanes.surplus": N_("beyond fair use"),
    "loss.thinned": N_("thinned"),
    "loss.fair-use": N_("beyond the equipment's fair use"),
    "loss.journal-full": N_("journal full"),
    "loss.gaps-joined": N_("gap records joined (nothing lost)"),
    "loss.journal-damaged": N_("journal damaged"),
    "losses.unknown_time": NC_("record", "time unknown"),
    # --- a cabinet
    "alarm.other": N_("Alarm of the cabinet: {what}"),
    "alarm.other.do": N_("tell the operator: this version does not know it"),
    "differs": N_("Feeder `{feeder}`: {what}"),
    "differs.do": N_(
        "look at it on the spot: breaker, contactor, lamps; if it lasts, an alarm names the cause within a quarter "
        "of an hour"
    ),
    "basis.photocell": N_("the photocell decides"),
    "basis.carried": N_("the time is carried, less and less certain"),
    "basis.safety": N_("lit for safety"),
    "basis.clock": N_("the time is back"),
    # the lines of the figures
    "label.feeder": N_("feeder"),
    "label.cabinet": N_("cabinet"),
    "label.policy": N_("policy"),
    "label.lease": N_("commands"),
    "label.alarms": N_("alarms"),
    "feeder": N_("{name}: {state}"),
    "feeder.power": N_("{power} W"),
    "feeder.power_of": N_("{power} W of {expected} W"),
    "feeder.by": N_("decided by: {rule}"),
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
    "lease.held": N_("the centre may command for {left} more"),
    "lease.held.bare": N_("the centre may command"),
    "lease.none": N_("no news from the centre: only the policy and emergencies count"),
    "alarm.since": N_("{sentence}, for {since}"),
    # --- directives of nodes
    "label.directives": N_("directives"),
    "directive.to_all": N_("for all"),
    "directive.to": N_("for {scope}"),
    "directive.from": N_("from {at}"),
    "directive.until": NC_("date", "until {at}"),
    "directive.here": N_("said here by {who} ({reason})"),
    "directive.centre": N_("ordered by the centre, {who} ({reason})"),
    "directive.no_clock": N_("waits for the clock: nothing is told to nodes"),
    "directive.nodes": NN_("{count} node has asked for it", "{count} nodes have asked for it"),
    # --- campaigns of programs for nodes
    "label.campaign": N_("programs"),
    "campaign.of": N_('"{product}" no. {number}: {phase}'),
    "campaign.canary": NN_("{count} node goes first", "{count} nodes go first"),
    "campaign.soak": NN_(
        "{count} node runs it first, all others in {left}", "{count} nodes run it first, all others in {left}"
    ),
    "node.waiting": NN_("{count} node waits", "{count} nodes wait"),
    "node.offered": NN_("{count} node is offered it", "{count} nodes are offered it"),
    "node.fetching": NN_("{count} node fetches it", "{count} nodes fetch it"),
    "node.trying": NN_("{count} node tries it", "{count} nodes try it"),
    "node.confirmed": NN_("{count} node has confirmed it", "{count} nodes have confirmed it"),
    "node.failed": NN_("{count} node has failed", "{count} nodes have failed"),
    "node.skipped": NN_("{count} node is left out", "{count} nodes are left out"),
    "node.unheard": NN_("{count} node has not asked yet", "{count} nodes have not asked yet"),
    "campaign_halted": N_('The campaign of programs for "{product}" has halted: {count} failed'),
    "campaign_halted.do": N_(
        "see which and why: bocage gateway images … campaign status; the others keep what they run; bring a repaired "
        "one with a higher number, then: campaign start"
    ),
    "event.directive-refused": N_("directive refused"),
    "event.tell-unreadable": N_("directive unreadable"),
    "event.update-failed": N_("update of the agent failed"),
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
    """Returns the cause of a missing link in words, from the stable word at the beginning of `text`."""
    name = (text or "").partition(":")[0]
    if name in tls.REMEDIES:
        return word("why.tls", language)
    return word_or(f"why.{name}", text or word("why.unknown", language), language)
