"""Serves nodes their programs: GET `f/<product>` is the signed manifest, GET `f/<product>/<number>/<n>`
file n of that image, both by Block2. See `node.updating`.

The gateway carries the programs and cannot change them: each node verifies the signature itself. No state is kept of a
transfer. A campaign (`gateway.core.campaigns`) decides which node is served when: a node that must wait is answered
5.03 with a Max-Age (RFC 7252, section 5.9.3.4), after which it asks again.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.core.link.link import Link, LinkEvent, NodeRequest
from wire import block
from wire import coap_message as messages
from wire.block import Body
from wire.coap_message import Content

PATH = b"f"


class NodeImage(NamedTuple):
    """Holds one program. `signed`: the COSE_Sign1 around its manifest; `files`: their bytes in the manifest's order."""

    product: str
    number: int
    text: str
    signed: bytes
    files: tuple[bytes, ...]

    @property
    def bytes(self) -> int:
        return len(self.signed) + sum(map(len, self.files))


# Returns 0 to serve a request (which image, None: there is none of this name; whether for its manifest), the seconds to
# wait, or None: not for this node.
Judge = Callable[..., int | None]


class NodeImages:
    """Serves one image for each product. Without `judge` every node is served at once. `asked` counts the requests."""

    def __init__(self, link: Link, judge: Judge = lambda _asked, _image, _is_manifest, *, now_ms: 0) -> None:
        self._link = link
        self._judge = judge
        self._served: dict[tuple[bytes, ...], tuple[NodeImage, Body, bytes]] = {}
        self.images: tuple[NodeImage, ...] = ()
        self.asked = 0

    def set_images(self, images: Iterable[NodeImage]) -> None:
        """Serve these images from now on, and no others."""
        self.images = tuple(images)
        self._served = {}
        for image in self.images:
            product = image.product.encode()
            self._serve(image, (PATH, product), image.signed)
            for index, content in enumerate(image.files):
                self._serve(image, (PATH, product, b"%d" % image.number, b"%d" % index), content)

    def _serve(self, image: NodeImage, path: tuple[bytes, ...], content: bytes) -> None:
        body = Body(content)
        self._served[path] = image, body, block.digest_etag(body)

    def handle(self, heard: LinkEvent, *, now_ms: int) -> bool:
        """Answer a request for a program; return whether it was one."""
        if not isinstance(heard, NodeRequest) or heard.path[:1] != (PATH,):
            return False
        self.asked += 1
        answer = self.answer(heard, now_ms=now_ms)
        self._link.respond(heard.exchange, answer.code, answer.payload, options=answer.options, now_ms=now_ms)
        return True

    def answer(self, asked: NodeRequest, *, now_ms: int) -> Content:
        """Return the answer to a request for a program."""
        if asked.code != messages.GET:
            return Content(messages.METHOD_NOT_ALLOWED, (), b"")
        found = self._served.get(asked.path)
        wait_s = self._judge(asked, found and found[0], len(asked.path) == 2, now_ms=now_ms)
        if found is None or wait_s is None:
            return Content(messages.NOT_FOUND, (), b"")
        if wait_s:
            return Content(messages.UNAVAILABLE, ((messages.MAX_AGE, messages.uint_bytes(wait_s)),), b"")
        return block.serve(Content(asked.code, asked.options, b""), found[1], etag=found[2])
