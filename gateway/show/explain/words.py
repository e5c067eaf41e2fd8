"""Every word of an explanation, in French and in English side by side: `bocage gateway explain`, and the technician's
page.

Whole sentences with places for values, so that each language keeps its own order. No term that only we use.
"""

LANGUAGES = ("fr", "en")

# key: (French, English).
WORDS = {
    # the state
    "lit": ("allumé", "lit"),
    "dark": ("éteint", "off"),
    "unknown_state": ("état inconnu", "state unknown"),
    "for": ("depuis {since}", "for {since}"),
    "lamps": ("{count} lampes", "{count} lamps"),
    "lamps.one": ("1 lampe", "1 lamp"),
    "next.lit": ("allumage à {at}", "lights at {at}"),
    "next.dark": ("extinction à {at}", "goes out at {at}"),
    "next.none": ("rien ne change d'ici demain midi", "nothing changes before tomorrow noon"),
    "next.permanent": ("reste alimenté", "stays powered"),
    "next.handed": ("au gré de l'horloge de l'armoire", "as the cabinet's own clock will have it"),
    "next.held": ("rien tant que dure le verrouillage local", "nothing while the local interlock lasts"),
    "next.unknown": ("inconnu", "unknown"),
    # watts
    "watts.of": (
        "{power} W mesurés, {expected} W attendus : {verdict}",
        "{power} W measured, {expected} W expected: {verdict}",
    ),
    "watts.alone": ("{power} W mesurés : {verdict}", "{power} W measured: {verdict}"),
    "watts.agree": ("d'accord", "they agree"),
    "watts.early": ("trop tôt pour juger, les lampes chauffent", "too early to judge, the lamps warm up"),
    "watts.less": ("il manque {rest} W", "{rest} W are missing"),
    "watts.more": ("{rest} W de trop", "{rest} W too many"),
    "watts.nothing": ("presque rien ne brûle", "next to nothing burns"),
    "watts.off": ("contacteur ouvert, d'accord", "contactor open, they agree"),
    "watts.burns": ("cela brûle alors que le contacteur est ouvert", "it burns although the contactor is open"),
    "watts.unjudged": ("puissance normale encore inconnue", "normal power not known yet"),
    "watts.none": ("pas de mesure de puissance", "power is not measured"),
    "feedback.closed": (
        "le contact auxiliaire dit fermé alors que l'ordre est ouvert",
        "the auxiliary contact says closed although the order is open",
    ),
    "feedback.open": (
        "le contact auxiliaire dit ouvert alors que l'ordre est fermé",
        "the auxiliary contact says open although the order is closed",
    ),
    # why, a sentence for each rule
    "why.switch-on": ("interrupteur de l'armoire sur MARCHE", "hand switch of the cabinet at ON"),
    "why.switch-off": ("interrupteur de l'armoire sur ARRÊT", "hand switch of the cabinet at OFF"),
    "why.locked": ("verrou du technicien ({who}) : reste éteint", "technician's lock-out ({who}): stays off"),
    "why.interlock": ("verrouillage local", "local interlock"),
    "why.emergency": ("éclairage d'urgence : {order}", "emergency light: {order}"),
    "why.manual": ("essai à l'armoire : {order}", "test at the cabinet: {order}"),
    "why.command": ("commande : {order}", "command: {order}"),
    "why.policy": ("{policy} : {words}", "{policy}: {words}"),
    "why.default": (
        "aucune politique en main : du coucher au lever du soleil",
        "no policy in hand: from sunset to sunrise",
    ),
    "why.photocell": ("heure inconnue : cellule photoélectrique, {cell}", "time unknown: photocell, {cell}"),
    "why.photocell.dark": ("il fait nuit", "it is dark"),
    "why.photocell.bright": ("il fait jour", "it is light"),
    "why.photocell.lux": ("{lux} lx", "{lux} lx"),
    "why.photocell.none": ("valeur inconnue", "value unknown"),
    "why.safety": (
        "heure inconnue et pas de cellule : allumé par sécurité, l'horloge de l'armoire décide",
        "time unknown and no photocell: lit for safety, the cabinet's own clock decides",
    ),
    "why.handed": (
        "l'armoire est rendue à son horloge astronomique, la passerelle ne commande pas ; elle voulait : {words}",
        "the cabinet is in the hands of its astronomical clock, the gateway does not command; it wanted: {words}",
    ),
    "why.other": ("règle « {rule} »", "rule `{rule}`"),
    "why.unknown": ("l'agent ne dit pas pourquoi", "the agent does not say why"),
    "why.carried": (
        "{words} (heure reportée sans réseau, à ± {uncertainty} près)",
        "{words} (time carried without network, to ± {uncertainty})",
    ),
    "why.differs": ("{words} ; le contacteur est pourtant {state}", "{words}; the feeder is {state} all the same"),
    # the policy and its calendar
    "policy": ("politique n° {version}", "policy no. {version}"),
    "policy.by": ("politique n° {version} ({by})", "policy no. {version} ({by})"),
    "policy.short": ("n° {version}, {words}", "no. {version}, {words}"),
    "policy.unnamed": ("politique de la commune", "the commune's policy"),
    "calendar": ("calendrier n° {number}, {rule}, {step}", "calendar no. {number}, {rule}, {step}"),
    "default_calendar": (
        "ce départ n'est pas dans la politique : {step}",
        "this feeder is not in the policy: {step}",
    ),
    "permanent": ("départ permanent, toujours alimenté", "permanent feeder, always powered"),
    "unreadable": (
        "d'un format que cette version ne lit pas ; l'agent dit : {because}",
        "of a form that this version does not read; the agent says: {because}",
    ),
    "rule": ("règle {number} ({when})", "rule {number} ({when})"),
    "rule.none": (
        "aucune règle pour ce soir (du coucher au lever du soleil)",
        "no rule for this evening (sunset to sunrise)",
    ),
    "step": ("pas {number} : {words}", "step {number}: {words}"),
    "step.before": ("avant le premier pas de la nuit", "before the first step of the night"),
    "step.daylight": ("il fait jour", "it is day"),
    "act.lit": ("allumage {when}", "lights {when}"),
    "act.dim": ("allumage à {level} % {when}", "lights to {level} % {when}"),
    "act.dark": ("extinction {when}", "goes out {when}"),
    "when.clock": ("à {clock}", "at {clock}"),
    "when.sunset": ("au coucher du soleil", "at sunset"),
    "when.sunset.after": ("{minutes} min après le coucher du soleil", "{minutes} min after sunset"),
    "when.sunset.before": ("{minutes} min avant le coucher du soleil", "{minutes} min before sunset"),
    "when.sunrise": ("au lever du soleil", "at sunrise"),
    "when.sunrise.after": ("{minutes} min après le lever du soleil", "{minutes} min after sunrise"),
    "when.sunrise.before": ("{minutes} min avant le lever du soleil", "{minutes} min before sunrise"),
    "days.all": ("tous les soirs", "every evening"),
    "days.range": ("du {first} au {last}", "{first} to {last}"),
    "days.and": ("{first} et {last}", "{first} and {last}"),
    "dates.one": ("le {first}", "on {first}"),
    "dates.range": ("du {first} au {last}", "from {first} to {last}"),
    "days_and_dates": ("{days}, {dates}", "{days}, {dates}"),
    "overtaken": (
        "pas {number} sans effet cette nuit-là : un pas suivant l'a déjà dépassé",
        "step {number} without effect that night: a later step has overtaken it",
    ),
    # the law
    "limit.1": ("doit rester éteint de {a} à {b}", "must stay dark from {a} to {b}"),
    "limit.2": ("ne peut être éteint par commande", "may not be put out by command"),
    "limit.3": (
        "ne peut être allumé de jour par commande (de {a} min après le lever à {b} min avant le coucher)",
        "may not be lit by day by command (from {a} min after sunrise to {b} min before sunset)",
    ),
    "limit.other": ("limite d'un genre inconnu", "a limit of an unknown kind"),
    "limit.by": ("{words} — {by}", "{words} — {by}"),
    # orders
    "order.light": ("allumer", "light"),
    "order.dark": ("éteindre", "put out"),
    "order.nobody": ("auteur inconnu", "author unknown"),
    "order.until": ("jusqu'à {at}", "until {at}"),
    "order.reason": ("raison : {reason}", "reason: {reason}"),
    "order.left": ("encore {left}", "{left} left"),
    "order.target": ("pour « {target} »", "for `{target}`"),
    "order.waiting": ("en attente de son heure", "waits for its time"),
    "order.over": ("terminée", "over"),
    "kind.override": ("commande", "command"),
    "kind.emergency": ("urgence", "emergency"),
    "kind.test": ("essai du centre", "test by the centre"),
    "kind.end": ("fin de commande", "end of a command"),
    # who decides, from the strongest down
    "level.interlock": ("verrouillage local", "local interlock"),
    "level.emergency": ("urgence", "emergency"),
    "level.manual": ("essai à l'armoire", "test at the cabinet"),
    "level.command": ("commande du centre", "command of the centre"),
    "level.policy": ("politique", "policy"),
    "level.default": ("à défaut", "failing that"),
    "verdict.decides": ("décide", "decides"),
    "verdict.overruled": ("écarté", "overruled"),
    "verdict.agrees": ("du même avis", "agrees"),
    "verdict.ignored": ("sans effet", "no effect"),
    "verdict.silent": ("—", "—"),
    "none.interlock": ("interrupteur sur AUTO, aucun verrou", "switch at AUTO, no lock-out"),
    "none.interlock.unwired": ("pas d'interrupteur câblé, aucun verrou", "no switch wired, no lock-out"),
    "none.emergency": ("aucune", "none"),
    "none.manual": ("aucun en cours", "none under way"),
    "none.command": ("aucune", "none"),
    "rests": ("{order} ; en repos, le bail du centre est échu", "{order}; at rest, the centre's lease has run out"),
    "none.policy": ("aucune en main", "none in hand"),
    "policy.blind": ("{policy}, mais l'heure n'est pas connue", "{policy}, but the time is not known"),
    "none.policy.feeder": ("la n° {version} ne nomme pas ce départ", "no. {version} does not name this feeder"),
    "none.default.sun": ("du coucher au lever du soleil", "from sunset to sunrise"),
    "none.default": ("sans objet : une politique est en vigueur", "not needed: a policy is in force"),
    # the night
    "night.end_of": ("fin : {order}", "end: {order}"),
    "night.unknown": ("inconnu : l'heure ou la politique manque", "unknown: the time or the policy is missing"),
    # at another time
    "at.future": ("à venir", "to come"),
    "at.past": ("passé", "past"),
    "at.now": ("maintenant", "now"),
    "at.gap": (
        "cette heure n'existe pas cette nuit-là (passage à l'heure d'été) : {clock} est pris à la place",
        "there is no such time that night (summer time begins): {clock} is taken instead",
    ),
    "at.fold": (
        "cette heure passe deux fois cette nuit-là (passage à l'heure d'hiver) : la première est prise ; pour "
        "l'autre, écrire +01:00 derrière l'heure",
        "this time passes twice that night (summer time ends): the first is taken; for the other write +01:00 "
        "behind the time",
    ),
    "at.expired": (
        "échue depuis le {at} : son calendrier continue, une alarme le rappelle",
        "expired on {at}: its calendar goes on, an alarm says so",
    ),
    "at.before": (
        "n'est valable que depuis le {at} ; une autre décidait alors",
        "is valid from {at} on only; another one decided then",
    ),
    "at.next": (
        "la politique n° {version} attend sa date et pourra en décider autrement",
        "policy no. {version} waits for its day and may decide otherwise",
    ),
    "at.commands": ("commandes qui tiendraient encore : {orders}", "commands that would still hold: {orders}"),
    "at.no_command": ("aucune commande connue ne tiendrait encore", "no known command would still hold"),
    "at.caveat.future": (
        "un interrupteur, un essai, une commande à venir peuvent en décider autrement",
        "a hand switch, a test or a command to come may decide otherwise",
    ),
    "at.caveat.past": (
        "c'est ce que la politique en vigueur aujourd'hui aurait voulu ; ce qui a eu lieu est au journal d'audit "
        "et au centre",
        "this is what the policy in force today would have wanted; what took place is in the audit log and at the "
        "centre",
    ),
    # labels
    "pair": ("{label} : {text}", "{label}: {text}"),
    "label.state": ("État", "State"),
    "label.why": ("Pourquoi", "Why"),
    "label.wanted": ("Voulu", "Wanted"),
    "label.watts": ("Watts", "Watts"),
    "label.next": ("Ensuite", "Next"),
    "label.alarms": ("Alarmes", "Alarms"),
    "label.limits": ("Limites", "Limits"),
    "label.ladder": ("Qui décide, du plus fort au plus faible", "Who decides, from the strongest down"),
    "label.night": (
        "La nuit, de midi à midi : {from_day} au {to_day}",
        "The night, noon to noon: {from_day} to {to_day}",
    ),
    "label.commands": ("Commandes connues", "Known commands"),
    "title": ("{gateway} · départ « {feeder} »", "{gateway} · feeder `{feeder}`"),
    "title.unknown_time": ("heure inconnue", "time unknown"),
    # no explanation
    "no_cabinet": (
        "cette passerelle ne pilote pas de départs (pas de section [cabinet])",
        "this gateway switches no feeders (there is no section [cabinet])",
    ),
    "no_feeder": ("pas de départ « {feeder} » ; il y a : {names}", "no feeder `{feeder}`; there are: {names}"),
    "bad_at": (
        "--at : « {text} » n'est pas une heure ; écrire 23:00, demain 05:30, 2026-07-14T02:00 ou 14/07/2026 02:00",
        "--at: `{text}` is no time; write 23:00, tomorrow 05:30, 2026-07-14T02:00 or 14/07/2026 02:00",
    ),
    # time
    "summer": ("heure d'été", "summer time"),
    "winter": ("heure d'hiver", "winter time"),
    "weekday.0": ("lundi", "Monday"),
    "weekday.1": ("mardi", "Tuesday"),
    "weekday.2": ("mercredi", "Wednesday"),
    "weekday.3": ("jeudi", "Thursday"),
    "weekday.4": ("vendredi", "Friday"),
    "weekday.5": ("samedi", "Saturday"),
    "weekday.6": ("dimanche", "Sunday"),
    "month.1": ("janvier", "January"),
    "month.2": ("février", "February"),
    "month.3": ("mars", "March"),
    "month.4": ("avril", "April"),
    "month.5": ("mai", "May"),
    "month.6": ("juin", "June"),
    "month.7": ("juillet", "July"),
    "month.8": ("août", "August"),
    "month.9": ("septembre", "September"),
    "month.10": ("octobre", "October"),
    "month.11": ("novembre", "November"),
    "month.12": ("décembre", "December"),
}  # fmt: skip


def say(key: str, language: str, **values: object) -> str:
    """The word with its values. KeyError for a key that the table does not have: our own bug."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def say_or(key: str, otherwise: str, language: str, **values: object) -> str:
    """As above; `otherwise` for a key that is made of a word from outside and is not known."""
    return say(key, language, **values) if key in WORDS else otherwise


def counted(key: str, language: str, count: int) -> str:
    return say(f"{key}.one" if count == 1 else key, language, count=count)
