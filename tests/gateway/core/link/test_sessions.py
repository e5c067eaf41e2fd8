"""Keys of nodes at the gateway: what is offered, agreed on, kept and dropped, and what nobody can bring about."""

import pytest

from gateway.core import limits
from gateway.core.link.sessions import NodeKey, Opened, Sessions, check_keys
from simulator.hosts.keys import CIPHER, key_of, pairing_of
from tests.support.link_world import NODE, OTHER
from tests.support.no_nonce_twice import no_nonce_twice
from wire import coap_message as messages
from wire import oscore
from wire.faults import WireFault
from wire.oscore_context import GATEWAY_ID, Pairing, Session, unwrap, usual_kid, wrap

KID = usual_kid(NODE)
POST = messages.Content(messages.POST, ((messages.URI_PATH, b"t"),), b"reading")
PROBE = messages.Content(messages.GET, (), b"")
# In the clear, never cached, and shorter than what it answers.
UNKNOWN = messages.Content(messages.UNAUTHORIZED, ((messages.MAX_AGE, b""),), b"")


@pytest.fixture(autouse=True)
def ledger():
    with no_nonce_twice() as ledger:
        yield ledger


class Chance:
    def __init__(self, start=0):
        self.count = start

    def __call__(self, count):
        self.count += 1
        return b"R2" + self.count.to_bytes(count - 2, "big")


@pytest.fixture
def sessions():
    return Sessions([key_of(NODE), key_of(OTHER)], CIPHER, Chance())


def id1_of(boot, count=1):
    return boot.to_bytes(4, "big") + count.to_bytes(4, "big")


def first(id1, *, node=NODE, content=PROBE, number=0):
    """(request 1, its exchange)"""
    return oscore.protect_request(pairing_of(node).context(id1), content, CIPHER, number=number, kid_context=wrap(id1))


def opened_by(sessions, request, kid=KID):
    header = oscore.header_of(request)
    return sessions.open(sessions.member(kid), header, request)


def offer(sessions, id1, node=NODE):
    """Our nonce for `id1`, as the node reads it."""
    request, exchange = first(id1, node=node)
    answer = opened_by(sessions, request, usual_kid(node))
    kid_context = oscore.header_of(answer).kid_context
    r2 = unwrap(kid_context)
    content = oscore.unprotect_response(
        pairing_of(node).context(r2 + id1), answer, CIPHER, exchange, kid_context=kid_context
    )
    assert content == messages.Content(messages.UNAUTHORIZED, (), b"")
    return r2


def session_of(r2, r3, node=NODE):
    return Session(pairing_of(node).context(r2 + r3))


def request_of(session, *, content=POST, kid_context=None):
    number = session.next_number()
    return oscore.protect_request(session.context, content, CIPHER, number=number, kid_context=kid_context)[0]


def agree(sessions, boot=1, node=NODE):
    """The node's session after all of it."""
    r2 = offer(sessions, id1_of(boot), node)
    session = session_of(r2, id1_of(boot, 2), node)
    opened = opened_by(sessions, request_of(session, kid_context=session.kid_context), usual_kid(node))
    assert isinstance(opened, Opened)
    sessions.commit(opened)
    return session


def test_request_1_is_offered_a_nonce_and_request_2_agrees(sessions):
    session = agree(sessions)
    assert sessions.agreed() == 1 and sessions.counters == {"handshakes": 1, "agreed": 1, "keys-unknown": 0}
    for kid_context in (None, session.kid_context, session.context.id_context):
        opened = opened_by(sessions, request_of(session, kid_context=kid_context))
        assert (opened.node, opened.content) == (NODE, POST)
        sessions.commit(opened)
    assert sessions.counters["agreed"] == 1


def test_the_answer_to_a_request_holds_at_the_node(sessions):
    session = agree(sessions)
    request, exchange = oscore.protect_request(session.context, POST, CIPHER, number=session.next_number())
    opened = opened_by(sessions, request)
    sealed = sessions.seal(opened, messages.Content(messages.CHANGED, (), b"long"))
    assert oscore.unprotect_response(session.context, sealed, CIPHER, exchange).payload == b"long"
    again = sessions.seal(opened, messages.Content(messages.CHANGED, (), b"shorter"))
    assert oscore.header_of(again).partial_iv == b"\0", "the request's nonce is spent"
    assert oscore.unprotect_response(session.context, again, CIPHER, exchange).payload == b"shorter"


