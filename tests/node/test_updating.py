"""A node takes a new program over its own link, from a gateway that only carries it, and nobody else's."""

import errno
from itertools import pairwise

import pytest

from gateway.core.link.images import NodeImages
from tests.support.node_update_rig import NodeUpdateRig, image, offered
from tests.support.signed_image import STRANGER
from tests.support.update_rig import is_whole
from wire import cose
from wire.image import DIGEST_BYTES, File, Manifest, Question, decode, decode_question, encode, question


def taken(rig, number=2):
    rig.until(lambda: rig.boots[-1] == number)
    return rig


def test_a_new_program_is_fetched_verified_stored_and_tried():
    rig = NodeUpdateRig()
    rig.offer(offered(image(2)))
    taken(rig)
    assert rig.outcomes == [(2, "ready")] and rig.boots == [1, 2]
    assert rig.boot.is_trial and is_whole(rig.medium, "b") and is_whole(rig.medium, "a")
    rig.confirm()
    rig.start("reset")
    assert rig.boots == [1, 2, 2] and not rig.boot.is_trial


def test_it_gets_there_over_a_link_that_loses_a_fifth_of_its_datagrams():
    rig = NodeUpdateRig()
    rig.loses = lambda _datagram: rig.random.randrange(5) == 0
    rig.offer(offered(image(2)))
    taken(rig)
    assert is_whole(rig.medium, "b")


def test_without_a_reason_to_restart_it_waits_for_the_trade():
    rig = NodeUpdateRig()
    rig.may_restart = False
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.outcomes)
    rig.run(60_000)
    assert rig.boots == [1]
    rig.may_restart = True
    taken(rig)


@pytest.mark.parametrize(
    ("served", "word"),
    [
        (lambda: offered(image(2), signer=STRANGER), "signer"),
        (lambda: offered(image(2), signer=STRANGER, kid=cose.kid_of(NodeUpdateRig().keys[0])), "signature"),
        (lambda: offered(image(2), aad=cose.COMMAND_AAD), "signature"),
        (lambda: offered(image(2, product="thermostat")), "product"),
        (lambda: offered(image(2))._replace(signed=b"rubbish"), "manifest"),
    ],
)
def test_what_is_not_signed_for_this_kind_by_a_known_key_is_refused_once_and_touches_nothing(served, word):
    rig = NodeUpdateRig()
    before = dict(rig.medium.files)
    rig.offer(served())
    rig.run(86_400_000 // 4)
    assert [outcome for _, outcome in rig.outcomes] == [word]
    assert rig.boots == [1] and rig.medium.files == before


def test_a_gateway_that_alters_a_file_is_noticed_and_given_up():
    rig = NodeUpdateRig()
    good = offered(image(2))
    rig.offer(good._replace(files=(*good.files[:-1], b"program X")))
    rig.until(lambda: rig.outcomes)
    assert rig.outcomes == [(2, "digest")] and rig.boots == [1]
    rig.offer(good)
    rig.until(lambda: rig.boots[-1] == 2, for_ms=2 * 86_400_000)


@pytest.mark.parametrize("number", [1, 3])
def test_never_backwards_and_not_the_same_again(number):
    rig = NodeUpdateRig(running=3)
    rig.offer(offered(image(number)))
    rig.run(600_000)
    assert rig.boots == [3] and rig.outcomes == []


@pytest.mark.slow
def test_what_was_given_up_is_not_tried_again_and_the_next_number_is():
    rig = NodeUpdateRig()
    rig.runs = lambda number: "crash" if number == 2 else "well"
    rig.offer(offered(image(2)))
    rig.until(lambda: len(rig.boots) == 5)
    assert rig.boots == [1, 2, 2, 2, 1] and rig.boot.failed == 2
    rig.run(86_400_000 // 2)
    assert len(rig.boots) == 5
    rig.offer(offered(image(3)))
    rig.until(lambda: rig.boots[-1] == 3, for_ms=86_400_000)


@pytest.mark.slow
def test_an_image_that_is_not_new_costs_one_short_exchange_a_look():
    rig = NodeUpdateRig()
    rig.offer(offered(image(1)))
    rig.run(60_000)
    before = rig.images.asked
    rig.run(86_400_000)
    assert 3 <= rig.images.asked - before <= 8


def test_an_image_that_is_withdrawn_in_the_middle_is_looked_for_again():
    rig = NodeUpdateRig()
    rig.offer(offered(image(2)))
    rig.until(lambda: "b/clock.py" in rig.medium.files)
    rig.offer()
    rig.run(60_000)
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.boots[-1] == 2, for_ms=86_400_000)


def test_a_gateway_that_wants_patience_is_asked_again_after_it_and_told_what_runs():
    rig = NodeUpdateRig(running=4)
    asked = []

    def judge(question, _image, is_manifest, *, now_ms):
        if is_manifest:
            asked.append((now_ms, decode_question(question.query)))
        return 120 if len(asked) < 3 else 0

    rig.images = NodeImages(rig.gateway, judge)
    rig.offer(offered(image(5)))
    rig.until(lambda: rig.boots[-1] == 5)
    assert {question for _, question in asked} == {Question(4, None, False)}
    pauses_s = [(later - first) // 1000 for (first, _), (later, _) in pairwise(asked[:3])]
    assert len(pauses_s) == 2 and all(120 <= pause_s <= 136 for pause_s in pauses_s)


def test_a_complete_image_that_is_no_longer_offered_is_not_tried():
    rig = NodeUpdateRig()
    rig.may_restart = False
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.outcomes)
    rig.offer()
    rig.may_restart = True
    rig.run(60_000)
    assert rig.boots == [1] and is_whole(rig.medium, "b")
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.boots[-1] == 2, for_ms=86_400_000)


