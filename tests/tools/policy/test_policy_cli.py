"""`bocage policy` as people use it: from keys to a signed policy, a lost key replaced, refusals and exit statuses."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.io.crypto import verify_ed25519
from policy import document, keyset
from tests.support.commune import PUBLISHED, UNKNOWN, WAREHOUSE
from tests.support.sample_policy import KEY, SAMPLE
from tools import cli
from tools.policy import files, keys
from tools.policy.commands.sample import PLACEHOLDER

PEOPLE = ("Maire", "Adjoint", "Coffre")


class Desk:
    """A folder and the command line in it."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *arguments, status=0):
        """Runs `bocage policy`; words that name a file of the desk (`@name`) become its path. What was printed."""
        words = [str(self.folder / word[1:]) if word.startswith("@") else word for word in arguments]
        found = cli.main(["policy", *words])
        printed = self._capsys.readouterr()
        assert found == status, printed
        return printed.out + printed.err

    def read(self, name):
        return (self.folder / name).read_bytes()


@pytest.fixture
def desk(tmp_path, capsys):
    return Desk(tmp_path, capsys)


@pytest.fixture
def commune(desk):
    """Three people with keys, their set, and the sample compiled."""
    for name in PEOPLE:
        desk("keys", "new", "--commune", "49135", "--name", name, "--out", f"@{name}.key")
    members = [word for name in PEOPLE for word in ("--member", f"@{name}.pub")]
    desk("keyset", "new", "--commune", "49135", *members, "--out", "@commune.keys")
    (desk.folder / "feneu.toml").write_text(desk("sample").replace(PLACEHOLDER, KEY), encoding="utf-8")
    desk("compile", "@feneu.toml", "--out", "@feneu.policy")
    return desk


def test_from_a_text_to_a_policy_that_a_gateway_takes(commune):
    signing = ("sign", "@feneu.policy", "--key", "@Maire.key", "--keyset", "@commune.keys")
    told = commune(*signing, "--out", "@feneu.signed")
    assert "Délibération 2026-41 du 12 novembre 2026" in told  # what one puts one's name to
    keys, _ = keyset.decode(commune.read("commune.keys"))
    policy, _, faults = keyset.open_policy(commune.read("feneu.signed"), keys, verify_ed25519)
    assert faults == () and policy == document.decode(commune.read("feneu.policy"))[0]
    shown = commune("show", "@feneu.signed", "--keyset", "@commune.keys")
    for words in (
        "Politique n° 1 de la commune 49135",
        "07-14: sunset on, sunrise off",
        "ven. sam.: sunset on, 01:00 off",
        "parcs: dark 01:00..12:00",
        "exemption dark [2027-06-21]",
        "Astreinte éclairage: override emergency test",
        "(Maire)",
        "Les signatures sont bonnes",
    ):
        assert words in shown
    assert "Non vérifié" in commune("show", "@feneu.signed")
    assert "No signature" in commune("show", "@feneu.policy", "--lang", "en")


def test_two_replace_the_key_of_the_third(commune):
    commune("keys", "new", "--commune", "49135", "--name", "Nouvelle maire", "--out", "@nouvelle.key")
    told = commune("keyset", "change", "--from", "@commune.keys", "--remove", "Maire", "--add", "@nouvelle.pub",
                   "--key", "@Adjoint.key", "--out", "@2.keys")  # fmt: skip
    assert "signatures : 1 sur 2" in told and "bocage policy sign" in told
    refused = commune("show", "@2.keys", "--keyset", "@commune.keys", status=1)
    assert "Refusé : il manque des signatures" in refused
    commune("sign", "@2.keys", "--key", "@Coffre.key", "--keyset", "@commune.keys", "--out", "@2.keys")
    assert "Les signatures sont bonnes" in commune("show", "@2.keys", "--keyset", "@commune.keys")
    first, _ = keyset.decode(commune.read("commune.keys"))
    second, faults = keyset.open_keyset(commune.read("2.keys"), first, verify_ed25519)
    assert faults == () and second.version == 2
    assert [name for _, name in second.keys] == ["Adjoint", "Coffre", "Nouvelle maire"]
    commune("sign", "@feneu.policy", "--key", "@Maire.key", "--out", "@old.signed")
    assert "n’est pas du jeu en vigueur" in commune("show", "@old.signed", "--keyset", "@2.keys", status=1)
    told = commune("sign", "@feneu.policy", "--key", "@Maire.key", "--keyset", "@2.keys", "--out", "@x", status=1)
    assert "n’est pas du jeu de clés en vigueur (n° 2)" in told
    # the set after that is made from the signed file
    commune("keyset", "change", "--from", "@2.keys", "--remove", "Coffre", "--key", "@Adjoint.key", "--key",
            "@nouvelle.key", "--out", "@3.keys")  # fmt: skip
    assert keyset.open_keyset(commune.read("3.keys"), second, verify_ed25519)[0].version == 3


