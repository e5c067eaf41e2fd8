"""The concentrator's own update, both sides joined: lost frames, restarts and power cuts at every step, bad images."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator import limits
from concentrator.update import Update
from esp32 import slots
from gateway.core import concentrator_update
from gateway.core.concentrator_update import ACTIVATING, DONE, FAILED, OFFERING, SENDING, TRIAL, UNKNOWN
from tests.support.flash_medium import Cut, Medium
from tests.support.update_rig import UpdateRig, cut_free, image_of, installed, is_whole
from wire import image, radio, radio_update, slip
from wire.faults import WireFault


def test_an_image_arrives_is_tried_and_confirmed():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    rig.until(TRIAL)
    assert rig.boots == [1, 2] and rig.update.phase == radio_update.TRIAL
    rig.until(DONE)
    assert rig.now_ms >= limits.TRIAL_MIN_MS and rig.update.phase == radio_update.CONFIRMED
    assert rig.store.read() == slots.State(1, 2, 0, 0, 0)
    assert rig.events() == ["concentrator-update-begun", "concentrator-update-activated", "concentrator-updated"]
    health = rig.core.health()["concentrator"]
    assert (health["number"], health["phase"], health["update"]) == (2, "confirmed", "done")
    rig.core.update.offer(image_of(3))
    rig.until(DONE)
    assert rig.boots == [1, 2, 3] and is_whole(rig.medium, "a"), "the folders take turns"


def test_no_turn_reads_or_writes_more_than_a_piece_and_asks_for_more_than_one_operation():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2, files={"concentrator/main.py": bytes(20_000)}))
    rig.until(DONE)
    assert 0 < rig.bytes_a_turn_max <= limits.PIECE_BYTES


def test_datagrams_cross_while_an_image_does():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2, files={"concentrator/main.py": bytes(40_000)}))
    rig.until(SENDING)
    mac = b"\x02\x00\x00\x00\x00\x09"
    for _ in range(50):
        rig.bridge.on_radio(mac, -80, b"up")
        rig.core.send(("radio", mac), b"down", now_ms=rig.now_ms)
        rig.step()
        assert [action[-1] for action in rig.bridge.take_actions() if action[0] == "send"] == [b"down"]
        rig.bridge.on_done(True)
    assert rig.core.counters["up"] == 50 and rig.core.update.state == SENDING


@pytest.mark.parametrize("lost_permille", [0, 100, 300])
def test_a_line_that_loses_frames_delays_it_only(lost_permille):
    rig = UpdateRig()
    state = [7]

    def loses(_frame):
        state[0] = (state[0] * 1103515245 + 12345) & 0x7FFFFFFF
        return (state[0] >> 8) % 1000 < lost_permille

    rig.loses = loses
    rig.core.update.offer(image_of(2))
    rig.until(DONE, for_ms=3_600_000)
    assert is_whole(rig.medium, "b") and rig.boots == [1, 2]


def steps_of_a_whole_update():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    steps = 0
    while rig.core.update.state != TRIAL:
        rig.step()
        steps += 1
    return steps


STEPS = steps_of_a_whole_update()


@pytest.mark.parametrize("who", ["gateway", "concentrator", "both"])
def test_a_restart_of_either_side_at_every_step_costs_time_only(who):
    assert STEPS > 15
    for at in range(STEPS + 3):
        rig = UpdateRig()
        rig.core.update.offer(image_of(2))
        for _ in range(at):
            rig.step()
        if who != "gateway":
            rig.boot()
        if who != "concentrator":
            rig.gateway(image_of(2))
        rig.until(DONE)
        assert rig.boots[-1] == 2 and rig.store.read().failed == 0


def test_a_restart_resumes_with_the_file_that_was_under_way():
    files = {f"wire/f{number}.py": bytes([number]) * 2_000 for number in range(20)}
    rig = UpdateRig()
    rig.core.update.offer(image_of(2, files=files))
    rig.until(SENDING)
    while rig.chunks < 200:
        rig.step()
    rig.boot()
    rig.until(DONE)
    whole = UpdateRig()
    whole.core.update.offer(image_of(2, files=files))
    whole.until(DONE)
    assert rig.chunks <= whole.chunks + 2_000 // radio_update.CHUNK_BYTES_MAX + 2


def test_the_power_cut_at_every_operation_on_files_leaves_what_starts_and_the_update_goes_on():
    whole = UpdateRig()
    whole.core.update.offer(image_of(2))
    whole.until(DONE)
    whole.core.update.offer(image_of(3))  # into a folder that has to be cleared
    whole.until(DONE)
    assert whole.medium.operations > 60
    for cut_at in range(1, whole.medium.operations + 1):
        rig = UpdateRig()
        rig.medium.cut_at = cut_at
        cuts = 0
        for number in (2, 3):
            rig.core.update.offer(image_of(number))
            cuts += cut_free(rig, rig.until, DONE)
            rig.until(DONE)
        assert cuts == 1, cut_at
        assert rig.boots[-1] == 3 and rig.store.read() == slots.State(0, 3, 0, 0, 0)


def test_cuts_in_a_row_do_not_end_it():
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    for after in list(range(1, 12)) * 6:
        rig.medium.cut_at = rig.medium.operations + after
        cut_free(rig, rig.run, 4_000)
    rig.medium.cut_at = None
    rig.until(DONE, FAILED)
    assert rig.boots[-1] in (1, 2) and (rig.boots[-1] == 2) == (rig.core.update.state == DONE)


def test_a_choice_that_is_cut_is_made_or_not():
    medium = Medium()
    store = slots.Store(open_file=medium.open)
    assert slots.confirm(store, 0, 5)
    before = dict(medium.files)
    seen = set()
    for cut_at in range(1, 20):
        medium = Medium(before)
        medium.cut_at = cut_at
        with contextlib.suppress(Cut):
            slots.choose(slots.Store(open_file=medium.open), 0, 6)
        seen.add(slots.Store(open_file=medium.open).read())
    assert seen == {slots.State(0, 5, 0, 0, 0), slots.State(0, 5, 6, slots.TRIES, 0)}


HAPPENINGS = st.one_of(
    st.tuples(st.just("run"), st.integers(20, 3_000)),
    st.tuples(st.just("boot"), st.just(0)),
    st.tuples(st.just("gateway"), st.just(0)),
    st.tuples(st.just("cut"), st.integers(1, 40)),
    st.tuples(st.just("lose"), st.integers(0, 600)),
)


@given(st.lists(HAPPENINGS, max_size=25))
def test_whatever_happens_it_starts_from_a_whole_folder_and_ends_well(happenings):
    rig = UpdateRig()
    rig.core.update.offer(image_of(2))
    drawn = [7]
    permille = [0]

    def loses(_frame):
        drawn[0] = (drawn[0] * 1103515245 + 12345) & 0x7FFFFFFF
        return (drawn[0] >> 8) % 1000 < permille[0]

    rig.loses = loses
    for what, value in happenings:
        if what == "boot":
            rig.boot()
        elif what == "gateway":
            rig.gateway(image_of(2))
        elif what == "lose":
            permille[0] = value
        else:
            if what == "cut":
                rig.medium.cut_at = rig.medium.operations + value
            cut_free(rig, rig.run, value if what == "run" else 3_000)
            rig.medium.cut_at = None
    permille[0] = 0
    state = rig.until(DONE, FAILED)
    if state.state == FAILED:
        assert state.why == concentrator_update.FELL_BACK and rig.boots.count(2) == slots.TRIES
    else:
        assert rig.boots[-1] == 2 and rig.store.read().floor == 2


# --- what does not work ---------------------------------------------------------------------------------------------


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
    assert rig.operations == []
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
    while body := rig.update.take_body():
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


@given(st.binary(max_size=260))
def test_a_body_is_decoded_or_refused_with_a_reason(body):
    for kind in range(256):
        try:
            radio_update.decode(bytes((kind,)) + body)
        except WireFault as fault:
            assert fault.reason in ("kind", "short", "long")


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
