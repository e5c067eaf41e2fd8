"""Every word that `gateway status` and `gateway losses` say, in French and in English side by side.

For a technician at an open cabinet: short, what is wrong before what may be done, no term that only we use.
`word` fills in values by name. The sentences about TLS stand beside their detection (`gateway/io/tls.py`), those
about a cabinet in `gateway/show/cabinet_words.py`, about what nodes are told in `gateway/show/directive_words.py`.
"""

from gateway.io import tls
from gateway.show.cabinet_words import CABINET_WORDS
from gateway.show.directive_words import DIRECTIVE_WORDS

LANGUAGES = ("fr", "en")

# key: (French, English). A finding `x` has its sentence under `x` and what to do about it under `x.do`.
WORDS = {
    # headlines
    "well": ("Tout va bien", "All is well"),
    "starting": ("Démarrage : lecture du journal", "Starting: reading the journal"),
    "stopping": ("Arrêt en cours", "Stopping"),
    "absent": ("L'agent ne tourne pas", "The agent is not running"),
    "absent.do": (
        "le démarrer (systemctl start bocage-gateway), puis lire son journal : journalctl -u bocage-gateway -n 50",
        "start it (systemctl start bocage-gateway), then read its log: journalctl -u bocage-gateway -n 50",
    ),
    "mute": ("L'agent tourne mais ne répond pas", "The agent runs but does not answer"),
    "mute.do": (
        "attendre une minute ; ensuite le redémarrer : systemctl restart bocage-gateway (rien n'est perdu)",
        "wait a minute; then restart it: systemctl restart bocage-gateway (nothing is lost)",
    ),
    "forbidden": ("L'état n'est pas lisible par cet utilisateur", "This user may not read the state"),
    "forbidden.do": ("recommencer avec sudo", "try again with sudo"),
    "and_more": ("{first} (et {count} autres points)", "{first} (and {count} more)"),
    "and_more.one": ("{first} (et 1 autre point)", "{first} (and 1 more)"),
    "do": ("à faire : {text}", "to do: {text}"),
    "linking": ("Liaison avec le centre en cours", "Link to the centre under way"),
    # findings
    "late": ("Une partie de l'agent est bloquée : {names}", "Part of the agent is stuck: {names}"),
    "late.do": (
        "il redémarre seul sous peu ; si cela se répète, remplacer la carte mémoire",
        "it restarts by itself shortly; if it happens again, replace the memory card",
    ),
    "late.modem": ("Le modem 4G bloque sa prise USB", "The 4G modem blocks its USB port"),
    "late.modem.do": (
        "débrancher le modem dix secondes, le rebrancher ; le reste de l'agent continue",
        "unplug the modem for ten seconds, plug it in again; the rest of the agent goes on",
    ),
    "write": ("La carte mémoire refuse d'écrire", "The memory card refuses to write"),
    "write.do": (
        "remplacer la carte mémoire ; les équipements gardent ce qui n'est pas enregistré",
        "replace the memory card; nodes keep what is not recorded",
    ),
    "refused": ("Des relevés sont refusés : {why}", "Records are refused: {why}"),
    "refused.do": (
        "les équipements les gardent et réessaient ; rétablir la liaison avec le centre ou libérer le disque",
        "nodes keep them and try again; restore the link to the centre or free the disk",
    ),
    "card_full": ("La partition est presque pleine : {free} libres", "The partition is nearly full: {free} left"),
    "card_full.do": (
        "y supprimer ce qui n'est pas à l'agent ; ne jamais toucher au dossier « journal »",
        "delete what is not the agent's; never touch the folder `journal`",
    ),
    "journal_full": ("Le journal est presque plein : {share} %", "The journal is nearly full: {share} %"),
    "journal_full.do": (
        "rétablir la liaison avec le centre ; d'ici là les relevés les plus anciens seront éclaircis",
        "restore the link to the centre; until then the oldest readings will be thinned",
    ),
    "lost": ("{count} relevés abandonnés depuis 24 h", "{count} records let go in the last 24 h"),
    "lost.one": ("1 relevé abandonné depuis 24 h", "1 record let go in the last 24 h"),
    "lost.do": ("voir lesquels et pourquoi : bocage gateway losses", "see which and why: bocage gateway losses"),
    "centre": ("Pas de liaison avec le centre depuis {since}", "No link to the centre for {since}"),
    "silent": (
        "Le centre est joint mais n'accuse plus réception depuis {since}",
        "The centre is reached but has confirmed nothing for {since}",
    ),
    "silent.do": (
        "prévenir l'exploitant du centre : la base de données ne répond pas, ou cette passerelle n'a pas le droit de "
        "lire son sujet tc/1/a ; rien n'est perdu ici",
        "tell the centre's operator: the database does not answer, or this gateway may not read its topic tc/1/a; "
        "nothing is lost here",
    ),
    "deaf": (
        "Le serveur central refuse de transmettre les accusés de réception",
        "The broker refuses to pass confirmations on",
    ),
    "deaf.do": (
        "prévenir l'exploitant du centre : cette passerelle doit pouvoir lire son sujet tc/1/a ; rien n'est perdu ici",
        "tell the centre's operator: this gateway must be allowed to read its topic tc/1/a; nothing is lost here",
    ),
    "clock": ("L'heure n'est pas sûre", "The time is not known"),
    "clock.do": (
        "vérifier l'accès au serveur de temps (timedatectl) ; les relevés sont gardés et datés ensuite",
        "check access to the time server (timedatectl); records are kept and dated afterwards",
    ),
    "certificate": ("Le certificat « {name} » expire dans {days} j", "The certificate `{name}` expires in {days} d"),
    "certificate.do": ("le faire renouveler par l'autorité du territoire", "have the territory's authority renew it"),
    "expired": ("Le certificat « {name} » a expiré", "The certificate `{name}` has expired"),
    "expired.do": ("le faire renouveler par l'autorité du territoire", "have the territory's authority renew it"),
    "detour": ("En panne : {bearer} ; tout passe par {active}", "Down: {bearer}; all goes by {active}"),
    "detour.do": (
        "vérifier le câble et le convertisseur de fibre, puis prévenir l'opérateur de la fibre",
        "check the cable and the fibre converter, then tell the fibre's operator",
    ),
    "standby": ("La liaison de secours est en panne : {bearer}", "The standby link is down: {bearer}"),
    "standby.do": (
        "vérifier le modem, son antenne et sa carte SIM avant que la fibre ne manque",
        "check the modem, its antenna and its SIM card before the fibre fails",
    ),
    "thin": (
        "Forfait 4G bientôt épuisé : un lot de relevés sur quatre passe, les autres attendent ici",
        "4G budget running out: one batch of readings in four goes, the others wait here",
    ),
    "thin.do": ("rétablir la fibre", "restore the fibre"),
    "hold": (
        "Forfait 4G épuisé : alarmes et événements passent, les relevés attendent le mois prochain ou la fibre",
        "4G budget used up: alarms and events pass, readings wait for next month or for the fibre",
    ),
    "hold.do": ("rétablir la fibre", "restore the fibre"),
    "modem": ("Modem 4G : {why}", "4G modem: {why}"),
    "modem.do": (
        "vérifier la prise USB et l'alimentation du modem, puis [mobile] modem dans la configuration",
        "check the modem's USB plug and power, then [mobile] modem in the configuration",
    ),
    "modem.do.sim": (
        "vérifier la carte SIM dans un téléphone et y retirer le code PIN : l'agent n'en saisit jamais",
        "check the SIM card in a phone and remove its PIN there: the agent never enters one",
    ),
    "modem.do.operator": (
        "vérifier l'antenne ; demander à l'opérateur si la ligne est active",
        "check the antenna; ask the operator whether the line is active",
    ),
    "modem.link.absent": ("introuvable", "not found"),
    "modem.link.silent": ("ne répond pas", "does not answer"),
    "modem.link.answers": ("répond", "answers"),
    "modem.sim.pin": ("la carte SIM demande un code PIN", "the SIM card asks for a PIN"),
    "modem.sim.puk": ("la carte SIM est bloquée (code PUK)", "the SIM card is locked (PUK)"),
    "modem.sim.locked": ("la carte SIM est bloquée", "the SIM card is locked"),
    "modem.sim.absent": ("pas de carte SIM", "no SIM card"),
    "modem.sim.failed": ("la carte SIM est en panne", "the SIM card is broken"),
    "modem.registration.denied": ("l'opérateur refuse la carte SIM", "the operator refuses the SIM card"),
    "modem.network.home": ("réseau de l'opérateur", "home network"),
    "modem.network.roaming": ("en itinérance", "roaming"),
    "modem.network.searching": ("cherche le réseau", "searching for a network"),
    "modem.registration.limited": ("appels d'urgence seuls", "emergency calls only"),
    "radio": ("Le concentrateur radio ne répond pas", "The radio concentrator does not answer"),
    "radio.do": (
        "vérifier sa prise USB et son voyant ; le débrancher dix secondes ; puis [radio] port dans la configuration",
        "check its USB plug and its light; unplug it for ten seconds; then [radio] port in the configuration",
    ),
    "bus": ("La ligne RS-485 est perdue : {why}", "The RS-485 line is lost: {why}"),
    "bus.do": (
        "vérifier l'adaptateur et sa prise USB ; puis [bus] port dans la configuration",
        "check the adapter and its USB plug; then [bus] port in the configuration",
    ),
    "bus_silent": (
        "Sur la ligne RS-485, ne répondent pas : {addresses}",
        "On the RS-485 line these do not answer: {addresses}",
    ),
    "bus_silent.do": (
        "tous : câble, bornes A et B, terminaison ; un seul : son alimentation et son adresse",
        "all of them: cable, terminals A and B, termination; one alone: its power and its address",
    ),
    "wire": ("La ligne série d'un nœud est perdue : {why}", "The serial line of a node is lost: {why}"),
    "wire.do": (
        "vérifier la prise et le câble ; puis [wire] port dans la configuration",
        "check the plug and the cable; then [wire] port in the configuration",
    ),
    "radio_update": (
        "Le concentrateur radio garde son programme : image n° {number} refusée ({why})",
        "The radio concentrator keeps its program: image no. {number} refused ({why})",
    ),
    "radio_update.do": (
        "la radio continue ; faire une autre image, d'un numéro plus haut, ou retirer celle-ci "
        "(bocage gateway concentrator … withdraw)",
        "the radio goes on; make another image with a higher number, or withdraw this one "
        "(bocage gateway concentrator … withdraw)",
    ),
    "update.trial": ("essayée trois fois, elle n'a pas tenu", "tried three times, it did not last"),
    "update.number": ("pas plus récente que la sienne", "not newer than its own"),
    "update.fixed": ("il n'a pas de chargeur", "it has no loader"),
    "update.space": ("sa mémoire est pleine", "its memory is full"),
    "update.write": ("sa mémoire refuse d'écrire", "its memory refuses to write"),
    "update.state": ("sa mémoire refuse d'écrire", "its memory refuses to write"),
    "update.digest": ("sa mémoire rend autre chose que l'écrit", "its memory returns other than what was written"),
    "unheard": ("Aucun équipement entendu depuis le démarrage", "No node heard since the start"),
    "unheard.do": (
        "vérifier l'antenne ou le câble du réseau des équipements, et l'adresse d'écoute",
        "check the antenna or cable of the nodes' network, and the address listened on",
    ),
    "cannot_serve": ("Supervision locale en partie indisponible : {why}", "Local monitoring partly missing: {why}"),
    "cannot_serve.do": (
        "corriger [status], [metrics] ou [page] dans la configuration, puis redémarrer l'agent",
        "correct [status], [metrics] or [page] in the configuration, then restart the agent",
    ),
    # causes of a missing link, by the first word of what the connection said; TLS has its own sentences
    "why.connection-refused": ("le serveur refuse la connexion", "the server refuses the connection"),
    "why.connection-timeout": ("le serveur ne répond pas", "the server does not answer"),
    "why.connection-closed": ("le serveur a coupé la connexion", "the server closed the connection"),
    "why.name-unresolved": ("le nom du serveur est introuvable", "the server's name cannot be found"),
    "why.network-error": ("le réseau est coupé", "the network is down"),
    "why.mqtt-refused": ("le serveur central refuse cette passerelle", "the broker refuses this gateway"),
    "why.mqtt-disconnected": ("le serveur central a congédié cette passerelle", "the broker sent this gateway away"),
    "why.mqtt-silent": ("le serveur central ne répond plus", "the broker no longer answers"),
    "why.mqtt-malformed": ("le serveur central ne respecte pas le protocole", "the broker breaks the protocol"),
    "why.mqtt-flood": ("le serveur central envoie trop et ne lit rien", "the broker sends too much and reads nothing"),
    "why.mqtt-packet-too-large": ("le serveur central envoie un message trop long", "the broker's message is too long"),
    "why.not-mqtt": ("ce port n'est pas celui d'un courtier MQTT", "that port is not an MQTT broker's"),
    "why.tls": ("la liaison chiffrée échoue", "the encrypted link fails"),
    "why.unknown": ("cause inconnue", "cause unknown"),
    "centre.do": (
        "vérifier le câble, le convertisseur de fibre et l'adresse {broker}",
        "check the cable, the fibre converter and the address {broker}",
    ),
    "centre.do.server": (
        "prévenir l'exploitant du centre ; d'ici, vérifier l'adresse {broker}",
        "tell the centre's operator; from here, check the address {broker}",
    ),
    # labels and lines
    "label.since": ("depuis", "since"),
    "label.centre": ("centre", "centre"),
    "label.waiting": ("en attente", "waiting"),
    "label.disk": ("disque", "disk"),
    "label.losses": ("pertes", "losses"),
    "label.nodes": ("équipements", "nodes"),
    "label.clock": ("heure", "clock"),
    "label.mobile": ("4G", "4G"),
    "label.modem": ("modem", "modem"),
    "label.certificates": ("certificats", "certificates"),
    "label.faults": ("incidents", "faults"),
    "since": ("démarré il y a {uptime}, démarrage n° {boot}", "started {uptime} ago, start no. {boot}"),
    "last_boot": ("dernier démarrage n° {boot}", "last start no. {boot}"),
    "connected": ("relié depuis {since}", "linked for {since}"),
    "connected_by": ("relié par {bearer} depuis {since}", "linked by {bearer} for {since}"),
    "not_connected": ("non relié depuis {since} : {why}", "not linked for {since}: {why}"),
    "mark": ("dernier accusé de réception il y a {ago}", "last confirmation {ago} ago"),
    "no_mark": ("aucun accusé de réception depuis le démarrage", "no confirmation since the start"),
    "bearer_up": ("{bearer} : disponible", "{bearer}: available"),
    "bearer_down": ("{bearer} : en panne", "{bearer}: down"),
    "bearer.fibre": ("la fibre", "fibre"),
    "bearer.mobile": ("la 4G", "4G"),
    "bearer.default": ("le réseau", "the network"),
    "bearer.any": ("le réseau", "the network"),
    "nothing": ("rien", "nothing"),
    "none": ("aucun", "none"),
    "none_f": ("aucune", "none"),
    "lane.alarm": ("{count} alarmes", "{count} alarms"),
    "lane.alarm.one": ("1 alarme", "1 alarm"),
    "lane.event": ("{count} événements", "{count} events"),
    "lane.event.one": ("1 événement", "1 event"),
    "lane.telemetry": ("{count} relevés", "{count} readings"),
    "lane.telemetry.one": ("1 relevé", "1 reading"),
    "oldest": ("le plus ancien attend depuis moins de {age}", "the oldest has waited less than {age}"),
    "oldest_earlier": ("certains datent d'avant ce démarrage", "some are from before this start"),
    "held": ("journal {held} sur {cap} ({share} %)", "journal {held} of {cap} ({share} %)"),
    "held_only": ("journal {held}", "journal {held}"),
    "free": ("{free} libres sur la partition", "{free} free on the partition"),
    "wear": ("usure {wear} par jour", "wear {wear} a day"),
    "loss_total": ("{count} relevés en tout ({why})", "{count} records in all ({why})"),
    "loss_total.one": ("1 relevé en tout ({why})", "1 record in all ({why})"),
    "heard": ("{count} entendus", "{count} heard"),
    "heard.one": ("1 entendu", "1 heard"),
    "heard_of": ("{count} entendus sur {expected}", "{count} heard of {expected}"),
    "heard_of.one": ("1 entendu sur {expected}", "1 heard of {expected}"),
    "unknown": (
        "{count} inconnus, sans clé ici ({kids}) : bocage gateway adopt",
        "{count} unknown, no key here ({kids}): bocage gateway adopt",
    ),
    "unknown.one": (
        "1 inconnu, sans clé ici ({kids}) : bocage gateway adopt",
        "1 unknown, no key here ({kids}): bocage gateway adopt",
    ),
    "odd": ("{count} à vérifier (relevés douteux)", "{count} to be checked (odd readings)"),
    "quiet": ("{count} muets depuis plus de {after}", "{count} silent for more than {after}"),
    "quiet.one": ("1 muet depuis plus de {after}", "1 silent for more than {after}"),
    "clock_good": ("sûre à ± {uncertainty} s", "known to ± {uncertainty} s"),
    "clock_bad": ("inconnue", "unknown"),
    "budget": ("{used} sur {limit} ce mois-ci ({share} %)", "{used} of {limit} this month ({share} %)"),
    "budget_free": ("{used} ce mois-ci, sans plafond", "{used} this month, no limit"),
    "policy.all": ("tout passe", "everything passes"),
    "policy.thin": ("relevés éclaircis", "readings thinned"),
    "policy.hold": ("alarmes et événements seuls", "alarms and events only"),
    "signal": ("signal {dbm} dBm", "signal {dbm} dBm"),
    "days_left": ("{name} : {days} j", "{name}: {days} d"),
    "days_unknown": ("{name} : illisible", "{name}: cannot be read"),
    "ago": ("il y a {ago} : {what}", "{ago} ago: {what}"),
    "more_text": ("{what} ({detail})", "{what} ({detail})"),
    # events of the log, as faults
    "event.crash": ("erreur interne", "internal error"),
    "event.report-failed": ("erreur interne dans cet état", "internal error in this report"),
    "event.heartbeat-late": ("partie bloquée", "part stuck"),
    "event.journal-sync-failed": ("écriture refusée par la carte", "write refused by the card"),
    "event.record-refused": ("relevé refusé", "record refused"),
    "event.own-record-refused": ("relevé de la passerelle refusé", "gateway's own record refused"),
    "event.journal-damage": ("journal abîmé, réparé", "journal damaged, repaired"),
    "event.journal-hole": ("relevés illisibles dans le journal", "records in the journal cannot be read"),
    "event.cannot-serve": ("supervision locale indisponible", "local monitoring missing"),
    "event.page-failed": ("page du technicien en défaut", "technician's page failed"),
    "event.policy-refused": ("politique refusée", "policy refused"),
    "event.command-refused": ("commande refusée", "command refused"),
    "event.audit-not-written": ("ordre non inscrit au registre", "order not entered in the audit log"),
    "event.library": ("avertissement d'une bibliothèque", "warning of a library"),
    "event.bearer-down": ("liaison en panne", "bearer down"),
    "event.return-failed": ("retour sur la liaison préférée manqué", "return to the preferred bearer failed"),
    "event.attempt-expired": ("connexion sans réponse", "connection without an answer"),
    "event.subscription-refused": ("accusés de réception refusés", "confirmations refused"),
    "event.stop-unfinished": ("arrêt avant la fin de l'écriture", "stopped before the write was over"),
    "event.suppressed": ("lignes de journal omises", "log lines left out"),
    # `gateway losses`
    "losses.none": ("Aucune perte enregistrée.", "No loss recorded."),
    "losses.head": ("{count} relevés abandonnés :", "{count} records let go:"),
    "losses.head.one": ("1 relevé abandonné :", "1 record let go:"),
    "losses.records": ("{node}, démarrage {boot}, n° {numbers}", "{node}, start {boot}, no. {numbers}"),
    "losses.positions": ("positions {numbers} du journal {epoch}", "positions {numbers} of journal {epoch}"),
    "lanes.alarm": ("alarme", "alarm"),
    "lanes.event": ("événement", "event"),
    "lanes.telemetry": ("relevé", "reading"),
    "loss.thinned": ("éclairci", "thinned"),
    "loss.journal-full": ("journal plein", "journal full"),
    "loss.gaps-joined": ("relevés de pertes réunis (rien de perdu)", "gap records joined (nothing lost)"),
    "loss.journal-damaged": ("journal abîmé", "journal damaged"),
    "losses.unknown_time": ("date inconnue", "time unknown"),
    # numbers
    "decimal": (",", "."),
    "bytes": ("o", "B"),
    "day": ("j", "d"),
    "hour": ("h", "h"),
    "minute": ("min", "min"),
    "second": ("s", "s"),
} | CABINET_WORDS | DIRECTIVE_WORDS


def word(key: str, language: str, **values: object) -> str:
    """The word with its values. KeyError for a key that the table does not have: our own bug."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def counted(key: str, language: str, count: int, **values: object) -> str:
    """`word`, or its form under `key.one` for a single one."""
    one = count == 1 and f"{key}.one" in WORDS
    return word(f"{key}.one" if one else key, language, count=count, **values)


def word_or(key: str, otherwise: str, language: str, **values: object) -> str:
    """As above; `otherwise` as it stands for a key that comes from outside and is not known."""
    return word(key, language, **values) if key in WORDS else otherwise


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
