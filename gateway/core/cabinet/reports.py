"""A look at the cabinet as readings: channel 0 is the cabinet, channel n its n-th feeder."""

from gateway.core.cabinet.points import FeederSeen, Seen
from wire import limits, quantity


def readings(seen: Seen, closed: list[bool]) -> list[dict[int, int]]:
    """Records' worth of readings, none of them empty, each within wire.limits.READINGS_MAX."""
    groups = [_of_cabinet(seen)]
    groups += [_of_feeder(index + 1, feeder, closed[index]) for index, feeder in enumerate(seen.feeders)]
    records: list[dict[int, int]] = [{}]
    for group in groups:
        if len(records[-1]) + len(group) > limits.READINGS_MAX:
            records.append({})
        records[-1].update(group)
    return [record for record in records if record]


def _of_cabinet(seen: Seen) -> dict[int, int]:
    linky = seen.linky
    return _present(
        0,
        {
            quantity.ENERGY: None if linky is None else linky.index_wh,
            quantity.APPARENT_POWER: None if linky is None else linky.apparent_va,
            quantity.TEMPERATURE: seen.temperature_ck,
            quantity.BATTERY: seen.ups_mv,
            quantity.ILLUMINANCE: seen.photocell_lx,
        },
    )


def _of_feeder(channel: int, feeder: FeederSeen, is_closed: bool) -> dict[int, int]:
    return _present(
        channel,
        {
            quantity.POWER: feeder.power_dw,
            quantity.ENERGY: feeder.energy_wh,
            quantity.VOLTAGE: feeder.voltage_dv,
            quantity.CURRENT: feeder.current_ma,
            quantity.LEVEL: 100 if is_closed else 0,
        },
    )


def _present(channel: int, values: dict[int, int | None]) -> dict[int, int]:
    return {quantity.key(code, channel): value for code, value in values.items() if value is not None}