def test_before_its_restart_it_asks_until_the_gateway_answers():
    rig = NodeUpdateRig()
    rig.may_restart = False
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.outcomes)
    rig.may_restart, rig.loses = True, lambda _datagram: True
    rig.run(120_000)
    assert rig.boots == [1]
    rig.loses = lambda _datagram: False
    rig.until(lambda: rig.boots[-1] == 2)


def test_another_image_in_the_middle_takes_its_place():
    rig = NodeUpdateRig()
    rig.offer(offered(image(2)))
    rig.until(lambda: "b/clock.py" in rig.medium.files)
    rig.offer(offered(image(3)))
    rig.until(lambda: rig.boots[-1] == 3, for_ms=86_400_000)
    assert is_whole(rig.medium, "b")


def test_without_keys_nothing_is_believed():
    rig = NodeUpdateRig()
    rig.updating._keys = ()
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.outcomes)
    assert rig.outcomes == [(0, "signer")] and rig.boots == [1]


@pytest.mark.slow
def test_a_full_flash_is_told_and_the_node_goes_on():
    rig = NodeUpdateRig()
    rig.medium.bytes_max = rig.medium.used_bytes() + 900
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.outcomes)
    assert rig.outcomes == [(2, "space")] and rig.boots == [1]
    rig.run(10_000)
    assert rig.medium.listdir("b") == [], "half an image leaves no room for settings, counters and records"
    asked = rig.images.asked
    rig.run(3_600_000)
    assert rig.images.asked == asked
    rig.medium.bytes_max = 1 << 20
    rig.until(lambda: rig.boots[-1] == 2, for_ms=2 * 86_400_000)


def test_a_file_that_cannot_even_be_closed_is_taken_away_all_the_same():
    rig = NodeUpdateRig()
    rig.medium.bytes_max = rig.medium.used_bytes() + 900

    def refuses_to_close(path, mode):
        opened = type(rig.medium).open(rig.medium, path, mode)
        if mode == "wb" and path.startswith("b/"):
            write, close = opened.write, opened.close
            failed = []

            def wrote(data):
                try:
                    write(data)
                except OSError:
                    failed.append(path)
                    raise

            def closed():
                if failed:
                    raise OSError(errno.ENOSPC, path)
                close()

            opened.write, opened.close = wrote, closed
        return opened

    rig.files._open = refuses_to_close
    rig.offer(offered(image(2)))
    rig.until(lambda: rig.outcomes)
    rig.run(10_000)
    assert rig.medium.listdir("b") == []


def test_a_manifest_has_room_for_more_modules_than_any_node_has():
    files = [File(f"heating/module_{number}.mpy", 3000, bytes(DIGEST_BYTES)) for number in range(180)]
    made = Manifest("thermostat", 2, "0.2.0", files)
    assert decode(encode(made)) == made


def test_a_question_says_what_the_node_starts_from_and_a_malformed_one_nothing():
    assert decode_question(question(7, 6, True)) == Question(7, 6, True)
    assert decode_question(question(0, 0, False)) == Question(0, None, False)
    assert decode_question((b"n=", b"x=-1", b"n", b"q=1", b"n=99999999999")) == Question(None, None, False)
