"""The words of what nodes are told, in French and in English side by side: for the status and for `gateway tell`."""

# key: (French, English).
DIRECTIVE_WORDS = {
    "label.directives": ("consignes", "directives"),
    "told.to_all": ("pour tous", "for all"),
    "told.to": ("pour {scope}", "for {scope}"),
    "told.from": ("à partir du {at}", "from {at}"),
    "told.until": ("jusqu'au {at}", "until {at}"),
    "told.here": ("dit ici par {who} ({reason})", "said here by {who} ({reason})"),
    "told.centre": ("ordre du centre, {who} ({reason})", "ordered by the centre, {who} ({reason})"),
    "told.no_clock": (
        "en attente de l'heure : rien n'est dit aux équipements",
        "waits for the clock: nothing is told to nodes",
    ),
    "told.nodes": ("{count} équipements l'ont demandé", "{count} nodes have asked for it"),
    "told.nodes.one": ("1 équipement l'a demandé", "1 node has asked for it"),
    "event.directive-refused": ("consigne refusée", "directive refused"),
    "event.tell-unreadable": ("consigne illisible", "directive unreadable"),
    # the command
    "tell.none": ("aucune consigne", "no directive"),
    "tell.put": ("consigne {id} : {told}", "directive {id}: {told}"),
    "tell.cleared": ("consigne {id} : retrait demandé", "directive {id}: to be taken back"),
    "tell.taken": (
        "prise par l'agent ; chaque équipement l'apprend dans le quart d'heure",
        "taken by the agent; each node hears of it within a quarter of an hour",
    ),
    "tell.gone": (
        "retirée ; chaque équipement l'apprend dans le quart d'heure",
        "taken back; each node hears of it within a quarter of an hour",
    ),
    "tell.refused": (
        "l'agent l'a refusée : voir `bocage gateway audit`",
        "the agent has refused it: see `bocage gateway audit`",
    ),
    "tell.later": (
        "l'agent ne répond pas : il la prendra à son démarrage",
        "the agent does not answer: it takes it at its start",
    ),
    "tell.what": (
        "{name} : consigne inconnue ; connues : {names}",
        "{name}: no such directive; there are {names}",
    ),
    "tell.value": ("{name} {value} : donner {bounds}", "{name} {value}: give {bounds}"),
    "tell.pairs": (
        "donner un nom et une valeur, comme « sécheresse 2 »",
        "give a name and a value, such as `drought 2`",
    ),
    "tell.end": (
        "donner une fin : --until 2027-08-31, --until 22:30 ou --for 2h",
        "give an end: --until 2027-08-31, --until 22:30 or --for 2h",
    ),
    "tell.time": ("{text} : ce n'est pas une date ou une heure", "{text}: this is no date or time"),
    "tell.past": ("cette fin est déjà passée", "this end has passed already"),
    "tell.order": ("la fin vient avant le début", "the end comes before the beginning"),
    "tell.long": (
        "trop long pour {names} : {longest} au plus ; à renouveler ensuite",
        "too long for {names}: {longest} at most; renew it afterwards",
    ),
    "tell.ahead": ("trop tôt : une semaine à l'avance au plus", "too early: a week ahead at most"),
    "tell.reason": (
        "--reason : donner de 1 à {bytes_max} octets, par exemple « arrêté préfectoral 2026-41 »",
        "--reason: give 1 to {bytes_max} bytes, for example `prefect's order 2026-41`",
    ),
    "tell.who": ("--who : donner un nom de 1 à {bytes_max} octets", "--who: give a name of 1 to {bytes_max} bytes"),
    "tell.scope": (
        "--to : un type d'équipement (irrigation), un groupe de [groups], un départ ou les 16 chiffres d'un nœud",
        "--to: a kind of node (irrigation), a group of [groups], a feeder or the 16 digits of a node",
    ),
    "tell.id": ("--clear : donner les 16 chiffres que montre --list", "--clear: give the 16 digits that --list shows"),
    "tell.centres": (
        "--clear {id} : dite par le centre, qui seul y met fin (bocage centre end)",
        "--clear {id}: said by the centre, which alone ends it (bocage centre end)",
    ),
    "tell.unknown": ("--clear {id} : aucune consigne de ce nom", "--clear {id}: no such directive"),
}
