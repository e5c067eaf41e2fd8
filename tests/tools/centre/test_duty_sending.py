"""What goes out by mail and SMS, to a scripted server of each; the file that configures them; the real process."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from contextlib import ExitStack, closing
from email import message_from_bytes
from email.policy import default

import pytest

from tests.support.duty_world import ALICE, BRUNO, NOW_S, fault
from tests.support.scoped_world import FENEU, build_for_persons
from tests.support.scripted_doors import MailServer, SmsGateway, serving
from tools import cli
from tools.centre.duty import rota
from tools.centre.duty.book import Book, Message
from tools.centre.duty.sending import Faulty, Unsent, configuration
from tools.centre.store import schema

SECRET = "s3cret+/="
TEXT = 'Départ « bourg » "éteint"\nÀ faire : {secret} {to}\nhttps://centre.example.fr/49135/faults#0102-1-2'


@pytest.fixture
def doors():
    with ExitStack() as stack:
        yield stack.enter_context(serving(MailServer())), stack.enter_context(serving(SmsGateway()))


@pytest.fixture
def config(tmp_path, doors):
    """Writes the file for both doors, with these lines for the gateway of SMS; returns its path."""
    mail, sms = doors
    (tmp_path / "secret").write_text(SECRET + "\n", encoding="utf-8")
    secret = f'secret = "{tmp_path / "secret"}"'

    def written(*lines, user='user = "astreinte"'):
        path = tmp_path / "duty.toml"
        path.write_text("\n".join((
            'origin = "https://centre.example.fr"', "[mail]", 'host = "127.0.0.1"', f"port = {mail.port}",
            'from = "Astreinte <astreinte@example.fr>"', 'security = "none"', user, secret,
            "[sms]", f'url = "{sms.url}"', secret, *lines,
        )), encoding="utf-8")  # fmt: skip
        return path

    return written


JSON = 'json = { to = ["{to}"], text = "{text}", n = 1 }'


def message(channel="sms"):
    subject = "Astreinte : départ « bourg »"
    return Message(7, ALICE.name, channel, "new", subject, TEXT, NOW_S, 0, NOW_S, None, "", False)


def send(path, channel):
    configuration(path).channels[channel].send(ALICE, message(channel), now_s=NOW_S)


@pytest.mark.live
def test_mail_is_one_that_a_mailbox_reads(config, doors):
    send(config(JSON), "mail")
    send(config(JSON), "mail")
    first, again = (message_from_bytes(one, policy=default) for one in doors[0].mails)
    assert first["To"] == ALICE.mail and first["Subject"] == message().subject and first["Auto-Submitted"]
    assert first.get_content().replace("\r\n", "\n").strip() == TEXT
    assert first["Message-ID"] == again["Message-ID"] == f"<{NOW_S}.7@example.fr>"
    assert any(verb.startswith("AUTH PLAIN") for verb in doors[0].verbs)


@pytest.mark.live
@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([JSON, 'headers = { access-token = "{secret}" }'], {"to": ["+33612345678"], "text": TEXT, "n": 1}),
        (['form = { To = "{to}", Body = "{text}", From = "+33700000000" }', 'user = "AC1"'],
         {"To": "+33612345678", "Body": TEXT, "From": "+33700000000"}),
        (['form = { to = "{to}", message = "{text}", password = "{secret}", tag = "{id}" }', 'accepted = "OK"'],
         {"to": "+33612345678", "message": TEXT, "password": SECRET, "tag": f"{NOW_S}-7"}),
    ],
)  # fmt: skip
def test_sms_is_the_request_that_the_gateway_wants(config, doors, lines, wanted):
    """As a box with a SIM card, Twilio and OVH have it; a text that names a template's words stays what it is."""
    if "headers" in str(lines):
        lines = [line.replace("{secret}", "token") if line.startswith("headers") else line for line in lines]
    send(config(*lines), "sms")
    ((path, headers, body),) = doors[1].posts
    found = json.loads(body) if "json" in headers["Content-Type"] else dict(urllib.parse.parse_qsl(body))
    assert path == "/send" and found == wanted
    assert headers.get("access-token", "token") == "token"
    assert ("Authorization" in headers) == ("user" in str(lines))


