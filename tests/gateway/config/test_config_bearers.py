"""The bearers in the configuration: any number, each with its budget and its modem."""

import tomllib

import pytest

from gateway.config import config
from gateway.core.bearers.bearer import Bearer
from gateway.io.mqtt_socket import BearerRoute
from tests.gateway.config.test_config import MINIMAL, faults

FIBRE = {"name": "fibre", "kind": "fibre", "interface": "eth0"}
MOBILE = {
    "name": "mobile",
    "kind": "mobile",
    "interface": "wwan0",
    "keepalive_s": 300,
    "monthly_bytes": 50_000_000,
    "modem": "/dev/serial/by-id/stick",
    "power_command": ["/usr/sbin/uhubctl", "-a", "cycle"],
}


def with_bearers(*bearers):
    return tomllib.loads(MINIMAL) | {"bearer": [dict(one) for one in bearers]}


def test_without_bearers_the_route_is_the_systems():
    checked = config.check(tomllib.loads(MINIMAL), insecure=True)
    assert (checked.bearers, checked.core.bearers) == ((), ())


def test_two_bearers_fibre_first_and_mobile_paid_for():
    checked = config.check(with_bearers(FIBRE, MOBILE), insecure=True)
    routes = [one.route for one in checked.bearers]
    assert routes == [BearerRoute("fibre", "eth0", None, 6), BearerRoute("mobile", "wwan0", None, 300)]
    assert checked.core.bearers == (
        Bearer("fibre"),
        Bearer("mobile", is_metered=True, monthly_bytes=50_000_000, has_modem=True, has_modem_power=True),
    )
    stick = checked.bearers[1]
    assert (stick.modem, stick.power_command) == (MOBILE["modem"], ("/usr/sbin/uhubctl", "-a", "cycle"))


SECOND = """
[[bearer]]
name = "orange"
kind = "mobile"
interface = "wwan1"
monthly_bytes = 20000000
modem = "/dev/serial/by-id/other-stick"
"""


def test_a_second_modem_is_one_more_entry_in_the_file(tmp_path):
    path = tmp_path / "gateway.toml"
    first = "".join(f"{name} = {value!r}\n".replace("'", '"') for name, value in MOBILE.items())
    path.write_text(f'{MINIMAL}\n[[bearer]]\nname = "fibre"\nkind = "fibre"\ninterface = "eth0"\n[[bearer]]\n{first}')
    assert [one.name for one in config.load(path, insecure=True).core.bearers] == ["fibre", "mobile"]
    path.write_text(path.read_text() + SECOND)
    checked = config.load(path, insecure=True)
    budgets = {one.name: one.monthly_bytes for one in checked.core.bearers if one.is_metered}
    assert budgets == {"mobile": 50_000_000, "orange": 20_000_000}
    modems = {one.route.name: one.modem for one in checked.bearers if one.modem}
    assert modems == {"mobile": "/dev/serial/by-id/stick", "orange": "/dev/serial/by-id/other-stick"}
    assert checked.bearers[2].route == BearerRoute("orange", "wwan1", None, 240)


def test_a_bearer_may_be_bound_by_address_and_0_bytes_a_month_is_no_bound():
    plain = with_bearers({"name": "mobile", "kind": "mobile", "source": "192.0.2.7", "monthly_bytes": 0})
    checked = config.check(plain, insecure=True)
    assert checked.bearers[0].route.source == "192.0.2.7" and checked.core.bearers[0].monthly_bytes == 0


@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        (1, "interface", "eth0/../x"),
        (1, "interface", "a-name-of-16-char"),
        (1, "source", "here"),
        (1, "keepalive_s", 1),
        (1, "kind", "satellite"),
        (1, "kind", None),
        (1, "name", "Fibre optique"),
        (1, "name", "../etc"),
        (1, "name", None),
        (1, "monthly_bytes", 5),  # nothing is paid for by the byte
        (1, "modem", "/dev/ttyUSB2"),
        (2, "name", "fibre"),
        (2, "monthly_bytes", -1),
        (2, "modem", "ttyUSB2"),
        (2, "power_command", "reboot"),
        (2, "power_command", []),
        (2, "speed", 1),
    ],
)
def test_one_bad_value_of_a_bearer_is_one_fault(number, field, value):
    plain = with_bearers(FIBRE, MOBILE)
    plain["bearer"][number - 1][field] = value
    if value is None:
        del plain["bearer"][number - 1][field]
    (found,) = faults(plain)
    assert found.startswith(f"[[bearer]] {number} {field}: ") and "; " in found


def test_what_two_bearers_must_not_share():
    second = MOBILE | {"name": "spare", "modem": "/dev/serial/by-id/other", "interface": "wwan1"}
    assert len(config.check(with_bearers(FIBRE, MOBILE, second), insecure=True).bearers) == 3
    (found,) = faults(with_bearers(FIBRE, MOBILE, second | {"modem": MOBILE["modem"]}))
    assert found.startswith("[[bearer]] 3 modem: ")
    found = faults(with_bearers(FIBRE, MOBILE, second | {"interface": "wwan0"}))
    assert [line.partition(":")[0] for line in found] == ["[[bearer]] 2 interface", "[[bearer]] 3 interface"]


def test_a_budget_without_an_interface_to_count_on_is_a_fault():
    bearer = {"name": "mobile", "kind": "mobile", "source": "192.0.2.7", "monthly_bytes": 1}
    (found,) = faults(with_bearers(bearer))
    assert found.startswith("[[bearer]] 1 monthly_bytes: has no interface; ")


def test_a_budget_on_the_interface_of_the_fibre_is_a_fault_for_the_fibre_would_be_charged():
    mobile = {"name": "mobile", "kind": "mobile", "interface": "eth0", "source": "192.0.2.7"}
    (found,) = faults(with_bearers(FIBRE, mobile | {"monthly_bytes": 1}))
    assert found.startswith("[[bearer]] 2 interface: is that of fibre as well; ")
    assert len(config.check(with_bearers(FIBRE, mobile), insecure=True).bearers) == 2


def test_a_bearer_bound_to_nothing_and_a_power_switch_for_no_modem_are_faults():
    (found,) = faults(with_bearers({"name": "fibre", "kind": "fibre"}))
    assert found.startswith("[[bearer]] 1 interface: is missing; ")
    bearer = {"name": "mobile", "kind": "mobile", "interface": "wwan0", "power_command": ["off"]}
    (found,) = faults(with_bearers(bearer))
    assert found.startswith("[[bearer]] 1 modem: is missing; ")


@pytest.mark.parametrize("bearers", [{"name": "fibre"}, ["fibre"], 9 * [FIBRE]])
def test_what_is_no_list_of_bearers_is_one_fault(bearers):
    (found,) = faults(tomllib.loads(MINIMAL) | {"bearer": bearers})
    assert found.startswith("[[bearer]]: is no list of bearers; ")
