"""Writes the sheet of a build (hardware/builds/NAME.md) for a person with a screwdriver: parts, wires, power budget,
what to check before switching on; French, then English.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tools.hardware.build_schema import SECTIONS_MA
from tools.hardware.builds import MAINS, SELV, budgets, terminals
from tools.hardware.files import Facts
from tools.hardware.sheet import table

SOURCE = "hardware/builds/{name}.toml"


class Words(NamedTuple):
    """Holds the words of a sheet in one language; `suffix` ends the keys of its texts."""

    suffix: str
    check: str
    note: str
    never: str
    made: Mapping[str, str]
    no: str
    yes: str
    fill: str
    node: str
    enclosure: str
    parts: str
    parts_head: Sequence[str]
    wires: str
    wires_head: Sequence[str]
    drawing: str
    domains: Mapping[str, str]
    colours: Mapping[str, str]
    section: str
    power: str
    power_head: Sequence[str]
    sum: str
    of: str
    no_supply: str
    before: str
    dead: Sequence[str]
    mains: Sequence[str]
    live: Sequence[str]


FRENCH = Words(
    "",
    "fr",
    "Fiche produite à partir de `{source}` : ne pas la modifier à la main.",
    "**Ce montage n’a jamais été fait.**",
    {"bought": "acheté", "bench": "essayé sur table", "place": "posé à sa place"},
    "non",
    "oui",
    "à remplir",
    "Bornes, broches et composants de la carte : [fiche du type](../nodes/{node}.md).",
    "Coffret",
    "Pièces",
    ("Repère", "Pièce", "Référence", "D’où vient le chiffre"),
    "Fils",
    ("N°", "De", "Vers", "mm²", "Couleur", "Domaine"),
    "Câblage, mot pour mot celui du tableau",
    {MAINS: "230 V", SELV: "TBTS"},
    {
        "BK": "noir",
        "BN": "brun",
        "RD": "rouge",
        "OG": "orange",
        "YE": "jaune",
        "GN": "vert",
        "BU": "bleu",
        "VT": "violet",
        "GY": "gris",
        "WH": "blanc",
        "PK": "rose",
        "TQ": "turquoise",
        "GNYE": "vert-jaune",
    },
    "Section et protection : {pairs}. Pour 1,5 et 2,5 mm², un abrégé de la NF C 15-100 (forcemat.fr, lu le "
    "2026-11-29) ; les sections plus fines sont notre choix, la norme n’a pas été lue.",
    "Bilan de puissance",
    ("Alimentation", "Pièce", "Courant usuel (mA)", "Pointe (mA)"),
    "somme",
    "{percent} % des {rated} mA de l’alimentation, à {volts} V ; 80 % au plus",
    "Ce montage n’a pas d’alimentation dont le courant soit compté.",
    "À vérifier avant la mise sous tension, puis pendant",
    (
        "chaque fil du tableau suivi du doigt, tiré à la main : aucun ne bouge",
        "aucun brin hors de sa borne ; embouts sur les fils souples",
    ),
    (
        "le travail et la mise sous tension reviennent à un électricien habilité, installation consignée, absence de "
        "tension vérifiée au VAT",
        "fusible du calibre écrit ci-dessus, et pas un autre",
        "à l’ohmmètre, fusible ôté : plus de 1 MΩ (notre seuil) entre chaque borne 230 V et chaque borne TBTS",
        "conducteur de protection : continuité jusqu’à la borne de terre (classe II : aucun conducteur, "
        "aucune borne qui l’attend)",
        "fils 230 V et TBTS dans des passages séparés ; capots isolants en place, presse-étoupes serrés",
    ),
    (
        "aval débranché : chaque alimentation donne sa tension, du bon côté (+ et −)",
        "carte alimentée : son voyant fait un éclat toutes les 3 s",
    ),
)
ENGLISH = Words(
    "_en",
    "en",
    "Made from `{source}`: do not edit it by hand.",
    "**This build was never made.**",
    {"bought": "bought", "bench": "on a bench", "place": "where it belongs"},
    "no",
    "yes",
    "to be filled",
    "Terminals, pins and parts of the board: [sheet of its kind](../nodes/{node}.md).",
    "Enclosure",
    "Parts",
    ("Name", "Part", "Reference", "Source of the figure"),
    "Wires",
    ("No.", "From", "To", "mm²", "Colour", "Domain"),
    "Wiring, word for word that of the table",
    {MAINS: "230 V", SELV: "SELV"},
    {
        "BK": "black",
        "BN": "brown",
        "RD": "red",
        "OG": "orange",
        "YE": "yellow",
        "GN": "green",
        "BU": "blue",
        "VT": "violet",
        "GY": "grey",
        "WH": "white",
        "PK": "pink",
        "TQ": "turquoise",
        "GNYE": "green-yellow",
    },
    "Section and protection: {pairs}. For 1.5 and 2.5 mm², a summary of NF C 15-100 (forcemat.fr, read on "
    "2026-11-29); the thinner sections are our choice, the standard was not read.",
    "Power budget",
    ("Supply", "Part", "Usual current (mA)", "Peak (mA)"),
    "sum",
    "{percent} % of the {rated} mA of the supply, at {volts} V; 80 % at most",
    "This build has no supply whose current is counted.",
    "To check before switching on, then while",
    (
        "each wire of the table followed with a finger and pulled by hand: none moves",
        "no strand outside its terminal; ferrules on flexible wires",
    ),
    (
        "work and switching on are an authorised electrician's, installation locked out, absence of "
        "voltage verified with a tester",
        "fuse of the rating written above, and no other",
        "with an ohmmeter, fuse taken out: more than 1 MΩ (our limit) between each 230 V and each SELV terminal",
        "protective conductor: continuity to the earth terminal (class II: none, and no terminal waits for it)",
        "230 V and SELV wires in separate passages; insulating covers in place, cable glands tightened",
    ),
    (
        "load unplugged: each supply gives its voltage, the right way round (+ and −)",
        "board supplied: its LED flashes once every 3 s",
    ),
)


def sheet_text(name: str, build: Mapping[str, Any], facts: Facts) -> str:
    """Returns the text of the whole sheet."""
    lines = [f"# {name} : {build['title']}", "", *_half(name, build, facts, FRENCH)]
    lines += ["", "---", "", f"# {name}: {build['title_en']}", "", *_half(name, build, facts, ENGLISH)]
    return "\n".join(lines) + "\n"


def _half(name: str, build: Mapping[str, Any], facts: Facts, words: Words) -> Iterator[str]:
    made = ", ".join(f"{words.made[key]} : {words.yes if done else words.no}" for key, done in build["made"].items())
    if words is ENGLISH:
        made = made.replace(" : ", ": ")
    yield words.note.format(source=SOURCE.format(name=name))
    yield ""
    yield (made if any(build["made"].values()) else f"{words.never} {made}") + "."
    node = next((item["node"] for item in build["item"].values() if "node" in item), "")
    for text in (words.node.format(node=node) if node else "", build.get("note" + words.suffix, "")):
        yield from ("", text) if text else ()
    enclosure = build["enclosure"]
    yield from ("", f"## {words.parts}", "")
    yield from table(words.parts_head, _parts(build, enclosure, words))
    yield from ("", f"## {words.wires}", "", f"![{words.drawing}]({name}.svg)", "")
    yield from table(words.wires_head, _wires(build, facts, words))
    pairs = " ; ".join(f"{mm2} mm² : {ma / 1000:g} A" for mm2, ma in SECTIONS_MA.items())
    pairs = pairs.replace(".", ",") if words is FRENCH else pairs.replace(" ;", ";").replace(" :", ":")
    yield from ("", words.section.format(pairs=pairs))
    yield from ("", f"## {words.power}", "")
    if budgets(build):
        yield from table(words.power_head, _power(build, words))
    else:
        yield words.no_supply
    yield from ("", f"## {words.before}", "")
    mains = MAINS in terminals(build, facts).values()
    live = words.live if node else words.live[:1]
    checks = (*words.dead, *(words.mains if mains else ()), *(row[words.check] for row in build["check"]), *live)
    yield from (f"* [ ] {text}" for text in checks)


def _parts(build: Mapping[str, Any], enclosure: Mapping[str, Any], words: Words) -> Iterator[Sequence[str]]:
    what = enclosure["what" + words.suffix] + (f", {enclosure['ip']}" if "ip" in enclosure else "")
    rows = [(words.enclosure, what, enclosure)]
    rows += [(name, item["what" + words.suffix], item) for name, item in build["item"].items()]
    for name, what, facts in rows:
        yield name, what, *(words.fill if facts[key] == "?" else facts[key] for key in ("reference", "source"))


def _wires(build: Mapping[str, Any], facts: Facts, words: Words) -> Iterator[Sequence[str]]:
    domains = terminals(build, facts)
    for number, wire in enumerate(build["wire"], 1):
        domain = words.domains[domains[wire["from"]]]
        yield str(number), wire["from"], wire["to"], wire["mm2"], words.colours[wire["colour"]], domain


def _power(build: Mapping[str, Any], words: Words) -> Iterator[Sequence[str]]:
    for name, (rated, volts_mv, consumers) in budgets(build).items():
        for other, (typical, peak) in consumers.items():
            yield name, other, str(typical), str(peak)
        typical, peak = (sum(pair[index] for pair in consumers.values()) for index in (0, 1))
        of = words.of.format(percent=round(100 * peak / rated), rated=rated, volts=f"{volts_mv / 1000:g}")
        yield name, f"**{words.sum}** ({of})", str(typical), str(peak)
