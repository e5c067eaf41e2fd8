"""The status of an agent with a cabinet, out of what the socket gives, for those who put it into words.

Feneu, two feeders and a pump: `bourg` goes out at 23:00 (on Fridays and Saturdays at 01:00, on 14 July not at all),
`route` burns all night, `pompe` is permanent. Must not import the agent: it is written by hand.
"""

from gateway.core.status import CabinetStatus, parse
from policy import civil, document, lighting

FENEU = lighting.Site(475720, -5940, civil.PARIS)
DUSK, DAWN = lighting.Step(lighting.SUNSET, 0, 100, 0), lighting.Step(lighting.SUNRISE, 0, 0, 0)
WEEKEND = 0b0110000  # Friday and Saturday evening


def _cut(minute):
    morning = lighting.Step(lighting.CLOCK, 6 * 60, 100, 0)
    return (DUSK, lighting.Step(lighting.CLOCK, minute, 0, 0), morning, DAWN)


BOURG = lighting.Calendar(
    (
        lighting.Rule(lighting.EVERY_DAY, 714, 714, 2),
        lighting.Rule(WEEKEND, 0, 0, 1),
        lighting.Rule(lighting.EVERY_DAY, 0, 0, 0),
    ),
    (_cut(23 * 60), _cut(60), (DUSK, DAWN)),
)
ALL_NIGHT = lighting.Calendar((lighting.Rule(lighting.EVERY_DAY, 0, 0, 0),), ((DUSK, DAWN),))


def at(year, month, day, hour=0, minute=0, second=0):
    """Unix seconds of a local time in France."""
    day_number = civil.days_from_civil(year, month, day)
    return civil.unix_from_local(civil.PARIS, day_number, 3600 * hour + 60 * minute + second)


NOW = at(2026, 11, 26, 23, 41)  # a Thursday


def policy(**more):
    fields = {
        "version": 4,
        "insee": "49135",
        "valid_from_s": at(2026, 9, 1),
        "valid_until_s": at(2027, 12, 31),
        "authority": "Conseil municipal de Feneu",
        "text": "Délibération 2026-41",
        "lighting": document.Lighting(
            FENEU,
            (BOURG, ALL_NIGHT),
            (
                document.FeederRule("bourg", document.SWITCHED, 0, "centre"),
                document.FeederRule("route", document.SWITCHED, 1, "voirie"),
                document.FeederRule("pompe", document.PERMANENT, 1, "voirie"),
            ),
            (
                document.Limit("bourg", document.DARK_WINDOW, 120, 300, "Arrêté du 27 décembre 2018", "art. 2", 0, 0),
                document.Limit("bourg", document.EXEMPTION, 1, 0, "Arrêté municipal", "2026-12", 20260714, 20260714),
                document.Limit("route", document.NO_DARKENING, 0, 0, "Préfecture", "RD 768", 20200101, 0),
            ),
        ),
        "operators": (document.Operator(bytes(range(32)), "Mairie", document.ALL_RIGHTS, 0),),
    } | more
    return document.Policy(**fields)


def plain(**more):
    """The policy's CBOR as the document carries it: hex in pieces."""
    digits = document.encode(policy(**more)).hex()
    return [digits[first : first + 400] for first in range(0, len(digits), 400)]


def wish(rule, wants, reason=None, **more):
    """What one rule wants, as the agent tells it."""
    return {"rule": rule, "reason": reason, "wants": wants, "until_unix_s": None, "command": None} | more


def feeder(name, *above, wants=False, **more):
    """A feeder by its policy; `above`: what stronger rules want, the strongest first."""
    asked = list(above)
    if not any(one["rule"] in ("default", "photocell", "safety") for one in above):
        asked.append(wish("policy", wants, 3 * 32 + 2))
    closed, normal_w = asked[0]["wants"], more.get("normal_w", 448.0)
    power_w = more.get("power_w", normal_w if closed else 0.0)
    return {
        "name": name, "group": "centre", "kind": "switched", "has_rule": True, "lamps": 14, "has_meter": True,
        "dims": False, "ordered": closed, "reported": closed, "measured": _measured(power_w, normal_w),
        "power_w": power_w, "energy_wh": 1_234_567,
        "normal_w": normal_w, "expected_w": normal_w if closed else 0, "since_s": 2_460, **asked[0],
        "because": f"{asked[0]['rule']}: in the agent's words", "considered": asked, "locked_by": None,
        "test_left_s": None, "night": [],
    } | more  # fmt: skip


