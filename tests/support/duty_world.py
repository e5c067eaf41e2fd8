"""A territory's faults as they begin and end, a rota, a process that tells them by doors, and a checker.

Nothing is read from a warehouse: causes are made of faults as the roll of the world has them, at each look. The checker
knows what broke and who had it in hand, and reads what came through the doors; it knows nothing of the book.
"""

from random import Random
from typing import NamedTuple

from tools.centre.condition.faults import StandingFault
from tools.centre.condition.groups import group
from tools.centre.duty import rota as rotas
from tools.centre.duty.book import Book
from tools.centre.duty.desk import MAIL, SMS, Desk, Options
from tools.centre.duty.rota import Person, Rota, Week
from tools.centre.duty.sending import Unsent, send_due
from tools.centre.duty.waking import causes, member
from tools.centre.limits import DUTY_EVERY_S, FLOOD_S, SEND_DELAY_MAX_S
from wire import event, event_table

NOW_S = 1_795_986_000  # 2026-11-29, 22:20 in France
FENEU = "49135"
ALICE = Person("Alice Martin", "+33612345678", "alice@example.fr", "fr")
BRUNO = Person("Bruno Petit", "+33687654321", "bruno@example.fr", "en")
OPTIONS = Options("https://centre.example.fr", 15, (MAIL, SMS))


def fault(number, code=event.FEEDER_FAILURE, *, since_s=NOW_S, gateway="cab-1", feeder=None, detail=None, insee=FENEU):
    """A fault of a cabinet's feeder, or of the node with this number."""
    if detail is None:
        names = event_table.BY_CODE[code].detail or ()
        detail = [feeder or f"f{number}", *(0 for _ in names[1:])] if names[:1] == ("feeder",) else []
    node = b"gw" + gateway.encode() if detail[:1] and isinstance(detail[0], str) else b"node%04d" % number
    times = since_s, since_s, False, None, None
    return StandingFault(node, code, detail, *times, insee, gateway, None, (), (1, number))


def rota(*, weeks=None, people=(ALICE, BRUNO), in_hand=None):
    if weeks is None:
        weeks = [Week("*", "*", rotas.week_of(NOW_S), ALICE.name, BRUNO.name)]
    return Rota(people, weeks, in_hand or {})


class Door:
    """A mailbox or a telephone. shut: each sending fails; kills: of sendings after which the process dies at once."""

    def __init__(self):
        self.came = []
        self.is_shut = False
        self.kills = 0

    def send(self, person, message, *, now_s):
        if self.is_shut:
            raise Unsent("timeout")
        self.came.append(Arrived(now_s, person.name, message))
        if self.kills:
            self.kills -= 1
            raise Killed


class Killed(BaseException):
    """The process dies between sending and writing."""


class Arrived(NamedTuple):
    at_s: int
    person: str
    message: object


class Duty:
    """A book, a desk, two doors. `open`: the faults that last now."""

    def __init__(self, path=":memory:", *, rota=None, options=OPTIONS, desk=Desk, areas=None):
        self.path, self.rota, self.options = path, rota, options
        self.desk_class = desk
        self.mail, self.sms = Door(), Door()
        self.open, self.heard, self.troubles, self.logged = [], {}, [], []
        self.areas = areas or (lambda _: {("*", "lighting"), ("*", "heating"), ("*", "watering")})
        self.now_s = NOW_S
        self.start()

    def start(self):
        self.book = Book.open(self.path, "OFF")
        self.desk = self.desk_class(self.book, self.options)

    def restart(self):
        self.book.close()
        self.start()

    def look(self, **options):
        found = causes(group(self.open), self.heard, self.troubles, now_s=self.now_s)
        self.desk.look(found, self.rota or rota(), self.areas, now_s=self.now_s, **options)

    def send(self):
        log = lambda what, **fields: self.logged.append((what, fields))  # noqa: E731
        return send_due(self.book, self.rota or rota(), {MAIL: self.mail, SMS: self.sms}, log, now_s=self.now_s)

    def turn(self):
        self.look()
        self.send()

    def live(self, seconds, step_s=DUTY_EVERY_S):
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(end_s, self.now_s + step_s)
            self.turn()

    def told(self, person=None, kind=None):
        """What came by SMS: (seconds after the beginning, person, kind)."""
        return [
            (one.at_s - NOW_S, one.person, one.message.kind)
            for one in self.sms.came
            if person in (None, one.person) and kind in (None, one.message.kind)
        ]


