"""Few datagrams of the proof on a hostile peer, and the planted bugs that it must see."""

import json

import pytest

from gateway.core.link import sessions
from gateway.core.link.link import Link
from gateway.core.link.sessions import Sessions
from gateway.io.crypto import AesCcm
from simulator.world.chance import Prng
from tools import cli
from tools.prove import fuzz
from tools.prove.fuzz_attacker import Attacker
from tools.prove.fuzz_checker import COUNTS, Checker, answer_to, message_of
from wire import ccm, coap, coap_exchange, oscore
from wire import coap_message as messages
from wire.faults import WireFault
from wire.oscore_link import NodeLink

DATAGRAMS = 2000


def test_a_hostile_peer_does_nothing_and_stops_nothing(capsys):
    assert cli.main(["prove", "fuzz", "--datagrams", "5000", "--seed", "7", "--json"]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert not any(figures[name] for name in (*COUNTS, "starved", "unfinished"))
    assert figures["reboots"] == 2 and sum(figures["kinds"].values()) == 5000
    assert "5000/5000 datagrams" in said.err and "nothing wrong" in said.err
    assert figures["completed"] > 80 and figures["sealed"] > 200
    node, gateway = figures["node"], figures["gateway"]
    assert figures["heard_again"] <= node["keys-lost"]
    met = ("handshakes", "keys-lost", "unauthentic", "unprotected", "strange", "resets", "unmatched-response")
    assert min(node[name] for name in met) > 0
    ends = ("handshakes", "agreed", "keys-unknown", "unprotected", "unknown-node", "unauthentic", "replayed")
    assert min(gateway[name] for name in (*ends, "session-handed", "duplicates", "resets")) > 0


def test_one_seed_is_one_run():
    one, other = (fuzz.prove(600, 5) for _ in range(2))
    chance = ("wall_s", "datagrams_per_s", "blocks_grown")
    assert [{key: value for key, value in run.items() if key not in chance} for run in (one, other)] == [
        {key: value for key, value in one.items() if key not in chance}
    ] * 2
    assert fuzz.prove(600, 6)["kinds"] != one["kinds"]


def caught(figure, datagrams=DATAGRAMS):
    """The proof sees the planted bug, and this figure says so."""
    figures = fuzz.prove(datagrams, 3, until=figure)
    assert figures[figure] > 0 and not fuzz.is_proven(figures)
    return figures


def test_a_replay_window_that_is_ignored_is_caught(monkeypatch):
    monkeypatch.setattr(oscore, "window_allows", lambda window, number: True)
    monkeypatch.setattr(oscore, "window_with", lambda window, number: window)
    caught("doubled")


def unsealed_unverified(cipher, key, nonce, aad, sealed):
    """Planted: whatever the tag is. Zeros that are sealed are the key stream."""
    hidden = sealed[: -ccm.TAG_BYTES]
    return ccm.xor(hidden, cipher.seal(key, nonce, aad, (bytes(len(hidden)),)))


def test_a_tag_that_is_not_compared_is_caught(monkeypatch):
    monkeypatch.setattr(AesCcm, "unseal", unsealed_unverified)
    caught("forged")


def test_a_response_that_does_not_hold_and_is_believed_is_caught(monkeypatch):
    real = oscore.unprotect_response

    def trusting(context, response, cipher, exchange, **more):
        try:
            return real(context, response, cipher, exchange, **more)
        except WireFault:
            return messages.Content(messages.CHANGED, (), response.payload)

    monkeypatch.setattr(oscore, "unprotect_response", trusting)
    caught("forged")


def test_an_exception_is_caught_counted_and_shown(monkeypatch, capsys):
    real = oscore.header_of

    def fragile(message):
        return real(message) if len(message.payload) > 5 else message.payload[9]

    monkeypatch.setattr(oscore, "header_of", fragile)
    caught("exceptions")
    assert "IndexError" in capsys.readouterr().err


def test_a_counter_that_is_left_out_is_caught(monkeypatch, capsys):
    real = coap.Endpoint._count
    monkeypatch.setattr(coap.Endpoint, "_count", lambda end, name: None if name == "resets" else real(end, name))
    caught("miscounted")
    assert "by kind" in capsys.readouterr().err


@pytest.mark.slow
def test_a_table_without_a_bound_is_caught(monkeypatch, capsys):
    class Boundless(coap_exchange.Memory):
        def __init__(self, **bounds):
            super().__init__(**bounds | {"in_all_max": 1000, "per_peer_max": 1000})

    monkeypatch.setattr(coap, "Memory", Boundless)
    caught("over_limit", 20_000)
    assert "remembered has" in capsys.readouterr().err


def test_memory_that_grows_by_an_object_a_datagram_is_caught(monkeypatch):
    kept, real = [], coap.Endpoint.receive

    def hoarding(end, datagram, peer, *, now_ms):
        kept.append(bytes(datagram) + b"!")
        return real(end, datagram, peer, now_ms=now_ms)

    monkeypatch.setattr(coap.Endpoint, "receive", hoarding)
    figures = fuzz.prove(DATAGRAMS, 3)
    assert figures["blocks_grown"] > 1000 and not fuzz.is_proven(figures)


def test_a_request_that_is_never_taken_is_caught(monkeypatch):
    monkeypatch.setattr(Sessions, "commit", lambda sessions, opened: None)
    caught("doubled")


def test_an_option_that_nobody_authenticated_is_caught(monkeypatch):
    monkeypatch.setattr(oscore, "vouched", lambda content: content)
    caught("forged")


def test_an_answer_in_the_clear_that_is_believed_is_caught(monkeypatch):
    real = oscore.unprotect_response

    def trusting(context, response, cipher, exchange, **more):
        if messages.option_values(response.options, messages.OSCORE):
            return real(context, response, cipher, exchange, **more)
        return messages.Content(messages.CHANGED, (), response.payload)

    monkeypatch.setattr(oscore, "unprotect_response", trusting)
    caught("forged")


@pytest.mark.slow
def test_nonces_that_repeat_from_boot_to_boot_are_caught(monkeypatch):
    monkeypatch.setattr(NodeLink, "_nonce", lambda link: b"constant")
    real = Sessions.__init__
    monkeypatch.setattr(Sessions, "__init__", lambda sessions, keys, cipher, _: real(sessions, keys, cipher, bytes))
    caught("nonces_reused", 20_000)


def test_offers_without_a_bound_are_caught(monkeypatch, capsys):
    real = Sessions._offer

    def boundless(sessions, member, header, request, id1):
        answer = real(sessions, member, header, request, id1)
        for number in range(6):
            member.offered[b"%d" % number] = b""
        return answer

    monkeypatch.setattr(Sessions, "_offer", boundless)
    caught("over_limit")
    assert "link offered has" in capsys.readouterr().err


def test_a_counter_of_the_gateway_that_is_left_out_is_caught(monkeypatch, capsys):
    monkeypatch.setattr(Link, "_note_unknown", lambda link, kid, peer, now_ms: link._counters.update({"replayed": 0}))
    caught("miscounted")
    assert "became something" in capsys.readouterr().err


def test_an_exception_of_the_gateway_is_caught(monkeypatch, capsys):
    monkeypatch.setattr(sessions, "_unwrapped", lambda kid_context: kid_context[17:] or kid_context[99])
    caught("exceptions")
    assert "IndexError" in capsys.readouterr().err


def test_a_gateway_that_is_mute_is_caught(monkeypatch):
    monkeypatch.setattr(fuzz, "_SETTLE_MS", 600_000)
    monkeypatch.setattr(Link, "respond", lambda link, exchange, code, payload=b"", *, now_ms: None)
    assert caught("starved")["unfinished"]


# --- the checker and the attacker by themselves -----------------------------------------------------------


def test_the_checker_knows_a_message_in_every_part():
    checker = Checker(1)
    numbers = [checker.next_request() for _ in range(2)]
    content = message_of(1, numbers[1])
    checker.on_request(content)
    assert checker.heard == 1 and not any(checker.counts.values())
    for forged in (
        content._replace(code=messages.PUT),
        content._replace(payload=content.payload + b"\0"),
        content._replace(options=content.options[:-1]),
        message_of(2, numbers[1]),
        message_of(1, 2),
        messages.Content(messages.POST, (), b""),
    ):
        before = checker.counts["forged"]
        checker.on_request(forged)
        assert checker.counts["forged"] == before + 1, forged
    checker.on_request(content)
    assert checker.counts["doubled"] == 0 and checker.heard_again == 1, "asked again, with other keys"
    checker.on_request(content)
    assert checker.counts["doubled"] == 1
    checker.on_answer(0, answer_to(message_of(1, 0)))
    assert checker.counts["unheard"] == 1, "an answer to what nobody heard"


def test_the_attacker_remembers_no_more_than_it_may():
    attacker = Attacker(Prng(1), (fuzz.NODE, fuzz.GATEWAY), (b"n", b"g"), b"c")
    for number in range(5000):
        attacker.overhear(fuzz.NODE, fuzz.GATEWAY, messages.empty(messages.CON, number))
    assert len(attacker._old) + len(attacker._recent) < 300
    ends = {fuzz.NODE, fuzz.GATEWAY}
    strikes = [attacker.next_datagram() for _ in range(2000)]
    assert all(hostile.destination in ends and hostile.source != hostile.destination for hostile in strikes)
    strangers = sum(hostile.source not in ends for hostile in strikes)
    assert 400 < strangers < 800 and all(attacker.kinds.values())


@pytest.mark.parametrize("figure", [*COUNTS, "starved", "unfinished"])
def test_every_figure_that_must_be_zero_decides(figure):
    sound = dict.fromkeys((*COUNTS, "starved", "unfinished", "blocks_grown"), 0) | {"completed": 1, "kinds": {"x": 1}}
    assert fuzz.is_proven(sound)
    assert not fuzz.is_proven(sound | {figure: 1}) and not fuzz.is_proven(sound | {"kinds": {"x": 0}})
