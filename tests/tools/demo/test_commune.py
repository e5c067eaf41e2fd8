"""A commune's own file runs in the demonstration: its lights on its streets, and a sentence for all that it lacks."""

import pytest

from gateway.language import translate
from simulator.options import SEASONS, Options
from tools.centre.register import geopackage
from tools.centre.register.equipment import CABINET, COMMUNE, LIGHT, Equipment, Key, Version, first_second
from tools.centre.register.register import Register
from tools.centre.register.table import Unreadable
from tools.centre.store import schema
from tools.demo import commune, towns
from tools.demo.story import Story
from wire.command import NAME_BYTES_MAX

INSEE, START_S = "49015", first_second(int(SEASONS["spring"].timestamp()))
STREETS = ("rue de l’Adézière", "avenue Mendès-France", "mail <b>")


def lights(count=36):
    for n in range(count):
        street, along = n % 3, n // 3
        place = {"longitude": -0.588 + 0.0004 * along, "latitude": 47.506 + 0.002 * street}
        cabinet = f"{INSEE}-arm-7" if street < 2 else None
        feeder = "bourg" if street == 0 else None
        yield f"{n:04}", Equipment(street=STREETS[street], cabinet=cabinet, feeder=feeder, post=f"AV-{n}", **place)


def written(path, *more, count=36):
    rows = [(COMMUNE, INSEE, Equipment(name="Avrillé")), (CABINET, "arm-7", Equipment(name="Armoire 7"))]
    rows += [(LIGHT, id, equipment) for id, equipment in lights(count)]
    versions = [Version(Key(INSEE, kind, id), 0, None, equipment) for kind, id, equipment in [*rows, *more]]
    geopackage.write(path, versions)
    return path


def read(path, lamps_max=1000):
    return commune.read(path, insee=None, lamps_max=lamps_max, unix_s=START_S)


def told(found):
    return [translate(said.message, "en", **said.values) for said in found.missing]


def test_lights_hang_where_the_file_says_or_else_on_what_is_told(tmp_path):
    found = read(written(tmp_path / "a.gpkg", (LIGHT, "lost", Equipment(street="x")), ("room", "r", Equipment())))
    assert (found.insee, found.name) == (INSEE, "Avrillé")
    assert [(one.equipment.name, len(one.lights)) for one in found.cabinets] == [("Armoire 1", 12), ("Armoire 7", 24)]
    assert {light.feeder for light in found.cabinets[1].lights} == {"bourg", STREETS[1]}
    assert told(found) == [
        "1 light has no position and is left out",
        "12 lights name no cabinet: they hang on one of the demonstration",
        "24 lights name no feeder: each street has one of its own",
        "1 line is no street light of this commune and is left out",
    ]


def test_more_lights_than_run_are_cut_to_those_around_the_middle_and_it_is_said(tmp_path):
    found = read(written(tmp_path / "a.gpkg"), lamps_max=9)
    assert sum(len(one.lights) for one in found.cabinets) == 9
    assert "9 lights of 36 are taken; more with --lamps" in told(found)


def test_a_file_without_a_light_that_has_a_place_is_refused(tmp_path):
    path = written(tmp_path / "a.gpkg", (LIGHT, "lost", Equipment(street="x")), count=0)
    with pytest.raises(Unreadable):
        read(path)


def test_its_lamps_burn_on_its_streets_and_one_of_them_is_broken_by_name(tmp_path):
    from tools.demo import faults

    found = read(written(tmp_path / "a.gpkg"))
    given = found.districts()
    options = Options(start=SEASONS["spring"], cabinets=len(given), lamps=36, given=given)
    story = Story(tmp_path, options, found)
    try:
        assert [one.name for one in story.communes] == ["Avrillé", "Béhuard"]
        story.run_until(story.dusk_ms() + 600_000)
        assert story.snapshot().lit >= 36
        connection = schema.open_to_read(story.path)
        own = list(Register(connection).versions(insee=INSEE, kind=LIGHT))
        connection.close()
        assert len({one.equipment.node for one in own}) == 36 and {one.equipment.street for one in own} == set(STREETS)
        assert own[5].equipment.post == "AV-5"
        hung = {one.equipment.node: one.equipment.feeder for one in own}
        for gateway in story.territory.gateways:  # its cabinets switch the feeders that the register names, by a policy
            fed = {node: feeder.name for feeder in gateway.options.cabinet.feeders for node in feeder.nodes}
            assert fed == {node: hung[node] for node in fed} and set(fed) == set(gateway.nodes)
            assert gateway.core.cabinet.signed_policy.policy.insee == INSEE
        ground = towns.ground(story.communes[0])["features"]
        assert {one["properties"]["name"] for one in ground} == set(STREETS)
        labels = [one.label for one in faults.KINDS["lamp"].targets(story)]
        assert f"Avrillé, {STREETS[0]}, 0000" in labels
    finally:
        story.close()


def test_the_command_says_what_is_wrong_in_a_file(tmp_path, capsys):
    from tools import cli

    path = tmp_path / "none.gpkg"
    path.write_text("lampes", encoding="utf-8")
    assert cli.main(["demo", "--no-browser", "--port", "8399", "--lang", "en", "--commune", str(path)])
    assert "is no GeoPackage" in capsys.readouterr().err


def test_feeders_have_names_that_a_policy_may_have_and_no_two_the_same():
    labels = {}
    streets = [f"avenue du Général-de-Gaulle, {side}" for side in ("nord", "sud", "est")] + ["rue du Port"]
    short = [commune._label(street, labels) for street in streets]
    assert short == [commune._label(street, labels) for street in streets]
    assert len(set(short)) == 4 and short[3] == "rue du Port"
    assert all(len(one.encode()) <= NAME_BYTES_MAX for one in short), short
