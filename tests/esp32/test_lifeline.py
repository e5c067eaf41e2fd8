"""How a life is told to the next one, and what is done before a restart of its own, with the guard as on a chip.

Long because one board, taken through its resets, serves all of it.
"""

import sys
import types

import pytest

from esp32 import crash, guard, place_folder, place_rom, rtc, slots
from node import limits, panel
from node.log_ring import LogRing
from tests.esp32.test_guard import Machine
from tests.esp32.test_rtc import Chip
from tests.support.ota_chip import RUNS_ON, Partitions
from wire import event

ROOT = ("crash", "guard", "rtc")


@pytest.fixture
def lifeline(monkeypatch, in_folder):
    """The module, with its neighbours under the names that they have on the chip."""
    for name, module in zip(ROOT, (crash, guard, rtc), strict=True):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "place", place_folder)
    for name in ("slot_files", "slot_rom", "sleeping", "lifeline"):
        module = __import__(f"esp32.{name}", fromlist=(name,))
        monkeypatch.setitem(sys.modules, name, module)
    return sys.modules["lifeline"]


class Board:
    """One chip through its resets. `live(cause)`: the Lifeline of its next start."""

    def __init__(self, module):
        self.module = module
        self.chip = Chip()
        self.resets = 0

    def live(self, cause, *, is_trial=False, is_rescue=False, interpreter=None):
        machine = Machine(cause)
        machine.reset = self._reset
        machine.RTC = lambda: self.chip
        memory = rtc.Memory(self.chip)
        ended = guard.ended_by(machine, memory)
        guarding = guard.Guard(memory, guard.Store())
        guarded = guarding.begin(ended, is_trial=is_trial)._replace(is_rescue=is_rescue)
        self.confirmed = []
        start = types.SimpleNamespace(
            folder="a", is_rescue=is_rescue, boot=slots.Boot(0, is_trial, 0, 0), choose=lambda number: True,
            confirm=lambda number: self.confirmed.append(number) or True, guard=guarding, guarded=guarded,
            memory=memory, ended=ended, interpreter=interpreter,
            is_trial=is_trial or (interpreter is not None and interpreter.is_trial),
        )  # fmt: skip
        return self.module.Lifeline(machine, start, now_ms=0)

    def _reset(self):
        self.resets += 1


def test_a_restart_of_ones_own_is_nobodys_fault_though_the_chip_says_hard(lifeline):
    board = Board(lifeline)
    board.live(Machine.PWRON_RESET).restart("update", now_ms=5000)
    life = board.live(Machine.HARD_RESET)
    assert life.cause == "planned" and not life.was_fault


@pytest.mark.parametrize(("reset", "word"), [("WDT_RESET", "watchdog"), ("HARD_RESET", "panic")])
def test_who_dies_before_the_first_turn_is_not_taken_for_the_restart_before_it(lifeline, reset, word):
    board = Board(lifeline)
    board.live(Machine.PWRON_RESET).restart("update", now_ms=5000)
    board.live(Machine.HARD_RESET)  # and hangs in its imports
    life = board.live(getattr(Machine, reset))
    assert life.cause == word and life.was_fault and life.past.task == "start"


@pytest.mark.parametrize("reset", ["PWRON_RESET", "WDT_RESET", "HARD_RESET", "DEEPSLEEP_RESET"])
def test_whatever_ends_a_sleep_spoils_the_image_and_only_a_waking_takes_it(lifeline, monkeypatch, reset):
    board, taken = Board(lifeline), []
    real = sys.modules["sleeping"].restore
    monkeypatch.setattr(sys.modules["sleeping"], "restore", lambda *of: taken.append(real(*of)))
    rtc.Memory(board.chip).put(rtc.TRADE, b"an image")
    board.live(getattr(Machine, reset))
    assert rtc.Memory(board.chip).get(rtc.TRADE) is None
    assert len(taken) == (reset == "DEEPSLEEP_RESET")


