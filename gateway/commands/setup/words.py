"""Holds the sentences of `bocage gateway setup`, and the comments of gateway.toml.

They are for a technician at an open cabinet with the delivery notes in one hand. `ask.x` is a question, `expect.x` the
expected form of its answer (shown after a wrong one, and for `?`), `toml.x` the comment of a field in gateway.toml.
"""

from gateway.language import N_, Phrases

WORDS = Phrases({
    # --- the course of it
    "hello": N_(
        "Setting up the cabinet. Enter: keep the value in brackets; `-`: nothing; `?`: help; Ctrl-C: give up. Nothing "
        "is written before the end."
    ),
    "found": N_("{path} exists: its values are offered."),
    "abandoned": N_("Given up: nothing is written."),
    "not_root": N_("this needs root: sudo bocage gateway setup"),
    "cannot_write": N_("cannot write: {error}"),
    "cannot_read": N_("{path}: cannot be read ({error})"),
    "faults": N_("Faults ({count}); nothing is written:"),
    "answers.open": N_("{path} holds a password and others may read it; chmod 600 {path}"),
    "answers.password": N_("[page] password: 8 to 128 characters, or the scrypt line of a configuration"),
    "answers.site": N_("[cabinet] latitude, longitude: {why}"),
    "answers.file": N_("[{section}] {field}: {why}"),
    "answers.section": N_("{section}: is no section; write [{section}]"),
    "answers.numbers": N_("give two numbers in degrees"),
    "secret.different": N_("The two are not the same."),
    # --- titles
    "title.place": N_("The commune and the cabinet"),
    "title.centre": N_("The link to the centre"),
    "title.points": N_("What is wired in the cabinet"),
    "title.feeders": N_("The feeders"),
    "title.keys": N_("The commune's keys"),
    "title.page": N_("The technician's page"),
    "title.end": N_("Summary"),
    # --- place
    "ask.insee": N_("INSEE code of the commune"),
    "expect.insee": N_("Five characters, as 49135 or 2A004."),
    "ask.commune": N_("Name of the commune"),
    "expect.commune": N_("As people write it, as Feneu: the technician's page shows it."),
    "ask.name": N_("Name of the cabinet"),
    "expect.name": N_("Lower-case letters, digits, inner hyphens, unique in the commune, as cab-12."),
    "ask.site": N_("Position of the cabinet (latitude, longitude)"),
    "expect.site": N_("In degrees, as 47.5720, -0.5940 or 47°34'19\"N 0°35'38\"W (the phone's map)."),
    "site.is": N_("→ {latitude}° {north_south}, {longitude}° {east_west} of the Greenwich meridian"),
    "north": N_("north"),
    "south": N_("south"),
    "east": N_("east"),
    "west": N_("west"),
    "site.swapped": N_("latitude and longitude seem swapped"),
    "site.sign": N_("the sign seems wrong: changed, it would be in {region}"),
    "site.abroad": N_("this is not in France; expected: {region}"),
    "site.elsewhere": N_("this is in {region}, but the INSEE code {insee} is in {expected}"),
    "site.overseas": N_("{region} is not supported yet: the sun and the hours are those of metropolitan France"),
    # --- centre
    "ask.broker": N_("The centre's server (name:port)"),
    "expect.broker": N_("Name or address and port, as centre.example.fr:8883."),
    "ask.ca": N_("Certificate of the territory's authority (file; `-`: not yet)"),
    "expect.ca": N_("A PEM file, on a USB stick say: /media/usb/authority.pem."),
    "ask.certificate": N_("Certificate of this cabinet, signed by the authority (file; `-`: not yet)"),
    "expect.certificate": N_("The PEM file that the authority gave back for the request {request}."),
    "ask.fibre": N_("Interface of the fibre"),
    "ask.mobile": N_("Interface of 4G"),
    "expect.fibre": N_("The name of a network interface, as eth0 (`ip link` shows them), or `-`."),
    "expect.mobile": N_("The name of a network interface, as wwan0, or `-` without 4G."),
    "ask.monthly": N_("4G budget a month, in MB (0: counted, never held back)"),
    "expect.monthly": N_("A whole number of megabytes, as 500."),
    "ask.modem": N_("Command port of the 4G modem"),
    "expect.modem": N_("A path under /dev, or `-`: then the modem is neither asked nor reset."),
    # --- points
    "ask.modbus": N_("Port of the RS-485 bus (Modbus)"),
    "expect.modbus": N_("A path under /dev, rather /dev/serial/by-id/…, or `-` without a bus."),
    "ask.baud": N_("Speed of the bus, in baud"),
    "expect.baud": N_("The same on every device of the bus: mostly 9600."),
    "ask.gpio": N_("GPIO chip"),
    "expect.gpio": N_("/dev/gpiochip0 on a Raspberry Pi, or `-`."),
    "ask.rtc": N_("Has this machine a battery-backed clock (RTC), already set?"),
    "ask.linky": N_("Port of the Linky meter's customer output (TIC)"),
    "expect.linky": N_("/dev/ttyAMA0 for a Raspberry Pi's UART, a USB adapter, or `-`."),
    "ask.linky_mode": N_("Mode of the meter"),
    "expect.linky_mode": N_("historique (1200 baud, as delivered) or standard (9600 baud, asked of the supplier)."),
    "ask.watchdog": N_("Line of the timer relay (watchdog)"),
    "expect.watchdog": N_(
        "A GPIO line, as gpio:22, or `-`. Without it nothing hands the contactors back to the clock should the card "
        "die."
    ),
    "ask.door": N_("Door contact (active: open)"),
    "ask.mains": N_("Mains present (active: present)"),
    "ask.switch_on": N_("Hand switch at `on`"),
    "ask.switch_off": N_("Hand switch at `off`"),
    "ask.photocell": N_("Photocell (lux)"),
    "ask.temperature": N_("Temperature of the cabinet (°C)"),
    "ask.ups": N_("Voltage of the back-up battery (V)"),
    "expect.contact": N_(
        "A point: gpio:5, gpio:5/pull-up, modbus:1/input:4; `!` in front inverts; `-` if not wired."
    ),
    "expect.number": N_(
        "A register: modbus:4/30001, or with type and factor modbus:4/30001:s16*0.1; `-` if not wired."
    ),
    # --- feeders
    "feeder.is": N_("Feeder {number}: {name} — {lamps} lamps of {watts} W, contactor {contactor}"),
    "ask.keep_feeder": N_("Keep, change or remove (k, c, r)?"),
    "ask.one_more": N_("Add a feeder?"),
    "feeder.none": N_("There must be a feeder."),
    "ask.feeder": N_("Name of feeder {number}"),
    "expect.feeder": N_("24 bytes at most, the same as in the commune's policy, as bourg."),
    "ask.lamps": N_("Number of lamps"),
    "expect.lamps": N_("A whole number, counted in the street."),
    "ask.lamp_watts": N_("Power of one lamp, in W (0: to be learned)"),
    "expect.lamp_watts": N_("A whole number, driver included: 32 for an LED of 30 W."),
    "ask.contactor": N_("Output to the contactor"),
    "expect.contactor": N_("An output: modbus:1/coil:0 or gpio:17; `!` in front inverts."),
    "ask.feedback": N_("Feedback of the contactor (auxiliary contact)"),
    "ask.meter": N_("Energy meter of the feeder"),
    "expect.meter": N_("A known meter: modbus:10/sdm120; `-` without (no proof in watts)."),
    # --- keys and page
    "ask.keys": N_("The commune's key set (file; `-`: not yet)"),
    "expect.keys": N_(
        "The file handed over by the town hall (commune.keys). Without it no policy is taken, the feeders follow the "
        "sun, and the records that the centre has received are kept all the same, until the card is full."
    ),
    "ask.page": N_("Serve the technician's page (phone, no internet)?"),
    "ask.bind": N_("Address of the page"),
    "expect.bind": N_("Address of this machine and port, as 192.168.50.1:8080."),
    "ask.new_password": N_("Change the page's password?"),
    "ask.password": N_("Password of the page"),
    "ask.password.again": N_("Once more"),
    "expect.password": N_("8 characters at least, 128 at most."),
    # --- files
    "file.missing": N_("{path} is no file that can be read ({error})."),
    "file.refused": N_("{why}"),
    "identity.no-certificate": N_("this is no PEM certificate"),
    "identity.no-authority": N_("this is no authority's certificate"),
    "identity.no-key": N_("/etc/bocage/gateway.key is no readable P-256 key"),
    "identity.other-key": N_(
        "this certificate is of another key: has the authority signed this cabinet's request?"
    ),
    "identity.other-name": N_("this certificate is in the name {found}, expected {expected}"),
    "identity.other-authority": N_("this certificate is not signed by this authority"),
    "keys.bad": N_("this is no key set: {why}"),
    "keys.other": N_("this key set is of the commune {found}, expected {expected}"),
    # --- the end
    "end.cabinet": N_("Cabinet {name}, id {id}"),
    "letter.yes": N_("y"),
    "letters.keep_feeder": N_("kcr"),
    "ask.write": N_("Write?"),
    "ask.again": N_("Go through the questions again?"),
    "ask.start": N_("Start the agent now?"),
    "done.written": N_("Written: {path}"),
    "done.request": N_(
        "To be signed by the territory's authority: {path} (name {name}). Until then the cabinet runs alone."
    ),
    "done.no_keys": N_(
        "No key set: no policy will be taken, the feeders follow the sun, and no record will be freed."
    ),
    "done.restart": N_("Then: sudo systemctl restart bocage-gateway"),
    "done.started": N_("Agent started. How it is: sudo bocage gateway status --config {path}"),
    "done.not_started": N_("The agent has not started: {error}"),
    # --- comments of the file
    "toml.": N_(
        "Written by `bocage gateway setup`, which may be run again. To check a change made by hand:\n"
        "  sudo bocage gateway check --config /etc/bocage/gateway.toml"
    ),
    "toml.gateway": N_("Who this cabinet is. The id is drawn once and never passes to another."),
    "toml.gateway.keys": N_("Keys of which one signs policies, and those of warehouses whose receipts free records."),
    "toml.cabinet": N_("What is wired."),
    "toml.cabinet.latitude": N_("For the sun, while no policy is in force."),
    "toml.cabinet.watchdog": N_(
        "The pulse that keeps the contactors with the agent; without it they go back to the cabinet's own clock."
    ),
    "toml.cabinet.feeder": N_("A feeder; the name is the policy's. `!` in front of a point inverts it."),
    "toml.page": N_("The technician's page. The password is not here, only what it can be checked against."),
    "toml.clock": N_("The system's time is believed even without a time server: only with a battery-backed clock."),
    "toml.link": N_("Nodes by radio. Without this section no radio node is listened to."),
    "toml.uplink": N_(
        "The centre. Until the authority has signed, ca and certificate stand in: the cabinet runs alone."
    ),
    "toml.bearer": N_("The ways to the centre, in order of preference."),
})  # fmt: skip

word = WORDS.text


def comment(path: str, language: str) -> str | None:
    """Returns the comment of a section or field of gateway.toml, if it has one."""
    return word(f"toml.{path}", language) if f"toml.{path}" in WORDS else None
