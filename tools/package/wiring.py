"""Draws gateway/wiring.svg, the drawing of the installation guide: the contactor's command above, the signals below.

    python -m tools.package.wiring          writes it

Points and addresses come from `gateway/commands/setup/wiring.py`, as those of the wizard do; a test checks that the
file is what this module draws. Symbols are those of IEC 60617, drawn by hand.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from gateway.commands.setup import wiring

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "gateway" / "wiring.svg"

_WIDTH, _HEIGHT = 1000, 860
_STYLE = """
svg { background: #fff } text { font: 14px sans-serif; fill: #111 } .small { font-size: 12px; fill: #444 }
.title { font-size: 17px; font-weight: bold } .mark { font-weight: bold }
line, polyline, rect, circle { fill: none; stroke: #111; stroke-width: 1.6 }
.low { stroke: #1a5fb4 } .oldbox { fill: #fff6d6 }
.newbox { fill: #e6f0fb }
"""
_LEFT, _RIGHT = 60, 940


def draw() -> str:
    """Returns the drawing as SVG."""
    parts = [*_command(), *_signals()]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" lang="fr">'
    title = "<title>Câblage de l’armoire : commande d’un contacteur, signaux, bus</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def main() -> None:
    PATH.write_text(draw(), encoding="utf-8")


# --- the command of one contactor -----------------------------------------------------------------------------------


def _command() -> Iterator[str]:
    yield _text(30, 30, "1. Commande du contacteur KM1 (de même pour chaque départ), 230 V", "title")
    legend = "jaune : l’existant, qui reste ; bleu : ce qui s’ajoute. KA a un contact inverseur par départ."
    yield _text(30, 50, legend, "small")
    yield _line(_LEFT, 70, _LEFT, 352)
    yield _line(_RIGHT, 70, _RIGHT, 352)
    yield _text(_LEFT - 26, 84, "L", "mark")
    yield _text(_RIGHT + 12, 84, "N", "mark")
    # Command by the astronomical clock, as before: through the contact of KA that is closed at rest.
    y = 120
    yield _line(_LEFT, y, 150, y)
    yield _box(150, y - 22, 150, 44, "HA", "horloge astronomique", "oldbox")
    yield _line(300, y, 390, y)
    yield from _contact(390, y, "KA 11–12", is_closed=True, note="au repos : fermé")
    yield _line(450, y, 520, y)
    # Command by the agent: through the contact of KA that is closed while the agent is alive.
    y = 200
    yield _line(_LEFT, y, 150, y)
    yield _box(150, y - 22, 150, 44, "KR1", f"relais du module, {_short(wiring.MODULE.contactors[0])}", "newbox")
    yield _line(300, y, 390, y)
    yield from _contact(390, y, "KA 11–14", note="agent vivant : fermé")
    yield _line(450, y, 520, y)
    yield _line(520, 120, 520, 200)
    yield _line(520, 160, 600, 160)
    yield from _contact(600, 160, "S1 « auto »", note="existant")
    yield _line(660, 160, 720, 160)
    # Command by hand, which bypasses both.
    y = 270
    yield _line(_LEFT, y, 600, y)
    yield from _contact(600, y, "S1 « marche »", note="marche forcée, sans l’agent ni l’horloge")
    yield _line(660, y, 720, y)
    yield _line(720, 160, 720, 270)
    yield _line(720, 200, 790, 200)
    yield _box(790, 178, 70, 44, "KM1", "A1–A2", "oldbox")
    yield _line(860, 200, _RIGHT, 200)
    # The timer relay that holds KA.
    y = 335
    yield _line(_LEFT, y, 390, y)
    yield from _contact(390, y, "KT 15–18", note="ouvert 60 s après la dernière impulsion")
    yield _line(450, y, 790, y)
    yield _box(790, y - 22, 70, 44, "KA", "A1–A2", "newbox")
    yield _line(860, y, _RIGHT, y)


# --- signals --------------------------------------------------------------------------------------------------------


def _signals() -> Iterator[str]:
    module, top = wiring.MODULE, 440
    yield _text(30, top - 30, "2. Bus, entrées et secours, très basse tension", "title")
    yield _box(40, top, 190, 330, "Raspberry Pi", "ou PC industriel", "newbox")
    yield _text(50, top + 80, "USB", "mark")
    yield _text(50, top + 180, _line_name(wiring.WATCHDOG), "mark")
    yield _text(50, top + 198, "broche 15", "small")
    yield _text(50, top + 280, "UART RXD, broche 10", "mark")
    yield _text(50, top + 298, wiring.LINKY, "small")
    # The bus.
    yield _line(230, top + 75, 300, top + 75, "low")
    yield _box(300, top + 55, 120, 40, "USB–RS-485", "isolé", "newbox")
    yield _line(420, top + 75, 900, top + 75, "low")
    yield _text(425, top + 68, f"A, B, 0 V · {wiring.BAUD} bauds · 120 Ω aux deux bouts", "small")
    yield _line(520, top + 75, 520, top + 105, "low")
    yield _box(440, top + 105, 290, 225, "Module 8 relais, 8 entrées", f"adresse {wiring.MODULE_UNIT}", "newbox")
    for number, point in enumerate(module.contactors):
        yield _text(452, top + 160 + 18 * number, f"relais {_short(point)} → KR{number + 1}", "small")
    roles = ("porte (fermée)", "présence secteur KP", "S1 « marche »", "S1 « arrêt »")
    inputs = [f"{_short(point)} ← KM{number + 1} 13–14" for number, point in enumerate(module.feedbacks)]
    inputs += [f"{_short(point)} ← {role}" for point, role in zip(module.points.values(), roles, strict=True)]
    for number, words in enumerate(inputs):
        yield _text(452 if number < 4 else 570, top + 252 + 18 * (number % 4), words, "small")
    for number in range(2):
        x = 750 + 95 * number
        yield _line(x + 40, top + 75, x + 40, top + 105, "low")
        yield _box(x, top + 105, 85, 60, f"EM{number + 1}", f"SDM120, {wiring.METER_UNIT_FIRST + number}", "newbox")
    yield _text(750, top + 190, "un compteur par départ,", "small")
    yield _text(750, top + 206, "entre son disjoncteur et KM", "small")
    # The pulse.
    yield _line(230, top + 175, 300, top + 175, "low")
    yield _box(300, top + 150, 120, 50, "KT", "temporisé 60 s", "newbox")
    yield _text(300, top + 217, "retard au repos,", "small")
    yield _text(300, top + 232, "optocoupleur 3,3 V", "small")
    # Linky.
    yield _line(230, top + 275, 300, top + 275, "low")
    yield _box(300, top + 255, 120, 40, "optocoupleur", "", "newbox")
    yield _line(360, top + 295, 360, top + 345, "low")
    yield _box(300, top + 345, 120, 40, "Linky", "I1, I2", "oldbox")
    yield _box(40, top + 345, 190, 44, "24 V, batterie", "alimente Pi, module, KT", "newbox")


def _contact(x: int, y: int, name: str, *, is_closed: bool = False, note: str = "") -> Iterator[str]:
    """Draws a contact 60 wide, from x on: open, or closed at rest with the stop that IEC prescribes."""
    yield _line(x, y, x + 15, y)
    yield _line(x + 45, y, x + 60, y)
    yield _line(x + 15, y, x + 48, y + 10 if is_closed else y - 16)
    if is_closed:
        yield _line(x + 45, y, x + 45, y + 12)
    yield _text(x - 4, y - 22, name, "mark")
    if note:
        yield _text(x - 4, y + 28, note, "small")


def _box(x: int, y: int, width: int, height: int, name: str, note: str, kind: str) -> str:
    rect = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" class="{kind}"/>'
    name_y = y + (18 if note else height // 2 + 5)
    return rect + _text(x + 8, name_y, name, "mark") + (_text(x + 8, name_y + 16, note, "small") if note else "")


def _line(x1: int, y1: int, x2: int, y2: int, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{shown}/>'


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{shown}>{escape(text)}</text>'


def _short(point: str) -> str:
    """Returns `!modbus:1/coil:0` as it is printed on a module: DO0; an input: DI0."""
    kind, _, number = point.rpartition("/")[2].partition(":")
    return f"{'DO' if kind == 'coil' else 'DI'}{number}"


def _line_name(point: str) -> str:
    return f"GPIO {point.rpartition(':')[2]}"


if __name__ == "__main__":
    main()
