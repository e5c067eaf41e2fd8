"""A node's key opens a capture of its real traffic, from its first request after a start on, and prints no secret."""

import json

from gateway.shell import keys as node_keys
from simulator.hosts.keys import key_of, keys_of
from tests.support.captured_street import NODE, OTHER
from tools import cli
from tools.link.opener import Opener


def test_all_of_a_nodes_traffic_is_opened_over_restarts_of_either_side(street):
    opener = Opener(keys=keys_of([NODE, OTHER]))
    shown = [opener.show(datagram) for datagram in street.passed]
    inner = [one["inner"] for one in shown if "inner" in one]
    told = [made["sequence"] for one in inner for made in one.get("records", [])]
    # The request whose keys the restarted gateway had lost is made again.
    assert sorted(told) == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert sum(one.get("answer", {}).get("unix_s") == 1_795_561_200 for one in inner) == 8
    assert opener.counters["not_opened"] == 0 and opener.counters["malformed"] == 0
    assert sum("unprotected" in one for one in shown) == 1, "the hint of the restarted gateway"


def test_one_nodes_key_opens_nothing_of_anothers(street):
    opener = Opener(keys=[key_of(OTHER)])
    shown = [opener.show(datagram) for datagram in street.passed]
    told = [made["sequence"] for one in shown for made in one.get("inner", {}).get("records", [])]
    assert told == [0, 1, 2] and opener.counters["not_opened"] > 5
    assert {one["not_opened"] for one in shown if "not_opened" in one} <= {
        "no key is of this kid",
        "its request was not opened",
    }


def test_a_capture_that_begins_later_opens_from_the_next_start_on(street):
    begun = next(number for number, one in enumerate(street.passed) if one.source == ("192.0.2.11", 40_000)) + 4
    opener = Opener(keys=[key_of(NODE)])
    shown = [opener.show(datagram) for datagram in street.passed[begun:]]
    told = [made["sequence"] for one in shown for made in one.get("inner", {}).get("records", [])]
    assert told == [3, 4], "after the gateway's restart both agree anew"


def test_the_command_takes_a_key_file_and_prints_no_secret(street, tmp_path, capsys):
    path = node_keys.write(tmp_path, key_of(NODE))
    lines = tmp_path / "capture.txt"
    lines.write_text("\n".join(one.data.hex() for one in street.passed if one.data != b"") + "\n")
    cli.main(["link", "decode", str(lines), "--key", str(path), "--json"])
    said = capsys.readouterr()
    assert '"power": "35.7 W"' in said.out
    assert key_of(NODE).master_secret.hex() not in said.out + said.err
    assert json.loads(said.out.splitlines()[-1])["summary"]["opened"] > 0
