"""What `gateway status` says of a cabinet: its alarms, each with what to do, and the lines of its figures.

Part of the table of `gateway/show/words.py`; the guide `INCIDENTS.md` quotes every alarm. At an open cabinet people are
near live parts: where a fault may have bared a conductor the remedy says so first.
"""

# key: (French, English). An alarm `x` of the wire has its sentence under `alarm.x` and what to do under `alarm.x.do`.
CABINET_WORDS = {
    "alarm.cableFault": (
        "Câble coupé ou volé sur le départ « {feeder} » : {count} lampes d'un coup",
        "Cable cut or stolen on the feeder `{feeder}`: {count} lamps at once",
    ),
    "alarm.cableFault.do": (
        "couper le départ au disjoncteur avant toute recherche, des conducteurs peuvent être à nu ; puis suivre "
        "la ligne",
        "open the feeder's breaker before any search, conductors may be bare; then follow the line",
    ),
    "alarm.supplyLoss": ("L'armoire n'est plus alimentée", "The cabinet has no supply"),
    "alarm.supplyLoss.do": (
        "vérifier le disjoncteur de branchement et le compteur Linky, puis appeler le gestionnaire du réseau "
        "électrique",
        "check the main breaker and the Linky meter, then call the electricity network's operator",
    ),
    "alarm.contactorStuck": (
        "Le contacteur du départ « {feeder} » ne suit pas l'ordre",
        "The contactor of the feeder `{feeder}` does not follow the order",
    ),
    "alarm.contactorStuck.do": (
        "hors tension, vérifier la bobine, le relais et le contact auxiliaire ; collé, le remplacer",
        "with the power off, check coil, relay and auxiliary contact; welded, replace it",
    ),
    "alarm.feederFailure": (
        "Départ « {feeder} » sans courant alors qu'il doit éclairer",
        "Feeder `{feeder}` draws no current although it should light",
    ),
    "alarm.feederFailure.do": (
        "voir le disjoncteur et les fusibles du départ ; réarmer une fois, s'il retombe chercher le défaut sur la "
        "ligne",
        "see the feeder's breaker and fuses; close it once, if it trips again look for the fault on the line",
    ),
    "alarm.feederUnexpectedOn": (
        "Départ « {feeder} » allumé alors que son contacteur est ouvert",
        "Feeder `{feeder}` burns although its contactor is open",
    ),
    "alarm.feederUnexpectedOn.do": (
        "chercher une marche forcée, un contacteur collé ou une dérivation",
        "look for a bypass switch, a welded contactor or a tap",
    ),
    "alarm.lampsLost": (
        "{count} lampes éteintes sur le départ « {feeder} »",
        "{count} lamps out on the feeder `{feeder}`",
    ),
    "alarm.lampsLost.one": ("1 lampe éteinte sur le départ « {feeder} »", "1 lamp out on the feeder `{feeder}`"),
    "alarm.lampsLost.do": (
        "les repérer de nuit et les remplacer ; leur nombre est déduit des watts",
        "find them by night and replace them; their number is inferred from the watts",
    ),
    "alarm.handedBack": (
        "L'armoire est rendue à son horloge astronomique",
        "The cabinet is in the hands of its astronomical clock",
    ),
    "alarm.handedBack.do": (
        "la passerelle ne commande plus : lui rendre l'heure (réseau, timedatectl), puis redémarrer l'agent si "
        "cela dure",
        "the gateway no longer commands: give it the time (network, timedatectl), then restart the agent if it lasts",
    ),
    "alarm.timeFallback": (
        "L'éclairage se passe de l'heure : {basis}",
        "The lighting does without the time: {basis}",
    ),
    "alarm.timeFallback.do": (
        "rétablir l'accès au serveur de temps (timedatectl)",
        "restore access to the time server (timedatectl)",
    ),
    "alarm.localOverride": (
        "L'interrupteur de l'armoire n'est pas sur AUTO",
        "The cabinet's hand switch is not at AUTO",
    ),
    "alarm.localOverride.do": (
        "le remettre sur AUTO en partant : d'ici là ni la politique ni le centre ne commandent",
        "put it back to AUTO on leaving: until then neither the policy nor the centre commands",
    ),
    "alarm.policyExpired": ("La politique d'éclairage est échue", "The lighting policy has expired"),
    "alarm.policyExpired.do": (
        "son calendrier continue ; la commune doit en signer une nouvelle",
        "its calendar goes on; the commune must sign a new one",
    ),
    "alarm.meterFailure": ("Compteur muet : {feeder}", "Silent meter: {feeder}"),
    "alarm.meterFailure.do": (
        "vérifier son alimentation, son câble (RS-485, TIC) et son adresse ; l'éclairage continue sans lui",
        "check its power, its cable (RS-485, TIC) and its address; the lighting goes on without it",
    ),
    "alarm.photocellFailure": ("La cellule photoélectrique est figée", "The photocell is stuck"),
    "alarm.photocellFailure.do": (
        "la nettoyer, et vérifier qu'aucune lampe ne l'éclaire",
        "clean it, and check that no lamp shines on it",
    ),
    "alarm.doorOpen": ("La porte de l'armoire est ouverte", "The cabinet's door is open"),
    "alarm.doorOpen.do": (
        "la refermer ; si personne n'est sur place, aller voir",
        "close it; if nobody is there, go and see",
    ),
    "alarm.other": ("Alarme de l'armoire : {what}", "Alarm of the cabinet: {what}"),
    "alarm.other.do": (
        "la signaler à l'exploitant : cette version ne la connaît pas",
        "tell the operator: this version does not know it",
    ),
    "basis.photocell": ("la cellule photoélectrique décide", "the photocell decides"),
    "basis.carried": ("l'heure est reportée, de plus en plus incertaine", "the time is carried, less and less certain"),
    "basis.safety": ("allumé par sécurité", "lit for safety"),
    "basis.clock": ("l'heure est revenue", "the time is back"),
    # the lines of the figures
    "label.feeder": ("départ", "feeder"),
    "label.cabinet": ("armoire", "cabinet"),
    "label.policy": ("politique", "policy"),
    "label.lease": ("bail", "lease"),
    "label.alarms": ("alarmes", "alarms"),
    "feeder": ("{name} : {state}", "{name}: {state}"),
    "feeder.power": ("{power} W", "{power} W"),
    "feeder.power_of": ("{power} W sur {expected} W", "{power} W of {expected} W"),
    "feeder.by": ("décidé par : {rule}", "decided by: {rule}"),
    "rule.interlock": ("verrouillage local", "local interlock"),
    "rule.emergency": ("urgence", "emergency"),
    "rule.manual": ("essai à l'armoire", "test at the cabinet"),
    "rule.command": ("commande du centre", "command of the centre"),
    "rule.policy": ("politique", "policy"),
    "rule.default": ("coucher et lever du soleil", "sunset and sunrise"),
    "rule.photocell": ("cellule photoélectrique", "photocell"),
    "rule.safety": ("sécurité", "safety"),
    "control.yes": ("la passerelle commande", "the gateway commands"),
    "control.no": ("l'horloge de l'armoire commande", "the cabinet's own clock commands"),
    "door.open": ("porte ouverte", "door open"),
    "door.closed": ("porte fermée", "door closed"),
    "mains.yes": ("secteur présent", "mains present"),
    "mains.no": ("secteur absent", "no mains"),
    "switch.auto": ("interrupteur sur AUTO", "switch at AUTO"),
    "switch.on": ("interrupteur sur MARCHE", "switch at ON"),
    "switch.off": ("interrupteur sur ARRÊT", "switch at OFF"),
    "temperature": ("{celsius} °C", "{celsius} °C"),
    "policy.none": ("aucune : du coucher au lever du soleil", "none: from sunset to sunrise"),
    "policy.number": ("n° {version}", "no. {version}"),
    "policy.until": ("valable jusqu'au {date}", "valid until {date}"),
    "policy.expired": ("échue depuis le {date}, son calendrier continue", "expired on {date}, its calendar goes on"),
    "policy.next": ("la n° {version} attend sa date", "no. {version} waits for its day"),
    "lease.held": ("tenu, encore {left}", "held, {left} left"),
    "lease.held.bare": ("tenu", "held"),
    "lease.none": (
        "échu : la politique et les urgences seules comptent",
        "run out: only the policy and emergencies count",
    ),
    "alarm.since": ("{sentence}, depuis {since}", "{sentence}, for {since}"),
}
