"""Health tells the worst first: clocks, certificates, programs, and nodes that talk too much, each in a sentence."""

import datetime
import re
from contextlib import closing

import pytest

from tests.support.centre_world import batch, fact, synced
from tests.support.scoped_world import FENEU, NOW_S, build_for_persons, gateway_of, node_of
from tools.centre.broker import authority
from tools.centre.ingest.warehouse import Warehouse
from wire import event

# Cabinet: (gateway, version of its program, when its last word was received).
CABINETS = {"cab": (gateway_of(FENEU), "0.1.0", NOW_S - 60), "cab-2": (b"gw-00002", "0.2.0", NOW_S - 30),
            "cab-3": (b"gw-00003", "0.2.0", NOW_S - 9000), "cab-4": (b"gw-00004", "0.2.0", NOW_S - 20)}  # fmt: skip


def report(warehouse, cabinet, items, position):
    gateway, _, received_s = CABINETS[cabinet]
    for n, (lane, item) in enumerate(items):
        payload = batch([item], position + n, oldest=0, lane=lane, gateway=gateway, epoch=b"epoch-09")
        warehouse.accept(f"tc/1/e/{FENEU}/{cabinet}", payload, received_unix_s=received_s)


@pytest.fixture(scope="module")
def chain(served, tmp_path_factory):
    folder = tmp_path_factory.mktemp("health")
    path = str(folder / "centre.db")
    build_for_persons(path)
    with closing(Warehouse(path, synchronous="OFF")) as warehouse:
        for cabinet, (gateway, version, received_s) in CABINETS.items():
            begun, said = synced(received_s - 500), [0, 0, "power", "gateway", version]
            boot = fact(0, event.BOOT, said, node=gateway, boot=9, stamp=begun)
            report(warehouse, cabinet, [(event.EVENT, boot)], 0)
        gateway = CABINETS["cab"][0]
        step = [NOW_S - 4000, NOW_S - 3760, 1]
        stepped = fact(1, event.CLOCK_STEPPED, step, node=gateway, boot=9, stamp=synced(NOW_S - 3760))
        other = CABINETS["cab-2"][0]
        taken_back = fact(1, event.AGENT_UPDATE_FAILURE, ["0.3.0", "agent"], active=True, node=other, boot=9,
                          stamp=synced(NOW_S - 100))  # fmt: skip
        report(warehouse, "cab-2", [(event.ALARM, taken_back)], 1)
        for n, phase in enumerate(("canary", "rest")):
            said = ["streetlight", 12, phase, 30 * n, n]
            told = fact(1 + n, event.CAMPAIGN, said, node=b"gw-00004", boot=9, stamp=synced(NOW_S - 90 + n))
            report(warehouse, "cab-4", [(event.EVENT, told)], 1 + n)
        # One refused the state of a campaign, and has an old one; another had one in time; one is alone.
        states = (("cab-2", 2, ["20261114T120000Z", "20261001T000000Z", "refused", "no-such-state"]),
                  ("cab-4", 3, ["20261114T120000Z", None, "kept", None]),
                  ("cab-3", 1, ["20260901T000000Z", None, "kept", None]))  # fmt: skip
        for cabinet, n, said in states:
            node = CABINETS[cabinet][0]
            told = fact(n, event.SYSTEM_UPDATE, said, node=node, boot=9, stamp=synced(NOW_S - 80))
            report(warehouse, cabinet, [(event.EVENT, told)], n)
        detail = [node_of("light", FENEU), 40, 0, 0]
        talks = fact(2, event.FAIR_USE_EXCEEDED, detail, active=True, node=gateway, boot=9, stamp=synced(NOW_S - 300))
        lamp = fact(0, event.BOOT, [0, 0, "power", "streetlight", "1.2.3"], node=node_of("light", FENEU), boot=99,
                    stamp=synced(NOW_S - 400))  # fmt: skip
        report(warehouse, "cab", [(event.EVENT, stepped), (event.ALARM, talks), (event.EVENT, lamp)], 1)
    (folder / "etc").mkdir()
    own = authority.Authority(folder / "etc")
    now = datetime.datetime.fromtimestamp(NOW_S, datetime.UTC)
    own.make("Bocage", now=now - datetime.timedelta(days=10))
    for name, days in ((f"{FENEU}-cab-2", 40), (f"{FENEU}-cab", 700), (f"{FENEU}-cab-3", -1)):
        public = authority.new_key().public_key()
        own.issue(name, public, now=now - datetime.timedelta(days=5), days=days + 5)
    return path, str(folder / "etc/issued")