class Drawn(Duty):
    """Faults, repairs, hands, shut doors and kills drawn from a seed; at the end nothing new breaks."""

    STEPS, CALM = 200, 160

    def __init__(self, seed, path, *, door=Door):
        super().__init__(path)
        self.mail, self.sms = door(), door()
        self.chance = Random(seed)
        self.checker = Checker(self)
        self.in_hand = {}
        self.number = 0

    def run(self):
        for _ in range(self.STEPS):
            self.now_s += self.chance.choice((DUTY_EVERY_S, 60, 300))
            self._strike()
            self._turn()
        self.mail.is_shut = self.sms.is_shut = False
        self.mail.kills = self.sms.kills = 0
        for _ in range(self.CALM):
            self.now_s += 60
            self._turn()
        return self.checker

    def _strike(self):
        chance = self.chance.random()
        if chance < 0.15:
            for _ in range(self.chance.choice((*[1] * 20, 3, 40))):
                self._break()
        elif chance < 0.25:
            gone = set(self.chance.sample(range(len(self.open)), len(self.open) // 2))
            self.open = [one for place, one in enumerate(self.open) if place not in gone]
        elif chance < 0.32 and self.open:
            one = self.chance.choice(self.open)
            self.in_hand[member(one)] = rotas.Taken(ALICE.name, self.now_s)
            self.rota = rota(in_hand=self.in_hand)
        elif chance < 0.40:
            self.mail.is_shut, self.sms.is_shut = (self.chance.random() < 0.3 for _ in range(2))
        elif chance < 0.46:
            self.sms.kills = 1

    def _break(self):
        self.number += 1
        code = self.chance.choice((event.FEEDER_FAILURE, event.PIPE_BURST, event.LAMP_FAILURE))
        self.open.append(fault(self.number, code, since_s=self.now_s))

    def _turn(self):
        try:
            self.turn()
        except Killed:
            self.checker.kills += 1
            self.restart()
        self.checker.look()


class Checker:
    """Looks whether a fault that wakes, that lasts, and that nobody has in hand, came through a door within its
    minutes, and that no message came more often than once and once more for each kill. `violations`: sentences, none
    where all is well; `judged`: faults that were told."""

    # Until it wakes and a flood is over, two looks, and a kill that leaves a message for the next try. A door that is
    # shut excuses what wakes behind it, and the longest delay after that.
    WITHIN_S = 120 + FLOOD_S + 2 * 300 + 60

    def __init__(self, world):
        self._world = world
        self.kills = self.judged = 0
        self.violations = []
        self._waits = {}
        self._seen = {"mail": 0, "sms": 0}
        self._excused_s = world.now_s

    def look(self):
        world = self._world
        if world.mail.is_shut or world.sms.is_shut:
            self._excused_s = world.now_s + SEND_DELAY_MAX_S
        lasting = {_anchor(one): one for one in world.open if one.code != event.LAMP_FAILURE}
        free = {name for name, one in lasting.items() if member(one) not in world.in_hand}
        self._waits = {name: self._waits.get(name, world.now_s) for name in free}
        for door in ("mail", "sms"):
            came = getattr(world, door).came
            for one in came[self._seen[door]:]:
                self._note(one.message, lasting)
            self._seen[door] = len(came)
            twice = len(came) - len({one.message.number for one in came})
            if twice > self.kills:
                self.violations.append(f"{twice} messages came again by {door} after {self.kills} kills")
        for name, since_s in self._waits.items():
            if since_s is not None and world.now_s > max(since_s, self._excused_s) + self.WITHIN_S:
                self.violations.append(f"{name} lasts since {since_s}, and nobody was told by {world.now_s}")
                self._waits[name] = None

    def _note(self, message, lasting):
        if message.kind == "summary":  # it counts them all
            named = {name for name, since_s in self._waits.items() if since_s and since_s <= message.made_unix_s}
        else:
            named = {message.body.strip().rpartition("#")[2]} & lasting.keys()
        for name in named:
            self.judged += 1
            if name in self._waits:
                self._waits[name] = None


def _anchor(one):
    return f"{one.node.hex()}-{one.begin[0]}-{one.begin[1]}"
