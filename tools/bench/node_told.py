"""For tools.bench.node: what a gateway has to tell a node through a busy day: an order every other hour, directives
that change, a signed manifest of a program whose files are not there. So the turns are reached in which these arrive,
and the steps of a signature."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.link.link import Asked
from wire import coap_message, cose, directive, image, node_order

_UPDATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
UPDATE_KEY = _UPDATE_KEY.public_key().public_bytes_raw()
_HOUR_S = 3600
_ORDER_S = 900


class Told:
    """Of one node. `kind`: its product, too."""

    def __init__(self, kind: str) -> None:
        manifest = image.encode(image.Manifest(kind, 2, "bench", [image.File("main.mpy", 4000, bytes(32))]))
        kid = cose.kid_of(UPDATE_KEY)
        self._signed = cose.sign1_encode(manifest, kid, cose.IMAGE_AAD, _UPDATE_KEY.sign)
        self._asked_hour: int | None = None

    def waits(self, unix_s: int) -> bool:
        """There is an order that the node has not asked for."""
        return unix_s // _HOUR_S % 2 == 1 and self._asked_hour != unix_s // _HOUR_S

    def answer(self, asked: Asked, unix_s: int) -> tuple[int, bytes]:
        """(code, payload) of what is no record."""
        if asked.path == (node_order.PATH,):
            return coap_message.CONTENT, self._order(unix_s)
        if asked.path == (directive.PATH,):
            return coap_message.CONTENT, _directives(directive.decode_question(asked.query).codes, unix_s)
        if len(asked.path) == 2:
            return coap_message.CONTENT, self._signed
        return coap_message.NOT_FOUND, b""

    def _order(self, unix_s: int) -> bytes:
        self._asked_hour = hour = unix_s // _HOUR_S
        name = hour.to_bytes(8, "big")
        order = node_order.NodeOrder(hour & 0xFFFFFF, name, node_order.OVERRIDE, 0, unix_s + _ORDER_S, _ORDER_S)
        return node_order.encode(order)


def _directives(codes: tuple[int, ...] | None, unix_s: int) -> bytes:
    """Everything there is to say; by the hour it changes."""
    hour = unix_s // _HOUR_S % 24
    values = {
        directive.OUTDOOR_TEMPERATURE: 800 + 50 * hour,
        directive.TEMPERATURE_MIN_6H: 600,
        directive.EVAPOTRANSPIRATION: 210,
        directive.RAIN_DAY: 4,
        directive.RAIN_FORECAST: 0,
        directive.WIND_SPEED: 12 + hour,
        directive.DROUGHT_LEVEL: 1 + hour // 4 % 2,
        directive.LOAD_SHED: 150 * (hour // 3 % 2),
        directive.EXCEPTION: hour // 6 % 2,
    }
    return directive.encode({code: (values[code], 2 * _HOUR_S) for code in values if codes is None or code in codes})
