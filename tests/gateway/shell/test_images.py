"""Programs for nodes at the gateway: what is served, the folder, the command."""

import json

import pytest

from gateway.core.campaigns.campaign import Plan
from gateway.core.link.images import NodeImage, NodeImages
from gateway.core.link.link import NodeRequest
from gateway.shell import campaign_plans
from gateway.shell import images as node_images
from gateway.shell.images import ImageError, NodeImageStore, parse_node_image
from tests.support.commands import run_command
from tests.support.signed_image import STRANGER, signed
from tests.support.update_rig import image_of
from tools import firmware_modules
from wire import block, image
from wire import coap_message as messages
from wire.block import Body
from wire.faults import WireFault


def packed(number, product="streetlight", **options):
    return signed(image_of(number, product=product), **options)


class Link:
    def __init__(self):
        self.said = []

    def respond(self, exchange, code, payload=b"", *, options=(), now_ms):
        self.said.append((code, payload, options))


def asked(*path, code=messages.GET, options=()):
    return NodeRequest(bytes(8), "peer", 1, code, path, b"", options)


# --- what is served -------------------------------------------------------------------------------------------------


def test_a_manifest_and_its_files_are_served_and_nothing_else():
    link = Link()
    images = NodeImages(link)
    one = parse_node_image(packed(7))
    images.set_images([one])
    for path, body in (((b"f", b"streetlight"), one.signed), ((b"f", b"streetlight", b"7", b"0"), one.files[0])):
        assert images.handle(asked(*path), now_ms=0)
        code, payload, options = link.said[-1]
        assert code == messages.CONTENT and body.startswith(payload) and payload
        assert (messages.ETAG, block.digest_etag(Body(body))) in options
    absent = ((), (b"thermostat",), (b"streetlight", b"6", b"0"), (b"streetlight", b"7", b"99"))
    for path in ((b"f", *rest) for rest in absent):
        assert images.handle(asked(*path), now_ms=0) and link.said[-1][0] == messages.NOT_FOUND
    assert images.handle(asked(b"f", b"streetlight", code=messages.POST), now_ms=0)
    assert link.said[-1][0] == messages.METHOD_NOT_ALLOWED
    assert not images.handle(asked(b"c"), now_ms=0)
    images.set_images([])
    assert images.handle(asked(b"f", b"streetlight"), now_ms=0) and link.said[-1][0] == messages.NOT_FOUND


@pytest.mark.parametrize(
    ("judged", "code"), [(0, messages.CONTENT), (900, messages.UNAVAILABLE), (None, messages.NOT_FOUND)]
)
def test_a_campaign_says_who_is_served(judged, code):
    link = Link()
    images = NodeImages(link, lambda asked, image, is_manifest, *, now_ms: judged)
    images.set_images([parse_node_image(packed(7))])
    assert images.handle(asked(b"f", b"streetlight"), now_ms=0) and link.said[-1][0] == code
    assert ((messages.MAX_AGE, b"\x03\x84") in link.said[-1][2]) == (judged == 900)


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_strangers_signature_is_carried_all_the_same_for_nodes_judge_it():
    assert parse_node_image(packed(7, signer=STRANGER)).number == 7


@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_a_program_of_each_kind_is_for_nodes(kind):
    assert parse_node_image(packed(7, kind)).product == kind


@pytest.mark.parametrize("product", [image.CONCENTRATOR, "", "../up", "Streetlight", "x" * 25])
def test_what_is_meant_for_no_node_is_refused(product):
    with pytest.raises(ImageError) as refused:
        parse_node_image(packed(7, product))
    assert refused.value.reason == "product"


def test_a_file_that_is_cut_or_changed_behind_the_manifest_is_refused():
    data = packed(7)
    for harmed in (data[:-1], data + b"x", data[:-1] + b"?", b"", b"BOCX" + data[4:], data[:30]):
        with pytest.raises(ImageError):
            parse_node_image(harmed)


# --- the folder -----------------------------------------------------------------------------------------------------


def test_a_program_that_grows_is_bounded_by_bytes_alone():
    rows = [image.File(f"trade/part_{number}.mpy", 2000, bytes(image.DIGEST_BYTES)) for number in range(200)]
    grown = image.Manifest("irrigation", 2, "0.2.0", rows)
    assert image.decode(image.encode(grown)) == grown
    with pytest.raises(WireFault, match="too-long"):
        image.encode(grown._replace(files=rows * 2))


