"""The concentrator's own update where it may not go on: programs that fail, old numbers, bad images, a full flash."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator import limits
from concentrator.update import Update
from esp32 import slots
from gateway.core import concentrator_update
from gateway.core.concentrator_update import ACTIVATING, DONE, FAILED, OFFERING, SENDING, TRIAL, UNKNOWN
from simulator.world.flash import Medium
from tests.support.examples import examples
from tests.support.update_rig import UpdateRig, image_of, installed, is_whole
from wire import image, radio, radio_update, slip
from wire.faults import WireFault


def test_a_program_that_crashes_is_tried_three_times_and_never_again():
    rig = UpdateRig()
    rig.crashes = lambda number: number == 2
    rig.core.update.offer(image_of(2))
    update = rig.until(FAILED)
    assert rig.boots == [1, 2, 2, 2, 1] and update.why == concentrator_update.FELL_BACK
    rig.run(120_000)
    rig.gateway(image_of(2))
    rig.until(FAILED)
    rig.run(120_000)
    assert rig.boots == [1, 2, 2, 2, 1], "the concentrator remembers the number"
    rig.core.update.offer(image_of(3))
    rig.until(DONE)
    assert rig.boots[-1] == 3


@pytest.mark.parametrize("lacks", ["radio", "gateway"])
def test_a_program_without_its_radio_or_its_gateway_falls_back(lacks):
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    rig.until(TRIAL)
    if lacks == "radio":
        rig.radio_is_whole = False
    else:
        rig.loses = lambda _frame: True
    rig.boot()
    rig.run(2 * limits.TRIAL_MAX_MS - 1_000, 500)
    assert rig.boots == [1, 2, 2, 2], "the third trial runs"
    rig.run(5_000, 500)
    assert rig.boots == [1, 2, 2, 2, 1]
    rig.loses = lambda _frame: False
    assert rig.until(FAILED).why == concentrator_update.FELL_BACK


def test_nothing_is_written_while_a_program_is_on_trial():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    rig.until(TRIAL)
    before = dict(rig.medium.files)
    rig.core.update.offer(image_of(3))
    rig.run(30_000)
    assert {path: data for path, data in rig.medium.files.items() if path.startswith("a")} == {
        path: data for path, data in before.items() if path.startswith("a")
    }
    rig.until(DONE)
    assert rig.boots == [1, 2, 3]


@pytest.mark.parametrize("number", [1, 4, 5])
def test_an_older_number_is_not_offered_and_would_not_be_taken(number):
    rig = UpdateRig(running=5)
    rig.core.update.offer(image_of(number))
    state = rig.until(FAILED, DONE)
    assert (state.state, state.why) == ((DONE, "") if number == 5 else (FAILED, "number"))
    assert rig.operations == [] and not set(rig.sent) & set(radio_update.ASKED), "not a byte was sent"
    one = image_of(number)
    rig.bridge.on_serial(slip.encode(radio_update.offer(one.digest, number, len(one.manifest))))
    assert answers(rig)[-1].answer == "number"


def test_the_floor_stays_when_the_program_that_raised_it_is_gone():
    rig = UpdateRig()
    assert slots.confirm(rig.store, 0, 9)
    rig.boot()
    rig.core.update.offer(image_of(8))
    assert rig.until(FAILED).why == "number" and "begin" not in rig.operations


def answers(rig):
    told = []
    while body := rig.update.next_body():
        told.append(radio_update.decode(body))
    return told


def forced(rig, one):
    """An image that our gateway would not have sent, past its own look at it."""
    rig.core.update.offer(one)
    return rig.until(FAILED).why


def test_another_product_is_refused():
    rig = UpdateRig()
    assert forced(rig, image_of(2, product="streetlight")) == "product"


@pytest.mark.parametrize(
    "path", ["../x.py", "/x.py", "x", "a/../../b.py", "..py", "wire//x.py", "A.py", "x.py/y", "ü.py"]
)
def test_a_path_that_leads_elsewhere_is_refused(path):
    rig = UpdateRig()
    before = set(rig.medium.files)
    assert forced(rig, image_of(2, files={path: b"x"})) == "path"
    rig.run(1_000)
    assert set(rig.medium.files) <= before | {"b"} and not image.is_path(path)


def test_a_manifest_whose_number_is_not_the_offered_one_is_refused():
    rig = UpdateRig(running=5)
    assert forced(rig, image_of(3)._replace(number=9)) == "number"


def test_a_file_that_is_not_what_was_signed_is_refused_after_a_few_times():
    rig = UpdateRig()
    good = image_of(2)
    assert forced(rig, good._replace(files=(*good.files[:2], b"evil" * 150))) == "digest"
    rig.run(5_000)
    assert not is_whole(rig.medium, "b") and rig.store.read().trial == 0


def test_a_flash_that_returns_other_bytes_is_noticed():
    rig = UpdateRig()
    rig.medium.damages = lambda path, data: data[:-1] + b"?" if path == "b/clock.py" else data
    rig.core.update.offer(image_of(2))
    assert rig.until(FAILED).why == "digest" and rig.boots == [1]


def test_a_full_disk_is_told_and_left_as_it_was():
    rig = UpdateRig()
    used = rig.medium.used_bytes()
    rig.medium.bytes_max = used + 700
    rig.core.update.offer(image_of(2))
    assert rig.until(FAILED).why == "space"
    rig.run(5_000)
    assert rig.medium.used_bytes() == used


def test_without_a_loader_nothing_is_taken():
    rig = UpdateRig()
    rig.update = Update(number=0, floor=0, phase=radio_update.FIXED, failed=0, now_ms=0)
    rig.bridge._update = rig.update
    rig.core.update.offer(image_of(2))
    assert rig.until(FAILED).why == radio_update.FIXED


def test_a_concentrator_that_knows_nothing_of_it_is_sent_nothing_but_a_question_a_minute():
    rig = UpdateRig()
    rig.bridge._update = None
    rig.core.update.offer(image_of(2))
    rig.run(600_000, 100)
    assert rig.core.update.state == UNKNOWN and rig.chunks == 0
    assert rig.bridge.counters["unknown-kinds"] == 0 and rig.core.counters["asked"] <= 12


def test_what_failed_is_not_offered_after_a_restart_of_the_agent():
    rig = UpdateRig()
    rig.gateway(image_of(2), failed="digest")
    rig.run(60_000)
    assert rig.core.update.state == FAILED and rig.operations == []


def test_an_image_that_is_replaced_on_the_way_gives_way():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2, files={"concentrator/main.py": bytes(40_000)}))
    rig.until(SENDING)
    rig.run(500)
    rig.core.update.offer(image_of(3))
    rig.until(DONE)
    assert rig.boots == [1, 3]
    rig.core.update.offer(None)
    assert rig.core.health()["concentrator"]["update"] == "none"


def test_the_choice_that_cannot_be_written_is_told():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    rig.until(ACTIVATING)
    rig.files._choose = lambda _number: False
    assert rig.until(FAILED).why == "state" and rig.boots == [1]


# --- bytes from the line --------------------------------------------------------------------------------------------


@examples(times=2)
@given(st.lists(st.binary(max_size=260), max_size=20))
def test_any_bytes_do_no_harm(pieces):
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    rig.until(OFFERING)
    for piece in pieces:
        for kind in (*radio_update.ASKED, *radio_update.TOLD):
            rig.bridge.on_serial(slip.encode(bytes((kind,)) + piece))
            if kind in radio_update.TOLD:
                tag = image_of(2).digest[: radio_update.TAG_BYTES]
                rig.core.update.on_body(bytes((radio_update.WANT,)) + tag + b"\0" + piece, now_ms=rig.now_ms)
        rig.step()
    rig.core.update.offer(image_of(3))
    rig.until(DONE, FAILED)
    if rig.core.update.state == FAILED:  # a drawn STATE or WANT said so
        rig.core.update.offer(image_of(4))


@examples(times=2)
@given(st.binary(max_size=260))
def test_a_body_is_decoded_or_refused_with_a_reason(body):
    for kind in range(256):
        try:
            radio_update.decode(bytes((kind,)) + body)
        except WireFault as fault:
            assert fault.reason in ("kind", "short", "long")


@examples(times=2)
@given(st.binary(max_size=300))
def test_a_manifest_is_decoded_or_refused(data):
    with contextlib.suppress(WireFault):
        image.decode(data)


def test_the_kinds_of_both_protocols_are_different():
    kinds = [*radio._READERS, *radio_update.TOLD, *radio_update.ASKED]
    assert len(set(kinds)) == len(kinds)


def test_a_first_installation_needs_no_choice():
    medium = Medium()
    installed(medium, "a", image_of(7))
    rig = UpdateRig(medium=medium)
    assert rig.boots == [7] and rig.store.read() == slots.State(0, 0, 0, 0, 0)
