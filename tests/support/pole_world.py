"""A technician's page in front of a real gateway core and real nodes: lamps of one virtual time behind it."""

from tests.support.ordered_world import OrderedWorld, settled
from tests.support.page_world import PageWorld


class PoleWorld(PageWorld):
    """`street` is the world of gateway and lamps; its time passes when the story says so (`live`)."""

    def __init__(self, street: OrderedWorld | None = None, **options):
        super().__init__()
        self.street = settled(**options) if street is None else street

    def live(self, seconds):
        self.street.live(seconds)

    def identify(self, node):
        return self._placements.identify(node, now_ms=self.street.now_ms)

    def place(self, node, light, street, who, *, exchange):
        word = self._placements.place(node, light, street, who, exchange=exchange, now_ms=self.street.now_ms)
        self.street.turn()
        return word

    def holder(self, node, light, street):
        return self._placements.holder(node, light, street)

    def sight(self, node):
        return self._placements.sight(node, now_ms=self.street.now_ms)

    def sights(self):
        return self._placements.sights(now_ms=self.street.now_ms)

    def ending(self, digits):
        return self._placements.ending(digits)

    @property
    def _placements(self):
        return self.street.core.placements
