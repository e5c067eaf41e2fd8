"""Who is told what and when: the person on duty, then the substitute; once a cause, not a flood, and its end once."""

import pytest

from tests.support.duty_world import (
    ALICE,
    BRUNO,
    FENEU,
    NOW_S,
    OPTIONS,
    Door,
    Drawn,
    Duty,
    Killed,
    fault,
    rota,
)
from tools.centre.condition.faults import Note
from tools.centre.duty.rota import Taken, Week, week_of
from tools.centre.duty.waking import INGEST, Trouble, causes, member
from tools.centre.limits import FIXED_AFTER_S, FLOOD_S, OUT_OF_SERVICE_S, SEND_TRIES_MAX, SILENCE_S_MAX
from wire import event

NEW, ESCALATED, FIXED, SUMMARY = "new", "escalated", "fixed", "summary"


def test_person_on_duty_is_told_then_the_substitute_then_of_the_end():
    duty = Duty()
    duty.open = [fault(1)]
    duty.live(1800)
    assert duty.told() == [(120, ALICE.name, NEW), (1020, BRUNO.name, ESCALATED)]
    duty.open = []
    duty.live(1800)
    over_s = 1815 + FIXED_AFTER_S
    assert duty.told(kind=FIXED) == [(over_s, ALICE.name, FIXED), (over_s, BRUNO.name, FIXED)]
    assert len(duty.mail.came) == len(duty.sms.came) == 4
    assert duty.book.state(now_s=duty.now_s)[1:] == (0, 0, 0)


def test_message_says_what_where_since_when_what_to_do_and_leads_to_the_screen():
    duty = Duty()
    duty.open = [fault(1, since_s=NOW_S - 3600)]
    duty.live(1200)
    french, english = (one.message for one in duty.sms.came)
    anchor = f"https://centre.example.fr/{FENEU}/faults#{b'gwcab-1'.hex()}-1-1"
    assert french.body.startswith("Bocage. Astreinte : ") and french.body.endswith("\n" + anchor)
    for part in ("Départ « f1 » sans courant", "\nDepuis 21:00\n", "\nÀ faire : voir le disjoncteur",
                 "sinon l’alerte passe à Bruno Petit dans 15 min"):  # fmt: skip
        assert part in french.body, part
    assert english.subject.startswith("Duty: nobody has had it in hand for 15 min: ")
    assert "Alice Martin was told at" in english.body and "To do: " in english.body
    mail = duty.mail.came[0].message
    assert mail.subject == french.subject and "\n" not in mail.subject and anchor in mail.body


def test_one_dead_lamp_waits_for_the_morning():
    duty = Duty()
    duty.now_s = NOW_S + 3600
    duty.open = [fault(1, event.LAMP_FAILURE), fault(2, event.DIMMING_FAILURE)]
    duty.live(7 * 3600, 60)
    assert duty.sms.came == []
    duty.live(3 * 3600, 60)
    (one,) = duty.mail.came
    assert (one.message.kind, one.person) == ("morning", ALICE.name)
    assert one.message.subject == "Liste du matin : 2 pannes sont ouvertes"
    duty.live(86_400, 60)
    assert len(duty.mail.came) == 2 and duty.sms.came == []


@pytest.mark.parametrize(
    ("code", "detail", "wakes"),
    [
        (event.SUPPLY_LOSS, [], True), (event.CABLE_FAULT, ["f1", 5, 0, 0], True), (event.PIPE_BURST, [1, 9], True),
        (event.CONTACTOR_STUCK, ["f1", True], True), (event.CONTACTOR_STUCK, ["f1", False], False),
        (event.FROST_PROTECTION, [400], True), (event.VOLTAGE_TOO_HIGH, [], True), (event.WATER_LEAK, [9, 9], True),
        (event.LAMP_FAILURE, [], False), (event.FEEDER_UNEXPECTED_ON, ["f1", 9], False),
        (event.SENSOR_FAILURE, ["a", "b"], False), (event.LAMPS_LOST, ["f1", 1, 0, 0], False),
    ],
)  # fmt: skip
def test_what_wakes_is_dangerous_dark_freezing_or_wet(code, detail, wakes):
    duty = Duty()
    duty.open = [fault(1, code, detail=detail)]
    duty.live(3600, 60)
    assert bool(duty.told(kind=NEW)) is wakes


