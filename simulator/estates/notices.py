"""Gives gateways what they pass on to rooms and green spaces: the weather, a drought order, load shedding."""

from collections.abc import Callable

from gateway.core.directives.directive import Directive
from simulator.hosts.gateway import GatewayHost
from simulator.plants.climate import Weather
from simulator.world.time import World
from wire import directive

_FIRST_MS = 900_000
_EVERY_MS = 3_600_000
_WEATHER_S = 2 * 3600
_DROUGHT_S = 30 * 86400
# On a winter evening the grid is short for an hour: two kelvins less.
_SHED_AT_S, _SHED_S, _SHED_CK = 4 * 3600, 3600, 200


def drought_level(*, is_summer: bool) -> int:
    """Returns the level that the prefect has ordered: in summer the Loire is low, "alerte"."""
    return 2 if is_summer else 0


class Notices:
    """Gives a gateway what it passes on to rooms and green spaces.

    That is the weather of the town's station, a drought level, an hour of load shedding. Each is entered at the
    cabinet, as a technician or the town's weather station would. A gateway that is down misses it; the weather comes
    again within the hour, a decision when the gateway is back.
    """

    def __init__(self, world: World, gateway: GatewayHost, sky: Weather, *, is_summer: bool) -> None:
        self._world = world
        self.gateway = gateway
        self._sky = sky
        self._is_summer = is_summer
        self._number = 0

    def start(self) -> None:
        self._world.at(_FIRST_MS, self.order_drought, drought_level(is_summer=self._is_summer))
        self._world.at(_FIRST_MS, self._world.every, _EVERY_MS, self._weather)
        if not self._is_summer:
            self._world.at(1000 * _SHED_AT_S, self._shed)

    def order_drought(self, level: int, accepted: Callable[[], None] = lambda: None) -> None:
        """Gives a drought level of the prefect, and again later while the gateway is down; then calls `accepted`."""
        if self._announce({directive.DROUGHT_LEVEL: level}, "irrigation", _DROUGHT_S, "arrêté préfectoral sécheresse"):
            accepted()
        else:
            self._world.after(_FIRST_MS, self.order_drought, level, accepted)

    def _shed(self) -> None:
        self._announce({directive.LOAD_SHED: _SHED_CK}, "thermostat", _SHED_S, "pointe du réseau électrique")

    def _weather(self) -> None:
        unix_s = self._world.unix_s
        yesterday = self._sky.day(unix_s - 86400)
        values = {
            directive.OUTDOOR_TEMPERATURE: self._sky.temperature_ck(unix_s),
            directive.EVAPOTRANSPIRATION: yesterday.et0_um // 10,
            directive.RAIN_DAY: yesterday.rain_um // 100,
            directive.WIND_SPEED: self._sky.day(unix_s).wind_dms,
        }
        self._announce(values, None, _WEATHER_S, "station météo")

    def _announce(self, values: dict[int, int], scope: str | None, for_s: int, reason: str) -> bool:
        """Gives a directive to the gateway; returns True when it accepted it."""
        self._number += 1
        unix_s = self._world.unix_s
        name = self._number.to_bytes(8, "big")
        notice = Directive(name, True, "mairie", reason, scope, values, unix_s, unix_s + for_s)
        return self.gateway.announce(notice)