def test_nothing_changes_before_a_request_2_holds(sessions):
    session = agree(sessions)
    member = sessions.member(KID)
    standing = member.session
    r2 = offer(sessions, id1_of(2))
    assert member.session is standing
    wrong = Session(Pairing(bytes(16), KID, GATEWAY_ID).context(r2 + id1_of(2, 2)))
    with pytest.raises(WireFault):
        opened_by(sessions, request_of(wrong, kid_context=wrong.kid_context))
    assert member.session is standing and isinstance(opened_by(sessions, request_of(session)), Opened)


@pytest.mark.parametrize("what", ["payload", "id1", "kid"])
def test_a_request_1_that_does_not_hold_is_offered_nothing(sessions, what):
    request, _ = first(id1_of(1))
    header = oscore.header_of(request)
    if what == "payload":
        request = request._replace(payload=bytes(len(request.payload)))
    elif what == "id1":
        header = header._replace(kid_context=wrap(id1_of(9)))
        request = request._replace(options=((messages.OSCORE, oscore.encode_header(header)),))
    with pytest.raises(WireFault):
        opened_by(sessions, request, usual_kid(OTHER) if what == "kid" else KID)
    assert not any(sessions.member(usual_kid(node)).offered for node in (NODE, OTHER))


def test_what_has_no_session_is_told_so_unprotected(sessions):
    session = session_of(b"12345678", id1_of(1))
    for kid_context in (
        None,
        session.kid_context,
        session.context.id_context,
        wrap(b""),
        wrap(b"1234567"),
        wrap(b"123456789"),
        b"\xff",
        b"\x80",
        b"",
    ):
        answer = opened_by(sessions, request_of(session, kid_context=kid_context))
        assert answer == UNKNOWN, kid_context
    assert sessions.counters["keys-unknown"] == 9 and sessions.agreed() == 0


def test_the_same_request_2_again_is_a_replay_and_after_a_restart_nothing(sessions):
    r2 = offer(sessions, id1_of(1))
    session = session_of(r2, id1_of(1, 2))
    request = request_of(session, kid_context=session.kid_context)
    sessions.commit(opened_by(sessions, request))
    with pytest.raises(WireFault, match="oscore-replay"):
        opened_by(sessions, request)
    from_backup = Sessions([key_of(NODE)], CIPHER, Chance(1000))
    assert opened_by(from_backup, request) == UNKNOWN


def test_a_request_that_is_not_taken_may_come_again(sessions):
    session = agree(sessions)
    request = request_of(session)
    assert opened_by(sessions, request).content == opened_by(sessions, request).content
    sessions.commit(opened_by(sessions, request))
    with pytest.raises(WireFault, match="oscore-replay"):
        opened_by(sessions, request)


def test_a_request_2_that_was_held_back_does_not_bring_old_keys_back(sessions):
    """Found in review: the node went on under the newer keys, without a kid context, and was never heard again."""
    old = session_of(offer(sessions, id1_of(1, 1)), id1_of(1, 2))
    held_back = request_of(old, kid_context=old.kid_context)
    new = session_of(offer(sessions, id1_of(1, 3)), id1_of(1, 4))
    sessions.commit(opened_by(sessions, request_of(new, kid_context=new.kid_context)))
    assert opened_by(sessions, held_back) == UNKNOWN
    assert isinstance(opened_by(sessions, request_of(new)), Opened)


def test_an_older_offer_may_be_taken_while_the_newer_one_waits(sessions):
    old = session_of(offer(sessions, id1_of(1, 1)), id1_of(1, 2))
    new = session_of(offer(sessions, id1_of(1, 3)), id1_of(1, 4))
    for session in (old, new):
        opened = opened_by(sessions, request_of(session, kid_context=session.kid_context))
        assert opened.session.context.id_context == session.context.id_context


def test_requests_of_earlier_boots_do_not_hold(sessions):
    old = agree(sessions, boot=1)
    late, late_with_context = request_of(old), request_of(old, kid_context=old.kid_context)
    agree(sessions, boot=2)
    with pytest.raises(WireFault, match="decrypt"):
        opened_by(sessions, late)
    assert opened_by(sessions, late_with_context) == UNKNOWN


