"""Serves nodes their programs: GET `f/<product>` is the signed manifest, GET `f/<product>/<number>/<n>`
file n of that image, both by Block2. See `node.updating`.

The gateway carries the programs and cannot change them: each node verifies the signature itself. No state is kept of a
transfer, so a whole street may fetch at once, each node at its own pace, within the link's bound of requests a second.
"""

from collections.abc import Iterable
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


class NodeImages:
    """Serves one image for each product. `asked` counts the requests."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._served: dict[tuple[bytes, ...], tuple[Body, bytes]] = {}
        self.images: tuple[NodeImage, ...] = ()
        self.asked = 0

    def set_images(self, images: Iterable[NodeImage]) -> None:
        """Serve these images from now on, and no others."""
        self.images = tuple(images)
        self._served = {}
        for image in self.images:
            product = image.product.encode()
            self._serve((PATH, product), image.signed)
            for index, content in enumerate(image.files):
                self._serve((PATH, product, b"%d" % image.number, b"%d" % index), content)

    def _serve(self, path: tuple[bytes, ...], content: bytes) -> None:
        body = Body(content)
        self._served[path] = body, block.digest_etag(body)

    def handle(self, heard: LinkEvent, *, now_ms: int) -> bool:
        """Answer a request for a program; return whether it was one."""
        if not isinstance(heard, NodeRequest) or heard.path[:1] != (PATH,):
            return False
        self.asked += 1
        found = self._served.get(heard.path)
        if heard.code != messages.GET:
            answer = Content(messages.METHOD_NOT_ALLOWED, (), b"")
        elif found is None:
            answer = Content(messages.NOT_FOUND, (), b"")
        else:
            question = Content(heard.code, heard.options, b"")
            answer = block.serve(question, found[0], etag=found[1])
        self._link.respond(heard.exchange, answer.code, answer.payload, options=answer.options, now_ms=now_ms)
        return True