def test_a_node_that_does_not_sleep_loads_nothing_of_sleep(repository):
    """Each kind's heap has it or a margin. What a module imports at its head is in it."""
    import ast

    for name in ("esp32/main.py", "esp32/lifeline.py", "node/app.py"):
        tree = ast.parse((repository / "firmware" / name).read_text(encoding="utf-8"))
        named = {each.module for each in tree.body if isinstance(each, ast.ImportFrom)}
        named |= {
            alias.name for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom) for alias in each.names
        }
        assert not named & {"sleeping", "sleep", "node.sleep", "node.sleeper"}, name


class Known:
    """A node's Timekeeper, as far as a restart asks it."""

    def __init__(self, is_set):
        self.is_set = lambda: is_set
        self.given = []

    def unix_s(self, now_ms):
        assert now_ms == 5000
        return 1_790_000_000

    def uncertainty_s(self, now_ms):
        return 2

    def carried(self, unix_s, doubt_s, *, now_ms):
        self.given.append((unix_s, doubt_s, now_ms))


def restarted(board, cause, *, is_set=True):
    """A start, and its restart of its own; `is_set`: it knows the time."""
    life = board.live(cause)
    life.before_restart = lambda now_ms: Known(is_set)
    life.restart("radio", now_ms=5000)


def told_the_time(life, *, is_set=False):
    """What the node of this start is given, by `tell`: [(Unix s, ± s, as of)]."""
    known = Known(is_set)
    life.report(types.SimpleNamespace(time=known, report_event=lambda *event, now_ms: None), now_ms=900)
    return known.given


def test_the_time_goes_through_a_restart_of_ones_own_once(lifeline):
    board = Board(lifeline)
    restarted(board, Machine.PWRON_RESET)
    expected = [(1_790_000_000 + lifeline.RESTART_S, 2 + lifeline.RESTART_DOUBT_S, 0)]
    assert told_the_time(board.live(Machine.HARD_RESET)) == expected
    assert told_the_time(board.live(Machine.HARD_RESET)) == [], "of the life before the last one"


def test_the_time_goes_through_no_starts_that_came_to_nothing_for_nobody_knows_how_long_they_took(lifeline):
    """A trial whose folder cannot be imported, or hangs while it is: the guard has begun it, no Lifeline has."""
    board = Board(lifeline)
    restarted(board, Machine.PWRON_RESET)
    memory = rtc.Memory(board.chip)
    guard.Guard(memory, guard.Store()).begin(guard.RESET, is_trial=True)
    assert told_the_time(board.live(Machine.HARD_RESET)) == []


def test_no_time_is_made_up_where_there_was_none_nor_after_a_loss_of_power_nor_beside_a_clock_chip(lifeline):
    board = Board(lifeline)
    restarted(board, Machine.PWRON_RESET, is_set=False)
    assert told_the_time(board.live(Machine.HARD_RESET)) == []
    restarted(board, Machine.HARD_RESET)
    assert told_the_time(board.live(Machine.HARD_RESET), is_set=True) == []
    restarted(board, Machine.HARD_RESET)
    board.chip = Chip()
    assert told_the_time(board.live(Machine.PWRON_RESET)) == []


# --- an update, its trial, and what comes after -----------------------------------------------------------------------


class Shell:
    """What a Lifeline asks of the application around it."""

    reach = types.SimpleNamespace(has_exchanged=True)
    saved = 0
    ports = object()  # nothing of them can be asked

    def __init__(self, life, *, keys=(bytes(32),), now_ms=0):
        self.life, self.told, self.order = life, [], []
        settings = types.SimpleNamespace(gateway="gateway", update_keys=keys)
        self.updating = life.open_updating(
            None, settings, "streetlight", random_below=lambda bound: bound // 2, now_ms=now_ms
        )

    def is_sound(self, now_ms):
        return True

    def may_restart(self, now_ms):
        return True

    def report_event(self, code, active, detail, *, now_ms):
        self.told.append(detail)

    def turn(self, now_ms):
        self.life.trial.sampled({1: 2})
        self.life.step(self, self.ports, 50_000, lambda now_ms: 1000, now_ms=now_ms)