def test_forty_lamps_behind_one_feeder_are_one_message():
    duty = Duty()
    lamps = [fault(n, event.LAMP_FAILURE)._replace(place=_place()) for n in range(40)]
    duty.open = lamps
    duty.live(600)
    assert duty.told() == [(300, ALICE.name, NEW)]
    duty.open = [fault(99, feeder="bourg"), *lamps]  # the cabinet says why, a little later
    duty.live(600)
    assert duty.told(ALICE.name) == [(300, ALICE.name, NEW)]


def test_lamp_that_stays_dead_does_not_hide_the_next_fault_of_its_feeder():
    duty = Duty()
    lamps = [fault(n, event.LAMP_FAILURE)._replace(place=_place()) for n in range(3)]
    duty.open = [fault(99, feeder="bourg"), *lamps]
    duty.live(300)
    duty.open = lamps[:1]
    duty.live(1500)
    assert duty.told(ALICE.name) == [(120, ALICE.name, NEW), (315 + FIXED_AFTER_S, ALICE.name, FIXED)]
    duty.open = [fault(100, feeder="bourg", since_s=duty.now_s), *lamps[:1]]
    duty.live(600)
    assert len(duty.told(ALICE.name, NEW)) == 2


def test_loose_contact_is_one_cause():
    duty = Duty()
    for turn in range(10):
        duty.open = [fault(turn, feeder="bourg", since_s=duty.now_s)]
        duty.live(240)
        duty.open = []
        duty.live(120)
    assert duty.told(kind=NEW) == [(120, ALICE.name, NEW)] and duty.told(kind=FIXED) == []
    duty.live(1200)
    assert len(duty.told(kind=FIXED)) == 2


@pytest.mark.parametrize("way", ["note", "screen"])
def test_taken_in_hand_is_told_to_nobody_else_and_given_back_anew(way):
    duty = Duty()
    one = fault(1)
    duty.open = [one]
    duty.live(300)

    def say(holder):
        if way == "note":
            duty.open = [one._replace(notes=(*duty.open[0].notes, Note(duty.now_s, ALICE.name, holder, "")))]
        else:
            duty.rota = rota(in_hand={member(one): Taken(holder, duty.now_s)})

    say(ALICE.name)
    duty.live(3600)
    assert duty.told() == [(120, ALICE.name, NEW)]
    given_back_s = duty.now_s - NOW_S
    say("")
    duty.live(1200)
    assert duty.told()[1:] == [(given_back_s + 15, ALICE.name, NEW), (given_back_s + 915, BRUNO.name, ESCALATED)]


def test_what_is_in_hand_before_it_wakes_is_told_to_nobody():
    duty = Duty()
    duty.open = [fault(1)._replace(notes=(Note(NOW_S, BRUNO.name, BRUNO.name, ""),))]
    duty.live(3600)
    assert duty.told() == []


def test_storm_of_300_causes_is_one_summary_each_and_its_end_another():
    duty = Duty()
    duty.open = [fault(n) for n in range(300)]
    duty.live(1100)
    assert duty.told() == [(120, ALICE.name, SUMMARY), (1020, BRUNO.name, SUMMARY)]
    text = duty.sms.came[0].message.body
    assert text.startswith("Bocage. Astreinte : 300 pannes à la fois") and "et 295 autres" in text
    duty.open = []
    duty.live(7200)
    assert [kind for *_, kind in duty.told()] == [SUMMARY] * 4
    assert "300" in duty.sms.came[2].message.subject and len(duty.mail.came) == 4


def test_storm_that_rises_slowly_is_quiet_after_its_first_messages():
    duty = Duty()
    for n in range(60):
        duty.open.append(fault(n, event.PIPE_BURST, since_s=duty.now_s))
        duty.live(30)
    told = duty.told(ALICE.name)
    assert [kind for *_, kind in told] == [NEW] * 5 + [SUMMARY] * 2, told
    assert told[6][0] - told[5][0] >= FLOOD_S


