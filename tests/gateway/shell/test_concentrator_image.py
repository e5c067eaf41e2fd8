"""Images of a concentrator at the gateway: whose signature counts, what is refused and why, the folder, the command."""

import json

import pytest

from gateway.commands.concentrator import _WORDS
from gateway.core.concentrator_update import FAILED, NONE, UNKNOWN, ConcentratorUpdate
from gateway.shell import images
from gateway.shell.images import FILE_BYTES_MAX, ConcentratorStore, ImageError, verify
from tests.support.commands import bocage_gateway
from tests.support.signed_image import KEY, OTHER_KEY, STRANGER, signed
from tests.support.update_rig import image_of
from wire import cose


def reason(data, keys=(KEY,)):
    with pytest.raises(ImageError) as refused:
        verify(data, keys)
    return refused.value.reason


def test_what_was_signed_comes_back_whole():
    one = image_of(7)
    assert verify(signed(one), [OTHER_KEY, KEY]) == one


def test_whoever_is_not_asked_to_sign_cannot():
    one = image_of(7)
    assert reason(signed(one, STRANGER)) == "signer"
    assert reason(signed(one), ()) == "signer"
    assert reason(signed(one, STRANGER, kid=cose.kid_of(KEY))) == "signature"
    assert reason(signed(one, aad=cose.POLICY_AAD)) == "signature", "what was signed as a policy is no image"


def test_another_product_is_told():
    assert reason(signed(image_of(7, product="streetlight"))) == "product"


@pytest.mark.parametrize("path", ["../x.py", "/x.py"])
def test_a_signed_manifest_with_a_path_that_leads_elsewhere_is_refused_too(path):
    assert reason(signed(image_of(7, files={path: b"x"}))) == "manifest"


def test_every_single_changed_byte_and_every_cut_is_noticed():
    data = signed(image_of(7))
    for at in range(0, len(data), 7):
        assert reason(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        assert reason(data[:at])
    assert reason(data + b"\0") == "form" and reason(bytes(FILE_BYTES_MAX + 1)) == "form"


def test_every_reason_has_words_in_both_languages():
    for word in ("form", "signer", "signature", "manifest", "product", "digest"):
        assert _WORDS.text(word, "fr", detail="") != _WORDS.text(word, "en", detail="")


# --- the folder -----------------------------------------------------------------------------------------------------


class Rig:
    """A data folder and what an agent makes of it."""

    def __init__(self, data):
        self.data = data
        self.logged = []
        self.start()

    def start(self):
        self.update = ConcentratorUpdate(lambda what, **values: self.logged.append((what, values)))
        say = lambda what, **values: self.logged.append((what, values))  # noqa: E731
        self.store = ConcentratorStore(self.data, (KEY,), self.update, say)
        self.store.poll()


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_an_image_that_is_brought_is_found_and_one_that_is_withdrawn_is_forgotten(rig):
    assert rig.update.state == NONE
    images.put_concentrator_image(rig.data, signed(image_of(7)))
    rig.store.poll()
    assert rig.update.image == image_of(7) and rig.update.state == UNKNOWN
    assert images.withdraw_concentrator_image(rig.data) and not images.withdraw_concentrator_image(rig.data)
    rig.store.poll()
    assert rig.update.state == NONE and rig.logged == []


def test_an_image_that_was_altered_in_the_folder_is_refused_by_the_agent(rig):
    images.put_concentrator_image(rig.data, signed(image_of(7), STRANGER))
    rig.store.poll()
    rig.store.poll()
    assert rig.update.state == NONE
    assert [(what, values["reason"]) for what, values in rig.logged] == [("concentrator-image-refused", "signer")]


def test_a_failure_is_remembered_until_another_image_comes(rig):
    images.put_concentrator_image(rig.data, signed(image_of(7)))
    rig.store.poll()
    rig.update._fail("space")
    rig.store.poll()
    rig.start()
    assert (rig.update.state, rig.update.why) == (FAILED, "space")
    images.put_concentrator_image(rig.data, signed(image_of(7)))
    rig.store.poll()
    assert rig.update.state == FAILED, "the same image again"
    images.put_concentrator_image(rig.data, signed(image_of(8)))
    rig.store.poll()
    assert rig.update.state == UNKNOWN
    (rig.data / "concentrator" / "failed.json").write_text("[rubbish")
    rig.start()
    assert rig.update.state == UNKNOWN


# --- the command ----------------------------------------------------------------------------------------------------


def settings(folder, radio):
    path = folder / "gateway.toml"
    path.write_text(
        f"""
[gateway]
id = "7c1f0a2cff000001"
insee = "49007"
name = "cab-12"
data = "{folder / "data"}"
[uplink]
broker = "127.0.0.1:1"
[link]
bind = "127.0.0.1:0"
{radio}
""",
        encoding="utf-8",
    )
    return str(path)


RADIO = f'[radio]\nport = "/dev/serial/by-id/usb"\nupdate_keys = ["{KEY.hex()}"]'


def run(tmp_path, data, radio=RADIO, *more):
    path = tmp_path / "c.img"
    path.write_bytes(data)
    return bocage_gateway(*["concentrator", "--config", settings(tmp_path, radio), *more, "update", str(path)])


def test_the_command_puts_a_good_image_where_the_agent_finds_it(tmp_path, capsys):
    assert run(tmp_path, signed(image_of(7))) == 0
    assert "image n° 7 (0.2.0, 1 ko) acceptée" in capsys.readouterr().out
    assert Rig(tmp_path / "data").update.image == image_of(7)
    assert run(tmp_path, signed(image_of(8)), RADIO, "--json") == 0
    assert json.loads(capsys.readouterr().out)["number"] == 8
    assert bocage_gateway(*["concentrator", "--config", settings(tmp_path, RADIO), "--lang", "en", "withdraw"]) == 0
    assert "withdrawn" in capsys.readouterr().out and Rig(tmp_path / "data").update.state == NONE


def test_the_command_says_in_words_why_not(tmp_path, capsys):
    assert run(tmp_path, signed(image_of(7), STRANGER)) == 1
    assert cose.kid_of(OTHER_KEY).hex() in capsys.readouterr().err
    assert run(tmp_path, b"rubbish", RADIO, "--lang", "en") == 1
    assert "no image of a concentrator" in capsys.readouterr().err
    assert run(tmp_path, signed(image_of(7)), '[radio]\nport = "/dev/x"', "--lang", "en") == 2
    assert "update_keys is missing" in capsys.readouterr().err
    assert run(tmp_path, signed(image_of(7)), "", "--lang", "en") == 2
    assert "no [radio] section" in capsys.readouterr().err
    assert not (tmp_path / "data" / "concentrator" / "image.bin").exists()