def test_a_program_that_was_confirmed_looks_for_the_next_one(lifeline):
    board = Board(lifeline)
    life = board.live(Machine.HARD_RESET, is_trial=True)
    shell = Shell(life)
    assert shell.updating.deadline_ms(0) is None, "on trial nothing is asked for"
    shell.turn(limits.GOOD_START_MS)
    assert board.confirmed and shell.told[-1][1] == "confirmed"
    assert shell.updating.deadline_ms(limits.GOOD_START_MS) <= limits.GOOD_START_MS + limits.UPDATE_CHECK_MS


def test_a_trial_is_confirmed_only_once_outputs_that_can_be_asked_have_answered(lifeline):
    board, answer = Board(lifeline), [None]
    shell = Shell(board.live(Machine.HARD_RESET, is_trial=True))
    shell.ports = types.SimpleNamespace(answered=lambda: answer[0])
    for answer[0] in (None, False):
        shell.turn(limits.GOOD_START_MS)
        assert not board.confirmed
        assert shell.life.trial.missing(is_sound=True) == "outputs"
    answer[0] = True
    shell.turn(limits.GOOD_START_MS)
    assert board.confirmed


def test_a_trial_that_is_over_says_what_it_lacked_once_and_gives_up_when_it_may(lifeline):
    board = Board(lifeline)
    shell = Shell(board.live(Machine.HARD_RESET, is_trial=True))
    shell.is_sound = lambda now_ms: False
    shell.may_restart = lambda now_ms: False
    for turn in range(3):
        shell.turn(limits.TRIAL_MAX_MS + turn)
    assert [word for _, word in shell.told] == ["no-soundness"] and board.resets == 0
    shell.may_restart = lambda now_ms: True
    shell.turn(limits.TRIAL_MAX_MS + 9)
    assert board.resets == 1


def test_a_flash_that_takes_no_confirmation_is_asked_once_a_minute(lifeline):
    life = Board(lifeline).live(Machine.HARD_RESET, is_trial=True)
    asked = []
    shell = Shell(life)
    life._files._confirm = asked.append
    for turn in range(1200):
        shell.turn(limits.GOOD_START_MS + 100 * turn)
    assert len(asked) == 2 and life.trial.is_trial


def test_without_keys_a_confirmed_program_asks_for_nothing(lifeline):
    life = Board(lifeline).live(Machine.HARD_RESET, is_trial=True)
    shell = Shell(life, keys=())
    shell.turn(limits.GOOD_START_MS)
    assert not life.trial.is_trial and shell.updating.deadline_ms(limits.GOOD_START_MS) is None


def test_after_a_crash_a_new_program_is_asked_for_before_the_next_one_comes(lifeline):
    board = Board(lifeline)
    life = board.live(Machine.PWRON_RESET)
    assert Shell(life).updating.deadline_ms(0) >= limits.UPDATE_FIRST_MS
    life.step(Shell(life), object(), 50_000, lambda now_ms: 1000, now_ms=1000)  # a good start: it has exchanged
    life.crashed(ValueError("at each dusk"), now_ms=60_000)
    life = board.live(Machine.HARD_RESET)
    assert Shell(life).updating.deadline_ms(0) <= 2 * limits.UPDATE_RESCUE_FIRST_MS


@pytest.mark.parametrize("way", ["restart", "give_up"])
def test_what_is_to_be_remembered_is_written_before_each_restart_of_ones_own(lifeline, way):
    board = Board(lifeline)
    life = board.live(Machine.HARD_RESET, is_trial=way == "give_up")
    order = []
    life.before_restart = order.append
    getattr(life, way)("update", now_ms=7000)
    assert order == [7000] and board.resets == 1


def test_a_node_that_waits_for_its_settings_is_no_start_that_came_to_nothing(lifeline):
    board = Board(lifeline)
    for _ in range(2 * guard.STRIKES_MAX):
        life = board.live(Machine.HARD_RESET)
        assert life._start.guarded.strikes <= 1, "the first one's, of which nothing is known"
        life.waits()


