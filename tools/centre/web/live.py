"""Pushes what changes in a commune to all who look at it, as server-sent events.

A commune that somebody watches is looked at once a second, whoever many they are, and each change is written once for
all of them: 200 viewers cost what one does, and 200 times a few bytes. An event names the lights that have changed
(`[[12,"f0"], …]`: their place in the picture and `map.code`), says whether rooms or green spaces have (`spaces`),
counts the states of lights, and tells the time; one that says `again` has the browser fetch the whole. A stream ends
after LIVE_S, and the next has the rights of that moment.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from tools.centre.web.access import Commune, commune
from tools.centre.web.limits import LIVE_EVERY_S, LIVE_S
from tools.centre.web.map import code
from tools.centre.web.page import picture_now
from tools.centre.web.pictures import Picture
from tools.centre.web.words import clock

_RETRY = f"retry: {round(1000 * LIVE_EVERY_S)}\n\n"


async def live(request: Any, insee: str) -> Any:
    own = await sync_to_async(commune)(request, insee)
    answer = StreamingHttpResponse(_events(own, request.GET.get("version", "")), content_type="text/event-stream")
    answer["Content-Encoding"] = "identity"  # a compressor would hold events back
    answer["X-Accel-Buffering"] = "no"
    return answer


async def _events(own: Commune, version: str) -> AsyncIterator[str]:
    """Yields events until LIVE_S have passed. `version`: of the picture that the browser has."""
    ends_s = time.monotonic() + LIVE_S
    watch = _Watch.of(own)
    yield _RETRY
    before: Picture | None = None
    async for now in watch.pictures():
        if before is None:
            yield _again(now) if now.version != version else _clock(now)
        elif now.version != before.version:
            yield watch.event(before, now)
        else:
            yield _clock(now) if clock(now.now_s) != clock(before.now_s) else ":\n\n"
        before = now
        if time.monotonic() >= ends_s:
            return


class _Watch:
    """Looks at one commune for all of its viewers of the same rights, while there are any."""

    _ALL: ClassVar["dict[Commune, _Watch]"] = {}

    def __init__(self, own: Commune) -> None:
        self._own = own
        self._viewers = 0
        self._picture: Picture | None = None
        self._task: asyncio.Task | None = None
        self._looked = asyncio.Condition()
        self._events: dict[tuple[str, str], str] = {}

    @classmethod
    def of(cls, own: Commune) -> "_Watch":
        return cls._ALL.setdefault(own, cls(own))

    async def pictures(self) -> AsyncIterator[Picture]:
        """Yields the picture now, and after each look."""
        self._viewers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        try:
            while True:
                if self._picture is not None:
                    yield self._picture
                async with self._looked:
                    await self._looked.wait()
                if self._task is None:  # it failed, and so do its viewers
                    return
        finally:
            self._viewers -= 1

    async def _look(self) -> None:
        try:
            while self._viewers:
                began_s = time.monotonic()
                self._picture = await sync_to_async(picture_now, thread_sensitive=False)(self._own)
                await self._tell()
                await asyncio.sleep(max(0, began_s + LIVE_EVERY_S - time.monotonic()))
        finally:
            self._task, self._picture = None, None
            self._ALL.pop(self._own, None)
            await self._tell()

    async def _tell(self) -> None:
        async with self._looked:
            self._looked.notify_all()

    def event(self, before: Picture, now: Picture) -> str:
        """Returns what leads from one picture to another; written once."""
        key = before.version, now.version
        if key not in self._events:
            self._events = {key: _changes(before, now)}
        return self._events[key]


def _changes(before: Picture, now: Picture) -> str:
    if before.places != now.places:
        return _again(now)
    pairs = zip(before.lights, now.lights, strict=True)
    changes = [[n, code(light)] for n, (old, light) in enumerate(pairs) if old != light]
    return _event(now, changes=changes, **({"spaces": True} if before.spaces != now.spaces else {}))


def _again(now: Picture) -> str:
    return _event(now, again=True)


def _clock(now: Picture) -> str:
    return _event(now, changes=[])


def _event(now: Picture, **values: Any) -> str:
    told = {"version": now.version, "clock": clock(now.now_s), "counts": now.counts, **values}
    return f"data: {json.dumps(told, separators=(',', ':'))}\n\n"
