"""A program reaches the nodes of the first cabinets, of a tenth, of all: what the centre's commands write is what
cabinets follow, and what cabinets tell is what the centre goes on by."""

import json
import shutil
import ssl
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from gateway.commands import update
from gateway.core.campaigns import wanted
from gateway.io.packages import UNREACHABLE, PackageFault
from gateway.shell import campaign_plans, node_programs, self_update
from gateway.shell import images as node_images
from tests.gateway.shell.test_images import packed
from tests.support.authority import Authority
from tests.tools.centre.test_agents_campaign import DAY_S, NOW_S, Centre
from tools import cli
from tools.centre.agents import programs
from tools.centre.commands import programs_campaign
from wire import event

FIRST, OTHER = "49007-cab-1", "49007-cab-2"


class Territory(Centre):
    """A centre with its repository, and the data folders of two cabinets that read it."""

    def __init__(self, folder, capsys, monkeypatch):
        super().__init__(folder, capsys)
        self._monkeypatch = monkeypatch
        self.at(NOW_S)
        for number in (1, 2):
            self.started(number, "0.2.0", at_s=NOW_S)

    def at(self, now_s):
        self.now_s = now_s
        self._monkeypatch.setattr("time.time", lambda: now_s)

    def programs(self, *words, status=0):
        assert cli.main(["centre", "programs", *words, "--root", str(self.folder), "--lang", "en"]) == status
        said = self._capsys.readouterr()
        return said.err if status else said.out

    def publish(self, number, product="streetlight"):
        path = self.folder / f"made-{number}.img"
        path.write_bytes(packed(number, product))
        return self.programs("publish", str(path))

    def tell(self, cabinet, phase, confirmed=0, failed=0, *, number=12):
        self.report(cabinet, event.CAMPAIGN, ["streetlight", number, phase, confirmed, failed], at_s=self.now_s)

    def read(self, name, bytes_max):
        try:
            return (self.agents / name).read_bytes()[:bytes_max]
        except FileNotFoundError:
            raise PackageFault(UNREACHABLE) from None

    def follow(self, cabinet):
        """What a cabinet does at its next hour."""
        steps = node_programs.follow(self.folder / cabinet, cabinet, self.read, now_s=self.now_s)
        return [(one.word, one.number) for one in steps]

    def plan_of(self, cabinet):
        return campaign_plans.read(self.folder / cabinet / "images" / "streetlight.json")

    @property
    def stages(self):
        (plan,) = programs.read(self.agents / "nodes.json")
        return plan.stages


@pytest.fixture
def territory(tmp_path, capsys, monkeypatch):
    made = Territory(tmp_path, capsys, monkeypatch)
    made.publish(12)
    return made


def test_a_program_reaches_the_first_cabinets_a_tenth_and_all(territory):
    assert "no campaign" in territory.programs("campaign")
    words = ("streetlight", "12", "--first", FIRST, "--canary", "2", "--soak", "12", "--failures", "3", "--pace", "20")
    assert "the first cabinets, 1" in territory.programs("campaign", *words)
    territory.at(NOW_S + 3600)
    assert territory.follow(OTHER) == [] and territory.follow(FIRST) == [(wanted.FETCH, 12)]
    held = node_images.parse_node_image((territory.folder / FIRST / "images" / "streetlight.img").read_bytes())
    assert (held.number, territory.plan_of(FIRST)[2:8]) == (12, (NOW_S + 3600, frozenset(), 2, 12 * 3600, 3, 20))
    assert territory.follow(FIRST) == [], "it is under way"
    assert f"{FIRST}: has not begun" in territory.programs("campaign")
    territory.tell(1, "canary")
    territory.tell(1, "rest", 2, 1)
    said = territory.programs("campaign")
    assert "1 cabinets follow it; 2 nodes have confirmed it, 1 failed" in said
    assert f"{FIRST}: all others follow; 2 confirmed, 1 failed" in said
    territory.run("advance")
    assert territory.stages.state == "first", "for --after, a day"
    territory.at(NOW_S + 2 * DAY_S)
    territory.tell(2, "stopped", number=11)  # of another program: it only shows that the cabinet lives
    territory.report(1, event.AUDIT_HEAD, [1, b"h"], at_s=territory.now_s)
    territory.run("advance")
    assert territory.stages.state == "tenth"
    territory.at(NOW_S + 5 * DAY_S)
    for number in (1, 2):
        territory.report(number, event.AUDIT_HEAD, [1, b"h"], at_s=territory.now_s)
    assert "all cabinets" in territory.run("advance")
    assert territory.follow(OTHER) == [(wanted.FETCH, 12)]


