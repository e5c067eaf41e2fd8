"""Makes the cabinet's part of the gateway's status (`core/status.py`). Changes nothing."""

from collections.abc import Iterator

from gateway.core.cabinet import feeder as rules
from gateway.core.cabinet.cabinet import Cabinet
from gateway.core.cabinet.feeder import FeederDemand
from gateway.core.cabinet.orders import Order
from gateway.core.status import (
    AlarmStatus,
    CabinetStatus,
    CommandStatus,
    FeederStatus,
    LeaseStatus,
    PolicyStatus,
    WishStatus,
)
from policy import lighting
from wire import command, event_table

_KINDS = {command.OVERRIDE: "override", command.EMERGENCY: "emergency", command.END: "end", command.TEST_FEEDER: "test"}


def cabinet_status(cabinet: Cabinet, *, now_ms: int) -> CabinetStatus:
    """Return the status of the cabinet at this time."""
    seen, basis = cabinet.seen, cabinet.basis
    signed = cabinet.signed_policy
    unix_s = cabinet.time_basis.unix_s(now_ms=now_ms)
    return CabinetStatus(
        unix_s=unix_s,
        in_control=cabinet.in_control,
        basis=basis.kind,
        uncertainty_s=basis.uncertainty_s if basis.unix_s is not None else None,
        switch=cabinet.switch,
        door_open=None if seen is None else seen.door_open,
        mains=None if seen is None else seen.mains,
        ups_v=None if seen is None or seen.ups_mv is None else seen.ups_mv / 1000,
        temperature_c=None if seen is None or seen.temperature_ck is None else seen.temperature_ck / 100,
        lux=None if seen is None else seen.photocell_lx,
        linky=None if seen is None or seen.linky is None else seen.linky._asdict(),
        policy=_policy(cabinet, unix_s),
        policy_plain=None if signed is None else signed.plain,
        site=(cabinet.options.latitude_e4, cabinet.options.longitude_e4),
        lease=LeaseStatus(cabinet.lease.is_held(now_ms=now_ms), cabinet.lease.left_s(now_ms=now_ms)),
        commands=tuple(_command(order) for order in cabinet.orders.known() if not order.is_directive),
        alarms=tuple(_alarms(cabinet)),
        feeders=tuple(_feeder(cabinet, index, unix_s, now_ms) for index in range(len(cabinet.feeders))),
        audit=cabinet.audit.head._asdict(),
    )


def _policy(cabinet: Cabinet, unix_s: int | None) -> PolicyStatus:
    signed, to_come = cabinet.signed_policy, cabinet.policies.to_come(unix_s)
    if signed is None:
        return PolicyStatus("none", has_keys=cabinet.policies.keyset is not None)
    policy = signed.policy
    is_over = unix_s is not None and unix_s >= policy.valid_until_s
    return PolicyStatus(
        state="expired" if is_over else "valid",
        has_keys=True,
        version=policy.version,
        insee=policy.insee,
        authority=policy.authority,
        text=policy.text,
        valid_from_s=policy.valid_from_s,
        valid_until_s=policy.valid_until_s,
        next_version=None if to_come is None else to_come.policy.version,
        signed_by=signed.kid.hex(),
    )


def _command(order: Order) -> CommandStatus:
    asked = order.command
    return CommandStatus(
        id=asked.id.hex(),
        kind=_KINDS.get(asked.kind, "?"),
        author=order.author,
        reason=asked.reason,
        not_before_s=asked.not_before_s,
        expires_s=asked.expires_s,
        target=asked.target,
        feeders=tuple(order.feeders),
        level=order.level_percent,
        state=order.state,
    )


def _alarms(cabinet: Cabinet) -> Iterator[AlarmStatus]:
    for code, detail in cabinet.conditions.active.items():
        yield AlarmStatus(event_table.label(code), None, tuple(detail))
    for watch in cabinet.watches:
        for code, detail in watch.active.items():
            yield AlarmStatus(event_table.label(code), watch.name, tuple(detail[1:]))


def _feeder(cabinet: Cabinet, index: int, unix_s: int | None, now_ms: int) -> FeederStatus:
    feeder, wish, normal = cabinet.feeders[index], cabinet.demands[index], cabinet.watches[index].normal
    seen = None if cabinet.seen is None else cabinet.seen.feeders[index]
    normal_w = None if normal.dw is None else normal.dw / 10
    considered = rules.considered(
        index,
        feeder,
        cabinet.basis,
        switch=cabinet.switch,
        hand=cabinet.hand,
        orders=cabinet.orders,
        has_lease=cabinet.lease.is_usable(now_ms=now_ms),
    )
    own = WishStatus()._asdict() | {"rule": None} if wish is None else _wish(wish)._asdict()
    return FeederStatus(
        place=index,
        name=feeder.options.name,
        group=feeder.group,
        kind="permanent" if feeder.is_permanent else "switched",
        has_rule=feeder.has_rule,
        lamps=feeder.options.lamps,
        has_meter=feeder.options.has_meter,
        dims=feeder.is_permanent or feeder.options.is_self_dimming or cabinet.orders.lowers(index),
        ordered=None if wish is None else wish.closed,
        reported=None if seen is None else seen.feedback,
        measured=None if seen is None or seen.power_dw is None else normal.lights(seen.power_dw),
        power_w=None if seen is None or seen.power_dw is None else seen.power_dw / 10,
        energy_wh=None if seen is None else seen.energy_wh,
        normal_w=normal_w,
        expected_w=normal_w if wish is not None and wish.closed else 0,
        since_s=(now_ms - cabinet.since_ms[index]) // 1000,
        because=None if wish is None else because(wish),
        considered=tuple(_wish(one) for one in considered if one is not None),
        locked_by=cabinet.hand.locks[index].who if index in cabinet.hand.locks else None,
        test_left_s=_left_s(cabinet, index, now_ms),
        night=() if unix_s is None else feeder.night(unix_s),
        **own,
    )


def _wish(wish: FeederDemand) -> WishStatus:
    order = wish.order
    return WishStatus(
        wish.rule, wish.reason, wish.closed, wish.until_s, None if order is None else order.command.id.hex()
    )


def because(wish: FeederDemand) -> str:
    """Return the rule and its reason as one English line, for logs and programs; people read `gateway explain`."""
    if isinstance(wish.reason, int):
        return f"{wish.rule}: {lighting.reason_text(wish.reason)}"
    return wish.rule if wish.reason == wish.rule else f"{wish.rule}: {wish.reason}"


def _left_s(cabinet: Cabinet, index: int, now_ms: int) -> int | None:
    test = cabinet.hand.tests.get(index)
    return None if test is None else max(0, test.until_ms - now_ms) // 1000
