"""From a tap to measured watts: an order signed by a browser's key goes by the real control to the cabinet and back."""

from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.link.downlink import Downlink
from policy import document
from simulator.cabinet.commune import BEHUARD
from simulator.options import SEASONS, Options
from simulator.report.text import faults
from tools.centre.control import file as control_file
from tools.centre.control import orders, outbox
from tools.demo.story import CONTROL, DATA, Story
from wire import command, cose

PHONE = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = PHONE.public_key().public_bytes_raw()
MINUTE_MS = 60_000


@pytest.fixture
def world(tmp_path):
    """(story by day, its folder): the streets are dark."""
    story = Story(tmp_path, Options(start=SEASONS["spring"], lamps=30))
    yield story, tmp_path
    story.close()


def signed(story, kind=command.EMERGENCY, ends=None, number=1, **changes):
    order = command.Command(
        id=bytes([number]) * command.ID_BYTES, kind=kind, author="Maire", reason="fête", not_before_s=story.unix_s,
        expires_s=story.unix_s + 3600, insee=BEHUARD.insee, gateway=None, target=None, level=None, ends=ends,
        values=None,
    )._replace(**changes)  # fmt: skip
    data = cose.sign1_encode(command.encode_command(order), cose.kid_of(PUBLIC), cose.COMMAND_AAD, PHONE.sign)
    return orders.opened(data, story.unix_s)


def tapped(story, folder, order):
    outbox.put(outbox.path_of(str(folder / DATA)), order, "Maire de Béhuard", now_s=story.unix_s)


def outcomes(folder, order):
    with closing(control_file.open_to_read(str(folder / CONTROL))) as control:
        return {(one.feeder, one.outcome) for one in orders.outcomes(control, order.command.id)}


@pytest.mark.slow
def test_a_tap_lights_the_commune_and_its_watts_are_measured(world):
    story, folder = world
    story.enrol(BEHUARD.insee, PUBLIC, "Maire", document.LIGHT)
    story.run_until(story.now_ms + MINUTE_MS)
    order = signed(story)
    tapped(story, folder, order)
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    plant = story.territory.village.street.plant
    assert all(light.lit for light in plant.lights())
    assert {(name, "measured") for name in ("bourg", "levée", "chapelle")} <= outcomes(folder, order)
    end = signed(story, command.END, ends=order.command.id, number=2)
    tapped(story, folder, end)
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert not any(light.lit for light in plant.lights())
    assert (result := story.report().result).is_good, faults(result)


def test_a_key_that_nobody_enrolled_lights_nothing(world):
    story, folder = world
    order = signed(story)
    tapped(story, folder, order)
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert not any(light.lit for light in story.territory.village.street.plant.lights())
    assert outcomes(folder, order) == set()


def test_no_key_is_enrolled_that_is_none(world):
    with pytest.raises(ValueError):
        world[0].enrol(BEHUARD.insee, bytes(31), "Maire", document.LIGHT)


@pytest.mark.slow
def test_an_operator_darkens_a_feeder_by_night_and_the_checkers_expect_it(world):
    story, folder = world
    story.enrol(BEHUARD.insee, PUBLIC, "Maire", document.OVERRIDE)
    story.run_until(story.dusk_ms() + 10 * MINUTE_MS)
    plant = story.territory.village.street.plant
    assert all(light.lit for light in plant.lights())
    order = signed(story, command.OVERRIDE, level=0, target="bourg")
    tapped(story, folder, order)
    story.run_until(story.now_ms + 5 * MINUTE_MS)
    assert [bool(light.lit) for light in plant.lights()] == [False, True, True]
    assert ("bourg", "measured") in outcomes(folder, order)
    tapped(story, folder, signed(story, command.END, ends=order.command.id, number=2))
    story.run_until(story.now_ms + 5 * MINUTE_MS)
    assert all(light.lit for light in plant.lights())
    assert (result := story.report().result).is_good, faults(result)