def test_who_has_no_right_or_no_address_is_passed_over():
    for people, areas, wanted in (
        ((ALICE, BRUNO), {"Bruno Petit": {("*", "lighting")}}, BRUNO.name),
        ((ALICE, BRUNO), {"Alice Martin": {(FENEU, "heating")}, "Bruno Petit": {(FENEU, "lighting")}}, BRUNO.name),
        ((BRUNO,), {"Alice Martin": {("*", "lighting")}, "Bruno Petit": {("*", "lighting")}}, BRUNO.name),
        ((ALICE._replace(phone="", mail=""), BRUNO), None, BRUNO.name),
    ):
        duty = Duty(rota=rota(people=people), areas=areas and (lambda who, areas=areas: areas.get(who, set())))
        duty.open = [fault(1)]
        duty.live(300)
        assert duty.told(kind=NEW) == [(120, wanted, NEW)]


def test_nobody_on_duty_is_counted_until_the_rota_has_somebody():
    duty = Duty(rota=rota(weeks=()))
    duty.open = [fault(1)]
    duty.live(300)
    assert duty.told() == [] and duty.book.state(now_s=duty.now_s).unaddressed == 1
    duty.rota = rota()
    duty.live(30)
    assert duty.told() == [(315, ALICE.name, NEW)] and duty.book.state(now_s=duty.now_s).unaddressed == 0


def test_rota_that_was_forgotten_goes_on_and_says_so():
    former = Week("*", "*", week_of(NOW_S - 30 * 86_400), ALICE.name, "")
    duty = Duty(rota=rota(weeks=[former]))
    duty.open = [fault(1)]
    duty.live(300)
    assert duty.told() == [(120, ALICE.name, NEW)]
    assert "n’a personne pour cette semaine" in duty.sms.came[0].message.body


def test_silent_cabinet_is_told_and_all_at_once_are_the_centre():
    duty = Duty()
    duty.heard = {"49135-cab-1": NOW_S, "49135-cab-2": NOW_S, "49007-old": NOW_S - OUT_OF_SERVICE_S}
    duty.heard["49135-cab-2"] = NOW_S + 10_000
    duty.live(SILENCE_S_MAX + 60)
    assert duty.told() == [(SILENCE_S_MAX + 15, ALICE.name, NEW)]
    assert "armoire 49135-cab-1" in duty.sms.came[0].message.subject
    assert "sudo" not in duty.sms.came[0].message.body
    duty.heard["49135-cab-2"] = NOW_S + 600
    duty.live(SILENCE_S_MAX)
    deaf = "Astreinte : Le centre ne reçoit plus rien d’aucune de ses 2 armoires"
    assert [one.message.subject for one in duty.sms.came].count(deaf) == 1 and not duty.told(kind=FIXED)
    duty.heard = dict.fromkeys(duty.heard, duty.now_s + 10_000)
    duty.live(1200)
    assert len(duty.told(ALICE.name, FIXED)) == 2


def test_a_centre_that_hears_nothing_is_told_once_whatever_each_cabinet_said_last():
    duty = Duty()
    cabinets = [f"49135-cab-{number}" for number in range(4)]
    duty.heard = {name: NOW_S + 200 * number for number, name in enumerate(cabinets)}
    duty.live(2 * SILENCE_S_MAX)
    assert duty.told(ALICE.name, NEW) == [(SILENCE_S_MAX + 615, ALICE.name, NEW)]
    for name in cabinets:  # they come back one after the other
        duty.heard[name] = duty.now_s
        duty.live(120)
    duty.heard = dict.fromkeys(cabinets, duty.now_s + 10_000)
    duty.live(1200)
    assert len(duty.told(ALICE.name, NEW)) == 1


def test_trouble_of_the_centre_is_told_to_who_is_on_duty_for_anything():
    week = week_of(NOW_S)
    for weeks, wanted in (
        ([Week(FENEU, "lighting", week, BRUNO.name, ""), Week("*", "watering", week, ALICE.name, "")], ALICE.name),
        ([Week(FENEU, "lighting", week, BRUNO.name, "")], BRUNO.name),
    ):
        duty = Duty(rota=rota(weeks=weeks))
        duty.troubles = [Trouble(INGEST, NOW_S, 1)]
        duty.live(60)
        assert duty.told() == [(15, wanted, NEW)]
        assert "process" in duty.sms.came[0].message.subject


