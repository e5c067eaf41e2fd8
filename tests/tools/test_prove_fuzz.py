"""Few datagrams of the proof on a hostile peer, and the planted bugs that it must see."""

import json

import pytest

from simulator.prng import Prng
from tools import cli
from tools.prove import fuzz, fuzz_party
from tools.prove.fuzz_attacker import Attacker
from tools.prove.fuzz_checker import COUNTS, Checker, message_of
from tools.prove.fuzz_party import answer_to
from wire import ccm, coap, coap_memory, oscore, oscore_window
from wire import coap_message as messages

DATAGRAMS = 3000


def test_a_hostile_peer_does_nothing_and_stops_nothing(capsys):
    assert cli.main(["prove", "fuzz", "--datagrams", "5000", "--seed", "7", "--json"]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert not any(figures[name] for name in (*COUNTS, "starved", "unfinished"))
    assert figures["completed"] > 150 and figures["reboots"] == 2 and sum(figures["kinds"].values()) == 5000
    for side in ("node", "gateway"):
        met = figures[side]
        assert (
            min(met[f"session-{name}"] for name in ("handed", "challenged", "decrypt", "oscore-replay", "unknown")) > 0
        )
        assert min(met[name] for name in ("duplicates", "resets", "unmatched-response", "option-refused")) > 0
    assert "5000/5000 datagrams" in said.err and "nothing wrong" in said.err


def test_one_seed_is_one_run():
    one, other = (fuzz.prove(600, 5) for _ in range(2))
    chance = ("wall_s", "datagrams_per_s", "blocks_grown")
    assert [{key: value for key, value in run.items() if key not in chance} for run in (one, other)] == [
        {key: value for key, value in one.items() if key not in chance}
    ] * 2
    assert fuzz.prove(600, 6)["kinds"] != one["kinds"]


def caught(figure, datagrams=DATAGRAMS):
    """The proof sees the planted bug, and this figure says so."""
    figures = fuzz.prove(datagrams, 3)
    assert figures[figure] > 0 and not fuzz.is_proven(figures)
    return figures


def test_a_replay_window_that_is_ignored_is_caught(monkeypatch):
    monkeypatch.setattr(oscore_window, "is_fresh", lambda window, number: True)
    monkeypatch.setattr(oscore_window, "accept", lambda window, number: window)
    caught("doubled")


def test_a_window_that_begins_anew_at_a_boot_is_caught(monkeypatch):
    start = fuzz_party.Party._start
    monkeypatch.setattr(fuzz_party.Party, "_start", lambda party, window: start(party, oscore.NEW))
    caught("doubled")


def test_a_tag_that_is_not_compared_is_caught(monkeypatch):
    monkeypatch.setattr(ccm, "is_equal", lambda one, other: True)
    caught("forged")


def test_a_response_that_is_not_bound_to_its_request_is_caught(monkeypatch):
    def unbound(context, response, cipher, exchange):
        return oscore.Content(messages.CHANGED, (), response.payload)

    monkeypatch.setattr(oscore, "unprotect_response", unbound)
    caught("forged")


def test_a_message_without_protection_that_is_acted_on_is_caught(monkeypatch):
    real = fuzz_party.Party._on_request

    def trusting(party, request, now_ms):
        if not messages.option_values(request.options, messages.OSCORE):
            party.seen.append(request)
        return real(party, request, now_ms)

    monkeypatch.setattr(fuzz_party.Party, "_on_request", trusting)
    caught("forged")


def test_an_option_that_nobody_authenticated_is_caught(monkeypatch):
    monkeypatch.setattr(fuzz_party, "authenticated", lambda content: content)
    caught("forged")


def test_a_sequence_that_begins_anew_at_a_boot_is_caught(monkeypatch):
    real = oscore.SenderSequence
    monkeypatch.setattr(oscore, "SenderSequence", lambda reserved_end: real(0))
    caught("nonces_reused")


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


def test_a_table_without_a_bound_is_caught(monkeypatch, capsys):
    class Boundless(coap_memory.Memory):
        def __init__(self, **bounds):
            super().__init__(**bounds | {"in_all_max": 1000, "per_peer_max": 1000})

    monkeypatch.setattr(coap, "Memory", Boundless)
    caught("over_limit")
    assert "remembered has" in capsys.readouterr().err


def test_memory_that_grows_by_an_object_a_datagram_is_caught(monkeypatch):
    kept, real = [], coap.Endpoint.receive

    def hoarding(end, datagram, peer, *, now_ms):
        kept.append(bytes(datagram) + b"!")
        return real(end, datagram, peer, now_ms=now_ms)

    monkeypatch.setattr(coap.Endpoint, "receive", hoarding)
    figures = fuzz.prove(DATAGRAMS, 3)
    assert figures["blocks_grown"] > 1000 and not fuzz.is_proven(figures)


def test_a_link_that_stands_still_is_caught(monkeypatch):
    monkeypatch.setattr(fuzz, "_SETTLE_MS", 60_000)
    monkeypatch.setattr(fuzz_party.Party, "_hand_on", lambda party, request, *_: "handed")
    figures = caught("starved")
    assert figures["unfinished"] and not figures["completed"]


# --- the checker and the attacker by themselves -----------------------------------------------------------


def test_the_checker_knows_a_message_in_every_part():
    checker = Checker(1)
    numbers = [checker.asked("node") for _ in range(2)]
    content = message_of(1, "node", numbers[1])
    checker.saw("node", content)
    assert checker.heard == 1 and not any(checker.counts.values())
    for forged in (
        content._replace(code=messages.PUT),
        content._replace(payload=content.payload + b"\0"),
        content._replace(options=content.options[:-1]),
        message_of(1, "gateway", numbers[1]),
        message_of(2, "node", numbers[1]),
        message_of(1, "node", 2),
        oscore.Content(messages.POST, (), b""),
    ):
        before = checker.counts["forged"]
        checker.saw("node", forged)
        assert checker.counts["forged"] == before + 1, forged
    checker.saw("node", content)
    assert checker.counts["doubled"] == 1
    checker.got("node", 0, answer_to(message_of(1, "node", 0)))
    assert checker.counts["unheard"] == 1, "an answer to what nobody heard"


def test_a_second_sending_with_echo_is_one_of_its_own():
    checker = Checker(1)
    content = message_of(1, "node", checker.asked("node"))
    echoed = content._replace(options=(*content.options, (messages.ECHO, b"12345678")))
    checker.saw("node", content)
    checker.saw("node", echoed)
    assert checker.counts["doubled"] == 0 and checker.heard_again == 1
    checker.saw("node", echoed)
    assert checker.counts["doubled"] == 1


def test_the_attacker_remembers_no_more_than_it_may():
    attacker = Attacker(Prng(1), (fuzz.NODE, fuzz.GATEWAY), (b"n", b"g"), b"c")
    for number in range(5000):
        attacker.overhear(fuzz.NODE, fuzz.GATEWAY, messages.empty(messages.CON, number))
    assert len(attacker._old) + len(attacker._recent) < 300
    ends = {fuzz.NODE, fuzz.GATEWAY}
    strikes = [attacker.strike() for _ in range(2000)]
    assert all(strike.destination in ends and strike.source != strike.destination for strike in strikes)
    strangers = sum(strike.source not in ends for strike in strikes)
    assert 400 < strangers < 800 and all(attacker.kinds.values())


@pytest.mark.parametrize("figure", [*COUNTS, "starved", "unfinished"])
def test_every_figure_that_must_be_zero_decides(figure):
    sound = dict.fromkeys((*COUNTS, "starved", "unfinished", "blocks_grown"), 0) | {"completed": 1, "kinds": {"x": 1}}
    assert fuzz.is_proven(sound)
    assert not fuzz.is_proven(sound | {figure: 1}) and not fuzz.is_proven(sound | {"kinds": {"x": 0}})