def test_the_store_serves_what_is_sound_and_says_what_is_not(tmp_path):
    served, said = [], []
    plans = []
    store = NodeImageStore(
        tmp_path,
        lambda images, found: (served.append(images), plans.append(found)),
        lambda what, **values: said.append((what, values)),
    )
    store.poll()
    store.poll()
    assert served == [], "an empty folder is nothing new"
    node_images.put_node_image(tmp_path, "streetlight", packed(7))
    node_images.put_node_image(tmp_path, "thermostat", packed(2, "thermostat")[:-3])
    store.poll()
    store.poll()
    assert [[(one.product, one.number) for one in images] for images in served] == [[("streetlight", 7)]]
    assert [values["reason"] for what, values in said if what == "node-image-refused"] == ["digest"]
    folder = tmp_path / node_images.NODE_FOLDER
    plan = Plan("streetlight", 7, 1_800_000_000, frozenset({bytes(8)}), canaries=2)
    campaign_plans.write(folder, plan)
    (folder / "thermostat.json").write_text("{}")
    store.poll()
    assert plans[-1] == [plan] and said[-2][1]["reason"] == "plan"
    found = [node_images.withdraw_node_image(tmp_path, "streetlight") for _ in range(2)]
    assert found == [True, False]
    store.poll()
    assert served[-1] == [] and plans[-1] == []


# --- the command ----------------------------------------------------------------------------------------------------


class Config:
    def __init__(self, data):
        self.data = data


def run(tmp_path, what, *names, language="en", as_json=False):
    return run_command("images", Config(tmp_path), what, *names, lang=language, json=as_json)


def test_an_operator_brings_lists_and_takes_back(tmp_path, capsys):
    (tmp_path / "s.img").write_bytes(packed(7))
    assert run(tmp_path, "list") == 0 and "no image" in capsys.readouterr().out
    assert run(tmp_path, "add", tmp_path / "s.img") == 0
    assert 'no. 7 (0.2.0, 1 kB) held for nodes "streetlight"' in capsys.readouterr().out
    assert run(tmp_path, "list", as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "done": "listed", "product": "streetlight", "number": 7, "text": "0.2.0", "kilobytes": 1,
    }  # fmt: skip
    (tmp_path / "old.img").write_bytes(packed(6))
    assert run(tmp_path, "add", tmp_path / "old.img") == 1 and "no. 7" in capsys.readouterr().err
    assert run(tmp_path, "remove", "streetlight") == 0
    assert run(tmp_path, "remove", "streetlight", "../../etc") == 1
    assert "withdrawn" in capsys.readouterr().out


def test_faults_are_told_in_both_languages(tmp_path, capsys):
    (tmp_path / "bad.img").write_bytes(b"rubbish")
    for language, word in (("fr", "la copier"), ("en", "copy it")):
        assert run(tmp_path, "add", tmp_path / "bad.img", language=language) == 1
        assert word in capsys.readouterr().err
    assert run(tmp_path, "add") == 2 and run(tmp_path, "remove") == 2
    assert run(tmp_path, "add", tmp_path / "absent.img") == 1


def test_an_operator_begins_and_stops_a_campaign(tmp_path, capsys):
    assert run(tmp_path, "campaign", "start", "streetlight") == 2 and "bring one first" in capsys.readouterr().err
    (tmp_path / "s.img").write_bytes(packed(7))
    run(tmp_path, "add", tmp_path / "s.img")
    options = ("--canary", 2, "--soak", 48, "--only", "7C1F0A2C01000001")
    assert run(tmp_path, "campaign", "start", "streetlight", *options, language="fr") == 0
    assert "2 d’abord, pendant 48 h" in capsys.readouterr().out
    path = tmp_path / "images" / "streetlight.json"
    plan = campaign_plans.read(path)
    assert (plan.number, plan.canaries, plan.soak_s, plan.is_stopped) == (7, 2, 172_800, False)
    assert plan.nodes == {bytes.fromhex("7c1f0a2c01000001")}
    assert run(tmp_path, "campaign", "stop", "streetlight") == 0 and campaign_plans.read(path).is_stopped
    assert run(tmp_path, "campaign", "stop", "thermostat") == 2
    run(tmp_path, "add", tmp_path / "s.img")
    assert not path.exists(), "another image has no campaign yet"


@pytest.mark.parametrize(
    "words",
    [("campaign",), ("campaign", "start"), ("campaign", "start", "streetlight", "--pace", 0),
     ("campaign", "start", "streetlight", "--only", "7c1f"), ("campaign", "stop", "../../etc/x")],
)  # fmt: skip
def test_what_is_no_campaign_is_refused_with_the_usage(tmp_path, words):
    (tmp_path / "s.img").write_bytes(packed(7))
    run(tmp_path, "add", tmp_path / "s.img")
    assert run(tmp_path, *words) == 2


def test_an_image_says_its_bytes():
    assert NodeImage("x", 1, "", b"abc", (b"de", b"f")).bytes == 6
