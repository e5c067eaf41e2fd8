"""OSCORE (RFC 8613): protects requests and responses of CoAP end to end, for nodes, gateways and the bench.

Sans-IO and without state: contexts never change, windows and sequences are data of the caller's. `cipher`
is the block cipher of `wire.ccm`. A message goes in as anything with `code`, `options` and `payload` and
comes out as Content; types, ids and tokens are CoAP's and stay as they are. Whatever a peer may send raises
WireFault with one of REASONS and has changed nothing; no reason carries data.

    request out   number = sequence.take(); content, exchange = protect_request(…)
    request in    header = header_of(message), find the context by it, then content, exchange, window = …
    response out  content = protect_response(…, exchange)
    response in   content = unprotect_response(…, exchange)

Must not choose a context, answer anybody or keep a key.
"""

from wire import ccm, oscore_option, oscore_window
from wire import coap_message as messages
from wire.faults import WireFault
from wire.oscore_context import Context, aad, derive, nonce
from wire.oscore_inner import ANY_OUTSIDE, Content, pack, unpack, vouched
from wire.oscore_option import Header
from wire.oscore_window import LOST, NEW, Window

__all__ = (
    "ANY_OUTSIDE",
    "LOST",
    "NEW",
    "REASONS",
    "Content",
    "Context",
    "Exchange",
    "Window",
    "derive",
    "header_of",
    "protect_request",
    "protect_response",
    "refusal",
    "unprotect_request",
    "unprotect_response",
    "vouched",
)

# reason: (code, diagnostic payload) of the unprotected error response (section 8.2), or None where there is
# none.
_REFUSALS = {
    "oscore-missing": (messages.UNAUTHORIZED, b""),
    "oscore-option": (messages.BAD_OPTION, b"Failed to decode COSE"),
    "oscore-context": (messages.UNAUTHORIZED, b"Security context not found"),
    "oscore-replay": (messages.UNAUTHORIZED, b"Replay detected"),
    "decrypt": (messages.BAD_REQUEST, b"Decryption failed"),
    "oscore-inner": (messages.BAD_REQUEST, b""),
}
REASONS = tuple(sorted(_REFUSALS))


class Exchange:
    """A request that was protected or unprotected: what its response needs. It holds no secret.

    `is_fresh` is False for a request that came while the replay window was LOST. `number`: its Partial IV.
    `nonce`: the AEAD nonce of the request itself, which a response without a Partial IV uses (section 8.3); the
    first response of appendix B.2 does so under another key than the request's.
    """

    def __init__(self, kid, partial_iv, is_fresh, request_nonce):
        self.kid = kid
        self.partial_iv = partial_iv
        self.is_fresh = is_fresh
        self.nonce = request_nonce
        self.is_nonce_spent = False

    @property
    def number(self) -> int:
        return int.from_bytes(self.partial_iv, "big")


def protect_request(
    context, request, cipher, *, number, with_id_context=False, kid_context=None
) -> tuple:
    """(Content, Exchange). `number` comes from this context's SenderSequence and serves once (section
    8.1). `kid_context`: what to send in the place of the ID Context, which appendix B.2 wraps."""
    pieces, options = pack(request)
    partial_iv = oscore_option.partial_iv_bytes(number)
    own_nonce = nonce(context, context.sender_id, partial_iv)
    exchange = Exchange(context.sender_id, partial_iv, True, own_nonce)
    if with_id_context:
        kid_context = context.id_context
    header = Header(partial_iv, kid_context, context.sender_id)
    return _sealed(context, cipher, messages.POST, header, options, pieces, own_nonce, exchange), exchange


def header_of(message):
    """The Header of a protected message; WireFault when it has no OSCORE option, or not one sound one."""
    values = messages.option_values(message.options, messages.OSCORE)
    if not values:
        raise WireFault("oscore-missing")
    if len(values) != 1 or not message.payload:
        raise WireFault("oscore-option")
    return oscore_option.decode(values[0])


