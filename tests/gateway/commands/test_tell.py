"""`bocage gateway tell`: what a technician types, what the agent finds, what is refused and in which words."""

import argparse
import json
from types import SimpleNamespace

import pytest

from gateway.commands import tell as tell_command
from gateway.core.directives.directive import Directive
from gateway.core.status import RUNNING, Status, parse
from gateway.shell import tell_store
from gateway.show import report
from gateway.show.report import render
from tests.gateway.core.directives.test_directives import Desk
from tests.support.commands import run_command
from tests.support.told_world import DROUGHT, EXCEPTION, OUTDOOR, SHED, here
from wire import directive

NOW_S = 1_814_000_000  # 26 June 2027, 05:33:20 in Paris
DAY_S = 86_400


def typed(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--lang", default="fr")
    tell_command.add_arguments(parser)
    return parser.parse_args(["--config", "x.toml", *words])


@pytest.fixture
def tell(tmp_path, capsys, monkeypatch):
    """tell(words…) -> (status, standard output, standard error), without an agent."""
    config = SimpleNamespace(
        data=tmp_path,
        status_socket=tmp_path / "status.sock",
        core=SimpleNamespace(insee="49007", name="cab-1", gateway=bytes(8), journal_bytes_max=1 << 20),
    )
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("SUDO_USER", "jeanne")
    monkeypatch.setattr(tell_command.time, "time", lambda: NOW_S)

    def run(*words):
        status = run_command("tell", config, *words)
        said = capsys.readouterr()
        return status, said.out, said.err

    run.data = tmp_path
    return run


def desk_now():
    """A gateway whose clock agrees with who types."""
    return Desk(now_s=NOW_S)


def store_of(tell, desk, say=lambda *_, **__: None):
    return tell_store.TellStore(tell.data, desk.one, say, now_ms=lambda: desk.now_ms)


REASON = ("--reason", "arrêté 2027-41")


def test_what_is_typed_in_either_language_is_what_is_told():
    one = tell_command.wanted(
        typed("sécheresse", "alerte", "--to", "irrigation", "--until", "2027-08-31", *REASON, "--who", "J"),
        unix_s=NOW_S,
    )
    assert one._replace(id=b"") == Directive(
        b"", True, "J", "arrêté 2027-41", "irrigation", {DROUGHT: 2}, NOW_S, 1_819_749_600
    )
    english = typed("load-shed", "1.5", "exception", "closed", "--for", "1h30", *REASON, "--who", "J")
    found = tell_command.wanted(english, unix_s=NOW_S)
    assert found.values == {SHED: 150, EXCEPTION: 1} and found.expires_s == NOW_S + 5400
    weather = typed("temperature-exterieure", "-2.5", "--for", "2h", *REASON, "--who", "J", "--to", "*")
    assert tell_command.wanted(weather, unix_s=NOW_S).values == {OUTDOOR: -250}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "donner un nom et une valeur"),
        (("drought",), "donner un nom et une valeur"),
        (("pluie", "3"), "pluie : consigne inconnue"),
        (("drought", "5"), "0 aucune, 1 vigilance, 2 alerte, 3 alerte-renforcée, 4 crise"),
        (("drought", "1.5"), "0 aucune"),
        (("load-shed", "6"), "0 … 5 K"),
        (("drought", "2", "--until", "hier"), "ce n’est pas une date"),
        (("drought", "2", "--until", "2027-02-30"), "ce n’est pas une date"),
        (("drought", "2", "--until", "2027-06-01"), "déjà passée"),
        (("drought", "2", "--until", "2028-08-31"), "trop long pour sécheresse : 366 j au plus"),
        (("load-shed", "1", "--for", "25h"), "trop long pour délestage"),
        (("drought", "2", "--for", "2h", "--until", "22:30"), "donner une fin"),
        (("drought", "2", "--for", "soon"), "donner une fin"),
        (("drought", "2", "--for", "2h", "--from", "2027-08-01"), "une semaine à l’avance"),
        (("drought", "2", "--until", "2027-06-28", "--from", "2027-06-29"), "la fin vient avant le début"),
        (("drought", "2", "--for", "2h", "--to", "x" * 25), "type d’équipement"),
        (("drought", "2", "--for", "2h", "--who", ""), "--who"),
        (("--clear", "12"), "les 16 chiffres"),
        (("--clear", "00" * 8), "aucune consigne de ce nom"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_type_instead(tell, words, sentence):
    with_end = words if "--for" in words or "--until" in words or "--clear" in words else (*words, "--for", "2h")
    status, out, err = tell(*with_end, *REASON)
    assert status == 2 and sentence in err and out == ""
    assert tell_store.waiting(tell.data) == []


def test_without_a_reason_nothing_is_told(tell):
    assert "arrêté préfectoral" in tell("drought", "2", "--for", "2h")[2]


def test_without_an_agent_it_waits_for_its_start_and_says_so(tell):
    status, out, _err = tell("drought", "2", "--for", "2h", *REASON)
    assert status == 0 and "sécheresse alerte (2)" in out and "à son démarrage" in out
    desk = desk_now()
    store = store_of(tell, desk)
    store.poll()
    (one,) = desk.one.status(now_ms=desk.now_ms)
    assert (one.author, one.reason, one.values) == ("jeanne", "arrêté 2027-41", {"7": 2})
    assert len(tell_store.waiting(tell.data)) == 1, "kept until it is on the card"
    store.poll()
    assert len(tell_store.waiting(tell.data)) == 1
    desk.sync()
    store.poll()
    assert tell_store.waiting(tell.data) == []


def test_a_power_cut_before_it_was_safe_finds_it_again_and_after_it_takes_it_once(tell):
    tell("drought", "2", "--for", "2h", *REASON)
    desk = desk_now()
    store_of(tell, desk).poll()
    desk.cut()
    assert desk.ask() == {}
    store = store_of(tell, desk)
    store.poll()
    desk.sync()
    desk.cut()
    store = store_of(tell, desk)
    store.poll()
    store.poll()
    assert desk.ask() == {DROUGHT: 2} and tell_store.waiting(tell.data) == []
    assert desk.one.counters["told"] == 0, "it was known already"


def test_what_was_said_here_is_taken_back_by_its_id(tell):
    desk = desk_now()
    store = store_of(tell, desk)
    one = here({DROUGHT: 2}, desk.unix_s)
    tell_store.put(tell.data, one)
    store.poll()
    tell_store.clear(tell.data, one.id, "jeanne")
    store.poll()
    assert desk.ask() == {} and desk.happened[-1].by == "jeanne"
    desk.sync()
    store.poll()
    assert tell_store.waiting(tell.data) == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "5", "null", '{"clear": 7}', '{"clear": "zz", "who": "x"}', '{"id": "00"}', "{" * 3000, '"clear"'],
)
def test_a_file_that_makes_no_sense_is_refused_counted_and_let_go_of(tell, text):
    folder = tell.data / tell_store.FOLDER
    folder.mkdir()
    (folder / "1.json").write_text(text)
    (folder / "2.json.new").write_text("not whole yet")
    desk, said = desk_now(), []
    store = store_of(tell, desk, lambda what, **_: said.append(what))
    store.poll()
    store.poll()
    assert said == ["tell-unreadable"] and desk.one.counters["refused"] == 1
    assert [path.name for path in folder.iterdir()] == ["2.json.new"]