def _measured(power_w, normal_w):
    """What the core makes of the watts: above half of the normal power lit, below a twentieth or 3 W off."""
    if power_w is None or power_w <= max(3, 0.05 * (normal_w or 0)):
        return None if power_w is None else False
    return True if power_w > 0.5 * (normal_w or 0) else None


def alarm(what, feeder=None, *detail):
    return {"what": what, "feeder": feeder, "detail": list(detail)}


def cabinet(**more):
    return {
        "in_control": True, "basis": "clock", "uncertainty_s": 2, "switch": "auto", "door_open": True, "mains": True,
        "ups_v": 12.6, "temperature_c": 11.5, "lux": None,
        "linky": {"mode": "historique", "serial": "041876097767", "index_wh": 12_345_678, "apparent_va": 1_210,
                  "tariff": "TH"},
        "policy": {
            "version": 4, "insee": "49135", "authority": "Conseil municipal de Feneu", "text": "Délibération 2026-41",
            "valid_from_s": at(2026, 9, 1), "valid_until_s": at(2027, 12, 31), "state": "valid", "has_keys": True,
            "next_version": None, "signed_by": "00" * 8,
        },
        "lease": {"held": True, "left_s": 240},
        "commands": [],
        "alarms": [],
        "feeders": feeders(),
        "unix_s": NOW,
        "policy_plain": plain(),
        "audit": {"entries": 12, "hash": "ab" * 32},
    } | more  # fmt: skip


def feeders(**replaced):
    """The three of Feneu by name; give another for one of them."""
    made = {
        "bourg": feeder("bourg"),
        "route": feeder("route", wants=True, group="voirie", lamps=22, power_w=1_050.0, normal_w=1_056.0,
                        since_s=24_000),
        "pompe": feeder("pompe", wants=True, group="voirie", kind="permanent", dims=True, lamps=0, reported=None,
                        power_w=None, normal_w=None, since_s=400_000),
    }  # fmt: skip
    return [one | {"place": place} for place, one in enumerate((made | replaced).values())]


def command(**more):
    return {
        "id": "0011223344556677", "kind": "override", "author": "Mme Martin (Mairie)", "reason": "travaux",
        "not_before_s": at(2026, 11, 26, 20), "expires_s": at(2026, 11, 27, 4), "target": "bourg", "feeders": [0],
        "level": 100, "state": "active",
    } | more  # fmt: skip


def agent(part=None, **more):
    """The whole status; `part` is the cabinet's, plain or made by the core, or False for a gateway without one."""
    told = {
        "document": 2, "version": "0.1.0", "phase": "running", "pid": 1, "name": "49135-bourg", "gateway": "00" * 8,
        "boot": 3, "uptime_s": 100_000, "late": [], "faults": [],
        "centre": {"connected": True, "bearer": "fibre", "since_s": 90_000, "why": None, "deaf": None,
                   "receipt_ago_s": 12, "broker": "centre.example.fr:8883"},
        "waiting": {"lanes": {"alarm": 0, "event": 1, "telemetry": 30}, "oldest_s": 40, "from_earlier_start": False},
        "disk": {"held_bytes": 1_200_000, "cap_bytes": 805_306_368, "written_bytes_a_day": 25_000_000,
                 "free_bytes": 20_000_000_000, "size_bytes": 30_000_000_000},
        "losses": {"records": 0, "by_why": {}, "last_day": 0},
        "nodes": {"heard": 0, "silent": 0, "silent_after_s": 3600, "expected": 0, "odd": 0},
        "clock": {"good": True, "unix_s": NOW, "uncertainty_s": 2},
        "certificates": {"ca": 900, "certificate": 212},
        "bearers": {"fibre": {"up": True}},
        "health": {},
        "cabinet": cabinet() if part is None else part,
    } | more  # fmt: skip
    if isinstance(part, CabinetStatus):
        return parse(told | {"cabinet": None})._replace(cabinet=part)
    return parse(told | ({"cabinet": None} if part is False else {}))