def warehouse_file(desk, name, public):
    (desk.folder / f"{name}.pub").write_text(keys.warehouse_line(keys.Warehouse(public, name)), encoding="utf-8")
    return f"@{name}.pub"


def test_the_key_holders_name_the_warehouses_and_replace_one(commune):
    old, new = warehouse_file(commune, "SIEML", UNKNOWN.key), warehouse_file(commune, "Relève", WAREHOUSE.key)
    members = [word for name in PEOPLE for word in ("--member", f"@{name}.pub")]
    create = ("keyset", "new", "--commune", "49135", *members)
    assert "aucun entrepôt n’est nommé" in commune(*create, "--out", "@none.keys")
    assert "attention" not in commune(*create, "--warehouse", old, "--out", "@1.keys")
    first, _ = keyset.decode(commune.read("1.keys"))
    assert first.warehouses == ((UNKNOWN.key, "SIEML"),)
    change = ("keyset", "change", "--from", "@1.keys", "--key", "@Maire.key", "--key", "@Coffre.key")
    commune(*change, "--add-warehouse", new, "--remove-warehouse", "SIEML", "--out", "@2.keys")
    second, faults = keyset.open_keyset(commune.read("2.keys"), first, verify_ed25519)
    assert faults == () and second.warehouses == ((WAREHOUSE.key, "Relève"),) and second.keys == first.keys
    assert "1 entrepôt dont les reçus comptent" in commune("show", "@2.keys", "--keyset", "@1.keys")
    told = commune("sign", "@2.keys", "--key", "@Adjoint.key", "--out", "@2.keys")
    assert "Relève" in told, "who signs reads who may free records"


def test_a_warehouse_that_cannot_be_is_refused(commune):
    good = warehouse_file(commune, "SIEML", UNKNOWN.key)
    members = [word for name in PEOPLE for word in ("--member", f"@{name}.pub")]
    create = ("keyset", "new", "--commune", "49135", *members, "--out", "@x.keys")
    assert "n’est pas le fichier" in commune(*create, "--warehouse", "@Maire.pub", status=1), "a person is none"
    assert "deux fois" in commune(*create, "--warehouse", good, "--warehouse", good, status=1)
    five = [warehouse_file(commune, f"w{place}", bytes([9 + place]) * 32) for place in range(5)]
    assert "en nommer 4 au plus" in commune(*create, *[word for one in five for word in ("--warehouse", one)], status=1)
    maire = keys.load_member(commune.folder / "Maire.pub").key
    assert "deux fois" in commune(*create, "--warehouse", warehouse_file(commune, "double", maire), status=1)
    change = ("keyset", "change", "--from", "@commune.keys", "--key", "@Maire.key", "--out", "@x")
    assert "SIEML" in commune(*change, "--remove-warehouse", "SIEML", status=1)


def test_nobody_signs_twice_and_no_stranger_signs(commune):
    commune("keyset", "change", "--from", "@commune.keys", "--key", "@Maire.key", "--out", "@2.keys")
    assert "a déjà signé" in commune("sign", "@2.keys", "--key", "@Maire.key", "--out", "@2.keys", status=1)
    twice = ("keyset", "change", "--from", "@commune.keys", "--key", "@Maire.key", "--key", "@Maire.key", "--out", "@x")
    assert "a déjà signé" in commune(*twice, status=1)
    commune("keys", "new", "--commune", "49135", "--name", "Autre", "--out", "@autre.key")
    stranger = ("keyset", "change", "--from", "@commune.keys", "--key", "@autre.key", "--out", "@x")
    assert "n’est pas du jeu de clés" in commune(*stranger, status=1)


