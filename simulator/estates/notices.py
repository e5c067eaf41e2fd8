"""What a territory's gateways tell their rooms and green spaces: the weather of the town's station, a drought level, an
hour of load shedding.

Said at the cabinets, as a technician or the town's weather station would. A gateway that is down misses a word; the
weather comes again within the hour, a decision when the gateway is back.
"""

from gateway.core.directives.directive import Told
from simulator.hosts.gateway import GatewayHost
from simulator.plants.climate import Sky
from simulator.world.time import World
from wire import directive

_FIRST_MS = 900_000
_EVERY_MS = 3_600_000
_WEATHER_S = 2 * 3600
_DROUGHT_S = 30 * 86400
# On a winter evening the grid is short for an hour: two kelvins less.
_SHED_AT_S, _SHED_S, _SHED_CK = 4 * 3600, 3600, 200


def drought_level(*, is_summer: bool) -> int:
    """In summer the Loire is low: alerte."""
    return 2 if is_summer else 0


class Notices:
    """Begin once."""

    def __init__(self, world: World, gateways: list[GatewayHost], sky: Sky, *, is_summer: bool) -> None:
        self._world = world
        self._gateways = gateways
        self._sky = sky
        self._is_summer = is_summer
        self._number = 0

    def begin(self) -> None:
        self._world.at(_FIRST_MS, self._decide)
        self._world.at(_FIRST_MS, self._world.every, _EVERY_MS, self._weather)
        if not self._is_summer:
            self._world.at(1000 * _SHED_AT_S, self._shed)

    def _decide(self) -> None:
        """Every gateway, or again later."""
        said = {directive.DROUGHT_LEVEL: drought_level(is_summer=self._is_summer)}
        if not self._say(said, "irrigation", _DROUGHT_S, "arrêté préfectoral sécheresse"):
            self._world.after(_FIRST_MS, self._decide)

    def _shed(self) -> None:
        self._say({directive.LOAD_SHED: _SHED_CK}, "thermostat", _SHED_S, "pointe du réseau électrique")

    def _weather(self) -> None:
        unix_s = self._world.unix_s
        yesterday = self._sky.day(unix_s - 86400)
        values = {
            directive.OUTDOOR_TEMPERATURE: self._sky.temperature_ck(unix_s),
            directive.EVAPOTRANSPIRATION: yesterday.et0_um // 10,
            directive.RAIN_DAY: yesterday.rain_um // 100,
            directive.WIND_SPEED: self._sky.day(unix_s).wind_dms,
        }
        self._say(values, None, _WEATHER_S, "station météo")

    def _say(self, values: dict[int, int], scope: str | None, for_s: int, reason: str) -> bool:
        """True when every gateway took it."""
        self._number += 1
        unix_s = self._world.unix_s
        name = self._number.to_bytes(8, "big")
        told = Told(name, True, "mairie", reason, scope, values, unix_s, unix_s + for_s)
        taken = [gateway.say(told) for gateway in self._gateways]  # all of them are told, whoever is away
        return all(taken)
