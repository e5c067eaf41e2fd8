"""A technician's page on a free loopback port, with a phone to look at it and an agent that remembers its orders.

Time is a field of the world; only connections are real. Needs aiohttp.
"""

import asyncio
import re
from contextlib import asynccontextmanager

import aiohttp

from gateway.config.page import PageOptions
from gateway.show.page.page import LocalPage
from tests.support import cabinet_document

PASSWORD = "clé-du-bocage"
# Sixteen turns of scrypt, not the 32,768 of a real line: a tenth of a second for each entering (test_password.py).
LINE = "scrypt$4$8$1$Ym9jYWdlLXBhZ2Utc2FsdA$hAl3FIYKIL7RHp2/nehjTW7Td9kcAZo5PM/Y6wfrs8w"


class PageWorld:
    """The agent's side: `status` is its state, `orders` what it was asked, `refuses` the word it refuses with,
    `said` its log, `now_ms` its clock."""

    def __init__(self, status=None):
        self.status = cabinet_document.agent() if status is None else status
        self.orders, self.said = [], []
        self.refuses = None
        self.now_ms = 1_000_000
        self.page = None

    def say(self, what, **values):
        self.said.append((what, values))

    def words(self, what):
        return [values for word, values in self.said if word == what]

    def test(self, feeder, seconds, who):
        return self._order("test", feeder, seconds, who)

    def test_all(self, seconds, who):
        return self._order("test-all", seconds, who)

    def lock(self, feeder, who):
        return self._order("lock", feeder, who)

    def unlock(self, feeder, who):
        return self._order("unlock", feeder, who)

    def _order(self, *order):
        if self.refuses is None:
            self.orders.append(order)
        return self.refuses


class Phone:
    """A browser without a script: keeps cookies, follows nothing by itself."""

    def __init__(self, session, base):
        self._session, self.base = session, base

    async def get(self, path, **more):
        return await self._ask("GET", path, **more)

    async def post(self, path, data, **more):
        return await self._ask("POST", path, data=data, **more)

    async def login(self, who="J. Renard", typed=PASSWORD):
        return await self.post("/login", {"who": who, "password": typed})

    async def csrf(self, path="/"):
        return re.search('name="csrf" value="([^"]+)"', (await self.get(path)).text)[1]

    async def order(self, path, **more):
        return await self.post(path, {"csrf": await self.csrf(), **more})

    async def _ask(self, method, path, **more):
        async with self._session.request(method, self.base + path, allow_redirects=False, **more) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.text())


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def shown(self):
        """What a person reads: without tags, with plain spaces."""
        text = re.sub("<[^>]+>", " ", self.text)
        for name, sign in (("&#x27;", "'"), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"')):
            text = text.replace(name, sign)
        return " ".join(text.split())


@asynccontextmanager
async def open_page(world, **options):
    """The page with a phone in front of it."""
    given = PageOptions(("127.0.0.1", 0), LINE)._replace(**options)
    world.page = LocalPage(given, lambda: world.status, world, world.say, now_ms=lambda: world.now_ms)
    await world.page.start()
    scheme = "http" if given.certificate is None else "https"
    try:
        # Cookies of an address without a name are kept by an unsafe jar only.
        jar = aiohttp.CookieJar(unsafe=True)
        connector = aiohttp.TCPConnector(ssl=False, force_close=True)
        async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
            yield Phone(session, f"{scheme}://127.0.0.1:{world.page.address[1]}")
    finally:
        await world.page.close()


def on_page(story, world=None, **options):
    """Run a story on a page; returns the world."""
    world = PageWorld() if world is None else world

    async def run():
        async with open_page(world, **options) as phone:
            await story(world, phone)

    asyncio.run(run())
    return world