def test_a_set_that_cannot_be_is_refused(commune):
    one = ("keyset", "new", "--commune", "49135", "--member", "@Maire.pub", "--out", "@x.keys")
    assert "impossible" in commune(*one, status=1)
    same = ("--member", "@Maire.pub", "--member", "@Maire.pub")
    assert "deux fois" in commune("keyset", "new", "--commune", "49135", *same, "--out", "@x.keys", status=1)
    elsewhere = ("--member", "@Maire.pub", "--member", "@Coffre.pub")
    assert "commune 49135" in commune("keyset", "new", "--commune", "49007", *elsewhere, "--out", "@x.keys", status=1)
    assert not (commune.folder / "x.keys").exists()
    nobody = ("keyset", "change", "--from", "@commune.keys", "--remove", "Personne", "--key", "@Maire.key")
    assert "Maire, Adjoint, Coffre" in commune(*nobody, "--out", "@x", status=1)
    told = commune("keyset", "new", "--commune", "49135", *elsewhere, "--out", "@two.keys")
    assert "ne pourrait plus être remplacée" in told


def test_a_text_with_faults_is_told_and_nothing_is_written(desk):
    (desk.folder / "feneu.toml").write_text(SAMPLE.replace("23:00 off", "25:00 off"), encoding="utf-8")
    line = next(i for i, text in enumerate(SAMPLE.split("\n"), 1) if "23:00 off" in text)
    told = desk("check", "@feneu.toml", status=1)
    assert f"feneu.toml:{line}: calendar[1].night[3].steps[2]: l’heure 25:00 n’existe pas" in told
    assert "à faire : écrire une heure de 00:00 à 23:59" in told and "1 défaut" in told
    assert "there is no time 25:00" in desk("compile", "@feneu.toml", "--out", "@x", "--lang", "en", status=1)
    assert not (desk.folder / "x").exists()
    assert "25:00" in desk("night", "@feneu.toml", "--date", "2027-07-14", status=1)
    (found,) = json.loads(desk("check", "@feneu.toml", "--json", "--lang", "en", status=1))
    assert found["line"] == line and found["remedy"] == "write a time from 00:00 to 23:59"


def test_the_sample_as_it_comes_has_no_key_and_says_where_to_get_one(desk):
    (desk.folder / "feneu.toml").write_text(desk("sample"), encoding="utf-8")
    told = desk("check", "@feneu.toml", status=1)
    assert "operator[1].key" in told and "1 défaut" in told and "bocage policy keys new" in told


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_key_that_others_may_read_signs_nothing(commune, mode):
    (commune.folder / "Maire.key").chmod(mode)
    told = commune("sign", "@feneu.policy", "--key", "@Maire.key", "--out", "@feneu.signed", status=1)
    assert f"chmod 600 {commune.folder / 'Maire.key'}" in told
    assert not (commune.folder / "feneu.signed").exists()