def test_a_gateway_from_a_backup_agrees_on_keys_of_its_own():
    keys = []
    for life in range(3):
        sessions = Sessions([key_of(NODE)], CIPHER, Chance(100 * life))
        keys.append(agree(sessions, boot=1 + life).context.sender_key)
    assert len(set(keys)) == 3


def test_offers_are_bounded_and_old_requests_push_out_old_ones_only(sessions):
    recorded = [first(id1_of(boot))[0] for boot in range(1, 20)]
    r2 = offer(sessions, id1_of(50))
    for _ in range(3):
        for request in recorded:
            opened_by(sessions, request)
    assert len(sessions.member(KID).offered) == limits.LINK_OFFERS_MAX
    session = session_of(r2, id1_of(50, 2))
    assert isinstance(opened_by(sessions, request_of(session, kid_context=session.kid_context)), Opened)
    assert not sessions.member(OTHER) and sessions.member(usual_kid(OTHER)).offered == {}


def test_the_newest_request_1_always_finds_a_place(sessions):
    """A node whose flash was lost draws its boots: they may go down."""
    for boot in range(100, 120):
        offer(sessions, id1_of(boot))
    r2 = offer(sessions, id1_of(3))
    session = session_of(r2, id1_of(3, 2))
    assert isinstance(opened_by(sessions, request_of(session, kid_context=session.kid_context)), Opened)


def test_the_same_request_1_gets_the_same_offer_and_takes_no_second_place(sessions):
    assert len({offer(sessions, id1_of(1)) for _ in range(9)}) == 1
    assert len(sessions.member(KID).offered) == 1


def test_who_stays_keeps_its_session_and_who_goes_loses_it(sessions):
    node, other = agree(sessions), agree(sessions, node=OTHER)
    offer(sessions, id1_of(7))
    sessions.set_keys([key_of(NODE)])
    assert sessions.nodes() == {NODE} and sessions.member(usual_kid(OTHER)) is None
    assert isinstance(opened_by(sessions, request_of(node)), Opened) and len(sessions.member(KID).offered) == 1
    sessions.set_keys([key_of(NODE), key_of(OTHER)])
    assert opened_by(sessions, request_of(other), usual_kid(OTHER)) == UNKNOWN
    sessions.set_keys([key_of(NODE)._replace(master_secret=bytes(16)), key_of(OTHER)])
    assert sessions.agreed() == 0


def test_a_node_with_another_kid_is_a_member_of_its_own(sessions):
    agree(sessions)
    sessions.set_keys([key_of(NODE)._replace(kid=b"zz")])
    assert sessions.member(KID) is None and sessions.member(b"zz").session is None


def test_keys_that_cannot_stand_side_by_side():
    one, two = key_of(NODE), key_of(OTHER)
    assert check_keys([one, two]) == []
    (fault,) = check_keys([one, two._replace(kid=one.kid)])
    assert NODE.hex() in fault and OTHER.hex() in fault
    assert check_keys([one, one._replace(kid=b"zz")]) == [f"node {NODE.hex()}: two keys; remove one"]


def test_no_secret_is_shown(sessions):
    session = agree(sessions)
    member = sessions.member(KID)
    opened = opened_by(sessions, request_of(session))
    secrets = (key_of(NODE).master_secret, session.context.sender_key, session.context.recipient_key)
    things = [key_of(NODE), member, member.pairing, member.session, member.session.context, opened, sessions, session]
    things += [opened.exchange, check_keys([key_of(NODE), NodeKey(OTHER, KID, bytes(range(16)))]), [key_of(NODE)]]
    try:
        opened_by(sessions, request_of(session)._replace(payload=bytes(20)))
    except WireFault as fault:
        things += [fault, fault.args]
    for thing in things:
        for text in (repr(thing), str(thing), f"{thing}"):
            assert all(secret.hex() not in text and repr(secret)[2:-1] not in text for secret in secrets)


def test_a_header_with_both_nonces_of_another_node_is_nothing(sessions):
    r2 = offer(sessions, id1_of(1), OTHER)
    session = session_of(r2, id1_of(1, 2))
    assert opened_by(sessions, request_of(session, kid_context=session.kid_context)) == UNKNOWN
