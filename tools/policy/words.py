"""Every word that `bocage policy` says to people, in French and in English side by side.

For who writes a policy and who signs it: what is wrong, then what to write instead (under the same key with `.do`).
Only text, no decision. `word` fills in values by name.
"""

from policy import civil
from tools import command_line

LANGUAGES = ("fr", "en")

# key: (French, English)
WORDS = {
    # --- what is wrong with a text ---
    "syntax": ("ce n'est pas du TOML : {why}", "this is not TOML: {why}"),
    "syntax.do": (
        'écrire chaque ligne sous la forme clé = valeur, les textes entre guillemets "…"',
        'write each line as key = value, texts in quotes "…"',
    ),
    "source_long": ("le fichier dépasse {max} caractères", "the file has more than {max} characters"),
    "source_long.do": ("le raccourcir", "shorten it"),
    "too_long": ("la politique compilée dépasse {max} octets", "the compiled policy takes more than {max} bytes"),
    "too_long.do": ("raccourcir les noms et les textes", "shorten names and texts"),
    "missing": ("« {name} » manque", "`{name}` is missing"),
    "missing.do": (
        "l'écrire ; exemple complet : bocage policy sample",
        "write it; a whole example: bocage policy sample",
    ),
    "unknown": ("ce mot n'existe pas ici", "there is no such key here"),
    "unknown.do": ("écrire l'un de : {words}", "write one of: {words}"),
    "unknown_near": ("ce mot n'existe pas ici", "there is no such key here"),
    "unknown_near.do": ("écrire « {words} » ?", "write `{words}`?"),
    "type": ("c'est {found}, il faut {wanted}", "is {found}, must be {wanted}"),
    "type.do": ("voir l'exemple : bocage policy sample", "see the example: bocage policy sample"),
    "type.flag": ("un booléen", "a boolean"),
    "type.text": ("un texte entre guillemets", "a text in quotes"),
    "type.integer": ("un nombre entier", "an integer"),
    "type.number": ("un nombre", "a number"),
    "type.list": ("une liste", "a list"),
    "type.table": ("une table", "a table"),
    "type.date": ("une date", "a date"),
    "line": (
        "texte vide, trop long ou avec des caractères invisibles",
        "is empty, too long or has invisible characters",
    ),
    "line.do": (
        "écrire de 1 à {max} octets (une lettre accentuée en compte deux), sans espace au bord",
        "write 1 to {max} bytes (an accented letter counts two), without a space at an end",
    ),
    "range": ("{value} n'est pas permis", "{value} is not allowed"),
    "range.do": ("écrire un nombre de {low} à {high}", "write a number from {low} to {high}"),
    "degrees": ("{value}° n'est pas en France métropolitaine", "{value}° is not in metropolitan France"),
    "degrees.do": (
        "écrire des degrés de {low} à {high} ; latitude et longitude sont-elles interverties ?",
        "write degrees from {low} to {high}; are latitude and longitude the wrong way round?",
    ),
    "only_true": ("« false » ne dit rien", "`false` says nothing"),
    "only_true.do": ("écrire true, ou supprimer la ligne", "write true, or delete the line"),
    "day": ("« {value} » n'est pas une date", "`{value}` is no date"),
    "day.do": ("écrire AAAA-MM-JJ d'un jour qui existe", "write YYYY-MM-DD of a day that exists"),
    "year": ("l'année {value} est hors du calendrier", "the year {value} is outside the calendar"),
    "year.do": ("écrire une année de {low} à {high}", "write a year from {low} to {high}"),
    "one_of": ("« {value} » n'est pas permis", "`{value}` is not allowed"),
    "one_of.do": ("écrire l'un de : {words}", "write one of: {words}"),
    "empty": ("la liste est vide", "the list is empty"),
    "empty.do": ("y mettre un élément, ou supprimer la ligne", "put an item in, or delete the line"),
    "tables": ("ce n'est pas une suite de tables", "is not a list of tables"),
    "tables.do": ("écrire [[{name}]], avec deux crochets", "write [[{name}]], with two brackets"),
    "too_many": ("il y en a plus de {max}", "there are more than {max}"),
    "too_many.do": ("en garder {max} au plus", "keep {max} at most"),
    # policy, site, operators
    "insee": ("ce n'est pas un code INSEE", "is not an INSEE code"),
    "insee.do": (
        "écrire les cinq caractères de la commune, comme 49135",
        "write the commune's five characters, such as 49135",
    ),
    "until_before": ("la fin est avant le début", "the end is before the beginning"),
    "until_before.do": ("écrire une date qui suit la première", "write a date after the first one"),
    "validity": ("la politique dure plus de {max} ans", "the policy is for more than {max} years"),
    "validity.do": ("la faire voter de nouveau avant", "have it decided again before that"),
    "key": ("ce n'est pas une clé publique Ed25519", "is not an Ed25519 public key"),
    "key.do": (
        "recopier les 64 chiffres hexadécimaux que « bocage policy keys new » a imprimés",
        "copy the 64 hexadecimal digits that `bocage policy keys new` printed",
    ),
    "key_twice": ("cette clé est déjà celle de « {name} »", "this key is `{name}`'s already"),
    "key_twice.do": ("donner à chacun sa clé : bocage policy keys new", "give each one a key: bocage policy keys new"),
    # groups and feeders
    "twice": ("le nom « {name} » est déjà pris", "the name `{name}` is taken"),
    "twice.do": (
        "donner un nom à chaque groupe, départ et calendrier ; un départ n'est que d'un groupe",
        "give each group, feeder and calendar a name; a feeder is of one group only",
    ),
    "star": ("* n'est pas un nom : il désigne tous les départs", "* is no name: it means all feeders"),
    "star.do": ("écrire un nom", "write a name"),
    "no_calendar": ("il n'y a pas de calendrier « {name} »", "there is no calendar `{name}`"),
    "no_calendar.do": ("écrire l'un de : {names}", "write one of: {names}"),
    "unused": ("aucun départ ne suit le calendrier « {name} »", "no feeder follows the calendar `{name}`"),
    "unused.do": ("le donner à un groupe, ou le mettre en commentaire", "give it to a group, or comment it out"),
    # calendars
    "step": ("« {text} » n'est pas une étape", "`{text}` is no step"),
    "step.do": (
        'écrire un instant et un niveau : "sunset+15 on", "23:00 off", "05:30 70%"',
        'write an instant and a level: "sunset+15 on", "23:00 off", "05:30 70%"',
    ),
    "time": ("l'heure {text} n'existe pas", "there is no time {text}"),
    "time.do": ("écrire une heure de 00:00 à 23:59", "write a time from 00:00 to 23:59"),
    "offset": ("{value} minutes du soleil, c'est trop", "{value} minutes from the sun is too far"),
    "offset.do": ("écrire {max} minutes au plus, ou une heure", "write {max} minutes at most, or a time"),
    "level": ("le niveau {value} % n'existe pas", "there is no level of {value} %"),
    "level.do": ("écrire de 0 à 100 %, on ou off", "write 0 to 100 %, on or off"),
    "step_order": ("cette étape n'est pas après la précédente", "this step is not after the one before it"),
    "step_order.do": (
        "écrire les étapes dans l'ordre de la nuit, de midi à midi",
        "write the steps in the order of the night, from noon to noon",
    ),
    "step_evening": ("une étape du soir suit une étape du matin", "a step of the evening follows one of the morning"),
    "step_evening.do": (
        "mettre le coucher du soleil et les heures d'avant minuit en premier",
        "put sunset and the times before midnight first",
    ),
    "step_lit": ("la nuit finit allumée", "the night ends lit"),
    "step_lit.do": ('finir par une étape comme "sunrise off"', 'end with a step such as "sunrise off"'),
    "weekday": ("« {text} » n'est pas un jour", "`{text}` is no weekday"),
    "weekday.do": ('écrire "fri sat", "mon..thu" ou "lun..jeu"', 'write "fri sat" or "mon..thu"'),
    "dates": ("« {text} » n'est pas une date de soir", "`{text}` is no date of an evening"),
    "dates.do": (
        'écrire "07-14" (chaque année), "2026-07-14", ou "12-20..01-03"',
        'write "07-14" (every year), "2026-07-14", or "12-20..01-03"',
    ),
    "no_date": ("le jour {text} n'existe pas", "there is no day {text}"),
    "no_date.do": ("écrire un jour qui existe, le mois d'abord : 07-14", "write a day that exists, month first: 07-14"),
    "dates_mixed": ("« {text} » n'a d'année que d'un côté", "`{text}` has a year on one side only"),
    "dates_mixed.do": ("écrire l'année des deux côtés, ou d'aucun", "write the year on both sides, or on none"),
    "dates_order": ("« {text} » finit avant de commencer", "`{text}` ends before it begins"),
    "dates_order.do": ("écrire la première date d'abord", "write the earlier date first"),
    "night_last": (
        "certains soirs n'ont pas de nuit dans ce calendrier",
        "some evenings have no night in this calendar",
    ),
    "night_last.do": (
        "finir par une nuit sans « dates » ni « weekdays »",
        "end with a night that has neither `dates` nor `weekdays`",
    ),
    "night_hidden": (
        "cette nuit ne sert jamais : celle d'avant convient à tous les soirs",
        "this night is never taken: the one before it fits every evening",
    ),
    "night_hidden.do": (
        "mettre les exceptions avant la nuit ordinaire",
        "put exceptions before the ordinary night",
    ),
    "too_many_dates": ("{count} nuits et dates, c'est trop", "{count} nights and dates are too many"),
    "too_many_dates.do": ("réunir des dates voisines ; {max} au plus", "join neighbouring dates; {max} at most"),
    "too_many_programs": ("{count} nuits différentes, c'est trop", "{count} different nights are too many"),
    "too_many_programs.do": ("en garder {max} au plus par calendrier", "keep {max} at most in a calendar"),
    # limits
    "no_target": ("il n'y a ni groupe ni départ « {name} »", "there is no group and no feeder `{name}`"),
    "no_target.do": ("écrire * (tous) ou l'un de : {names}", "write * (all) or one of: {names}"),
    "limit_kind": ("une limite dit une chose, et une seule", "a limit says one thing, and one only"),
    "limit_kind.do": ("écrire une des lignes : {words}", "write one of the lines: {words}"),
    "window": ("« {text} » n'est pas un intervalle d'heures", "`{text}` is no window of times"),
    "window.do": ('écrire "01:00..12:00"', 'write "01:00..12:00"'),
    "window_empty": ("« {text} » ne dure pas", "`{text}` has no length"),
    "window_empty.do": ("écrire une fin autre que le début", "write an end that is not the beginning"),
    "sun_window": ("« {text} » n'est pas un intervalle de jour", "`{text}` is no window of daylight"),
    "sun_window.do": ('écrire "sunrise+30..sunset-30"', 'write "sunrise+30..sunset-30"'),
    "too_many_limits": (
        "{count} limites et exemptions, c'est trop",
        "{count} limits and exemptions are too many",
    ),
    "too_many_limits.do": (
        "réduire à {max} ; une exemption sans année compte une fois par an",
        "reduce to {max}; an exemption without a year counts once for each year",
    ),
    "breach": (
        "allume {feeders} le {when} (nuits en cause : {nights}) ; interdit de {first} à {last} : {text} ({authority})",
        "lights {feeders} on {when} (nights concerned: {nights}); forbidden {first} to {last}: {text} ({authority})",
    ),
    "breach.do": (
        'éteindre avant ("{first} off"), ou inscrire la dérogation dans [[exemption]]',
        'put out before that ("{first} off"), or record the derogation in [[exemption]]',
    ),
    "to_do": ("à faire : {text}", "to do: {text}"),
    # --- what stops a command ---
    "read": ("{path} ne se lit pas : {why}", "{path} cannot be read: {why}"),
    "read.do": ("vérifier le nom du fichier et ses droits", "check the file's name and its permissions"),
    "write": ("{path} ne s'écrit pas : {why}", "{path} cannot be written: {why}"),
    "write.do": ("vérifier le dossier et ses droits", "check the folder and its permissions"),
    "exists": ("{path} existe déjà : une clé ne s'écrase pas", "{path} is there already: a key is never overwritten"),
    "exists.do": ("choisir un autre nom", "choose another name"),
    "not_text": ("{path} n'est pas un texte UTF-8", "{path} is no UTF-8 text"),
    "not_text.do": ("donner le fichier TOML de la politique", "give the policy's TOML file"),
    "not_ours": (
        "{path} n'est ni une politique compilée, ni un jeu de clés",
        "{path} is neither a compiled policy nor a key set",
    ),
    "not_ours.do": (
        "donner un fichier de « bocage policy compile », « sign » ou « keyset »",
        "give a file of `bocage policy compile`, `sign` or `keyset`",
    ),
    "not_keyset": ("{path} n'est pas un jeu de clés en bon état", "{path} is no sound key set"),
    "not_keyset.do": ("donner un fichier de « bocage policy keyset »", "give a file of `bocage policy keyset`"),
    "not_policy": ("{path} n'est pas une politique en bon état", "{path} is no sound policy"),
    "not_policy.do": (
        "donner le fichier TOML, ou un fichier de « bocage policy compile » ou « sign »",
        "give the TOML file, or a file of `bocage policy compile` or `sign`",
    ),
    "not_public": ("{path} n'est pas un fichier de clé publique", "{path} is no file of a public key"),
    "not_public.do": (
        "donner le fichier .pub de « bocage policy keys new »",
        "give the .pub file of `bocage policy keys new`",
    ),
    "not_private": (
        "{path} n'est pas une clé privée Ed25519, ou la phrase de passe est fausse",
        "{path} is no private Ed25519 key, or the passphrase is wrong",
    ),
    "not_private.do": (
        "donner le fichier de « bocage policy keys new », et sa phrase de passe",
        "give the file of `bocage policy keys new`, and its passphrase",
    ),
    "passphrases": ("les deux phrases de passe diffèrent", "the two passphrases differ"),
    "passphrases.do": ("recommencer", "start again"),
    "unsound": ("ce fichier a un défaut ({why})", "this file has a fault ({why})"),
    "unsound.do": ("le compiler de nouveau : bocage policy compile", "compile it again: bocage policy compile"),
    "other_commune": ("ce fichier est de la commune {insee}", "this file is of the commune {insee}"),
    "other_commune.do": ("donner celui de la commune {ours}", "give the one of the commune {ours}"),
    "not_member": (
        "la clé {kid} n'est pas du jeu de clés en vigueur (n° {version})",
        "the key {kid} is not of the key set in force (no. {version})",
    ),
    "not_member.do": ("faire signer par un détenteur de clé", "have the holder of a key sign"),
    "no_signer": ("il manque une signature", "a signature is missing"),
    "no_signer.do": ("ajouter --key FICHIER", "add --key FILE"),
    "signed_already": ("la clé {kid} a déjà signé", "the key {kid} has signed already"),
    "signed_already.do": ("faire signer une autre personne", "have another person sign"),
    "signed_enough": ("il y a déjà {max} signatures", "there are {max} signatures already"),
    "signed_enough.do": ("s'en tenir là", "leave it at that"),
    "member_elsewhere": (
        "la clé de « {name} » est de la commune {insee}",
        "the key of `{name}` is of the commune {insee}",
    ),
    "member_elsewhere.do": ("en faire une pour cette commune", "make one for this commune"),
    "member_twice": ("la même clé est donnée deux fois", "the same key is given twice"),
    "member_twice.do": ("donner à chacun sa clé", "give each person a key"),
    "threshold": (
        "{count} clés dont {value} pour changer le jeu : impossible",
        "{count} keys of which {value} change the set: impossible",
    ),
    "threshold.do": (
        "donner de {low} à {max} clés, et un seuil d'au moins {low} qui ne dépasse pas leur nombre",
        "give {low} to {max} keys, and a threshold of {low} at least and no more than there are",
    ),
    "no_member": ("« {who} » ne désigne pas une clé du jeu", "`{who}` is not one key of the set"),
    "no_member.do": (
        "écrire un nom ou une empreinte ; il y a : {names}",
        "write a name or a short name in hexadecimal; there are: {names}",
    ),
    # --- what commands tell ---
    "faults": ("{path} : {count} défauts", "{path}: {count} faults"),
    "faults.one": ("{path} : 1 défaut", "{path}: 1 fault"),
    "sound": (
        "{path} : en ordre. Politique n° {version} de {insee}, {nights} nuits vues, {feeders} départs, {bytes} octets",
        "{path}: sound. Policy no. {version} of {insee}, {nights} nights checked, {feeders} feeders, {bytes} bytes",
    ),
    "written": ("{path} écrit ({bytes} octets)", "{path} written ({bytes} bytes)"),
    "key_made": ("clé privée : {path}, à garder par son seul détenteur", "private key: {path}, for its holder alone"),
    "key_public": ("clé publique : {public}", "public key: {public}"),
    "key_kid": ("empreinte : {kid}", "short name: {kid}"),
    "key_send": (
        "à transmettre à qui fait le jeu de clés : {path}",
        "to be sent to whoever makes the key set: {path}",
    ),
    "ask_passphrase": ("phrase de passe de {path} : ", "passphrase of {path}: "),
    "ask_again": ("encore une fois : ", "once more: "),
    "keyset_install": (
        "à installer à la main sur chaque passerelle, une fois : {path}",
        "to be installed by hand on each gateway, once: {path}",
    ),
    "keyset_spare": (
        "attention : avec {count} clés et un seuil de {threshold}, une clé perdue ne pourrait plus être remplacée",
        "careful: with {count} keys and a threshold of {threshold}, a lost key could not be replaced any more",
    ),
    "signatures": ("signatures : {count} sur {threshold}", "signatures: {count} of {threshold}"),
    "signatures_more": (
        "faire signer la suite : bocage policy sign {path} --key CLÉ --out {path}",
        "have others sign: bocage policy sign {path} --key KEY --out {path}",
    ),
    "signed_by": ("signé par {kid}", "signed by {kid}"),
    # --- nights ---
    "night.head": ("Nuit du {first} au {last}", "Night of {first} to {last}"),
    "night.sun": ("coucher du soleil à {sunset}, lever à {sunrise}", "sunset at {sunset}, sunrise at {sunrise}"),
    "night.change": (
        "changement d'heure : {hours} heures de midi à midi",
        "clocks change: {hours} hours from noon to noon",
    ),
    "night.outside": ("hors de la validité de la politique", "outside the policy's validity"),
    "night.group": ("{group} (calendrier {calendar}, nuit {night})", "{group} (calendar {calendar}, night {night})"),
    "night.lit": ("allumé de {first} à {last}", "lit {first} to {last}"),
    "night.dimmed": ("{level} % de {first} à {last}", "{level} % {first} to {last}"),
    "night.dark": ("éteint toute la nuit", "dark all night"),
    "night.limit": (
        "{feeders} : pas de lumière de {first} à {last} ({text})",
        "{feeders}: no light {first} to {last} ({text})",
    ),
    "weekdays": (
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    # --- files in words ---
    "show.fault": ("défaut : {where} {problem}", "fault: {where} {problem}"),
    "show.unsigned": ("Aucune signature.", "No signature."),
    "show.signature": ("signature de {kid} ({name})", "signature of {kid} ({name})"),
    "show.unverified": (
        "Non vérifié : donner le jeu de clés en vigueur (--keyset).",
        "Not verified: give the key set in force (--keyset).",
    ),
    "show.holds": (
        "Les signatures sont bonnes pour le jeu de clés n° {version}.",
        "The signatures hold for the key set no. {version}.",
    ),
    "show.refused": ("Refusé : {problem}", "Refused: {problem}"),
    "refused.form": ("ce n'est pas un message signé de ce genre", "it is no signed message of this kind"),
    "refused.stranger": (
        "signé par une clé qui n'est pas du jeu en vigueur",
        "signed by a key that is not of the set in force",
    ),
    "refused.signature": ("une signature est fausse", "a signature does not hold"),
    "refused.too-few": ("il manque des signatures", "signatures are missing"),
    "refused.commune": ("c'est celui d'une autre commune", "it is another commune's"),
    "refused.version-order": (
        "sa version n'est pas après celle du jeu en vigueur",
        "its version is not after that of the set in force",
    ),
    "show.keyset": (
        "Jeu de clés n° {version} de la commune {insee} : {threshold} des {count} clés signent le suivant",
        "Key set no. {version} of the commune {insee}: {threshold} of {count} keys sign the next one",
    ),
    "show.policy": ("Politique n° {version} de la commune {insee}", "Policy no. {version} of the commune {insee}"),
    "show.valid": ("  valable du {first} au {last}", "  valid from {first} to {last}"),
    "show.site": ("  latitude {latitude}, longitude {longitude}", "  latitude {latitude}, longitude {longitude}"),
    "show.calendar": ("Calendrier {number}", "Calendar {number}"),
    "show.feeder": ("  départ {name} ({group}, {kind})", "  feeder {name} ({group}, {kind})"),
    "show.limits": ("Limites", "Limits"),
    "show.operators": ("Peuvent commander", "May command"),
}


def word(key: str, language: str, **values: object) -> str:
    """The word with its values. KeyError for a key that the table does not have: our own bug."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def counted(key: str, language: str, count: int, **values: object) -> str:
    """`word`, or its form under `key.one` for a single one."""
    return word(f"{key}.one" if count == 1 else key, language, count=count, **values)


def clock(minutes: int) -> str:
    """Minutes of the day as the form writes them: `01:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def moment(unix_s: int, language: str) -> str:
    """An instant by the wall clock of Paris: `14/07/2027 à 01:00`, `2027-07-14 at 01:00`."""
    local = civil.local_from_unix(civil.PARIS, unix_s)
    year, month, day = civil.civil_from_days(local.civil_day)
    time = clock(local.second // 60)
    if language == "fr":
        return f"{day:02}/{month:02}/{year} à {time}"
    return f"{year}-{month:02}-{day:02} at {time}"


def duration(seconds: int, language: str) -> str:
    """Hours and minutes: `8 h 05`, `8 h 05 min`, to the minute below."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02}" + ("" if language == "fr" else " min")


class Refused(command_line.Refused):
    """Why a command of `bocage policy` stops: `key` is of WORDS; its remedy stands there under `key.do`."""

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        super().__init__(key, **values)

    def text(self, language: str) -> str:
        remedy = word("to_do", language, text=word(f"{self.key}.do", language, **self.values))
        return f"{word(self.key, language, **self.values)}\n  {remedy}"
