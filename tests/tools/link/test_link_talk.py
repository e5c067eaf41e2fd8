"""`bocage link talk`: what it refuses to send."""

import pytest

from gateway.shell import keys as node_keys
from simulator.hosts.keys import key_of
from tools import cli


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["http://h/t"], "coap://"),
        (["coap:///t"], "coap://"),
        (["coap://h:x/t"], "number"),
        (["coap://h/t", "--payload", "4"], "digits"),
    ],
)
def test_a_request_that_cannot_be_is_refused(tmp_path, capsys, words, why):
    key = node_keys.write(tmp_path, key_of(bytes(8)))
    assert cli.main(["link", "talk", str(key), *words, "--lang", "en"]) == 2
    assert why in capsys.readouterr().err