@pytest.fixture
def page(browser, chain, monkeypatch):
    from django.conf import settings

    path, issued = chain
    monkeypatch.setattr(settings, "BOCAGE", settings.BOCAGE._replace(warehouse=path, issued=issued))
    said = browser("mayor").get(f"/{FENEU}/health").content.decode()
    rows = re.findall("<tr class.*?</tr>", said.split("<tbody>")[1], re.DOTALL)
    text = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)) for row in rows]
    return {re.search(r"\bcab(-\d)?\b", row)[0]: row for row in text}


def hold(path, cabinet, epoch, count, waiting, received_s):
    """A cabinet sends this many records, or asks, and says how many wait."""
    gateway, said = CABINETS[cabinet][0], synced(NOW_S - 7200)
    items = [fact(n, event.CLOCK_FAILURE, [], node=gateway, boot=12, stamp=said) for n in range(count)]
    with closing(Warehouse(path, synchronous="OFF")) as warehouse:
        payload = batch(items, lane=event.ALARM, gateway=gateway, epoch=epoch, waiting=waiting)
        warehouse.accept(f"tc/1/e/{FENEU}/{cabinet}", payload, received_unix_s=received_s)


def waits_at(browser, cabinet):
    said = browser("mayor").get(f"/{FENEU}/health").content.decode()
    row = next(row for row in said.split("<tr") if f">{cabinet} <" in row or f">{cabinet}<" in row)
    found = re.search(r"(\d+) records? waits? there, made after (\S+)", re.sub(r"<[^>]*>", " ", row))
    return found and found.groups()


def test_records_that_wait_at_a_cabinet_are_counted_by_its_latest_word(page, browser, chain):
    path, _ = chain
    assert waits_at(browser, "cab-4") is None
    hold(path, "cab-4", b"epoch-10", 1, 1234, NOW_S - 15)
    assert waits_at(browser, "cab-4") == ("1234", "09:59")
    hold(path, "cab-4", b"epoch-10", 0, 3, NOW_S - 10)  # a question, that moves nothing
    assert waits_at(browser, "cab-4") == ("2", "09:59")
    hold(path, "cab-4", b"epoch-11", 1, 0, NOW_S - 5)
    assert waits_at(browser, "cab-4") is None, "the epoch before has ended, with what it held"


def test_the_worst_is_first(page):
    assert list(page) == ["cab-3", "cab", "cab-2", "cab-4"]


def test_a_clock_that_was_corrected_by_minutes_is_told(page):
    assert "its clock was 4 min off until" in page["cab"]
    assert "clock" not in page["cab-2"]


def test_a_node_that_talks_too_much_is_named_at_its_cabinet_with_a_link(page, browser, chain):
    assert f"light lighting of {FENEU}: equipment that sends too much" in page["cab"]
    assert f'href="/{FENEU}/lights/light-1"' in browser("mayor").get(f"/{FENEU}/health").content.decode()


def test_what_was_stated_beside_a_pole_and_the_register_has_otherwise_is_told(page):
    said = f"node {node_of('light', FENEU).hex()}: stated on site to serve light number in {FENEU}, and the register"
    assert said in page["cab"] and "stated" not in page["cab-2"]


def test_certificates_that_end_soon_or_have_ended_are_told_and_no_other(page):
    assert "its certificate ends on" in page["cab-2"] and "its certificate ended on" in page["cab-3"]
    assert "certificate" not in page["cab"] + page["cab-4"]


def test_a_version_that_a_cabinet_took_back_is_told_with_its_reason(page):
    assert "version 0.3.0 failed (the agent does not run, or does not go on running)" in page["cab-2"]
    assert "0.3.0" not in page["cab"] + page["cab-4"]


def test_what_became_of_debians_updates_stands_with_its_cabinet(page):
    assert re.search("System of 2026-11-14 1[23]:00 .before: [?].: installed and well", page["cab-4"])


def test_updates_of_debian_that_are_long_ago_ail_their_cabinet(page):
    assert "its last updates of Debian are of" in page["cab-2"] and "may be missing" in page["cab-2"]
    assert not any("may be missing" in page[name] for name in ("cab", "cab-3", "cab-4"))


def test_how_far_a_campaign_of_nodes_programs_is_stands_with_its_cabinet(page):
    assert page["cab-4"].count("Program no. 12 for streetlight") == 1
    assert "Program no. 12 for streetlight: all others follow, 30 confirmed, 1 failed" in page["cab-4"]
    assert "no. 12" not in page["cab"] + page["cab-2"] + page["cab-3"]


def test_a_lights_program_is_that_of_its_nodes_last_start(page, browser):
    said = re.sub("<[^>]*>", " ", browser("mayor").get(f"/{FENEU}/lights/light-1").content.decode())
    assert re.search(r"\bProgram\s+1\.2\.3\b", said)


def test_a_program_that_is_another_than_that_of_most_is_told(page):
    assert "most others have 0.2.0" in page["cab"]
    assert not any("most others" in page[name] for name in ("cab-2", "cab-3", "cab-4"))
