"""Holds the sentences of the technician's page; those of the explanations are in `gateway/show/explain/words.py`.

The page is read on a phone, outside, with gloves: buttons are verbs, a warning gives the action before the reason.
"""

from gateway.language import N_, NC_, NN_, Phrases

PAGE = Phrases({
    # frame
    "title": N_("Cabinet {name}"),
    "title.commune": N_("{commune} · cabinet {name}"),
    "tab.now": N_("Now"),
    "tab.tonight": N_("Tonight"),
    "tab.faults": N_("Faults"),
    "tab.health": N_("Gateway"),
    "tab.nodes": N_("Nodes"),
    "other_language": NC_("other language", "Français"),
    "logout": N_("Log out"),
    "back": N_("Back"),
    "skip": N_("Skip to the content"),
    "time_unknown": N_("time unknown"),
    "stale": N_("Frozen page: the gateway no longer answers"),
    "you": N_("Logged in: {who}"),
    # login
    "login.title": N_("Log in"),
    "login.lead": N_("The cabinet's page, without network."),
    "login.who": N_("Your name"),
    "login.who.why": N_("It is written beside each order in the audit log."),
    "login.password": N_("Password of the cabinet"),
    "login.enter": N_("Enter"),
    "login.wrong": N_("Wrong password."),
    "login.name": N_("Give a name."),
    "login.busy": N_("Another password is being checked. Try again."),
    "login.wait": N_("Too many attempts. Try again in {left}."),
    "login.over": N_("The session has ended: log in again."),
    "login.left": N_("You are logged out."),
    # the strip
    "chip.door": N_("Door open"),
    "chip.mains.no": N_("No mains"),
    "chip.switch.auto": N_("AUTO"),
    "chip.switch.on": N_("Forced ON"),
    "chip.switch.off": N_("Forced OFF"),
    "chip.centre.yes": N_("Centre linked"),
    "chip.centre.no": N_("No centre for {since}"),
    "chip.clock.no": N_("No time"),
    "chip.faults": NN_("{count} fault", "{count} faults"),
    # now
    "now.none": N_("This gateway switches no feeders."),
    "now.none.more": N_("Its configuration has no section [cabinet]: bocage gateway setup."),
    "now.ordered": N_("ordered {ago} ago"),
    "now.unknown": N_("Unknown"),
    "now.switch": N_(
        "The cabinet's hand switch commands: tests and policy have no effect. Put it back to AUTO on leaving."
    ),
    "now.handed": N_("The cabinet's astronomical clock commands: the gateway does not."),
    "now.starting": N_("The gateway is starting: wait a minute."),
    "now.power": N_("{power} W"),
    "now.power.none": N_("not measured"),
    "now.expected": N_("expected {expected} W"),
    "now.normal": N_("({expected} W when lit)"),
    "now.next": N_("Next: {next}"),
    "now.meter": N_("Measured power of expected power"),
    # a feeder
    "feeder.title": N_("Feeder {name}"),
    "feeder.permanent": N_("permanent"),
    "feeder.who": N_("Who decides"),
    "feeder.commands": N_("Known commands"),
    "feeder.limits": N_("Legal limits"),
    "feeder.alarms": N_("Faults of the feeder"),
    "feeder.energy": N_("Meter: {energy} kWh"),
    # orders
    "test.button": N_("Test 2 min"),
    "test.title": N_("Test {name}"),
    "test.lead": N_("The feeder lights for 2 minutes, then goes back by itself to what the policy wants."),
    "test.people": N_("Make sure that nobody works on the line."),
    "test.already": N_("It is lit already: nothing will be seen."),
    "test.go": N_("Light for 2 minutes"),
    "test.left": N_("Test under way, still"),
    "test.runs": N_("Test under way"),
    "test.stop": N_("Stop the test"),
    "lock.button": NC_("button", "Lock off"),
    "lock.title": N_("Lock {name} off"),
    "lock.danger": N_("This is no electrical lock-out."),
    "lock.danger.do": N_(
        "Before touching a conductor: open and padlock the feeder's breaker, then check that it is dead (NF C 18-510)."
    ),
    "lock.lead": N_("The gateway keeps the contactor open: no policy, command or emergency closes it."),
    "lock.ends": N_(
        "The lock ends by itself after 8 hours, and if the gateway restarts or stops: the cabinet's own clock may "
        "then light."
    ),
    "lock.read": N_("I have read this"),
    "lock.go": N_("Lock off"),
    "lock.held": N_("Locked off by {who}"),
    "unlock.button": N_("Unlock"),
    "unlock.title": N_("Unlock {name}"),
    "unlock.lead": N_("The feeder may light at once. Make sure that nobody works on the line any more."),
    "unlock.go": N_("Unlock"),
    "all.button": N_("Light all for 30 min"),
    "all.title": N_("Light every feeder for 30 minutes"),
    "all.lead": N_(
        "For a round by day: every feeder lights for 30 minutes, then goes back by itself to what the policy wants."
    ),
    "all.locked": N_("Locked off, these stay off: {names}"),
    "all.go": N_("Light all for 30 minutes"),
    "all.left": N_("Several feeders are under test, still"),
    "all.stop": N_("Stop all tests"),
    # what was done
    "done.test": N_("Done: {name} lights for 2 minutes."),
    "done.stop": N_("Done: the test of {name} is over."),
    "done.lock": N_("Done: {name} is locked off, for 8 hours at most."),
    "done.unlock": N_("Done: {name} is unlocked."),
    "done.all": N_("Done: every feeder that is not locked lights for 30 minutes."),
    "done.none": N_("Done: the tests are over."),
    "refused.title": N_("Order refused"),
    "refused.locked": N_("The feeder is locked off: unlock it first."),
    "refused.read": N_("Tick “I have read this” first."),
    "refused.all_locked": N_("Every feeder is locked off: unlock one first."),
    "refused.form": N_("This order does not come from a current page. Go back and try again."),
    "refused.other": N_("The agent answered: {word}"),
    # tonight
    "tonight.lead": N_("Night of {day}: what the policy wants, noon to noon."),
    "tonight.powered": NC_("feeder", "powered"),
    "tonight.unknown": N_("Unknown: the time, or a policy that can be read, is missing."),
    "tonight.bar": N_("Night of {name}: {changes}"),
    # faults
    "faults.none": N_("No fault."),
    "faults.street": N_("At the cabinet"),
    "faults.gateway": N_("At the gateway"),
    "faults.log": N_("Last incidents of the log"),
    "faults.since": N_("for {since}"),
    "faults.do": N_("To do: {text}"),
    # health
    "health.linky": N_("Linky"),
    "health.linky.value": N_("{index} kWh, {apparent} VA ({mode})"),
    "health.ups": N_("Battery"),
    "health.ups.value": N_("{volts} V"),
    "health.version": N_("Version"),
    # nodes
    "nodes.id": N_("Number on the label"),
    "nodes.id.why": N_("The last digits are enough. The phone's camera opens the code of a label by itself."),
    "nodes.find": N_("Find"),
    "nodes.heard": N_("Heard last"),
    "nodes.found": N_("Nodes that end so"),
    "nodes.none": N_("No node has been heard since the gateway started."),
    "nodes.not_found": N_("No node of this cabinet ends with {typed}."),
    "nodes.no_place": N_("light not stated"),
    "node.title": N_("Node {node}"),
    "node.heard": N_("heard {ago} ago"),
    "node.silent": N_("not heard since the gateway started"),
    "node.stranger": N_("This node has no key in this cabinet."),
    "node.stranger.heard": N_("This node is heard, but it has no key in this cabinet."),
    "node.stranger.do": N_(
        "Bring its key on a stick and adopt it: sudo bocage gateway adopt. Or it belongs to another cabinet."
    ),
    "node.unreachable": N_(
        "It cannot be called now. Press its button shortly, or wait for its next message, a quarter of an hour at "
        "most. On a feeder that is cut by day, light the feeder first."
    ),
    "node.identify": N_("Make it blink"),
    "node.place": N_("It is this one"),
    "node.others": N_("Another node"),
    "node.placed": N_("Light {light}"),
    "node.no_place": N_("Nobody has stated which light it serves."),
    "node.kind": N_("Kind"),
    "node.register": N_("In the register"),
    "node.program": N_("Program"),
    "node.feeder": N_("Feeder"),
    "node.signal": N_("Signal"),
    "node.signal.value": N_("{dbm} dBm"),
    "node.power": N_("Last reading"),
    "node.power.value": N_("{power} at {level} %"),
    "kind.streetlight": N_("light controller"),
    "kind.other": N_("of another kind: {kind}"),
    "blink.asked": N_("The order is on its way…"),
    "blink.shown": N_("It blinks for 12 s, then gives full light and is measured."),
    "blink.silent": N_("No answer in time. Press its button shortly and try again; else look at its antenna."),
    "blink.full": N_("at full light"),
    "blink.before": N_("before: {power} at {level} %"),
    "place.title": N_("Which light does it serve?"),
    "place.light": N_("Number of the light"),
    "place.street": N_("Street (if known)"),
    "place.untried": N_("Its lamp has not blinked: make sure that it is this one."),
    "place.go": N_("Record it"),
    "exchange.title": N_("Two nodes exchanged?"),
    "exchange.lead": N_("{light} is stated to be served by node {node} ({who})."),
    "exchange.after": N_("{node}: {light}"),
    "exchange.none": N_("no light any more"),
    "exchange.go": N_("Put both right"),
    "why.unknown": N_("This node has no key in this cabinet."),
    "why.light": N_("Give the number of the light."),
    "why.full": N_("The journal or the list is full: nothing was recorded."),
    "why.kind": N_("This node drives no lamp."),
    "why.locked": N_("Locked: its feeder at this cabinet, or the node itself by its button. Unlock first."),
    "why.order": N_("A person's order holds for its feeder: wait for its end."),
    "why.busy": N_("Another lamp is blinking: wait half a minute."),
    "why.unreachable": N_("It cannot be called now: press its button shortly and try again."),
    "why.clock": N_("The gateway has no time: give it its time first."),
    "why.lit": N_("Only a relay switches this lamp, and it is lit: it would go dark. Try by day."),
    "why.other": N_("Refused: {word}"),
    # errors
    "error.title": N_("Page not available"),
    "error.404": N_("There is no such page."),
    "error.421": N_("Open the page by its address, such as http://192.168.50.1:8080."),
    "error.500": N_("An error of the page, noted in the log. The lighting goes on."),
    "error.other": N_("Request refused ({status})."),
})  # fmt: skip

page_text = PAGE.text


def page_text_or(key: str, otherwise: str, language: str, **values: object) -> str:
    """Returns the sentence under `key`, or under `otherwise` where a word from outside makes an unknown key."""
    return page_text(key if key in PAGE else otherwise, language, **values)
