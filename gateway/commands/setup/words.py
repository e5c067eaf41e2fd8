"""Every word of `bocage gateway setup`, in French and in English side by side.

For a technician at an open cabinet who has the delivery notes in one hand. `ask.x` is a question, `expect.x` what is an
answer to it (said after a wrong one, and for `?`), `toml.x` the comment of a field in gateway.toml.
"""

LANGUAGES = ("fr", "en")

WORDS = {
    # --- the course of it
    "hello": (
        "Configuration de l'armoire. Entrée : garder la valeur entre crochets ; « - » : rien ; « ? » : aide ; Ctrl-C : "
        "abandonner. Rien n'est écrit avant la fin.",
        "Setting up the cabinet. Enter: keep the value in brackets; `-`: nothing; `?`: help; Ctrl-C: give up. Nothing "
        "is written before the end.",
    ),
    "found": ("{path} existe : ses valeurs sont proposées.", "{path} exists: its values are offered."),
    "abandoned": ("Abandonné : rien n'est écrit.", "Given up: nothing is written."),
    "not_root": (
        "il faut les droits d'administrateur : sudo bocage gateway setup",
        "this needs root: sudo bocage gateway setup",
    ),
    "cannot_write": ("écriture impossible : {error}", "cannot write: {error}"),
    "cannot_read": ("{path} : illisible ({error})", "{path}: cannot be read ({error})"),
    "faults": ("Défauts ({count}) ; rien n'est écrit :", "Faults ({count}); nothing is written:"),
    "answers.open": (
        "{path} contient un mot de passe et d'autres peuvent le lire ; chmod 600 {path}",
        "{path} holds a password and others may read it; chmod 600 {path}",
    ),
    "answers.password": (
        "[page] password : 8 à 128 caractères, ou la ligne scrypt d'une configuration",
        "[page] password: 8 to 128 characters, or the scrypt line of a configuration",
    ),
    "answers.site": ("[cabinet] latitude, longitude : {why}", "[cabinet] latitude, longitude: {why}"),
    "answers.file": ("[{section}] {field} : {why}", "[{section}] {field}: {why}"),
    "answers.section": (
        "{section} : ce n'est pas une section ; écrire [{section}]",
        "{section}: is no section; write [{section}]",
    ),
    "answers.numbers": ("donner deux nombres en degrés", "give two numbers in degrees"),
    "secret.different": ("Les deux ne sont pas les mêmes.", "The two are not the same."),
    # --- titles
    "title.place": ("La commune et l'armoire", "The commune and the cabinet"),
    "title.centre": ("La liaison avec le centre", "The link to the centre"),
    "title.points": ("Ce qui est câblé dans l'armoire", "What is wired in the cabinet"),
    "title.feeders": ("Les départs", "The feeders"),
    "title.keys": ("Les clés de la commune", "The commune's keys"),
    "title.page": ("La page du technicien", "The technician's page"),
    "title.end": ("Résumé", "Summary"),
    # --- place
    "ask.insee": ("Code INSEE de la commune", "INSEE code of the commune"),
    "expect.insee": ("Cinq caractères, comme 49135 ou 2A004.", "Five characters, as 49135 or 2A004."),
    "ask.name": ("Nom de l'armoire", "Name of the cabinet"),
    "expect.name": (
        "Minuscules, chiffres et tirets intérieurs, unique dans la commune, comme cab-12.",
        "Lower-case letters, digits, inner hyphens, unique in the commune, as cab-12.",
    ),
    "ask.site": ("Position de l'armoire (latitude, longitude)", "Position of the cabinet (latitude, longitude)"),
    "expect.site": (
        "En degrés, comme 47.5720, -0.5940 ou 47°34'19\"N 0°35'38\"O (carte du téléphone).",
        "In degrees, as 47.5720, -0.5940 or 47°34'19\"N 0°35'38\"W (the phone's map).",
    ),
    "site.is": (
        "→ {latitude}° {north_south}, {longitude}° {east_west} du méridien de Greenwich",
        "→ {latitude}° {north_south}, {longitude}° {east_west} of the Greenwich meridian",
    ),
    "north": ("nord", "north"),
    "south": ("sud", "south"),
    "east": ("est", "east"),
    "west": ("ouest", "west"),
    "site.swapped": ("latitude et longitude semblent inversées", "latitude and longitude seem swapped"),
    "site.sign": (
        "le signe semble faux : changé, ce serait en {region}",
        "the sign seems wrong: changed, it would be in {region}",
    ),
    "site.abroad": ("ce n'est pas en France ; attendu : {region}", "this is not in France; expected: {region}"),
    "site.elsewhere": (
        "c'est en {region}, mais le code INSEE {insee} est en {expected}",
        "this is in {region}, but the INSEE code {insee} is in {expected}",
    ),
    "site.overseas": (
        "{region} n'est pas encore pris en charge : le soleil et les heures sont ceux de la métropole",
        "{region} is not supported yet: the sun and the hours are those of metropolitan France",
    ),
    # --- centre
    "ask.broker": ("Serveur du centre (nom:port)", "The centre's server (name:port)"),
    "expect.broker": (
        "Nom ou adresse et port, comme centre.example.fr:8883.",
        "Name or address and port, as centre.example.fr:8883.",
    ),
    "ask.ca": (
        "Certificat de l'autorité du territoire (fichier ; « - » : pas encore)",
        "Certificate of the territory's authority (file; `-`: not yet)",
    ),
    "expect.ca": (
        "Un fichier PEM, par exemple sur une clé USB : /media/usb/autorite.pem.",
        "A PEM file, on a USB stick say: /media/usb/authority.pem.",
    ),
    "ask.certificate": (
        "Certificat de cette armoire, signé par l'autorité (fichier ; « - » : pas encore)",
        "Certificate of this cabinet, signed by the authority (file; `-`: not yet)",
    ),
    "expect.certificate": (
        "Le fichier PEM que l'autorité a rendu contre la demande {request}.",
        "The PEM file that the authority gave back for the request {request}.",
    ),
    "ask.fibre": ("Interface de la fibre", "Interface of the fibre"),
    "ask.mobile": ("Interface de la 4G", "Interface of 4G"),
    "expect.fibre": (
        "Le nom d'une interface réseau, comme eth0 (« ip link » les montre), ou « - ».",
        "The name of a network interface, as eth0 (`ip link` shows them), or `-`.",
    ),
    "expect.mobile": (
        "Le nom d'une interface réseau, comme wwan0, ou « - » sans 4G.",
        "The name of a network interface, as wwan0, or `-` without 4G.",
    ),
    "ask.monthly": (
        "Forfait 4G par mois, en Mo (0 : compté, jamais retenu)",
        "4G budget a month, in MB (0: counted, never held back)",
    ),
    "expect.monthly": ("Un nombre entier de mégaoctets, comme 500.", "A whole number of megabytes, as 500."),
    "ask.modem": ("Port de commande du modem 4G", "Command port of the 4G modem"),
    "expect.modem": (
        "Un chemin sous /dev, ou « - » : le modem n'est alors ni interrogé ni remis à zéro.",
        "A path under /dev, or `-`: then the modem is neither asked nor reset.",
    ),
    # --- points
    "ask.modbus": ("Port du bus RS-485 (Modbus)", "Port of the RS-485 bus (Modbus)"),
    "expect.modbus": (
        "Un chemin sous /dev, de préférence /dev/serial/by-id/…, ou « - » sans bus.",
        "A path under /dev, rather /dev/serial/by-id/…, or `-` without a bus.",
    ),
    "ask.baud": ("Vitesse du bus, en bauds", "Speed of the bus, in baud"),
    "expect.baud": (
        "La même sur tous les appareils du bus : 9600 le plus souvent.",
        "The same on every device of the bus: mostly 9600.",
    ),
    "ask.gpio": ("Contrôleur GPIO", "GPIO chip"),
    "expect.gpio": ("/dev/gpiochip0 sur un Raspberry Pi, ou « - ».", "/dev/gpiochip0 on a Raspberry Pi, or `-`."),
    "ask.rtc": (
        "Cette machine a-t-elle une horloge à pile (RTC), déjà à l'heure ?",
        "Has this machine a battery-backed clock (RTC), already set?",
    ),
    "ask.linky": ("Port de la téléinformation du compteur Linky", "Port of the Linky meter's customer output (TIC)"),
    "expect.linky": (
        "/dev/ttyAMA0 pour l'UART d'un Raspberry Pi, un adaptateur USB, ou « - ».",
        "/dev/ttyAMA0 for a Raspberry Pi's UART, a USB adapter, or `-`.",
    ),
    "ask.linky_mode": ("Mode du compteur", "Mode of the meter"),
    "expect.linky_mode": (
        "historique (1200 bauds, d'origine) ou standard (9600 bauds, sur demande au fournisseur).",
        "historique (1200 baud, as delivered) or standard (9600 baud, asked of the supplier).",
    ),
    "ask.watchdog": ("Ligne du relais temporisé de secours", "Line of the timer relay (watchdog)"),
    "expect.watchdog": (
        "Une ligne GPIO, comme gpio:22, ou « - ». Sans elle, rien ne rend les contacteurs à l'horloge si la carte "
        "meurt.",
        "A GPIO line, as gpio:22, or `-`. Without it nothing hands the contactors back to the clock should the card "
        "die.",
    ),
    "ask.door": ("Contact de porte (actif : ouverte)", "Door contact (active: open)"),
    "ask.mains": ("Présence secteur (actif : présent)", "Mains present (active: present)"),
    "ask.switch_on": ("Commutateur sur « marche forcée »", "Hand switch at `on`"),
    "ask.switch_off": ("Commutateur sur « arrêt »", "Hand switch at `off`"),
    "ask.photocell": ("Cellule photoélectrique (lux)", "Photocell (lux)"),
    "ask.temperature": ("Température de l'armoire (°C)", "Temperature of the cabinet (°C)"),
    "ask.ups": ("Tension de la batterie de secours (V)", "Voltage of the back-up battery (V)"),
    "expect.contact": (
        "Un point : gpio:5, gpio:5/pull-up, modbus:1/input:4 ; « ! » devant pour inverser ; « - » si non câblé.",
        "A point: gpio:5, gpio:5/pull-up, modbus:1/input:4; `!` in front inverts; `-` if not wired.",
    ),
    "expect.number": (
        "Un registre : modbus:4/30001, ou avec type et facteur modbus:4/30001:s16*0.1 ; « - » si non câblé.",
        "A register: modbus:4/30001, or with type and factor modbus:4/30001:s16*0.1; `-` if not wired.",
    ),
    # --- feeders
    "feeder.is": (
        "Départ {number} : {name} — {lamps} lampes de {watts} W, contacteur {contactor}",
        "Feeder {number}: {name} — {lamps} lamps of {watts} W, contactor {contactor}",
    ),
    "ask.keep_feeder": ("Garder, modifier ou supprimer (g, m, s) ?", "Keep, change or remove (g, m, s)?"),
    "ask.one_more": ("Ajouter un départ ?", "Add a feeder?"),
    "feeder.none": ("Il faut au moins un départ.", "There must be a feeder."),
    "ask.feeder": ("Nom du départ {number}", "Name of feeder {number}"),
    "expect.feeder": (
        "24 octets au plus, le même que dans la politique de la commune, comme bourg.",
        "24 bytes at most, the same as in the commune's policy, as bourg.",
    ),
    "ask.lamps": ("Nombre de lampes", "Number of lamps"),
    "expect.lamps": ("Un nombre entier, comptées dans la rue.", "A whole number, counted in the street."),
    "ask.lamp_watts": ("Puissance d'une lampe, en W (0 : à apprendre)", "Power of one lamp, in W (0: to be learned)"),
    "expect.lamp_watts": (
        "Un nombre entier, appareillage compris : 32 pour une LED de 30 W.",
        "A whole number, driver included: 32 for an LED of 30 W.",
    ),
    "ask.contactor": ("Commande du contacteur", "Output to the contactor"),
    "expect.contactor": (
        "Une sortie : modbus:1/coil:0 ou gpio:17 ; « ! » devant pour inverser.",
        "An output: modbus:1/coil:0 or gpio:17; `!` in front inverts.",
    ),
    "ask.feedback": ("Retour du contacteur (contact auxiliaire)", "Feedback of the contactor (auxiliary contact)"),
    "ask.meter": ("Compteur d'énergie du départ", "Energy meter of the feeder"),
    "expect.meter": (
        "Un compteur connu : modbus:10/sdm120 ; « - » sans compteur (sans preuve en watts).",
        "A known meter: modbus:10/sdm120; `-` without (no proof in watts).",
    ),
    # --- keys and page
    "ask.keys": (
        "Jeu de clés de la commune (fichier ; « - » : pas encore)",
        "The commune's key set (file; `-`: not yet)",
    ),
    "expect.keys": (
        "Le fichier remis par la mairie (commune.keys). Sans lui aucune politique n'est acceptée : les départs suivent "
        "le soleil.",
        "The file handed over by the town hall (commune.keys). Without it no policy is taken: the feeders follow the "
        "sun.",
    ),
    "ask.page": (
        "Servir la page du technicien (téléphone, sans internet) ?",
        "Serve the technician's page (phone, no internet)?",
    ),
    "ask.bind": ("Adresse de la page", "Address of the page"),
    "expect.bind": (
        "Adresse de cette machine et port, comme 192.168.50.1:8080.",
        "Address of this machine and port, as 192.168.50.1:8080.",
    ),
    "ask.new_password": ("Changer le mot de passe de la page ?", "Change the page's password?"),
    "ask.password": ("Mot de passe de la page", "Password of the page"),
    "ask.password.again": ("Encore une fois", "Once more"),
    "expect.password": ("8 caractères au moins, 128 au plus.", "8 characters at least, 128 at most."),
    # --- files
    "file.missing": ("{path} n'est pas un fichier lisible ({error}).", "{path} is no file that can be read ({error})."),
    "file.refused": ("{why}", "{why}"),
    "identity.no-certificate": ("ce n'est pas un certificat PEM", "this is no PEM certificate"),
    "identity.no-authority": ("ce n'est pas le certificat d'une autorité", "this is no authority's certificate"),
    "identity.no-key": (
        "/etc/bocage/gateway.key n'est pas une clé P-256 lisible",
        "/etc/bocage/gateway.key is no readable P-256 key",
    ),
    "identity.other-key": (
        "ce certificat est celui d'une autre clé : l'autorité a-t-elle signé la demande de cette armoire ?",
        "this certificate is of another key: has the authority signed this cabinet's request?",
    ),
    "identity.other-name": (
        "ce certificat est au nom de {found}, attendu {expected}",
        "this certificate is in the name {found}, expected {expected}",
    ),
    "identity.other-authority": (
        "ce certificat n'est pas signé par cette autorité",
        "this certificate is not signed by this authority",
    ),
    "keys.bad": ("ce n'est pas un jeu de clés : {why}", "this is no key set: {why}"),
    "keys.other": (
        "ce jeu de clés est celui de la commune {found}, attendu {expected}",
        "this key set is of the commune {found}, expected {expected}",
    ),
    # --- the end
    "end.cabinet": ("Armoire {name}, identifiant {id}", "Cabinet {name}, id {id}"),
    "ask.write": ("Écrire ?", "Write?"),
    "ask.again": ("Reprendre les questions ?", "Go through the questions again?"),
    "ask.start": ("Démarrer l'agent maintenant ?", "Start the agent now?"),
    "done.written": ("Écrit : {path}", "Written: {path}"),
    "done.request": (
        "À faire signer par l'autorité du territoire : {path} (nom {name}). D'ici là l'armoire fonctionne seule.",
        "To be signed by the territory's authority: {path} (name {name}). Until then the cabinet runs alone.",
    ),
    "done.no_keys": (
        "Sans jeu de clés : aucune politique ne sera acceptée, les départs suivent le soleil.",
        "No key set: no policy will be taken, the feeders follow the sun.",
    ),
    "done.restart": ("Ensuite : sudo systemctl restart bocage-gateway", "Then: sudo systemctl restart bocage-gateway"),
    "done.started": (
        "Agent démarré. Son état : sudo bocage gateway status --config {path}",
        "Agent started. How it is: sudo bocage gateway status --config {path}",
    ),
    "done.not_started": ("L'agent n'a pas démarré : {error}", "The agent has not started: {error}"),
    # --- comments of the file
    "toml.": (
        "Écrit par « bocage gateway setup », qui peut être relancé. Vérifier après un changement à la main :\n"
        "  sudo bocage gateway check --config /etc/bocage/gateway.toml",
        "Written by `bocage gateway setup`, which may be run again. To check a change made by hand:\n"
        "  sudo bocage gateway check --config /etc/bocage/gateway.toml",
    ),
    "toml.gateway": (
        "Qui est cette armoire. L'identifiant est tiré une fois et ne passe jamais à une autre.",
        "Who this cabinet is. The id is drawn once and never passes to another.",
    ),
    "toml.cabinet": ("Ce qui est câblé.", "What is wired."),
    "toml.cabinet.latitude": (
        "Pour le soleil, tant qu'aucune politique n'est en vigueur.",
        "For the sun, while no policy is in force.",
    ),
    "toml.cabinet.keys": ("Les clés dont une signe les politiques.", "The keys of which one signs policies."),
    "toml.cabinet.watchdog": (
        "L'impulsion qui garde les contacteurs à l'agent ; sans elle ils reviennent à l'horloge de l'armoire.",
        "The pulse that keeps the contactors with the agent; without it they go back to the cabinet's own clock.",
    ),
    "toml.cabinet.feeder": (
        "Un départ ; le nom est celui de la politique. « ! » devant un point l'inverse.",
        "A feeder; the name is the policy's. `!` in front of a point inverts it.",
    ),
    "toml.page": (
        "La page du technicien. Le mot de passe n'est pas ici, seulement de quoi le vérifier.",
        "The technician's page. The password is not here, only what it can be checked against.",
    ),
    "toml.clock": (
        "L'heure du système est crue même sans serveur de temps : seulement avec une horloge à pile.",
        "The system's time is believed even without a time server: only with a battery-backed clock.",
    ),
    "toml.link": (
        "Les équipements par radio. Liste vide : il n'y en a pas, personne n'est écouté.",
        "Nodes by radio. An empty list: there are none, nobody is listened to.",
    ),
    "toml.uplink": (
        "Le centre. Tant que l'autorité n'a pas signé, ca et certificate sont provisoires : l'armoire va seule.",
        "The centre. Until the authority has signed, ca and certificate stand in: the cabinet runs alone.",
    ),
    "toml.mobile": ("La 4G, quand la fibre manque.", "4G, when the fibre is missing."),
    "toml.fibre": ("La liaison préférée.", "The link that is preferred."),
}


def word(key: str, language: str, /, **values: str) -> str:
    """The words of a key in one language, with its values."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def comment(path: str, language: str) -> str | None:
    """The comment of a section or field of gateway.toml, if it has one."""
    return word(f"toml.{path}", language) if f"toml.{path}" in WORDS else None