def test_an_interpreter_on_trial_is_judged_by_the_program_and_confirmed_by_the_chip(lifeline, monkeypatch):
    Partitions.small(monkeypatch)
    places = Partitions()
    monkeypatch.setattr(place_rom, "half", places.half)
    from esp32 import two_updates

    monkeypatch.setitem(sys.modules, "two_updates", two_updates)
    monkeypatch.setattr(two_updates.open_two, "__kwdefaults__", {"implementation": RUNS_ON})
    board, confirmed, choice = Board(lifeline), [], places.choice()
    choice.is_trial, choice.confirm = True, lambda number: confirmed.append(number) or True
    shell = Shell(board.live(Machine.HARD_RESET, interpreter=choice))
    assert shell.life.trial.is_trial and shell.updating.deadline_ms(0) is None, "on trial nothing is asked for"
    shell.turn(limits.GOOD_START_MS)
    assert confirmed == [0] and board.confirmed == [] and shell.told == [(0, "confirmed", "interpreter")]
    assert shell.updating.deadline_ms(limits.GOOD_START_MS) <= limits.GOOD_START_MS + limits.UPDATE_CHECK_MS


@pytest.mark.parametrize("given_up", [0, 3])
def test_a_program_that_was_given_up_once_is_not_told_again_for_an_interpreter(lifeline, given_up):
    board = Board(lifeline)
    board.live(Machine.PWRON_RESET, is_trial=True)
    choice = types.SimpleNamespace(is_trial=False, given_up=given_up)
    life = board.live(Machine.HARD_RESET, interpreter=choice)
    life._start.boot = life._start.boot._replace(failed=2)
    told = []
    node = types.SimpleNamespace(time=Known(True), report_event=lambda *about, now_ms: told.append(about))
    life.report(node, now_ms=900)
    of_updates = [about for about in told if about[0] == event.UPDATE]
    assert of_updates == ([] if given_up else [(event.UPDATE, None, (2, "fell-back"))])


def test_on_trial_it_waits_and_keeps_the_word_for_the_way_back(lifeline):
    board = Board(lifeline)
    board.live(Machine.HARD_RESET, is_trial=True).waits()
    assert board.live(Machine.HARD_RESET)._start.guarded.last == guard.TRIAL


def test_the_same_crash_again_and_again_is_written_down_once(lifeline):
    def crashed(life, text):
        try:
            raise ValueError(text)
        except ValueError as error:
            return life.crashed(error, now_ms=4000)

    board = Board(lifeline)
    assert crashed(board.live(Machine.PWRON_RESET), "one")
    assert not any(crashed(board.live(Machine.HARD_RESET), "one") for _ in range(5))
    assert crashed(board.live(Machine.HARD_RESET), "other")
    assert crashed(board.live(Machine.HARD_RESET), "one")


# --- whose board this is ----------------------------------------------------------------------------------------------


def test_a_kind_that_never_was_on_this_board_leaves_it_its_pins(lifeline):
    life = Board(lifeline).live(Machine.HARD_RESET, is_rescue=True)
    files = {"a/boards": ["thermostat.mpy", "__init__.mpy"]}
    assert life.board_name("of tomorrow", listdir=files.__getitem__) == "thermostat"
    assert life.board_name(7, listdir=files.__getitem__) == "thermostat"
    files["a/boards"].append("irrigation.mpy")
    assert life.board_name("thermostat", listdir=files.__getitem__) == "thermostat"


def test_without_a_folder_of_its_own_the_settings_name_the_board(lifeline):
    life = Board(lifeline).live(Machine.HARD_RESET)
    assert life.board_name("irrigation") == "irrigation"


def test_the_led_alone_says_that_there_are_no_settings(lifeline):
    levels = []
    pin = types.SimpleNamespace(value=levels.append)
    machine = types.SimpleNamespace(Pin=lambda *_args, **_named: pin)
    machine.Pin.IN = machine.Pin.OUT = machine.Pin.PULL_UP = 0
    board = types.SimpleNamespace(LED_PIN=1, LED_ACTIVE_LEVEL=0)
    port = lifeline.PanelPort(machine, board, 0, now_ms=0)
    for now_ms in range(0, 1400, 100):
        port.show(panel.NO_SETTINGS, now_ms=now_ms)
    assert levels == [0, 1, 0, 1, 0] + 9 * [1]