@pytest.mark.slow
def test_an_end_of_one_order_leaves_the_other_expected(world):
    story, folder = world
    story.enrol(BEHUARD.insee, PUBLIC, "Maire", document.OVERRIDE | document.EMERGENCY)
    story.run_until(story.now_ms + MINUTE_MS)
    one, other = signed(story, target="bourg"), signed(story, target="levée", number=2)
    for order in (one, other, signed(story, command.END, ends=one.command.id, number=3)):
        tapped(story, folder, order)
        story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert [bool(light.lit) for light in story.territory.village.street.plant.lights()] == [False, True, False]
    assert (result := story.report().result).is_good, faults(result)


def burning(story, insee):
    """How many lamps of a commune give light, of how many."""
    lamps = [lamp for one in story.communes if one.insee == insee for gateway in one.gateways
             for host, lamp in zip(story.territory.streets.hosts, story.territory.lamps, strict=True)
             if host.settings.node in gateway.nodes]  # fmt: skip
    return sum(lamp.light_percent() > 0 for lamp in lamps), len(lamps)


@pytest.mark.slow
def test_lamps_with_nodes_are_lit_by_day_and_darkened_by_night_as_a_person_orders(world):
    story, folder = world
    story.enrol("49135", PUBLIC, "Maire", document.OVERRIDE | document.EMERGENCY)
    story.run_until(story.now_ms + MINUTE_MS)
    lit = signed(story, insee="49135")
    tapped(story, folder, lit)
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert burning(story, "49135") == (10, 10)
    assert burning(story, "49007") == (0, 20)
    assert {outcome for _, outcome in outcomes(folder, lit)} >= {"received", "applied", "measured"}
    tapped(story, folder, signed(story, command.END, insee="49135", ends=lit.command.id, number=2))
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert burning(story, "49135") == (0, 10)
    story.run_until(story.dusk_ms() + 20 * MINUTE_MS)
    dark = signed(story, command.OVERRIDE, insee="49135", level=0, number=3)
    tapped(story, folder, dark)
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert burning(story, "49135") == (0, 10)
    assert "measured" in {outcome for _, outcome in outcomes(folder, dark)}
    tapped(story, folder, signed(story, command.END, insee="49135", ends=dark.command.id, number=4))
    story.run_until(story.now_ms + 3 * MINUTE_MS)
    assert burning(story, "49135") == (10, 10)
    assert (result := story.report().result).is_good, faults(result)


@pytest.mark.slow
def test_a_lamp_that_no_order_reaches_is_found_by_the_checker(world, monkeypatch):
    story, folder = world
    story.enrol("49135", PUBLIC, "Maire", document.EMERGENCY)
    monkeypatch.setattr(Downlink, "set_orders", lambda *_, **__: None)
    story.run_until(story.now_ms + MINUTE_MS)
    tapped(story, folder, signed(story, insee="49135"))
    story.run_until(story.now_ms + 5 * MINUTE_MS)
    violations = story.territory.streets.checker.violations
    assert len(violations) == 10 and all(" dark for " in one for one in violations)


@pytest.mark.slow
def test_an_operator_lowers_the_lamps_that_have_controllers_and_a_contactor_refuses(world):
    story, folder = world
    for insee in ("49135", BEHUARD.insee):
        story.enrol(insee, PUBLIC, "Maire", document.OVERRIDE)
    story.run_until(story.dusk_ms() + 20 * MINUTE_MS)
    lowered = signed(story, command.OVERRIDE, insee="49135", level=50)
    refused = signed(story, command.OVERRIDE, level=50, number=2)
    for order in (lowered, refused):
        tapped(story, folder, order)
    story.run_until(story.now_ms + 6 * MINUTE_MS)
    assert burning(story, "49135") == (10, 10)
    assert sorted({lamp.burning_percent() for lamp in story.territory.lamps}) == [50, 100]  # Feneu and Angers
    assert "measured" in {outcome for _, outcome in outcomes(folder, lowered)}
    assert {("bourg", "refused"), ("levée", "refused")} <= outcomes(folder, refused)
    assert all(light.lit for light in story.territory.village.street.plant.lights())
    assert (result := story.report().result).is_good, faults(result)
    assert story.territory.streets.lowered.violations == []
