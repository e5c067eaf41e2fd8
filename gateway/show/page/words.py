"""Every word of the technician's page, in French and in English side by side; the explanations have their own table.

Read on a phone, outside, with gloves: buttons are verbs, a warning says what to do before why.
"""

from gateway.show.explain.words import LANGUAGES

# key: (French, English).
PAGE = {
    # frame
    "title": ("Armoire {name}", "Cabinet {name}"),
    "tab.now": ("Maintenant", "Now"),
    "tab.tonight": ("Cette nuit", "Tonight"),
    "tab.faults": ("Défauts", "Faults"),
    "tab.health": ("Passerelle", "Gateway"),
    "other_language": ("English", "Français"),
    "logout": ("Quitter", "Log out"),
    "back": ("Retour", "Back"),
    "skip": ("Aller au contenu", "Skip to the content"),
    "time_unknown": ("heure inconnue", "time unknown"),
    "stale": ("Page figée : la passerelle ne répond plus", "Frozen page: the gateway no longer answers"),
    "you": ("Connecté : {who}", "Logged in: {who}"),
    # login
    "login.title": ("Se connecter", "Log in"),
    "login.lead": ("Page de l'armoire, sans réseau.", "The cabinet's page, without network."),
    "login.who": ("Votre nom", "Your name"),
    "login.who.why": (
        "Il est inscrit avec chaque ordre au journal d'audit.",
        "It is written beside each order in the audit log.",
    ),
    "login.password": ("Mot de passe de l'armoire", "Password of the cabinet"),
    "login.enter": ("Entrer", "Enter"),
    "login.wrong": ("Mot de passe refusé.", "Wrong password."),
    "login.name": ("Donner un nom.", "Give a name."),
    "login.busy": (
        "Un autre mot de passe est en cours de vérification. Réessayer.",
        "Another password is being checked. Try again.",
    ),
    "login.wait": ("Trop d'essais. Réessayer dans {left}.", "Too many attempts. Try again in {left}."),
    "login.over": ("Session terminée : se connecter de nouveau.", "The session has ended: log in again."),
    "login.left": ("Vous êtes déconnecté.", "You are logged out."),
    # the strip
    "chip.door": ("Porte ouverte", "Door open"),
    "chip.mains.no": ("Secteur absent", "No mains"),
    "chip.switch.auto": ("AUTO", "AUTO"),
    "chip.switch.on": ("MARCHE forcée", "Forced ON"),
    "chip.switch.off": ("ARRÊT forcé", "Forced OFF"),
    "chip.centre.yes": ("Centre relié", "Centre linked"),
    "chip.centre.no": ("Sans centre depuis {since}", "No centre for {since}"),
    "chip.clock.no": ("Sans heure", "No time"),
    "chip.faults": ("{count} défauts", "{count} faults"),
    "chip.faults.one": ("1 défaut", "1 fault"),
    # now
    "now.none": ("Cette passerelle ne pilote pas de départs.", "This gateway switches no feeders."),
    "now.none.more": (
        "La section [cabinet] manque dans sa configuration : bocage gateway setup.",
        "Its configuration has no section [cabinet]: bocage gateway setup.",
    ),
    "now.powered": ("Alimenté", "Powered"),
    "now.lit": ("Allumé", "Lit"),
    "now.dark": ("Éteint", "Off"),
    "now.unknown": ("Inconnu", "Unknown"),
    "now.switch": (
        "L'interrupteur de l'armoire commande : essais et politique sont sans effet. Le remettre sur AUTO en partant.",
        "The cabinet's hand switch commands: tests and policy have no effect. Put it back to AUTO on leaving.",
    ),
    "now.handed": (
        "L'horloge astronomique de l'armoire commande : la passerelle n'a plus la main.",
        "The cabinet's astronomical clock commands: the gateway does not.",
    ),
    "now.starting": ("La passerelle démarre : attendre une minute.", "The gateway is starting: wait a minute."),
    "now.power": ("{power} W", "{power} W"),
    "now.power.none": ("sans mesure", "not measured"),
    "now.expected": ("attendu {expected} W", "expected {expected} W"),
    "now.normal": ("({expected} W allumé)", "({expected} W when lit)"),
    "now.next": ("Ensuite : {next}", "Next: {next}"),
    "now.meter": ("Puissance mesurée sur puissance attendue", "Measured power of expected power"),
    # a feeder
    "feeder.title": ("Départ {name}", "Feeder {name}"),
    "feeder.permanent": ("permanent", "permanent"),
    "feeder.who": ("Qui décide", "Who decides"),
    "feeder.commands": ("Commandes connues", "Known commands"),
    "feeder.limits": ("Limites légales", "Legal limits"),
    "feeder.alarms": ("Défauts du départ", "Faults of the feeder"),
    "feeder.energy": ("Compteur : {energy} kWh", "Meter: {energy} kWh"),
    # orders
    "test.button": ("Essayer 2 min", "Test 2 min"),
    "test.title": ("Essayer {name}", "Test {name}"),
    "test.lead": (
        "Le départ s'allume pendant 2 minutes, puis revient seul à ce que veut la politique.",
        "The feeder lights for 2 minutes, then goes back by itself to what the policy wants.",
    ),
    "test.people": (
        "S'assurer que personne ne travaille sur la ligne.",
        "Make sure that nobody works on the line.",
    ),
    "test.already": ("Il est déjà allumé : rien ne se verra.", "It is lit already: nothing will be seen."),
    "test.go": ("Allumer 2 minutes", "Light for 2 minutes"),
    "test.left": ("Essai en cours, encore", "Test under way, still"),
    "test.runs": ("Essai en cours", "Test under way"),
    "test.stop": ("Arrêter l'essai", "Stop the test"),
    "lock.button": ("Verrouiller", "Lock off"),
    "lock.title": ("Verrouiller {name} éteint", "Lock {name} off"),
    "lock.danger": ("Ceci n'est pas une consignation électrique.", "This is no electrical lock-out."),
    "lock.danger.do": (
        "Avant de toucher un conducteur : ouvrir et cadenasser le disjoncteur du départ, puis vérifier l'absence "
        "de tension (NF C 18-510).",
        "Before touching a conductor: open and padlock the feeder's breaker, then check that it is dead (NF C 18-510).",
    ),
    "lock.lead": (
        "La passerelle garde le contacteur ouvert : ni politique, ni commande, ni urgence ne le ferme.",
        "The gateway keeps the contactor open: no policy, command or emergency closes it.",
    ),
    "lock.ends": (
        "Le verrou tombe seul après 8 heures, et si la passerelle redémarre ou s'arrête : l'horloge de l'armoire "
        "peut alors rallumer.",
        "The lock ends by itself after 8 hours, and if the gateway restarts or stops: the cabinet's own clock may "
        "then light.",
    ),
    "lock.read": ("J'ai lu", "I have read this"),
    "lock.go": ("Verrouiller éteint", "Lock off"),
    "lock.held": ("Verrouillé éteint par {who}", "Locked off by {who}"),
    "unlock.button": ("Déverrouiller", "Unlock"),
    "unlock.title": ("Déverrouiller {name}", "Unlock {name}"),
    "unlock.lead": (
        "Le départ peut se rallumer aussitôt. S'assurer que plus personne ne travaille sur la ligne.",
        "The feeder may light at once. Make sure that nobody works on the line any more.",
    ),
    "unlock.go": ("Déverrouiller", "Unlock"),
    "refused.title": ("Ordre refusé", "Order refused"),
    "refused.locked": (
        "Le départ est verrouillé éteint : le déverrouiller d'abord.",
        "The feeder is locked off: unlock it first.",
    ),
    "refused.read": ("Cocher « J'ai lu » d'abord.", "Tick “I have read this” first."),
    "refused.form": (
        "Cet ordre ne vient pas d'une page à jour. Revenir en arrière et recommencer.",
        "This order does not come from a current page. Go back and try again.",
    ),
    "refused.other": ("L'agent a répondu : {word}", "The agent answered: {word}"),
    # tonight
    "tonight.lead": (
        "Nuit du {day} : ce que veut la politique, de midi à midi.",
        "Night of {day}: what the policy wants, noon to noon.",
    ),
    "tonight.unknown": (
        "Inconnu : il manque l'heure ou une politique lisible.",
        "Unknown: the time, or a policy that can be read, is missing.",
    ),
    "tonight.bar": ("Nuit de {name} : {changes}", "Night of {name}: {changes}"),
    # faults
    "faults.none": ("Aucun défaut.", "No fault."),
    "faults.street": ("À l'armoire", "At the cabinet"),
    "faults.gateway": ("À la passerelle", "At the gateway"),
    "faults.log": ("Derniers incidents du journal", "Last incidents of the log"),
    "faults.since": ("depuis {since}", "for {since}"),
    "faults.do": ("À faire : {text}", "To do: {text}"),
    # health
    "health.linky": ("Linky", "Linky"),
    "health.linky.value": ("{index} kWh, {apparent} VA ({mode})", "{index} kWh, {apparent} VA ({mode})"),
    "health.ups": ("Batterie", "Battery"),
    "health.ups.value": ("{volts} V", "{volts} V"),
    "health.version": ("Version", "Version"),
    # errors
    "error.title": ("Page indisponible", "Page not available"),
    "error.404": ("Cette page n'existe pas.", "There is no such page."),
    "error.500": (
        "Erreur de la page, notée au journal. L'éclairage continue.",
        "An error of the page, noted in the log. The lighting goes on.",
    ),
    "error.other": ("Demande refusée ({status}).", "Request refused ({status})."),
}  # fmt: skip


def say(key: str, language: str, **values: object) -> str:
    """The word with its values. KeyError for a key that the table does not have: our own bug."""
    return PAGE[key][LANGUAGES.index(language)].format(**values)


def say_or(key: str, otherwise: str, language: str, **values: object) -> str:
    """As above, under the key `otherwise` where a word from outside makes one that is not known."""
    return say(key if key in PAGE else otherwise, language, **values)
