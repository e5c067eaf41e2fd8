"""Every word of the commands for authority and orders, in French and in English side by side.

For a mayor's office at night: short, and what is not known is said as not known. `word` fills in values by name. Never
"delivered": what a gateway or a feeder has said is told, and nothing else.
"""

LANGUAGES = ("fr", "en")

# key: (French, English)
WORDS = {
    # what a command is
    "kind.1.0": ("extinction", "switch off"),
    "kind.1.100": ("allumage", "switch on"),
    "kind.2": ("éclairage d'urgence", "emergency light"),
    "kind.3": ("fin de l'ordre {ends}", "end of command {ends}"),
    "kind.4": ("essai de départ", "feeder test"),
    "kind.5": ("dire : {values}", "tell: {values}"),
    "nodes": ("tous les équipements", "all nodes"),
    "everywhere": ("tous les coffrets", "every cabinet"),
    "all": ("tous les départs", "all feeders"),
    "title": ("{id}  {kind} · {insee} · {gateway} · {target}", "{id}  {kind} · {insee} · {gateway} · {target}"),
    "by": ("par {author} : {reason}", "by {author}: {reason}"),
    "window": ("de {start} à {end}", "from {start} to {end}"),
    # what became of it
    "waiting": ("pas encore envoyé", "not sent yet"),
    "waiting.problem": ("pas reçu par le coffret ({problem})", "the broker keeps it for nobody ({problem})"),
    "sent": ("envoyé à {at}, sans réponse", "sent at {at}, no answer"),
    "withdrawn": ("retiré avant toute réponse", "withdrawn before any answer"),
    "unanswered": ("expiré sans réponse", "expired without an answer"),
    "received": ("reçu", "received"),
    "applied": ("appliqué, watts attendus", "applied, watts awaited"),
    "applied.told": ("dit à un équipement au moins", "told to one node at least"),
    "received.told": ("reçu, aucun équipement ne l'a encore demandé", "received, no node has asked for it yet"),
    "applied.end": ("terminé", "ended"),
    "measured": ("mesuré : {power}", "measured: {power}"),
    "unmeasured": ("appliqué, mais les watts ne suivent pas", "applied, but the watts do not follow"),
    "unmeasured.meter": ("appliqué, sans compteur pour le prouver", "applied, without a meter to prove it"),
    "refused": ("refusé : {why}", "refused: {why}"),
    "expired": ("reçu, puis terminé à l'échéance", "received, and over at its expiry"),
    "ended": ("reçu, puis terminé par un ordre", "received, and ended by a command"),
    "missing": ("sans effet constaté : {names}", "no effect seen: {names}"),
    "nobody": ("aucun coffret de cette commune n'a encore parlé", "no cabinet of this commune has spoken yet"),
    "nothing": ("aucun ordre", "no command"),
    "power": ("{whole},{tenth} W", "{whole}.{tenth} W"),
    # why a gateway refuses
    "why.signature": ("signature fausse", "the signature does not hold"),
    "why.stranger": ("clé inconnue du coffret", "a key that the cabinet does not know"),
    "why.right": ("droit insuffisant", "not the right to it"),
    "why.malformed": ("illisible", "unreadable"),
    "why.expired": ("arrivé trop tard", "came too late"),
    "why.clock": ("le coffret ne sait pas l'heure", "the cabinet does not know the time"),
    "why.scope": ("ne concerne pas ce coffret", "not for this cabinet"),
    "why.limit": ("une limite de la politique l'interdit", "a limit of the policy forbids it"),
    "why.retained": ("gardé par le serveur de messages", "kept by the broker"),
    "why.too-long": ("trop long", "too long"),
    "why.full": ("trop d'ordres en cours", "too many commands under way"),
    "why.unknown": ("rien à terminer", "nothing to end"),
    "why.lease": ("le coffret attend le bail du centre", "the cabinet waits for the centre's lease"),
    "why.later": ("un ordre plus récent l'emporte", "a later command holds"),
    "why.interlock": ("verrouillé sur place", "locked at the cabinet"),
    "why.emergency": ("un éclairage d'urgence l'emporte", "an emergency light holds"),
    "why.manual": ("un essai sur place l'emporte", "a test at the cabinet holds"),
    # giving one
    "kept": ("ordre {id} signé par {author}", "command {id} signed by {author}"),
    "planned": ("il commencera à {start}", "it will begin at {start}"),
    "no_daemon": (
        "ATTENTION : aucun `bocage centre control` ne sert ce fichier. L'ordre est enregistré, RIEN N'EST ENVOYÉ ; il"
        " partira à son démarrage, au plus tard à {end}.",
        "WARNING: no `bocage centre control` serves this file. The command is kept, NOTHING IS SENT; it goes when that"
        " starts, until {end} at the latest.",
    ),
    "no_broker": (
        "ATTENTION : le centre n'atteint pas le serveur de messages {broker} ; l'ordre partira à son retour.",
        "WARNING: the centre does not reach the broker {broker}; the command goes when it is back.",
    ),
    "never_seen": (
        "ATTENTION : le coffret {gateway} n'a encore jamais parlé.",
        "WARNING: the cabinet {gateway} has never spoken.",
    ),
    "fulfilled": ("{done} départ(s) sur {count} suivent l'ordre", "{done} of {count} feeders follow the command"),
    "fulfilled.told": ("dit à un équipement au moins", "told to one node at least"),
    "fulfilled.end": ("terminé partout", "ended everywhere"),
    "unsettled": ("pas fini après {wait} s ; la suite : {next}", "not over after {wait} s; what follows: {next}"),
    # two steps
    "touches": ("Cet ordre touche {count} départ(s) : {names}", "This command touches {count} feeder(s): {names}"),
    "confirm.dark": ("Il éteint toute la commune.", "It puts out the whole commune."),
    "confirm.many": ("Il touche beaucoup de départs.", "It touches many feeders."),
    "confirm.limited": (
        "Interdit pour certains, leurs coffrets refuseront : {limits}",
        "Forbidden for some, whose cabinets will refuse: {limits}",
    ),
    "confirm.ask": ("Écrire « oui » pour signer : ", "Write `yes` to sign: "),
    "confirm.no": ("abandonné, rien n'est signé", "given up, nothing is signed"),
    "confirm.program": (
        "relire ce qui précède, puis recommencer avec --yes",
        "read the above, then try again with --yes",
    ),
    # refusals before anything is signed
    "refused.no_policy": (
        "aucune politique de {insee} n'est connue ici : `bocage centre policy publish` d'abord",
        "no policy of {insee} is held here: `bocage centre policy publish` first",
    ),
    "refused.stranger": (
        "la clé {kid} n'est pas celle d'un opérateur de {insee} (politique {version})",
        "the key {kid} is no operator's of {insee} (policy {version})",
    ),
    "refused.right": ("{name} n'a pas ce droit dans la politique", "{name} has not the right to this in the policy"),
    "refused.duration": (
        "--for : donner une durée de 1 s à {longest_s} s",
        "--for: give a duration from 1 s to {longest_s} s",
    ),
    "refused.end": (
        "donner une fin, et une seule : --until 2027-08-31 ou --for 2h",
        "give one end: --until 2027-08-31 or --for 2h",
    ),
    "refused.pairs": (
        "donner un nom et une valeur, comme « sécheresse 2 »",
        "give a name and a value, such as `drought 2`",
    ),
    "refused.what": ("{name} : consigne inconnue ; connues : {names}", "{name}: no such directive; there are {names}"),
    "refused.value": ("{name} {value} : donner {bounds}", "{name} {value}: give {bounds}"),
    "refused.scope": (
        "--to {target} : donner un type d'équipement, un groupe ou l'identifiant d'un nœud, 24 octets au plus",
        "--to {target}: give a kind of node, a group or a node's id, at most 24 bytes",
    ),
    "refused.ahead": (
        "--not-before : donner un instant à venir, dans {days} jours au plus",
        "--not-before: give an instant to come, within {days} days",
    ),
    "refused.target": (
        "--target {target} : la politique ne connaît que {names}",
        "--target {target}: the policy knows only {names}",
    ),
    "refused.limit": (
        "interdit par la politique : {authority}, {text}",
        "forbidden by the policy: {authority}, {text}",
    ),
    "refused.over": ("cet ordre est déjà terminé", "this command is over already"),
    "refused.ended": ("un ordre l'a déjà terminé", "a command has ended it already"),
    "refused.end_of_end": ("une fin ne se termine pas", "an end cannot be ended"),
    "refused.full": (
        "trop d'ordres en cours dans cette commune : en terminer",
        "too many commands under way in this commune: end some",
    ),
    "refused.text": (
        "{field} : donner de 1 à {bytes_max} octets, sans caractère de contrôle ni espace au bord",
        "{field}: give 1 to {bytes_max} bytes, without control characters or outer spaces",
    ),
    "refused.command": ("--command {id} : aucun ordre de ce nom", "--command {id}: no such command"),
    "refused.ambiguous": (
        "--command {id} : plusieurs ordres commencent ainsi, en dire plus",
        "--command {id}: several commands begin so, say more",
    ),
    # policies and gateways
    "policy.kept": (
        "politique {version} de {insee} gardée : {authority}, {text}, signée par {name}",
        "policy {version} of {insee} kept: {authority}, {text}, signed by {name}",
    ),
    "policy.keyset": (
        "clés de {insee}, version {version} : {names}",
        "keys of {insee}, version {version}: {names}",
    ),
    "policy.no_daemon": (
        "ATTENTION : aucun `bocage centre control` ne sert ce fichier ; elle partira à son démarrage.",
        "WARNING: no `bocage centre control` serves this file; it goes when that starts.",
    ),
    "policy.ahead": (
        "ATTENTION : {names} dit tenir déjà la version {version} ou une plus récente, et ne la prendra pas.",
        "WARNING: {names} holds version {version} or a later one, as it says, and will not take this one.",
    ),
    "policy.refused": ("{file} refusé :", "{file} refused:"),
    "gateway": (
        "{name}  {online} · entendu {heard} · bail {granted} · politique {policy} · clés {keyset}",
        "{name}  {online} · heard {heard} · lease {granted} · policy {policy} · keys {keyset}",
    ),
    "online": ("en ligne", "online"),
    "offline": ("hors ligne", "offline"),
    "online.unknown": ("état inconnu", "state unknown"),
    "unknown": ("?", "?"),
    "gateways.none": ("aucun coffret n'a encore parlé", "no cabinet has spoken yet"),
}


def word(key: str, language: str, **values: object) -> str:
    """The sentence under `key`, filled in."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def why(reason: str | None, language: str) -> str:
    """Why something was refused; a word of a newer gateway stands as it came."""
    key = f"why.{reason}"
    return word(key, language) if key in WORDS else reason or word("unknown", language)
