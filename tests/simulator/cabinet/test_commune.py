"""What a simulated commune signs is what the real gateway takes: forms, signatures, kinds."""

from gateway.io.crypto import verify_ed25519
from policy import document, keyset, lighting
from simulator.cabinet.commune import (
    BEHUARD,
    Commune,
    Night,
    calendar_of,
    options_of,
    policy_of,
    signed_by_telephone,
    signed_policy,
)
from simulator.cabinet.points import WHOLE
from simulator.hosts.keys import keyset_of
from simulator.plants.fallback import Programme
from simulator.plants.feeder import FeederData
from wire import command, cose

FEEDERS = (FeederData("bourg", 14, 32), FeederData("abri", 2, 20, switched=False))
HOURS = Programme(0, 22 * 60 + 30, 5 * 60 + 30)
CALENDAR = calendar_of(HOURS, (Night(714, 714, Programme()),))
POLICY = policy_of(BEHUARD, FEEDERS, CALENDAR, now_s=1_850_000_000)
OTHER = Commune("49135", "Feneu", 475720, -5940)


def test_the_gateway_opens_the_signed_policy_with_the_communes_keys_only():
    opened, kid, faults = keyset.open_policy(signed_policy(POLICY), keyset_of(BEHUARD.insee), verify_ed25519)
    assert faults == () and opened == POLICY
    assert keyset.key_of(keyset_of(BEHUARD.insee), kid)[1] == "maire"
    assert keyset.open_policy(signed_policy(POLICY), keyset_of(OTHER.insee), verify_ed25519)[0] is None


def test_the_key_set_is_sound():
    assert keyset.decode(keyset.encode(keyset_of(BEHUARD.insee))) == (keyset_of(BEHUARD.insee), ())


def test_the_policy_says_what_is_installed():
    assert [(rule.name, rule.kind) for rule in POLICY.lighting.feeders] == [
        ("bourg", document.SWITCHED),
        ("abri", document.PERMANENT),
    ]
    ordinary, july = (lighting.Night(CALENDAR, BEHUARD.site, day) for day in (20_800, 21_013))
    assert [level for _, level, _ in ordinary.changes()] == [0, 100, 0, 100, 0]
    assert [level for _, level, _ in july.changes()] == [0, 100, 0]  # 14 July 2027


def test_the_emergency_is_a_signed_command_of_the_mayors_telephone():
    data = signed_by_telephone(BEHUARD, 1, "recherche", from_s=1_800_000_000, to_s=1_800_003_600)
    message = cose.sign1_decode(data, bytes_max=command.SIGNED_COMMAND_BYTES_MAX)
    office, operator = POLICY.operators
    assert (office.rights, operator.rights) == (document.ALL_RIGHTS, document.LIGHT)
    assert message.signatures[0].kid == cose.kid_of(operator.key)
    assert verify_ed25519(operator.key, message.signatures[0].signature, cose.to_be_signed(message, cose.COMMAND_AAD))
    asked = command.decode_command(message.payload)
    assert (asked.kind, asked.insee, asked.target, asked.level) == (command.EMERGENCY, "49028", None, None)
    assert signed_by_telephone(BEHUARD, 2, "recherche", from_s=1, to_s=2) != data


def test_the_configuration_says_what_is_wired():
    whole = options_of(BEHUARD, FEEDERS)
    assert whole.has_watchdog and whole.has_linky and [one.lamp_dw for one in whole.feeders] == [320, 200]
    bare = options_of(BEHUARD, FEEDERS, WHOLE._replace(watchdog=False, linky=False, meters=False))
    assert not bare.has_watchdog and not bare.has_linky and not bare.feeders[0].has_meter