@pytest.mark.live
def test_what_the_servers_refuse_is_a_word_without_what_they_quote(config, doors):
    mail, sms = doors
    for verb, answer, word in (
        ("RCPT", f"550 no {ALICE.mail}", "recipient 550"), (".", f"451 {SECRET}", "SMTPDataError 451"),
        ("AUTH", f"535 {SECRET}", "SMTPAuthenticationError 535"),
    ):  # fmt: skip
        mail.answers = {verb: answer}
        with pytest.raises(Unsent, match=f"^{word}$"):
            send(config(JSON), "mail")
    for status, text, headers, word in (
        (401, SECRET, {}, "HTTP 401"), (302, "", {"Location": "http://127.0.0.1:1/"}, "HTTP 302"),
        (200, "KO " + SECRET, {}, "not accepted"),
    ):  # fmt: skip
        sms.status, sms.text, sms.headers = status, text, headers
        with pytest.raises(Unsent, match=f"^{word}$"):
            send(config(JSON, 'accepted = "OK"'), "sms")
    assert len(sms.posts) == 3, "a redirection would take the secret elsewhere"
    for door in doors:
        door.shutdown()  # one that waits in `select` holds its port, closed or not
        door.server_close()
    for channel in ("mail", "sms"):
        with pytest.raises(Unsent, match="ConnectionRefusedError"):
            send(config(JSON), channel)


@pytest.mark.live
def test_server_that_offers_no_encryption_gets_no_password(config, doors):
    path = config(JSON)
    path.write_text(path.read_text().replace('"none"', '"starttls"'))
    with pytest.raises(Unsent, match="SMTPNotSupportedError"):
        send(path, "mail")
    assert not any(verb.startswith(("AUTH", "MAIL")) for verb in doors[0].verbs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "give [mail], [sms] or both"),
        ("minutes = 0\n[mail]\nhost = 'a'\nfrom = 'a@b'", "minutes: give 1 to 240"),
        ("[mail]\nhost = 'a'\nfrom = 'a@b'\nsecurity = 'none'", "mail.security: without encryption only"),
        ("[mail]\nhost = 'a'\nfrom = 'a'", "mail.from: give one address"),
        ("[mail]\nhost = 'a'\nfrom = 'a@b'\nhosts = 'b'", "mail.hosts: there is no such setting"),
        ("[mail]\nfrom = 'a@b'", "host: give a text of one line"),
        ("[sms]\nurl = 'http://sms.example.fr/'\njson = { a = '{to}', b = '{text}' }", "sms.url: give https://"),
        ("[sms]\nurl = 'https://sms.example.fr/'", "[sms]: give json or form"),
        ("[sms]\nurl = 'http://192.168.1.20/'\nform = { a = '{to}' }", "[sms]: {to} and {text} have to stand"),
        ("mail = 1", "mail: give a table"), ("x = 1\n[mail]\nhost = 'a'\nfrom = 'a@b'", "x: there is no such setting"),
        ("[mail", "Expected"),
    ],
)  # fmt: skip
def test_file_that_is_faulty_is_told_with_its_field(tmp_path, text, told):
    from gateway.language import translate

    path = tmp_path / "duty.toml"
    path.write_text(text)
    with pytest.raises(Faulty) as fault:
        configuration(path)
    assert told in translate(fault.value.message, "en", **fault.value.values)


def test_message_is_a_mail_and_an_sms_of_bounded_length():
    from tools.centre.duty.words import Text
    from tools.centre.limits import SMS_CHARACTERS_MAX

    text = Text("Astreinte : " + "x" * 900, ("depuis hier",), "https://centre.example.fr/49135/faults#0102-1-2")
    subject, body = text.sms()
    assert len(body) == SMS_CHARACTERS_MAX and body.endswith("…\n" + text.address) and subject == text.subject
    assert text.address in text.mail()[1] and "depuis hier" in text.mail()[1]