def test_a_published_private_key_signs_nothing(commune):
    key = commune.folder / "rfc8032.key"
    key.write_bytes(pem(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")))
    key.chmod(0o600)
    told = commune("sign", "@feneu.policy", "--key", "@rfc8032.key", "--out", "@feneu.signed", status=1)
    assert "bocage policy keys new" in told and not (commune.folder / "feneu.signed").exists()


def test_a_published_key_is_of_no_set(commune):
    (commune.folder / "x.pub").write_text(f"bocage-key 49135 {PUBLISHED.key.hex()} Exemple\n")
    members = ("--member", "@Maire.pub", "--member", "@x.pub")
    told = commune("keyset", "new", "--commune", "49135", *members, "--out", "@x.keys", status=1)
    assert "n’importe qui peut signer" in told and not (commune.folder / "x.keys").exists()


def test_a_policy_whose_operator_has_a_published_key_is_not_signed(commune):
    policy = document.decode(commune.read("feneu.policy"))[0]
    operators = (policy.operators[0]._replace(key=PUBLISHED.key),)
    (commune.folder / "feneu.policy").write_bytes(document.encode(policy._replace(operators=operators)))
    commune("sign", "@feneu.policy", "--key", "@Maire.key", "--out", "@feneu.signed", status=1)
    assert not (commune.folder / "feneu.signed").exists()


def pem(seed):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    plain = serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def test_a_sound_text_is_told_so(commune):
    told = commune("check", "@feneu.toml")
    assert "en ordre" in told and "1096 nuits" in told and "5 départs" in told
    assert json.loads(commune("check", "@feneu.toml", "--json")) == []


def test_a_night_is_shown_from_text_compiled_and_signed_files_alike(commune):
    commune("sign", "@feneu.policy", "--key", "@Maire.key", "--out", "@feneu.signed")
    for name in ("feneu.toml", "feneu.policy", "feneu.signed"):
        assert "bourg   allumé de 21:56 à 06:19" in commune("night", f"@{name}", "--date", "2027-07-14")
    plain = json.loads(commune("night", "@feneu.signed", "--date", "2027-07-14", "--json"))
    assert plain["evening"] == "2027-07-14"


def test_files_that_are_not_ours_are_refused(commune):
    (commune.folder / "noise").write_bytes(b"\xd2" + bytes(100_000))
    (commune.folder / "latin").write_bytes("é".encode("latin-1"))
    for arguments, words in (
        (("show", "@noise"), "n’est ni une politique"),
        (("show", "@Maire.key"), "n’est ni une politique"),
        (("show", "@absent"), "ne se lit pas"),
        (("check", "@latin"), "UTF-8"),
        (("night", "@commune.keys", "--date", "2027-07-14"), "n’est pas une politique"),
        (("show", "@feneu.policy", "--keyset", "@feneu.policy"), "n’est pas un jeu de clés"),
        (("sign", "@feneu.policy", "--key", "@commune.keys", "--out", "@x"), "n’est pas une clé privée"),
        (("sign", "@feneu.policy", "--key", "@Maire.key", "--out", "@absent/x"), "ne s’écrit pas"),
        (("keys", "new", "--commune", "49135", "--name", "x", "--out", "@Maire.key"), "existe déjà"),
    ):
        assert words in commune(*arguments, status=1)


def test_a_document_with_a_fault_is_shown_and_not_signed(commune):
    damaged = bytearray(commune.read("feneu.policy"))
    damaged[damaged.index(b"49135")] = ord("x")
    (commune.folder / "bad.policy").write_bytes(damaged)
    assert "défaut : insee" in commune("show", "@bad.policy", status=1)
    assert "insee" in commune("sign", "@bad.policy", "--key", "@Maire.key", "--out", "@x", status=1)


def test_another_communes_policy_is_not_signed_for_our_set(commune):
    text = (commune.folder / "feneu.toml").read_text(encoding="utf-8").replace('"49135"', '"49007"')
    (commune.folder / "angers.toml").write_text(text, encoding="utf-8")
    commune("compile", "@angers.toml", "--out", "@angers.policy")
    signing = ("sign", "@angers.policy", "--key", "@Maire.key", "--out", "@x")
    assert "commune 49007" in commune(*signing, "--keyset", "@commune.keys", status=1)
    commune("sign", "@angers.policy", "--key", "@Maire.key", "--out", "@x")
    assert "autre commune" in commune("show", "@x", "--keyset", "@commune.keys", status=1)


def test_no_private_key_is_ever_printed(commune, capsys):
    secrets = [b"".join(commune.read(f"{name}.key").split(b"\n")[1:-2]).decode() for name in PEOPLE]
    printed = commune("sign", "@feneu.policy", "--key", "@Maire.key", "--out", "@s")
    printed += commune("show", "@s", "--keyset", "@commune.keys")
    printed += commune("keys", "new", "--commune", "49135", "--name", "x", "--out", "@x.key")
    secrets.append(b"".join(commune.read("x.key").split(b"\n")[1:-2]).decode())
    for secret in secrets:
        assert len(secret) == 64 and secret not in printed and secret[-40:] not in printed


def test_a_key_under_a_passphrase(desk, monkeypatch):
    answers = iter(["a b c", "other", "a b c", "a b c", "a b c"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    new = ("keys", "new", "--commune", "49135", "--name", "Maire", "--encrypt", "--out", "@m.key")
    assert "diffèrent" in desk(*new, status=1)
    desk(*new)
    (desk.folder / "feneu.toml").write_text(SAMPLE, encoding="utf-8")
    desk("compile", "@feneu.toml", "--out", "@feneu.policy")
    desk("sign", "@feneu.policy", "--key", "@m.key", "--out", "@signed")
    assert files.load(desk.folder / "signed").message is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["night", "x", "--date", "14/07"],
        ["night", "x", "--date", "1999-07-14"],
        ["night", "x"],
        ["keys", "new", "--commune", "4913", "--name", "x", "--out", "x"],
        ["keys", "new", "--commune", "49135", "--name", " ", "--out", "x"],
        ["keys"],
        [],
        ["sign", "x"],
    ],
)
def test_wrong_arguments_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["policy", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["check"], ["night"], ["compile"], ["sign"], ["show"], ["sample"], ["keys", "new"], ["keyset", "new"],
              ["keyset", "change"]]
)  # fmt: skip
def test_help_has_an_example(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["policy", *words, "--help"])
    assert ended.value.code == 0
    assert "bocage policy" in capsys.readouterr().out.partition("exemple")[2]
