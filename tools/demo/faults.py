"""Breaks and mends things in a simulated territory, by the faults that the simulator has; says what to expect of each.

A kind has a word, its targets, and what it does: `strike` returns what mends it. What has been seen is what the
warehouse says, which is all that a real centre would know; `watch` adds what is measured in the world.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from gateway.language import N_, NN_, Message, Sentence
from simulator.cabinet.village import FEEDERS, GATEWAY_ID
from simulator.estates.notices import drought_level
from simulator.hosts.gateway import GatewayHost
from simulator.options import SEASONS
from tools.centre.register.equipment import CABINET, GREEN_SPACE, LIGHT, ROOM, Version, cabinet_of
from tools.demo.story import Story, Struck
from wire import event

# The level that a person orders: "alerte renforcée" forbids lawns the whole day.
_DROUGHT = 3
_LAW_AFTER_MS = 1_800_000


class Cabinet(NamedTuple):
    """Names a cabinet: its address (`49135-cab-1`), its commune, its name in the register, and both for people."""

    address: str
    insee: str
    name: str
    label: str


class Target(NamedTuple):
    """Names a thing that can be broken. `key`: in a form; `subject`: the node or gateway that reports it, or None;
    `cabinets`: those that it takes along, with all that hangs on them; `hangs_on`: the address of its own cabinet, of
    what is none."""

    key: str
    label: str
    subject: bytes | None
    cabinets: tuple[Cabinet, ...] = ()
    hangs_on: str | None = None


class Kind(NamedTuple):
    """Describes a fault: its name, what to expect, what it may strike, what strikes that and returns what mends it, and
    what the world shows of it: in words, the records that wait because of it, the lamps that it leaves without current,
    and whether nothing comes from its cabinets meanwhile."""

    title: Message
    expect: Message
    targets: Callable[[Story], Iterator[Target]]
    strike: Callable[[Story, str], Callable[[], None]]
    watch: Callable[[Story, str], Sentence | None] = lambda story, key: None
    waiting: Callable[[Story, str], int] = lambda story, key: 0
    unpowered: Callable[[Story, str], int] = lambda story, key: 0
    cuts_off: Callable[[Story, str], bool] = lambda story, key: False


_WAITING = NN_("{count} record waits in the cabinet", "{count} records wait in the cabinet")
_BY_MOBILE = N_("4G carries in place of the fibre")
_ALL_WAITING = NN_("{count} record waits in the cabinets", "{count} records wait in the cabinets")
_UNPOWERED = NN_("{count} lamp has no current", "{count} lamps have no current")
_LIT = NN_("{count} light burns", "{count} lights burn")


# --- targets ------------------------------------------------------------------------------------------------------


def _of_kind(kind: str) -> Callable[[Story], Iterator[Target]]:
    def targets(story: Story) -> Iterator[Target]:
        seen: set[bytes] = set()
        for version in story.equipment():
            node = version.equipment.node
            if version.key.kind == kind and node is not None and node not in seen:
                seen.add(node)
                yield Target(node.hex(), _label(story, version), node, hangs_on=version.equipment.cabinet)

    return targets


def _label(story: Story, version: Version) -> str:
    """Returns `Feneu, rue du Port, 0117`, or `Feneu, Mairie, salle 1`."""
    commune = next(one.name for one in story.communes if one.insee == version.key.insee)
    name = version.equipment.name or ", ".join(filter(None, (version.equipment.street, version.key.id)))
    return f"{commune}, {name}"


def _cabinets(story: Story) -> Iterator[Target]:
    found = {version.key.address: version for version in story.equipment() if version.key.kind == CABINET}
    for index, host in enumerate(_hosts(story)):
        address = cabinet_of(host.options.insee, host.options.name)
        version = found[address]
        label = _label(story, version)
        cabinet = Cabinet(address, version.key.insee, version.equipment.name or version.key.id, label)
        yield Target(str(index), label, host.options.gateway, (cabinet,))


def _feeders(story: Story) -> Iterator[Target]:
    commune, cabinets = story.communes[-1].name, [*_cabinets(story)][-1].cabinets
    for index, feeder in enumerate(FEEDERS):
        yield Target(str(index), f"{commune}, {feeder.name}", GATEWAY_ID, cabinets)


def _everything(story: Story) -> Iterator[Target]:
    yield Target("", ", ".join(commune.name for commune in story.communes), None)


def _centre(story: Story) -> Iterator[Target]:
    (everything,) = _everything(story)
    yield everything._replace(cabinets=tuple(one for target in _cabinets(story) for one in target.cabinets))


def _hosts(story: Story) -> list[GatewayHost]:
    village = story.territory.village
    return [*story.territory.gateways, *([] if village is None else [village.host])]


def _index(hosts: list, key: str) -> int:
    return next(index for index, host in enumerate(hosts) if host.settings.node.hex() == key)


# --- what is done -------------------------------------------------------------------------------------------------


def _cut_fibre(story: Story, key: str) -> Callable[[], None]:
    host = _hosts(story)[int(key)]
    host.fibre(False)
    return lambda: host.fibre(True)


def _carried(story: Story, key: str) -> Sentence:
    host = _hosts(story)[int(key)]
    if host.carrier() == "mobile":
        return Sentence(_BY_MOBILE)
    return Sentence(_WAITING, {"count": _waiting_there(story, key)})


def _waiting_there(story: Story, key: str) -> int:
    return _hosts(story)[int(key)].waiting()


def _waiting_anywhere(story: Story, key: str) -> int:
    return sum(host.waiting() for host in _hosts(story))


def _kill_lamp(story: Story, key: str) -> Callable[[], None]:
    streets = story.territory.streets
    index = streets.numbers[_index(streets.hosts, key)]
    streets.damage(index, "module_dead", event.LAMP_FAILURE)
    return lambda: streets.repair(index)


def _cut_power(story: Story, key: str) -> Callable[[], None]:
    index, territory = int(key), story.territory
    if index == len(territory.gateways):
        assert territory.village is not None
        plant = territory.village.street.plant
        return territory.village.play((plant.set_mains, False), (plant.set_mains, True))
    gateway = territory.gateways[index]
    gateway.power_cut()
    territory.streets.mains(gateway, False)

    def restore() -> None:
        gateway.power_on()
        territory.streets.mains(gateway, True)

    return restore


def _unpowered(story: Story, key: str) -> int:
    host, village = _hosts(story)[int(key)], story.territory.village
    if village is not None and host is village.host:
        return sum(feeder.lamps for feeder in FEEDERS)
    return sum(lamp.settings.node in host.nodes for lamp in story.territory.streets.hosts)


def _weld(story: Story, key: str) -> Callable[[], None]:
    village = story.territory.village
    assert village is not None
    plant = village.street.plant
    return village.play((plant.stick_contactor, int(key), True), (plant.mend, int(key)))


def _break_pipe(story: Story, key: str) -> Callable[[], None]:
    greens = story.territory.greens
    index = greens.numbers[_index(greens.hosts, key)]
    greens.break_pipe(index)
    return lambda: greens.mend_pipe(index)


def _lose_thermometer(story: Story, key: str) -> Callable[[], None]:
    rooms = story.territory.rooms
    index = rooms.numbers[_index(rooms.hosts, key)]
    rooms.lose_thermometer(index)
    return lambda: rooms.mend_thermometer(index)


def _silence_centre(story: Story, key: str) -> Callable[[], None]:
    territory = story.territory
    territory.centre.stop()
    territory.control.stop()

    def start() -> None:
        territory.centre.start()
        territory.control.start()

    return start


def _order_drought(story: Story, key: str) -> Callable[[], None]:
    def order(level: int) -> None:
        # A node that waters at this moment stops when it hears of it: the judge gives it that time.
        world, greens = story.territory.world, story.territory.greens
        for notices in story.territory.notices:
            judge = partial(world.after, _LAW_AFTER_MS, greens.order_drought, level, notices.gateway)
            notices.order_drought(level, judge)

    order(_DROUGHT)
    return lambda: order(drought_level(is_summer=story.territory.options.start == SEASONS["summer"]))


def _storm(story: Story, key: str) -> Callable[[], None]:
    streets = story.territory.streets
    streets.darken_sky(True)
    return lambda: streets.darken_sky(False)


# What leaves lamps dark, or burning, against the policy: the judgement leaves those out.
OF_LAMPS = frozenset(("lamp", "power", "contactor"))

KINDS: dict[str, Kind] = {
    "fibre": Kind(
        N_("Cut the fibre of a cabinet"),
        N_("Its streets stay lit. Its records go by 4G where the cabinet has some, or wait; none is lost."),
        _cabinets, _cut_fibre, _carried, _waiting_there,
        cuts_off=lambda story, key: len(_hosts(story)[int(key)].options.bearers) < 2,  # no 4G
    ),
    "lamp": Kind(
        N_("Kill a lamp"),
        N_("Its node measures watts that are too few and reports it within a quarter of an hour of light."),
        _of_kind(LIGHT), _kill_lamp,
    ),
    "power": Kind(
        N_("Cut the mains of a cabinet"),
        N_(
            "Its lamps go dark. A cabinet with a battery says so; another falls silent: that shows half an hour after"
            " its last word, and its lamps are unknown after an hour."
        ),
        _cabinets, _cut_power,
        lambda story, key: Sentence(_UNPOWERED, {"count": _unpowered(story, key)}),
        unpowered=_unpowered,
        cuts_off=lambda story, key: True,
    ),
    "contactor": Kind(
        N_("Weld a contactor"),
        N_("Its lamps burn on when they should be off: at the next switching-off the cabinet reports it."),
        _feeders, _weld,
    ),
    "pipe": Kind(
        N_("Burst a pipe"),
        N_("It shows when water comes, at five in the morning: the node shuts the valve and reports it."),
        _of_kind(GREEN_SPACE), _break_pipe,
    ),
    "thermometer": Kind(
        N_("Kill a thermometer"),
        N_("The node reports it and heats by what it has learnt: the room stays free of frost and not too warm."),
        _of_kind(ROOM), _lose_thermometer,
    ),
    "centre": Kind(
        N_("Silence the centre"),
        N_("Streets, rooms and gardens do not notice. These screens grow old; cabinets keep their records."),
        _centre, _silence_centre,
        lambda story, key: Sentence(_ALL_WAITING, {"count": _waiting_anywhere(story, key)}),
        _waiting_anywhere,
        cuts_off=lambda story, key: True,
    ),
    "drought": Kind(
        N_("Order a drought level"),
        N_("Each cabinet passes the prefect’s order on; at the next watering no lawn is watered in a forbidden hour."),
        _everything, _order_drought,
    ),
    "storm": Kind(
        N_("Bring a thunderstorm"),
        N_("From 45 minutes before sunset on, lamps with a photocell light up; the others wait for their hour."),
        _everything, _storm,
        lambda story, key: Sentence(_LIT, {"count": story.snapshot().lit}),
    ),
}  # fmt: skip


def strike(story: Story, kind: str, key: str) -> None:
    """Breaks a thing, if it is not broken already; KeyError or StopIteration for words that name none."""
    if any((one.kind, one.target) == (kind, key) for one in story.struck):
        return
    target = next(one for one in KINDS[kind].targets(story) if one.key == key)
    own, from_s = KINDS[kind], story.unix_s
    seen = partial(own.waiting, story, key), own.unpowered(story, key), own.cuts_off(story, key)
    story.broken.append(Struck(kind, target.key, from_s, own.strike(story, key), *seen))


def mend(story: Story, kind: str, key: str) -> None:
    """Makes a broken thing as new; nothing if it is whole."""
    for one in story.struck:
        if (one.kind, one.target) == (kind, key):
            story.mend(one)