def test_where_is_one_line_whatever_the_register_says():
    from tools.centre.condition.groups import group
    from tools.centre.duty import words
    from tools.centre.duty.waking import causes
    from tools.centre.register.equipment import FEEDER, Key
    from tools.centre.register.register import Place

    place = Place(Key(FENEU, FEEDER, "cab/f1"), "a\r\nBcc: x@y\u202e", None, None, f"{FENEU}-cab-1", "f1")
    (one,) = causes(group([fault(1)._replace(place=place)]), {}, now_s=NOW_S)
    said = words.sentences(one)["fr"]
    assert "\n" not in said and "\r" not in said and "\u202e" not in said and "a Bcc: x@y" in said


def test_a_silent_cabinet_is_named_as_people_call_it_with_its_commune():
    from tools.centre.duty import words
    from tools.centre.duty.waking import Silence, causes
    from tools.centre.register.equipment import CABINET, Key
    from tools.centre.register.register import Place

    (one,) = causes([], {f"{FENEU}-cab-1": NOW_S}, now_s=NOW_S + 7200)
    place = Place(Key(FENEU, CABINET, "cab-1"), "Armoire place du Bourg", "place du Bourg", "Feneu", None, None)
    assert isinstance(one.about, Silence)
    said = words.sentences(one._replace(about=one.about._replace(place=place)))["fr"]
    assert said == "Armoire place du Bourg, Feneu : plus rien n’en est reçu"


# --- commands ---------------------------------------------------------------------------------------------------


def run(capsys, *words):
    status = cli.main(["centre", *map(str, words), "--lang", "en"])
    return status, capsys.readouterr()


def test_rota_goes_through_a_spreadsheet(tmp_path, capsys):
    web, week = tmp_path / "web.sqlite3", rota.week_of(int(time.time()))
    file = tmp_path / "rota.csv"
    file.write_text(
        f"commune;trade;week;person;substitute\nall;lighting;{week};{ALICE.name};{BRUNO.name}\n"
        f"{FENEU};all;{week};{BRUNO.name};\n",
        encoding="utf-8-sig",
    )
    assert run(capsys, "duty", "person", ALICE.name, "--web", web, "--phone", "06 12.34 56-78")[0] == 0
    status, out = run(capsys, "duty", "rota", file, "--web", web)
    assert status == 0 and "2 lines" in out.out and f"is known of {BRUNO.name}" in out.out
    status, out = run(capsys, "duty", "rota", "--web", web)
    wanted = [f"{FENEU},all,{week},{BRUNO.name},", f"all,lighting,{week},{ALICE.name},{BRUNO.name}"]
    assert out.out.splitlines() == ["commune,trade,week,person,substitute", *reversed(wanted)]
    known = rota.read(rota.path_of(str(web)))
    assert known.people[ALICE.name].phone == "+33612345678"
    assert known.on_duty(FENEU, "lighting", now_s=int(time.time())).person == BRUNO.name
    assert known.on_duty("49007", "lighting", now_s=int(time.time())) == (ALICE.name, BRUNO.name, False)
    assert known.on_duty("49007", "heating", now_s=int(time.time())) is None
    file.write_text(f"all,lighting,{week},,\n")
    assert run(capsys, "duty", "rota", file, "--web", web)[0] == 0
    assert [one.person for one in rota.read(rota.path_of(str(web))).weeks] == [BRUNO.name]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("all,lighting,2026-W54,A,", "week '2026-W54': give a week such as 2026-W49"),
        ("all,light,2026-W49,A,", "trade 'light': give one of lighting, heating, watering, all"),
        ("4913,lighting,2026-W49,A,", "commune '4913': give the five characters"),
        ("all,lighting,2026-W49,A", "line 1: give commune, trade, week, person, substitute"),
        ("all,lighting,2099-W01,A,", "more than a year ahead"), (f"all,lighting,2026-W49,{'x' * 121},", "give a name"),
    ],
)  # fmt: skip
def test_line_that_is_faulty_writes_nothing(tmp_path, capsys, line, told):
    (tmp_path / "rota.csv").write_text(line + "\n")
    status, out = run(capsys, "duty", "rota", tmp_path / "rota.csv", "--web", tmp_path / "web.sqlite3")
    assert status == 2 and told in out.err
    assert rota.read(rota.path_of(str(tmp_path / "web.sqlite3"))).weeks == []