def unprotect_request(context, request, cipher, *, window, kid_context=None) -> tuple:
    """(Content, Exchange, Window after it) of a request that `context.recipient_id` sent (section 8.2).
    `kid_context`: how the ID Context may be written in it, where that is not the ID Context itself.

    While `window` is LOST it stays so and the Exchange is not fresh: the caller may only answer 4.01 with
    Echo, or find a good Echo in the request and go on with `oscore_window.after(exchange.number)`.
    """
    header = header_of(request)
    if header.kid is None or header.partial_iv is None:
        raise WireFault("oscore-option")
    _check_peer(context, header, kid_context)
    peer_nonce = nonce(context, header.kid, header.partial_iv)
    exchange = Exchange(header.kid, header.partial_iv, window is not LOST, peer_nonce)
    if exchange.is_fresh and not oscore_window.is_fresh(window, exchange.number):
        raise WireFault("oscore-replay")
    content = _opened(context, cipher, request, peer_nonce, exchange)
    if content.code >> 5 != 0:
        raise WireFault("oscore-inner")
    return content, exchange, oscore_window.accept(window, exchange.number) if exchange.is_fresh else LOST


def protect_response(context, response, cipher, exchange, *, number=None, kid_context=None):
    """The Content of a response (section 8.3). `kid_context`: sent along, for appendix B.2.

    Without `number` it uses the request's nonce, which serves one response to a request that is known to be
    fresh: a replayed request would otherwise make us use a nonce twice (appendix B.1.2).
    """
    pieces, options = pack(response)
    if number is None:
        assert exchange.is_fresh and not exchange.is_nonce_spent, "this response needs a number of its own"
        exchange.is_nonce_spent = True
        header = Header(None, kid_context, None)
        used = exchange.nonce
    else:
        header = Header(oscore_option.partial_iv_bytes(number), kid_context, None)
        used = nonce(context, context.sender_id, header.partial_iv)
    return _sealed(context, cipher, messages.CHANGED, header, options, pieces, used, exchange)


def unprotect_response(context, response, cipher, exchange, *, kid_context=None) -> Content:
    """The Content of the response to the request of `exchange` (section 8.4). `kid_context`: as for a request.

    An error that comes unprotected raises "oscore-missing": a hint, which anybody may have sent.
    """
    header = header_of(response)
    _check_peer(context, header, kid_context)
    used = exchange.nonce
    if header.partial_iv is not None:
        used = nonce(context, context.recipient_id, header.partial_iv)
    content = _opened(context, cipher, response, used, exchange)
    if content.code >> 5 not in (2, 4, 5):
        raise WireFault("oscore-inner")
    return content


def refusal(reason: str) -> Content:
    """The unprotected error response for `reason`, never to be cached (section 8.2). Strangers get none:
    silence."""
    code, diagnostic = _REFUSALS[reason]
    return Content(code, ((messages.MAX_AGE, b""),), diagnostic)


def _check_peer(context, header, kid_context):
    if header.kid is not None and header.kid != context.recipient_id:
        raise WireFault("oscore-context")
    expected = context.id_context if kid_context is None else kid_context
    if header.kid_context is not None and header.kid_context != expected:
        raise WireFault("oscore-context")


def _sealed(context, cipher, code, header, options, pieces, used_nonce, exchange):
    messages.insert_option(options, messages.OSCORE, oscore_option.encode(header))
    bound = aad(exchange.kid, exchange.partial_iv)
    return Content(code, tuple(options), ccm.seal(cipher, context.sender_key, used_nonce, bound, pieces))


def _opened(context, cipher, message, used_nonce, exchange):
    bound = aad(exchange.kid, exchange.partial_iv)
    plaintext = ccm.unseal(cipher, context.recipient_key, used_nonce, bound, message.payload)
    return unpack(plaintext, message.options)
