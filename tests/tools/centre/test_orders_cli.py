"""What people type: signed with their key, shown before it is wide or dark, refused with a reason, told in words."""

import io
import json
import time

import pytest

pytest.importorskip("cryptography", reason="cryptography is not installed")

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from policy import civil, document, keyset
from tests.support.control_world import (
    AGENT,
    CLERK,
    INSEE,
    MAYOR,
    STRANGER,
    key_set,
    limit,
    policy,
    signed_keyset,
    signed_policy,
)
from tools.centre import arguments
from tools.centre.control import file as control_file
from tools.centre.control import gateways, orders
from tools.cli import main
from wire import command


class World:
    """A folder with keys and a control file, and somebody who types."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "control.db"
        self.keys = {one.name: str(one.write(folder)) for one in (MAYOR, AGENT, STRANGER)}
        (folder / "commune.keys").write_bytes(keyset.encode(key_set()))

    def type(self, *words):
        return main(["centre", *words, "--db", str(self.path)])

    def publish(self, one=None, *more, signer=MAYOR):
        path = self.folder / "commune.policy"
        one = one or policy(valid_from_s=int(time.time()) - 86_400)
        path.write_bytes(one if isinstance(one, bytes) else signed_policy(one, signer))
        return self.type("policy", "publish", "--policy", str(path), *more)

    def give(self, name, *words, who="Maire"):
        reason = ["--reason", "accident"] if name in ("light", "override") else []
        return self.type(name, *words, *reason, "--key", self.keys[who])

    def kept(self):
        connection = control_file.open_to_read(str(self.path))
        try:
            return orders.latest(connection, 99)
        finally:
            connection.close()


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def daemon(world):
    """What a daemon leaves to be seen while it runs."""
    holder = control_file.DaemonLock(str(world.path), "broker:8883")
    holder.report(connected=True, now_s=1)
    yield holder
    holder.close()


@pytest.fixture
def ready(world, capsys):
    assert world.publish(None, "--keyset", str(world.folder / "commune.keys")) == 0
    capsys.readouterr()
    return world


HERE = ("--commune", INSEE, "--for", "1h")


# --- policies ---------------------------------------------------------------------------------------------------


def test_a_policy_is_published_with_the_keys_that_verify_it(world, capsys):
    assert world.publish(None, "--keyset", str(world.folder / "commune.keys")) == 0
    said = capsys.readouterr()
    assert "clés de 49135, version 1 : Maire, Greffe, Adjoint" in said.out
    assert "politique 1 de 49135 gardée : Conseil municipal, D-1, signée par Maire" in said.out
    assert "aucun `bocage centre control`" in said.err


@pytest.mark.parametrize(
    ("document_", "why"),
    [
        (signed_policy(policy(2), STRANGER), "which is not of the set in force|of no commune's set"),
        (signed_policy(policy(2, insee="49007")), "commune: is of the commune 49007"),
        (document.encode(policy(2)), "form: is not a signed policy"),
        (signed_policy(policy(1)), "version-order: has version 1, held is 1"),
        (bytes(100_000), "form: "),
    ],
    ids=["other-key", "foreign", "unsigned", "older", "nonsense"],
)
def test_a_policy_that_is_not_the_communes_is_refused_and_nothing_changes(ready, capsys, document_, why):
    assert ready.publish(document_) == 1
    said = capsys.readouterr().err
    assert "commune.policy refusé" in said and any(one in said for one in why.split("|"))


def test_a_cabinet_that_says_it_is_ahead_is_named(ready, capsys):
    connection = control_file.open_to_write(str(ready.path))
    gateways.note_seen(connection, INSEE, "cab-1", is_own=True, now_s=1)
    gateways.note_ask(connection, INSEE, "cab-1", command.Ask(b"nonce--1", 60, 7, 1), 60, now_s=1)
    connection.close()
    assert ready.publish(policy(7)) == 0
    assert "cab-1 a déjà la version 7" in capsys.readouterr().out
    assert ready.publish(policy(8)) == 0
    assert "cab-1" not in capsys.readouterr().out
    assert ready.type("gateways", "--lang", "en") == 0
    assert "49135-cab-1  state unknown" in capsys.readouterr().out


def test_keys_and_policy_are_taken_both_or_neither(ready, capsys):
    later = ready.folder / "2.keys"
    later.write_bytes(signed_keyset(key_set(2, (AGENT, CLERK)), (MAYOR, CLERK)))
    assert ready.publish(policy(2), "--keyset", str(later), "--lang", "en") == 1
    assert "refused" in capsys.readouterr().err
    assert ready.publish(policy(2)) == 0, "the old keys still hold"
    assert ready.publish(policy(3), "--keyset", str(later), signer=AGENT) == 0


# --- commands ---------------------------------------------------------------------------------------------------


def test_a_command_is_signed_and_kept_and_without_a_daemon_that_is_said(ready, capsys):
    assert ready.give("light", *HERE, "--gateway", "cab-1", "--target", "centre") == 1
    said = capsys.readouterr()
    (kept,) = ready.kept()
    one = kept.command
    assert (one.kind, one.insee, one.gateway, one.target) == (command.EMERGENCY, INSEE, "cab-1", "centre")
    assert (one.author, one.reason, one.expires_s - one.not_before_s) == ("Maire", "accident", 3600)
    assert kept.kid == MAYOR.kid and one.id.hex() in said.out
    assert "RIEN N’EST ENVOYÉ" in said.err


def test_with_a_daemon_it_is_on_its_way(ready, daemon, capsys):
    assert ready.give("light", *HERE) == 0
    assert "aucune armoire de cette commune n’a encore donné signe de vie" in capsys.readouterr().err
    daemon.report(connected=False, now_s=1)
    assert ready.give("light", *HERE, "--lang", "en") == 0
    assert "does not reach the broker broker:8883" in capsys.readouterr().err


def test_what_is_awaited_and_does_not_come_shows_in_the_exit_status(ready, daemon, capsys):
    assert ready.give("light", *HERE, "--wait", "0.3") == 1
    said = capsys.readouterr().out
    assert "0 départ(s) sur 3 suivent l’ordre" in said and "bocage centre commands --db" in said
    test = ("test-feeder", "--commune", INSEE, "--target", "bourg")
    assert ready.give(*test, "--wait", "0.1", "--json", who="Agent") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["missing"], found["is_settled"]) == ("test-feeder", ["bourg"], False)
    assert found["expires_s"] - found["not_before_s"] == 120


def test_a_dark_commune_is_shown_and_a_program_has_to_say_yes(ready, daemon, capsys, monkeypatch):
    dark = ("override", *HERE, "--level", "0")
    assert ready.give(*dark) == 1
    said = capsys.readouterr().err
    assert "touche 3 départ(s) : bourg, ecole, route" in said and "--yes" in said and ready.kept() == []
    assert ready.give(*dark, "--yes") == 0 and len(ready.kept()) == 1
    for answer, status in (("oui\n", 0), ("YES\n", 0), ("non\n", 1), ("", 1)):
        typed = io.StringIO(answer)
        typed.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", typed)
        assert ready.give(*dark) == status
    assert len(ready.kept()) == 3
    assert ready.give("override", *HERE, "--level", "0", "--target", "bourg") == 0, "one feeder is no commune"


def test_a_street_is_lowered_from_a_terminal(ready, daemon, capsys):
    assert ready.give("override", *HERE, "--level", "55", "--target", "bourg") == 0
    assert ready.kept()[-1].command.level == 55 and "abaisser à 55 %" in capsys.readouterr().out


def test_the_main_road_is_named_before_it_is_darkened(ready, daemon, capsys):
    limits = [limit(document.NO_DARKENING, "routes")]
    assert ready.publish(policy(2, limits=limits, valid_from_s=int(time.time()) - 60)) == 0
    assert ready.give("override", *HERE, "--level", "0", "--gateway", "cab-1") == 1
    assert "route (Préfet, Arrêté 7)" in capsys.readouterr().err
    assert ready.give("override", *HERE, "--level", "0", "--target", "route", "--yes") == 1
    assert "interdit par la politique : Préfet, Arrêté 7" in capsys.readouterr().err


def test_a_planned_command_begins_when_it_is_told_to(ready, daemon):
    assert ready.give("override", *HERE, "--level", "100", "--not-before", "22:30") == 0
    (kept,) = ready.kept()
    local = civil.local_from_unix(civil.PARIS, kept.command.not_before_s)
    assert local.second == 22 * 3600 + 30 * 60
    assert 0 <= kept.command.not_before_s - time.time() + 1 <= 90_001  # the longest day has 25 hours


def test_a_command_is_ended_by_how_its_id_begins(ready, daemon, capsys):
    for _ in range(2):
        ready.give("light", *HERE)
    first = ready.kept()[0].command.id
    assert ready.give("end", "--command", first.hex()[:9]) == 0
    assert ready.kept()[-1].command.ends == first
    assert ready.give("end", "--command", first.hex()) == 1 and "déjà terminé" in capsys.readouterr().err
    assert ready.give("end", "--command", "") == 1 and "plusieurs" in capsys.readouterr().err
    assert ready.give("end", "--command", "zz") == 1 and "aucun ordre" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("light", *HERE, "--who", "Inconnu"), 1, "n’est pas celle d’un opérateur de 49135"),
        (("light", *HERE, "--who", "Agent"), 1, "n’a pas ce droit"),
        (("light", "--commune", "49007", "--for", "1h"), 1, "aucune politique de 49007"),
        (("light", "--commune", "4913", "--for", "1h"), 2, "--commune 4913"),
        (("light", *HERE, "--gateway", "Mairie"), 2, "--gateway Mairie"),
        (("light", *HERE, "--target", "gare"), 1, "--target gare : la politique ne connaît que"),
        (("light", "--commune", INSEE, "--for", "2"), 2, "--for 2 : donner une durée"),
        (("light", "--commune", INSEE, "--for", "8j"), 1, "--for : donner une durée"),
        (("light", *HERE, "--reason", "x" * 61), 1, "--reason : donner de 1 à 60 octets"),
        (("light", *HERE, "--reason", "a\nb"), 1, "--reason"),
        (("light", *HERE, "--wait", "nan"), 2, "--wait"),
        (("light", *HERE, "--key", "absent.pem"), 2, "--key: absent.pem ne se lit pas"),
        (("override", *HERE, "--level", "5"), 2, "--level 5 : donner 0, ou de 10 à 100"),
        (("override", *HERE, "--level", "100", "--not-before", "25:00"), 2, "--not-before 25:00"),
        (("test-feeder", "--commune", INSEE, "--target", "bourg", "--for", "6m"), 1, "1 s à 300 s"),
    ],
)
def test_what_is_refused_names_the_field_or_the_reason(ready, daemon, capsys, words, status, said):
    words = list(words)
    who = words.pop(words.index("--who") + 1) if "--who" in words else "Maire"
    words = [one for one in words if one != "--who"]
    for field, usual in (("--reason", "accident"), ("--key", ready.keys[who])):
        if field not in words:
            words += [field, usual]
    assert ready.type(*words) == status
    found = capsys.readouterr()
    assert said in found.err and ready.kept() == []


def test_a_key_with_a_passphrase_is_asked_for_and_another_kind_is_refused(ready, daemon, capsys, monkeypatch):
    locked = ready.folder / "locked.pem"
    locked.touch(0o600)
    locked.write_bytes(
        MAYOR.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"bocage"))
    )
    ready.keys["Maire"] = str(locked)
    for typed, status in (("bocage", 0), ("heath", 2), ("", 2)):
        monkeypatch.setattr("getpass.getpass", lambda _prompt, typed=typed: typed)
        assert ready.give("light", *HERE) == status
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for nonsense in (other, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        locked.write_bytes(nonsense)
        assert ready.give("light", *HERE) == 2
    assert "PRIVATE" not in capsys.readouterr().err


def test_questions_are_answered_in_both_languages_and_for_programs(ready, daemon, capsys):
    ready.give("light", *HERE)
    capsys.readouterr()
    assert ready.type("commands") == 0
    assert "éclairage d’urgence · 49135 · toutes les armoires · tous les départs" in capsys.readouterr().out
    assert ready.type("commands", "--lang", "en", "--commune", "49007") == 0
    assert capsys.readouterr().out == "no command\n"
    id = ready.kept()[0].command.id.hex()
    assert ready.type("commands", "--json", "--command", id) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["id"], found["gateways"], found["missing"]) == (id, [], ["bourg", "ecole", "route"])
    assert ready.type("gateways") == 0 and "aucune armoire" in capsys.readouterr().out
    assert ready.type("gateways", "--json") == 0
    assert json.loads(capsys.readouterr().out)["daemon"]["connected"] is True


def test_without_a_control_file_people_are_told_how_to_make_one(world, capsys):
    assert world.give("light", *HERE) == 2 and "policy publish" in capsys.readouterr().err
    assert world.type("commands") == 2
    assert world.type("policy", "publish") == 2
    assert world.type("control", "--broker", "host:1") == 2 and "--ca" in capsys.readouterr().err
    assert world.type("control", "--broker", "host:1", "--insecure", "--lease-s", "5") == 2


@pytest.mark.parametrize(
    "words", ["control", "policy publish", "light", "override", "end", "test-feeder", "commands", "gateways"]
)
def test_help_has_an_example(capsys, words):
    with pytest.raises(SystemExit):
        main(["centre", *words.split(), "--help"])
    assert f"bocage centre {words} --db" in capsys.readouterr().out


# --- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("90m", 5400), ("2h", 7200), ("1h30", 5400), ("2j", 172_800), ("1d", 86_400)]
)
def test_a_duration_is_read(text, seconds):
    assert arguments.parse_duration("--for", text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1.5h", "1h60", "1h3", "٣h", "99999999h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(arguments.UsageError, match="--for"):
        arguments.parse_duration("--for", text)


def test_a_time_of_the_clock_is_the_next_one_in_france_and_a_date_is_that_day():
    summer = 1_785_000_000  # 25 July 2026, 19:20:00 in France
    assert arguments.parse_instant("--not-before", "19:20", now_s=summer) == summer
    assert arguments.parse_instant("--not-before", "19:19", now_s=summer) == summer + 86_400 - 60
    assert arguments.parse_instant("--not-before", "2026-07-25T19:30", now_s=summer) == summer + 600
    assert arguments.parse_instant("--not-before", "2026-12-25 19:20", now_s=summer) == summer + 153 * 86_400 + 3600
    for nonsense in ("", "7:00", "24:00", "12:60", "2026-02-30T10:00", "2026-07-25", "demain"):
        with pytest.raises(arguments.UsageError, match="--not-before"):
            arguments.parse_instant("--not-before", nonsense, now_s=summer)


def test_a_time_on_another_day_bears_its_date():
    summer = 1_785_000_000
    assert arguments.local_time(summer, now_s=summer) == "19:20:00"
    assert arguments.local_time(summer + 86_400, now_s=summer) == "2026-07-26 19:20:00"