def test_week_begins_on_monday_at_eight_also_where_the_clock_changes():
    monday_s = rota.begins_s("2026-W49")
    assert rota.week_of(monday_s - 1) == "2026-W48" and rota.week_of(monday_s) == "2026-W49"
    assert monday_s == NOW_S + 10 * 3600, "from Sunday at 22:00 on"
    for week in ("2026-W13", "2026-W43", "2026-W53"):
        assert rota.weeks_from(rota.begins_s(week), 3)[0] == week
        assert rota.week_of(rota.begins_s(week) - 1) != week
    assert rota.weeks_from(rota.begins_s("2026-W52"), 3) == ["2026-W52", "2026-W53", "2027-W01"]


@pytest.fixture
def centre(tmp_path, config):
    """A warehouse with faults of a fortnight ago that still last, a rota, and the arguments of the process."""
    warehouse, web = str(tmp_path / "centre.db"), str(tmp_path / "web.sqlite3")
    build_for_persons(warehouse)
    for person in (ALICE._replace(name="operator"), BRUNO._replace(name="mayor")):
        rota.set_person(rota.path_of(web), person)
    week = rota.Week("*", "*", rota.week_of(int(time.time())), "operator", "mayor")
    rota.set_weeks(rota.path_of(web), [week], now_s=int(time.time()))
    words = ["--db", warehouse, "--web", web, "--config", str(config(JSON)), "--book", str(tmp_path / "duty.db")]
    return words


@pytest.mark.live
def test_process_tells_what_is_open_and_is_killed_and_tells_no_more_than_once_more(centre, doors, tmp_path):
    _, sms = doors
    environment = {**os.environ, "PYTHONPATH": "firmware:."}

    def start(*more):
        words = [sys.executable, "-m", "tools", "centre", "duty", *centre, *more]
        return subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)

    process = start()
    deadline_s = time.monotonic() + 30
    while not sms.posts and time.monotonic() < deadline_s:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    first = len(sms.posts)
    assert first >= 1
    done = start("--once")
    said = done.communicate(timeout=60)[1]
    with closing(Book.open_to_read(str(tmp_path / "duty.db"))) as book:
        told = [one for cause in book.open_causes() for one in book.about(cause.number)]
    # What the killed one had begun goes again after its delay; what it had not goes at once, each once.
    in_doubt = [one for one in told if one.sent_unix_s is None]
    assert done.returncode == 0 and SECRET not in said and len(in_doubt) <= 1
    bodies = [json.loads(body)["text"] for *_, body in sms.posts]
    assert len(bodies) == len(set(bodies)) and all("lighting feeder of" in body for body in bodies if "faults" in body)
    busy = start()
    try:
        time.sleep(1)
        assert "another `bocage centre duty`" in start("--once", "--lang", "en").communicate(timeout=60)[1]
    finally:
        busy.send_signal(signal.SIGKILL)
        busy.communicate()


@pytest.mark.live
def test_trial_goes_to_one_person_by_each_channel(centre, doors, capsys):
    assert run(capsys, "duty", *centre, "--trial", "mayor")[0] == 0
    assert run(capsys, "duty", *centre, "--trial", "nobody")[0] == 2
    assert run(capsys, "duty", *centre, "--once")[0] == 0
    assert any("Duty: a trial" in body for *_, body in doors[1].posts)
    assert "Duty: a trial" in str(doors[0].mails)