def test_a_campaign_that_halts_in_a_first_cabinet_stops_everywhere(territory):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST, "--first", OTHER)
    assert territory.follow(FIRST) == territory.follow(OTHER) == [(wanted.FETCH, 12)]
    territory.at(NOW_S + 3600)
    territory.tell(1, "halted", 0, 1)
    assert "stopped since" in territory.run("advance")
    assert territory.stages.why == (FIRST,)
    assert territory.follow(OTHER) == [(wanted.STOP, 12)] and territory.plan_of(OTHER).is_stopped
    assert territory.follow(OTHER) == []
    territory.at(NOW_S + 7200)
    territory.publish(13)
    territory.programs("campaign", "streetlight", "13", "--first", OTHER)
    assert territory.follow(OTHER) == [(wanted.FETCH, 13)] and not territory.plan_of(OTHER).is_stopped


def test_a_cabinet_whose_clock_is_behind_the_centres_begins_once(territory):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    territory.at(NOW_S - 100)
    assert territory.follow(FIRST) == [(wanted.FETCH, 12)]
    assert territory.follow(FIRST) == [] and territory.plan_of(FIRST).begun_s == NOW_S


def test_a_person_stops_it_and_a_technician_may_begin_again(territory):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    territory.follow(FIRST)
    territory.at(NOW_S + 3600)
    assert "stopped since" in territory.programs("campaign", "streetlight", "--stop")
    assert territory.follow(FIRST) == [(wanted.STOP, 12)]
    again = territory.plan_of(FIRST)._replace(is_stopped=False, begun_s=NOW_S + 3700)
    campaign_plans.write(territory.folder / FIRST / "images", again)
    assert territory.follow(FIRST) == []


def test_a_tenth_does_not_wait_for_cabinets_without_such_nodes(territory):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    (plan,) = programs.read(territory.agents / "nodes.json")
    both = plan.stages._replace(state="tenth", cabinets=(FIRST, OTHER))
    programs.save(territory.agents / "nodes.json", [plan._replace(stages=both)])
    territory.tell(1, "done", 40)
    for days, state in ((1.9, "tenth"), (2.1, "all")):
        territory.at(NOW_S + int(days * DAY_S))
        for number in (1, 2):
            territory.report(number, event.AUDIT_HEAD, [1, b"h"], at_s=territory.now_s)
        territory.run("advance")
        assert territory.stages.state == state


def test_of_few_cabinets_with_such_nodes_two_failures_are_too_many(territory):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    (plan,) = programs.read(territory.agents / "nodes.json")
    everywhere = plan._replace(stages=plan.stages._replace(state="all", cabinets=None))
    cabinets = [(b"gateway%d" % n, f"49007-cab-{n}", True) for n in range(2, 400)]
    phases = ["halted", "halted", *["done"] * 8]
    told = [programs.Campaign(cabinets[n][0], "streetlight", 12, phase, NOW_S, []) for n, phase in enumerate(phases)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs.campaign, "cabinets", lambda _, now_s: cabinets)
        patch.setattr(programs, "campaigns", lambda _: told)
        known = programs.seen(None, [everywhere], now_s=NOW_S)
    (further,) = programs.changed([everywhere], known, now_s=NOW_S)
    assert (further.stages.state, further.stages.why) == ("stopped", ("49007-cab-2", "49007-cab-3"))


def test_a_cabinet_takes_no_lower_number_and_keeps_what_a_technician_began(territory):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    data = territory.folder / FIRST
    node_images.put_node_image(data, "streetlight", packed(13))
    assert territory.follow(FIRST) == [(wanted.LOWER, 12)]
    node_images.put_node_image(data, "streetlight", packed(12))
    mine = campaign_plans.Plan("streetlight", 12, NOW_S + 60, canaries=1)
    campaign_plans.write(data / "images", mine)
    assert territory.follow(FIRST) == [] and territory.plan_of(FIRST) == mine
    campaign_plans.write(data / "images", mine._replace(begun_s=NOW_S - 60))
    assert territory.follow(FIRST) == [(wanted.BEGIN, 12)]


@pytest.mark.parametrize(
    ("content", "word"), [(packed(12)[:-1], "digest"), (packed(11), "other"), (b"", "form"), (None, None)]
)
def test_what_the_centre_has_otherwise_leaves_a_cabinet_as_it_was(territory, content, word):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    node_images.put_node_image(territory.folder / FIRST, "streetlight", packed(9))
    if content is None:
        (territory.agents / "streetlight-12.img").unlink()
        with pytest.raises(PackageFault):
            territory.follow(FIRST)
    else:
        (territory.agents / "streetlight-12.img").write_bytes(content)
        assert territory.follow(FIRST) == [(word, 12)]
    held = (territory.folder / FIRST / "images" / "streetlight.img").read_bytes()
    assert node_images.parse_node_image(held).number == 9


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": 0}, "number"),
        ({"pace_percent": 101}, "pace_percent"),
        ({"soak_s": "1"}, "soak_s"),
        ({"product": "../x"}, "product"),
        ({"stages": None}, "stages"),
    ],
)
def test_a_plan_that_a_stranger_wrote_is_refused_by_its_field(territory, change, field):
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    (plain,) = json.loads((territory.agents / "nodes.json").read_text())
    (territory.agents / "nodes.json").write_text(json.dumps([{**plain, **change}]))
    with pytest.raises(ValueError, match=f"^{field}$"):
        territory.follow(FIRST)