def test_the_log_goes_to_the_console_a_line_a_turn(lifeline, capsys):
    """A UART takes 8 ms for a line, a USB whose host does not read half a second."""
    pin = types.SimpleNamespace(value=lambda *level: 1)
    machine = types.SimpleNamespace(Pin=lambda *_args, **_named: pin)
    machine.Pin.IN = machine.Pin.OUT = machine.Pin.PULL_UP = 0
    board = types.SimpleNamespace(BUTTON_PIN=1, BUTTON_ACTIVE_LEVEL=0)
    port = lifeline.PanelPort(machine, board, 0, now_ms=0)
    life = types.SimpleNamespace(ring=LogRing(b"1 a\n2 b"), log=lambda line, now_ms: None)
    for number in range(30):
        life.ring.add(f"line {number}", uptime_s=number)
    node = types.SimpleNamespace(report_event=lambda *_, now_ms: None, local=lambda _: None, outputs=(80, "presence"))
    words = [panel.TEST]
    port.panel = types.SimpleNamespace(
        observe=lambda pressed, now_ms: None, drain_events=lambda: words and [words.pop()], local=lambda: None
    )
    said = []
    for now_ms in range(0, 5000, 100):
        port.turn(node, life, panel.WELL, now_ms=now_ms)
        said.append(capsys.readouterr().out.splitlines())
    assert max(map(len, said)) == 1
    lines = [line for one in said for line in one]
    now = "--- now (80, 'presence')"  # no record tells of presence
    assert lines[:5] == [now, "--- before the restart", "1 a", "2 b", "--- the last lines"]
    assert lines[5:] == [f"{number} line {number}" for number in range(30)]


def test_the_rescue_gives_the_application_one_try_after_an_hour(lifeline):
    board = Board(lifeline)
    life = board.live(Machine.HARD_RESET, is_rescue=True)
    told = []
    reach = types.SimpleNamespace(has_exchanged=False)
    node = types.SimpleNamespace(report_event=lambda *given, now_ms: told.append(given[0]), reach=reach)
    life.report(node, now_ms=0)
    assert event.RESCUE_MODE in told
    life.step(node, object(), 0, lambda now_ms: 0, now_ms=1000 * guard.RETRY_FIRST_S - 1)
    assert not board.resets
    life.step(node, object(), 0, lambda now_ms: 0, now_ms=1000 * guard.RETRY_FIRST_S)
    assert board.resets


class Wdt:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


def watched(lifeline):
    ledger, wdt, said = lifeline.Ledger(), Wdt(), []
    ledger.add("output", 1000, now_ms=0)
    ledger.add("meter", 5000, now_ms=0)
    return ledger, wdt, said, lifeline.Watchdog(wdt, ledger, log=said.append)


def test_fresh_tasks_feed(lifeline):
    ledger, wdt, said, watchdog = watched(lifeline)
    assert watchdog.feed(now_ms=1000)
    ledger.beat("output", now_ms=1000)
    assert watchdog.feed(now_ms=2000)
    assert (wdt.fed, said) == (2, [])


def test_one_silent_task_starves_the_watchdog_for_good_and_is_named_once(lifeline):
    ledger, wdt, said, watchdog = watched(lifeline)
    assert not watchdog.feed(now_ms=1001)
    ledger.beat("output", now_ms=1002)
    assert not watchdog.feed(now_ms=1003)
    assert wdt.fed == 0
    assert said == ["watchdog: silent for too long: output"]


def test_all_silent_tasks_are_named(lifeline):
    ledger, *_ = watched(lifeline)
    assert ledger.stale(now_ms=5001) == ["meter", "output"]


def test_the_margin_is_that_of_the_nearest_task(lifeline):
    ledger, *_ = watched(lifeline)
    assert ledger.margin_ms(now_ms=400) == 600
    ledger.beat("output", now_ms=4900)
    assert ledger.margin_ms(now_ms=5100) == -100