def test_cabinet_that_falls_silent_for_want_of_mains_is_no_second_cause():
    duty = Duty()
    duty.heard = {"49135-cab-1": NOW_S, "49135-cab-2": NOW_S + 20_000}
    duty.open = [fault(1, event.SUPPLY_LOSS, gateway="cab-1")]
    duty.live(2 * SILENCE_S_MAX)
    assert duty.told(ALICE.name) == [(300, ALICE.name, NEW)]


def test_warehouse_that_cannot_be_read_ends_nothing():
    duty = Duty()
    duty.open = [fault(1)]
    duty.live(300)
    for _ in range(100):
        duty.now_s += 60
        duty.desk.look([], rota(), lambda _: None, now_s=duty.now_s, is_blind=True)
        duty.send()
    assert duty.told(kind=FIXED) == []


def test_what_was_over_before_it_could_be_sent_is_withdrawn():
    duty = Duty()
    duty.mail.is_shut = True
    duty.open = [fault(1)]
    duty.live(130)
    assert len(duty.sms.came) == 1 and duty.mail.came == []
    duty.open = []
    duty.live(1200)
    duty.mail.is_shut = False
    duty.live(3600)
    assert [one.message.kind for one in duty.mail.came] == [FIXED]


def test_what_cannot_be_sent_is_tried_again_within_bounds_counted_and_told():
    duty = Duty()
    duty.mail.is_shut = duty.sms.is_shut = True
    duty.open = [fault(1)]
    duty.live(600)
    assert duty.book.state(now_s=duty.now_s).waiting == 2
    duty.live(12 * 3600, 300)
    state = duty.book.state(now_s=duty.now_s)
    assert (state.waiting, state.given_up) == (1, 4)  # the list of the morning is younger
    tries = [fields for what, fields in duty.logged if fields.get("given_up")]
    assert len(tries) == 4 and SEND_TRIES_MAX == 18
    assert not any(word in str(duty.logged) for word in ("Alice", "alice@", "+336", "départ")), "of numbers only"


def test_killed_between_sending_and_writing_is_sent_once_more(tmp_path):
    duty = Duty(str(tmp_path / "duty.db"))
    duty.open = [fault(1)]
    duty.sms.kills = 1
    duty.now_s += 120
    with pytest.raises(Killed):
        duty.turn()
    duty.restart()
    duty.live(600)
    assert [one.message.number for one in duty.sms.came] == [2, 2]
    assert len(duty.mail.came) == 1


@pytest.mark.parametrize("seed", range(12))
def test_what_wakes_is_told_to_somebody_whatever_is_shut_or_killed(seed, tmp_path):
    checker = Drawn(seed, str(tmp_path / "duty.db")).run()
    assert checker.violations == [] and checker.judged > 10


class Dropping(Door):
    """A sender that says of every third cause that it was told."""

    def send(self, person, message, *, now_s):
        number = message.body.strip().rpartition("-")[2]
        if not number.isdecimal() or int(number) % 3:
            super().send(person, message, now_s=now_s)


def test_sender_that_drops_one_is_found(tmp_path):
    found = [Drawn(seed, str(tmp_path / f"{seed}.db"), door=Dropping).run().violations for seed in range(3)]
    assert any("nobody was told" in one for some in found for one in some), found


def test_causes_of_two_trades_are_told_to_two_persons():
    week = week_of(NOW_S)
    weeks = [Week("*", "lighting", week, ALICE.name, ""), Week(FENEU, "watering", week, BRUNO.name, "")]
    duty = Duty(rota=rota(weeks=weeks), options=OPTIONS._replace(channels=("sms",)))
    duty.open = [fault(1), fault(2, event.PIPE_BURST)]
    duty.live(3600)
    assert sorted(duty.told()) == [(15, BRUNO.name, NEW), (120, ALICE.name, NEW)] and duty.mail.came == []


def _place():
    from tools.centre.register.equipment import LIGHT, Key
    from tools.centre.register.register import Place

    return Place(Key(FENEU, LIGHT, "0117"), None, "rue du Port", "Feneu", f"{FENEU}-cab-1", "bourg")


def test_holder_of_the_first_fault_counts():
    held = fault(1)._replace(notes=(Note(NOW_S, "Léa", "Léa", ""), Note(NOW_S + 1, "Léa", "", "")))
    from tools.centre.condition.groups import group

    (one,) = causes(group([held]), {}, now_s=NOW_S)
    assert one.holder == ""