def test_a_plan_that_is_nested_without_end_is_refused(territory):
    (territory.agents / "nodes.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match="nested"):
        territory.follow(FIRST)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("streetlight", "13", "--first", FIRST), 1, "is not published here"),
        (("streetlight", "12", "--first", "49007-cab-9"), 1, "never heard"),
        (("streetlight", "12"), 2, "with --first"),
        (("streetlight", "12", "--first", FIRST, "--soak", "721"), 2, "--soak: give a number from 0 to 720"),
        (("--stop",), 2, "for which kind"),
        (("thermostat", "--stop"), 1, "no campaign"),
    ],
)
def test_what_is_no_campaign_is_refused(territory, words, status, said):
    assert said in territory.programs("campaign", *words, status=status)
    assert not (territory.agents / "nodes.json").exists()


def test_what_is_no_program_is_not_published(territory):
    path = territory.folder / "x.img"
    for content in (b"", b"BOCI\0\0\0\1x", packed(7)[:-1], packed(7, "concentrator")):
        path.write_bytes(content)
        assert "x.img" in territory.programs("publish", str(path), status=1)
    path.write_bytes(packed(12, "streetlight", kid=bytes(8)))
    assert "with other content" in territory.programs("publish", str(path), status=1)
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    territory.publish(11)
    assert "no. 12 was wanted" in territory.programs("campaign", "streetlight", "11", "--first", FIRST, status=1)


def test_both_sides_have_the_same_bounds():
    given = {
        name: tuple(wanted.BOUNDS[field]) for name, field in (("canary", "canaries"), ("failures", "failures_max"))
    }
    given |= {"pace": wanted.BOUNDS["pace_percent"], "soak": tuple(at // 3600 for at in wanted.BOUNDS["soak_s"])}
    assert given == programs_campaign._BOUNDS and wanted.BOUNDS["canaries"][1] == campaign_plans.NODES_MAX


def test_what_a_cabinet_does_is_told_and_no_fault_of_it_keeps_the_agent_from_its_own_update(
    territory, monkeypatch, capsys
):
    monkeypatch.setattr(self_update, "read_file", lambda address, ca, name, bytes_max: territory.read(name, bytes_max))
    config = SimpleNamespace(core=SimpleNamespace(insee="49007", name="cab-1"), data=territory.folder / FIRST)

    def told():
        update._follow_nodes(config, "https://centre.example.fr:8884/", "ca.pem", SimpleNamespace(lang="fr"))
        return capsys.readouterr().out

    assert told() == "", "there is no campaign"
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    image = (territory.agents / "streetlight-12.img").read_bytes()
    (territory.agents / "streetlight-12.img").write_bytes(image[:-1])
    assert "n° 12 pour « streetlight », tel que le centre l’a, est refusé (digest : " in told()
    (territory.agents / "streetlight-12.img").write_bytes(image)
    assert "le programme n° 12 pour « streetlight » est chargé, et sa campagne commence ici" in told()
    (territory.agents / "nodes.json").write_text("[{}]")
    assert "ne peut être lu : number" in told()
    shutil.rmtree(config.data)
    config.data.write_text("a file where the folder was")
    territory.at(NOW_S + 60)
    territory.programs("campaign", "streetlight", "--stop", status=1)  # the file that a hand wrote
    (territory.agents / "nodes.json").unlink()
    territory.programs("campaign", "streetlight", "12", "--first", FIRST)
    assert "un programme pour les nœuds ne peut être gardé" in told()


@pytest.mark.live
def test_plan_and_image_come_over_tls_from_the_territorys_own_server(territory, tmp_path):
    authority = Authority(tmp_path, "territory")
    handler = partial(SimpleHTTPRequestHandler, directory=str(territory.agents))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("broker", address="127.0.0.1"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"https://127.0.0.1:{server.server_address[1]}/"
        territory.read = partial(self_update.read_file, address, str(authority.certificate))
        with pytest.raises(PackageFault, match="404"):
            territory.follow(FIRST)
        territory.programs("campaign", "streetlight", "12", "--first", FIRST)
        assert territory.follow(FIRST) == [(wanted.FETCH, 12)]
        stranger = Authority(tmp_path, "stranger")
        territory.read = partial(self_update.read_file, address, str(stranger.certificate))
        with pytest.raises(PackageFault, match="certificate verify failed"):
            territory.follow(OTHER)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
