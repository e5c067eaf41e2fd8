"""Who speaks on the node link. A session stands between CoAP and the application and yields (node, payload).

Until OSCORE (RFC 8613) is in, there is one session, in the clear: the node's id rides as the Uri-Query
`n=<16 hex digits>`, so anybody can claim to be anybody. It exists for the bench and the simulator; both
ends refuse to start with it unless told `insecure`. OSCORE replaces this module's inside, not its callers.
"""

from binascii import hexlify, unhexlify

from wire import limits

_PREFIX = b"n="


class ClearSession:
    """No protection at all. `insecure` must be given as True: nobody gets here by a default."""

    def __init__(self, *, insecure: bool):
        if insecure is not True:
            raise ValueError("the node link in the clear needs insecure = true: OSCORE is not built yet")

    def query(self, node: bytes) -> tuple:
        """What the node adds to its requests."""
        return (_PREFIX + hexlify(node),)

    def node_of(self, query):
        """The node that a request's Uri-Query names, or None: such a request is refused and counted."""
        for segment in query:
            if segment[:2] == _PREFIX and len(segment) == 2 + 2 * limits.NODE_ID_BYTES:
                try:
                    return unhexlify(segment[2:])
                except ValueError:
                    return None
        return None