def test_warehouse_that_is_gone_is_told_as_the_centre(centre, tmp_path):
    from tools.centre.duty.sending import Configuration
    from tools.centre.duty.watch import Watch

    logged = []
    configured = Configuration("https://c", 15, {"sms": None})
    path = str(tmp_path / "gone.db")
    watch = Watch(path, str(tmp_path / "book.db"), centre[3], configured, lambda what, **_: logged.append(what))
    now_s = int(time.time())
    for after_s in range(0, 600, 60):
        watch.decide(now_s=now_s + after_s)
    due = watch.book.due(now_s=now_s + 600, most=9)
    watch.close()
    assert logged == ["duty-warehouse-unreadable"]
    (one,) = due
    assert (one.person, one.subject) == ("operator", "Astreinte : L’entrepôt du centre ne peut être lu")


def test_warehouse_in_whose_place_another_stands_is_the_one_that_is_read(centre, tmp_path):
    from tools.centre.duty.sending import Configuration
    from tools.centre.duty.watch import Watch

    configured = Configuration("https://c", 15, {"sms": None})
    with closing(Watch(centre[1], str(tmp_path / "book.db"), centre[3], configured, print)) as watch:
        watch.decide(now_s=int(time.time()))
        other = str(tmp_path / "other.db")
        schema.open_to_write(other).close()
        os.replace(other, centre[1])
        causes, areas = watch._open(int(time.time()))
        assert causes == [] and areas == {"mayor": set(), "operator": set()}


def test_scope_decides_who_is_told(centre, tmp_path):
    from tools.centre.duty.sending import Configuration
    from tools.centre.duty.watch import Watch

    with closing(schema.open_to_write(centre[1])) as connection:
        connection.execute("DELETE FROM grants WHERE person = 'operator'")
    watch = Watch(centre[1], str(tmp_path / "book.db"), centre[3], Configuration("https://c", 15, {"sms": None}), print)
    watch.decide(now_s=int(time.time()))
    due = watch.book.due(now_s=int(time.time()) + 1, most=99)
    unaddressed = watch.book.state(now_s=int(time.time())).unaddressed
    watch.close()
    told = [one.body for one in due]
    assert {one.person for one in due} == {"mayor"} and unaddressed
    assert any(f"lighting feeder of {FENEU}" in body for body in told) and not any("49007" in body for body in told)


def test_status_says_whether_who_is_on_duty_is_told(tmp_path):
    import datetime

    from tools.centre.broker import health, installation
    from tools.centre.broker.files import Place

    place, now = Place(tmp_path), datetime.datetime.fromtimestamp(NOW_S, datetime.UTC)

    def said():
        return [(one.sentence("en").partition(":")[0], one.is_fault) for one in health._duty(place, now)]

    assert said() == [] and "bocage-duty.service" not in installation.units(place)
    place.etc.mkdir(parents=True)
    place.var.mkdir(parents=True)
    place.duty_setting.touch()
    assert "bocage-duty.service" in installation.units(place)
    assert said() == [("nobody on duty is told of anything", True)]
    with closing(Book.open(str(place.duty_book))) as book:
        book.set("looked", NOW_S - 60)
        assert said() == [("who is on duty is told of what wakes; every message has gone out", False)]
        book.add("A", "sms", "new", ("s", "b"), (), now_s=NOW_S - 60)
        (one,) = book.due(now_s=NOW_S, most=9)
        book.note_try(one, now_s=NOW_S)
        book.note_failed(one, "timeout")
        assert said() == [("messages of the duty that could not be sent", True)]
        book.set("unaddressed", 2)
        assert said()[1] == ("faults that are told to nobody, for nobody is on duty or can be reached", True)
        book.set("looked", NOW_S - 3600)
        assert said() == [("nobody on duty is told of anything", True)]