def test_the_list_and_the_status_say_what_to_whom_until_when_by_whom(tell):
    desk = desk_now()
    desk.say({DROUGHT: 2}, scope="irrigation", lasts_s=40 * DAY_S)
    status = Status(phase=RUNNING, name="x", directives=desk.one.status(now_ms=desk.now_ms))
    (line,) = report.directive_lines(status, "fr", with_ids=True)
    assert line.startswith("00000000000001f5  sécheresse alerte (2) pour irrigation, jusqu’au ")
    assert "donnée ici par le technicien (arrêté 2026-41), 0 équipement l’a demandé" in line
    (english,) = [line for line in render(status, "en") if line.startswith("directives")]
    assert "drought alert (2) for irrigation, until " in english
    odd = [{"values": {"7": 9, "50": 1}}, {"values": None}, "x", {"values": {"7": "x"}, "state": "unknown"}]
    assert len(report.directive_lines(parse({"directives": odd}), "fr")) == 3


def test_without_an_agent_the_list_reads_what_was_said_here(tell):
    assert tell("--list") == (0, "aucune consigne\n", "")
    desk = desk_now()
    desk.say({DROUGHT: 2}, lasts_s=300 * DAY_S)
    desk.sync()
    (name,) = [name for name in desk.disk.list() if name.startswith("directives")]
    (tell.data / "state" / name).write_bytes(desk.disk.read(name, 0, 10_000))
    assert "sécheresse alerte (2) pour tous" in tell("--list")[1]
    assert json.loads(tell("--list", "--json")[1])["directives"][0]["values"] == {str(directive.DROUGHT_LEVEL): 2}
