"""Runs one streetlight as the application's trade: decides its light, watches lamp and mains, counts, and reports.

Composes the machines of this package. `outputs.level_percent` is the level for the gear: the demanded light, on its
ramp, multiplied by the factors of the installation. Events and records carry the demanded light as LEVEL_ORDERED;
LEVEL_REPORTED is what a gear answers that it gives, and what is measured is the power. Presence never leaves this node:
records describe the lamp without its boosts. Light raised for a passer-by is no event, and its readings are not kept,
and judge only whether the lamp is dead, but for what the photocell sees; energy and temperature, which keep a trace,
are reported by the hour.

Long because the machines of a lamp meet here; each is a module of its own.
"""

from collections import namedtuple

from lighting import decision, dimming, inputs, limits, memory, settings, watch
from lighting.decision import Demand, LightDecision, Sunlight
from lighting.dimming import Ramp
from lighting.identification import Identification
from lighting.memory import EnergyMeter
from lighting.photocell import STUCK, Photocell
from lighting.presence import PresenceBoost
from lighting.reports import LampReports
from lighting.watch import LampWatch, SupplyWatch
from node.trade import Trade, spread
from policy import lighting
from wire import event, node_order, quantity

FAIL_SAFE_PERCENT = 100

# What the ports apply. `level_percent`: the level for the gear.
Output = namedtuple("Output", ("level_percent", "rule", "reason"))

_LOCKED = Demand(0, decision.LOCK, 0)
_TESTED = Demand(100, decision.TEST, 0)

# Measured values that change slowly: once an hour, with the health record, is enough.
_HOURLY = (
    quantity.FREQUENCY,
    quantity.GEAR_HOURS,
    quantity.GEAR_STARTS,
    quantity.APPARENT_POWER,
    quantity.LOAD_ENERGY,
    quantity.VOLTAGE + quantity.CHANNEL_STEP,
    quantity.CURRENT + quantity.CHANNEL_STEP,
    quantity.TEMPERATURE + quantity.CHANNEL_STEP,
    quantity.TEMPERATURE + 2 * quantity.CHANNEL_STEP,
)
# Keys of a sample that no record carries.
_INSIDE = inputs.KEYS + (quantity.OCCUPANCY,)
_ASIDE = set(_HOURLY + _INSIDE)  # a set: a lamp with a meter has none of them, and finds that out for each key
# Faults that contradict an output: the meter is silent, or the lamp, its relay or its dimming does not follow.
_CONTRADICTED = {
    event.METER_FAILURE,
    event.LAMP_FAILURE,
    event.LAMP_UNEXPECTED_ON,
    event.RELAY_FAILURE,
    event.CYCLING_FAILURE,
    event.DIMMING_FAILURE,
}
# Faults that only a meter shows.
_METERED = {
    event.CYCLING_FAILURE,
    event.DIMMING_FAILURE,
    event.POWER_TOO_HIGH,
    event.POWER_TOO_LOW,
    event.VOLTAGE_TOO_LOW,
    event.VOLTAGE_TOO_HIGH,
}
# At 0-10 V a gear gives its minimum below 1 V (IEC 60929 annex E).
_VOLTS_FLOOR_PERCENT = 10


class Streetlight(Trade):
    """Runs one lamp as a trade. `own`: lighting.settings.Own; `start`: kinds.Start."""

    kind = "streetlight"
    follows_orders = True

    # Fields of the class until one is set: most lamps have no detector, and are seldom asked for a restart or shown.
    _boost = None  # a Demand raised by presence
    _shown = None  # an Identification under way
    _changes_ms = None
    _restart_ms = None  # when a restart was asked for last, and since when it has been

    def __init__(self, own, start):
        now_ms = start.now_ms
        kept = memory.with_hours(memory.decode(start.memory), own.lamp_hours)
        is_dali = own.output == settings.DALI
        self._own = own
        self._decision = LightDecision(
            lighting.Plan(own.calendar, own.site),
            Sunlight(own.site),
            stagger_s=spread(start.node) % limits.STAGGER_S,
            fail_safe_percent=own.fail_safe,
            switched=own.feeder == settings.SWITCHED,
        )
        cell, detector = own.photocell, own.presence
        self._cell = None if cell is None else Photocell(now_ms=now_ms, on_lx=cell.on_lx, off_lx=cell.off_lx)
        self._presence = (
            None
            if detector is None
            else PresenceBoost(hold_s=detector.hold_s, per_hour_max=detector.per_hour, now_ms=now_ms)
        )
        # Clock and orders alone decide its light: no cell, no detector, no factor that changes with age.
        self._is_plain = cell is None and detector is None and not own.clo
        self._flux = dimming.Flux(own.virtual_output, own.clo)
        self._active = memory.codes(kept.faults)  # the faults of lamp and mains
        self._watch = LampWatch(
            watch.lamp_model(
                own.lamp[0],
                own.lamp[1],
                own.warm_up_s,
                own.gradient,
                _VOLTS_FLOOR_PERCENT if own.output == settings.VOLTS else 0,
                own.power_tolerance,
            ),
            has_relay=not is_dali,
            active=self._active,
            relay_stuck_lit=kept.faults & memory.RELAY_STUCK_LIT != 0,
        )
        self._supply = SupplyWatch(own.voltage[0], own.voltage[1], has_meter=not is_dali, active=self._active)
        self._gear = _gear_watch(kept.faults) if is_dali else None
        self._energy = EnergyMeter(kept.wh, kept.gear_wh, keeps=is_dali)
        self._lamp_ms = 1000 * kept.lamp_s
        self._lamp_at_ms = now_ms
        self._starts = kept.starts
        # The lamp is lit before anything is known: the board's hardware lights it anyway.
        self._demand = Demand(FAIL_SAFE_PERCENT, decision.BOOT, 0)  # without presence
        self._light = self._demand  # with it: what the output follows
        self._reports = LampReports(kept.asset, self._demand)
        self._ramp = Ramp(FAIL_SAFE_PERCENT)
        self.outputs = Output(FAIL_SAFE_PERCENT, decision.BOOT, 0)
        self._watch.observe_level(FAIL_SAFE_PERCENT, now_ms=now_ms)
        self._aged = kept.aged
        self._restore(kept.faults, now_ms)
        self._meter = None
        self._meter_level = FAIL_SAFE_PERCENT
        self._hourly = {}
        # Set by each decision.
        self.awaits = False
        self.decided_until_ms = None

    def powered(self):
        """Counts a start of the lamp: mains were gone, and their return has lit it.

        No other restart counts: the lamp's level before it is not known, and the node restarts itself while the lamp is
        lit.
        """
        self._starts += 1

    def _restore(self, faults, now_ms):
        """Restores the faults of cell and detector from before this start; ends those of a part no longer fitted."""
        self._saved_faults = faults  # what `memory` has
        self._faults_since = faults, now_ms  # what is in force now, and since when
        cell = Photocell(now_ms=now_ms) if self._cell is None else self._cell
        stuck = STUCK[faults >> memory.CELL_SHIFT & 3]
        is_silent, fails = faults & memory.CELL_SILENT != 0, faults & memory.PRESENCE_FAILED != 0
        self._reports.restore(stuck, is_silent, fails)
        flags = faults >> memory.GEAR_FLAGS_SHIFT
        if self._gear is None and (flags or faults & memory.GEAR_SILENT):
            # Another output has replaced a gear whose faults were in force.
            from lighting.dali_banks import FLAGS

            ends = [(event.GEAR_FAILURE, False, (word,)) for place, word in enumerate(FLAGS) if flags >> place & 1]
            if faults & memory.GEAR_SILENT:
                ends.append((event.GEAR_COMM_FAILURE, False, None))
            self._reports.report_gear(ends, {}, 0)
        if cell is self._cell:
            cell.stuck, cell.is_silent = stuck, is_silent
        else:
            self._reports.report_photocell(cell)
        if self._presence is None:
            self._reports.report_detector(False)
        elif fails:
            self._presence.restore_failed()

    # --- events in ---------------------------------------------------------------------------------------------

    def sense(self, values, moment):
        """Observes what cannot wait for the next sample: {OCCUPANCY: 1 while the detector is active}."""
        if self._presence is not None and values.get(quantity.OCCUPANCY):
            self._presence.trigger(now_ms=moment.now_ms)

    def sample(self, values, moment):
        now_ms = moment.now_ms
        if self._shown is not None:
            self._sample_shown(values or {}, now_ms)
        if self._shown is not None or self._is_raised(now_ms):
            self._sample_raised(values or {}, moment)
            return
        readings, inside = dict(values or ()), {}
        for key in values or ():
            if key in _ASIDE:
                of = inside if key in _INSIDE else self._hourly
                of[key] = readings.pop(key)
        if self._presence is not None and inside.get(quantity.OCCUPANCY):
            self._presence.trigger(now_ms=now_ms)
        gear_dead = gear_meter = gear_percent = None
        gear_changes = []
        if self._gear is not None:
            gear_dead, gear_changes = self._gear.is_lamp_dead(values), self._gear.sample(values)
            gear_meter, gear_percent = inside.get(inputs.METER), readings.get(quantity.LEVEL_REPORTED)
        power_dw = readings.get(quantity.POWER)
        self._keep(readings, power_dw, now_ms)
        if values is None:
            self._meter = None
        if self._cell is not None:
            self._observe_light(readings.get(quantity.ILLUMINANCE), moment)
        changes = self._supply.sample(power_dw, readings.get(quantity.VOLTAGE), gear_meter=gear_meter)
        if self.local != decision.TEST:  # a minute of test light neither ends a day burner's fault nor warms a lamp up
            changes += self._watch.sample(
                power_dw,
                readings.get(quantity.CURRENT),
                now_ms=now_ms,
                is_sun_up=lambda: self._is_sun_up(moment),
                gear_dead=gear_dead,
                gear_percent=gear_percent,
            )
        if self._active:
            changes += self._ends_of_unjudged(gear_meter == 0 and power_dw is None)
        if changes or gear_changes:
            told = self._without_traces(readings)
            self._reports.report_faults(changes, told, self._light.level_percent)
            self._reports.report_gear(gear_changes, told, self._light.level_percent)
        if inputs.ASSET in inside:
            self._reports.report_asset(inside[inputs.ASSET][0], inside[inputs.ASSET][1])
        self._remember_faults(now_ms)

    def _without_traces(self, readings):
        """Returns readings for a record, of a lamp with a detector without what a passage leaves behind."""
        if self._presence is None:
            return readings
        return {
            key: readings[key]
            for key in readings
            if key not in _ASIDE and key not in (quantity.ENERGY, quantity.TEMPERATURE)
        }

    def _remember_faults(self, now_ms):
        """Has faults saved that have been in force for long enough."""
        faults = self._fault_bits()
        if faults != self._faults_since[0]:
            self._faults_since = faults, now_ms
        elif faults != self._saved_faults and now_ms - self._faults_since[1] >= limits.REMEMBERED_MS:
            self._saved_faults = faults
            self.keeps += 1  # save soon: a switched feeder is cut before the hour is over

    def _is_raised(self, now_ms):
        """Returns True while the light is, or is still coming down from, what a passer-by has raised it to.

        A detector that never rests shows no passage.
        """
        if self._presence is None or self._presence.is_failed:
            return False
        return self._light is not self._demand or self._ramp.deadline_ms(now_ms) is not None

    def _sample_shown(self, values, now_ms):
        """Observes a sample while the lamp shows itself, and reports the first that counts."""
        shown = self._shown
        if not shown.is_measured:
            shown.sample(values.get(quantity.POWER), now_ms=now_ms)
            if shown.is_measured:
                self._reports.report_identified(shown)

    def _sample_raised(self, values, moment):
        """Observes a sample of raised light: of it a record carries the gear's asset record, and that the lamp is
        dead."""
        if self._presence is not None and values.get(quantity.OCCUPANCY):
            self._presence.trigger(now_ms=moment.now_ms)
        if inputs.ASSET in values:
            self._reports.report_asset(values[inputs.ASSET][0], values[inputs.ASSET][1])
        self._energy.sample(values.get(quantity.ENERGY), values.get(quantity.POWER), now_ms=moment.now_ms)
        if self._cell is not None:
            self._observe_light(values.get(quantity.ILLUMINANCE), moment)
        if self._shown is None:
            gear_dead = None if self._gear is None else self._gear.is_lamp_dead(values)
            power_dw = values.get(quantity.POWER)
            changes = self._watch.sample_raised(power_dw, now_ms=moment.now_ms, gear_dead=gear_dead)
            self._reports.report_faults(changes, self._without_traces(values), self._demand.level_percent)
            self._remember_faults(moment.now_ms)

    def sample_without_news(self, values, now_ms):
        has_faults = self._saved_faults or self._faults_since[0] or self._active
        if values is None or has_faults or not self._is_plain or self._gear is not None:
            return False
        power_dw = values.get(quantity.POWER)
        if not self._supply.passes_over(power_dw, values.get(quantity.VOLTAGE)):
            return False
        if not _ASIDE.isdisjoint(values):
            return False
        if not self._watch.passes_over(power_dw, values.get(quantity.CURRENT)):
            return False
        self._keep(dict(values), power_dw, now_ms)
        return True

    def _keep(self, readings, power_dw, now_ms):
        """Keeps a reading for the next report, with the energy that is counted here."""
        self._energy.sample(readings.get(quantity.ENERGY), power_dw, now_ms=now_ms)
        if power_dw is not None:
            readings[quantity.ENERGY] = self._energy.wh
        self._meter = readings
        self._meter_level = self._light.level_percent

    def _fault_bits(self):
        """Returns the faults for `memory`, as bits: after a restart they are still in force."""
        faults = memory.fault_bits(self._active) if self._active else 0
        if self._watch.relay_stuck_lit:
            faults |= memory.RELAY_STUCK_LIT
        cell = self._cell
        if cell is not None:
            faults |= STUCK.index(cell.stuck) << memory.CELL_SHIFT
            faults |= memory.CELL_SILENT if cell.is_silent else 0
        if self._presence is not None and self._presence.is_failed:
            faults |= memory.PRESENCE_FAILED
        if self._gear is not None:
            faults |= self._gear.flags << memory.GEAR_FLAGS_SHIFT
            if self._gear.is_silent:
                faults |= memory.GEAR_SILENT
        return faults

    def _ends_of_unjudged(self, has_no_meter):
        """Ends faults from before this start that no part which is fitted now can judge."""
        gone = self._active & _METERED if has_no_meter else set()
        if self._own.output == settings.RELAY:
            gone |= self._active & {event.DIMMING_FAILURE}
        self._active.difference_update(gone)
        return [(code, False) for code in sorted(gone)]

    def _observe_light(self, lux, moment):
        """Passes the photocell its reading, and the sun's elevation to judge it by."""
        elevation = None
        if moment.unix_s is not None and moment.uncertainty_s <= limits.USABLE_S:
            elevation = self._decision.sunlight.elevation_cdeg(moment.unix_s)
        self._cell.observe(lux, elevation, now_ms=moment.now_ms)
        self._reports.report_photocell(self._cell)

    def _is_sun_up(self, moment):
        if moment.unix_s is None or moment.uncertainty_s > limits.USABLE_S:
            return None
        return self._decision.sunlight.elevation_cdeg(moment.unix_s) > limits.SUN_UP_CDEG

    # --- the decision ------------------------------------------------------------------------------------------

    def decide(self, moment):
        now_ms = moment.now_ms
        asked = moment.order if moment.order is not None and moment.order.rule == node_order.IDENTIFY else None
        order = None if moment.order is asked or self.declines(moment) else moment.order
        demand = self._by_hand() or self._decision.decide(moment.unix_s, moment.uncertainty_s, order, self._cell)
        if demand != self._demand and not self._is_held(demand, self._demand, moment):
            self._demand = demand
            self._reports.report_level(demand)
        light = self._demand
        # A lamp that its calendar keeps dark shows nothing of an order that lowers.
        self.awaits = order is not None and not light.level_percent and decision.lowers(order)
        if self._presence is not None:
            # Presence advances under an order or a lock too: its deadlines must not stay in the past.
            is_boosted = self._presence.is_boosted(now_ms)
            self._reports.report_detector(self._presence.is_failed)
            if moment.order is None and self.local is None:
                light = self._boosted(light, is_boosted, moment)
            # Were a change of the calendar found at any turn of the next minute, its record would tell which turn was a
            # passer-by's.
            changes_s = None if moment.unix_s is None else self._decision.changes_in_s(moment.unix_s)
            self._changes_ms = None if changes_s is None else now_ms + 1000 * changes_s
        light = self._by_identification(asked, light, now_ms)
        if light is not self._light and not self._is_held(light, self._light, moment):
            self._change(light, now_ms)
        self._apply(moment)
        self.decided_until_ms = None
        if self._is_plain and self.local is None and asked is None:
            self.decided_until_ms = now_ms + 1000 * self._decision.holds_s(
                moment.unix_s, moment.uncertainty_s, self._demand
            )

    def _by_identification(self, asked, light, now_ms):
        """Returns the light that shows the lamp to a technician while `asked`, the order for it, is in force."""
        if asked is None or self.local is not None or self._only_switches_lit():
            if self._shown is not None:
                self._shown = None
            return light
        if self._shown is None or self._shown.name != asked.id:
            power_dw = None if self._meter is None else self._meter.get(quantity.POWER)
            can_dim = self._own.output != settings.RELAY
            self._shown = Identification(asked.id, can_dim, self._meter_level, power_dw, now_ms=now_ms)
        level_percent = self._shown.light_percent(now_ms)
        is_so = self._light.rule == node_order.IDENTIFY and self._light.level_percent == level_percent
        return self._light if is_so else Demand(level_percent, node_order.IDENTIFY, asked.id)

    def _only_switches_lit(self):
        """Returns whether a relay alone switches the lamp and it is wanted lit: only darkness could show it."""
        return self._own.output == settings.RELAY and self._demand.level_percent > 0

    def declines(self, moment):
        if moment.order.rule == node_order.IDENTIFY:
            return "lit" if self._only_switches_lit() else None
        return "no-dimming" if self._own.output == settings.RELAY and decision.lowers(moment.order) else None

    def wants_sample_ms(self, now_ms):
        shown = self._shown
        return None if shown is None or shown.is_measured else shown.wants_sample_ms()

    def _by_hand(self):
        """Returns the demand of a technician at the node, or None.

        Locked means dark: the interlock comes before everything.
        """
        if self.local == decision.LOCK:
            return _LOCKED
        return _TESTED if self.local == decision.TEST else None

    def _boosted(self, demand, is_boosted, moment):
        """Raises a demand for presence: of a lit lamp, and in an hour of extinction if the settings allow it."""
        level_percent = self._own.presence.level
        if not is_boosted or demand.level_percent >= level_percent:
            self._boost = None
            return demand
        if not demand.level_percent and not (
            self._own.presence.in_extinction and self._decision.is_extinction(demand, moment.unix_s)
        ):
            self._boost = None
            return demand
        if self._boost is None:
            self._boost = Demand(level_percent, decision.PRESENCE, self._presence.triggers)
        return self._boost

    def _is_held(self, demand, previous, moment):
        """Returns True while the lamp must get no darker: an order is expected, and it may be for light.

        Light that a person ordered is not held so.
        """
        by_hand = demand.rule in decision.BY_HAND or previous.rule in decision.BY_HAND
        return not by_hand and demand.level_percent < previous.level_percent and moment.order_expected

    def _change(self, light, now_ms):
        previous = self._light
        self._light = light
        by_presence = decision.PRESENCE in (light.rule, previous.rule)
        if by_presence and light.rule not in decision.BY_HAND and previous.rule not in decision.BY_HAND:
            rises = light.level_percent > previous.level_percent
            lasts_ms = self._own.presence.up_ms if rises else 1000 * self._own.presence.down_s
            self._ramp.begin(light.level_percent, lasts_ms, now_ms=now_ms)
        else:
            self._ramp.jump(light.level_percent)

    def _apply(self, moment):
        """Brings `outputs` to the present ramp and factors."""
        now_ms = moment.now_ms
        drive_percent = self._drive_percent(self._ramp.advance(now_ms=now_ms))
        if self._presence is not None:
            calendar = None if self._shown is not None else self._drive_percent(self._demand.level_percent)
            self._watch.observe_calendar(calendar, now_ms=now_ms)
        light, outputs = self._light, self.outputs
        if drive_percent == outputs.level_percent and light.rule == outputs.rule and light.reason == outputs.reason:
            return
        if drive_percent != outputs.level_percent:
            self._lamp_s(now_ms)
            if drive_percent and not outputs.level_percent:
                self._starts += 1
            self._watch.observe_level(drive_percent, now_ms=now_ms)
        self.outputs = Output(drive_percent, light.rule, light.reason)

    def _drive_percent(self, level_percent):
        """Returns the level of the gear for this light."""
        drive_percent = self._flux.drive_percent(level_percent, self._lamp_ms // 3_600_000)
        return 100 if drive_percent and self._own.output == settings.RELAY else drive_percent

    # --- effects out -------------------------------------------------------------------------------------------

    def drain_events(self):
        return self._reports.drain()

    def readings(self, moment):
        # The level when the meter was read: the present level beside earlier watts would look like a fault of the lamp.
        readings = dict(self._meter) if self._meter else {}
        readings[quantity.LEVEL_ORDERED] = self._meter_level
        readings[quantity.LAMP_HOURS] = self._lamp_s(moment.now_ms) // 3600
        if self._presence is not None:
            # What a boost leaves behind goes with the hour: one of 75 s at 50 W more is 1 Wh, which could be read in a
            # quarter hour of a dimmed lamp; in an hour the mains vary by as much.
            readings.pop(quantity.ENERGY, None)
            readings.pop(quantity.TEMPERATURE, None)
        return readings

    def health(self, moment):
        readings = dict(self._hourly)
        readings[quantity.LAMP_STARTS] = self._starts
        if self._presence is not None:
            meter = self._meter or {}
            if quantity.ENERGY in meter:
                readings[quantity.ENERGY] = self._energy.wh
            if quantity.TEMPERATURE in meter:
                readings[quantity.TEMPERATURE] = meter[quantity.TEMPERATURE]
            if self._own.presence.in_extinction:  # each boost is a start then
                readings.pop(quantity.LAMP_STARTS, None)
                readings.pop(quantity.GEAR_STARTS, None)
        return readings

    def measured(self, moment):
        if self._shown is not None or self.awaits:
            return None  # what it draws while it is shown is in the event `identified`
        power_dw = None if self._meter is None else self._meter.get(quantity.POWER)
        return power_dw if self._watch.agrees(power_dw, now_ms=moment.now_ms) else None

    def is_sound(self, moment):
        # Power and voltage outside the settings are reported; they contradict no output.
        gear = self._gear
        if gear is not None and (gear.is_silent or gear.is_failed):
            return False
        return not self._active & _CONTRADICTED

    def may_restart(self, moment):
        """Returns True while a restart would show little, or once the shell has been asking for long enough.

        With a time, that is an hour or more from dusk and dawn: by day on a permanent feeder, in the middle of the
        night on a switched one. The start lights the lamp fully for some seconds. So the lamp must be dark by day, or
        as bright already, and not by an order or by presence, which the node forgets in a restart.
        """
        now_ms, own = moment.now_ms, self._own
        is_switched = own.feeder == settings.SWITCHED
        side = self._decision.side(moment.unix_s, moment.uncertainty_s)
        is_hour = side is None or side == (lighting.NIGHT if is_switched else lighting.DAY)
        level_percent = max(self._light.level_percent, self.outputs.level_percent)
        is_unseen = level_percent >= min(limits.RESTART_LIT_PERCENT, own.fail_safe)
        if side == lighting.DAY and not level_percent:
            is_unseen = True
        if is_hour and is_unseen and moment.order is None and self._light.rule != decision.PRESENCE:
            return True
        asked_ms, from_ms = self._restart_ms or (now_ms, now_ms)
        if now_ms - asked_ms >= limits.RESTART_FORGOTTEN_MS:
            from_ms = now_ms
        self._restart_ms = now_ms, from_ms
        wait_ms = limits.RESTART_WAIT_SWITCHED_MS if is_switched else limits.RESTART_WAIT_MS
        return is_hour and now_ms - from_ms >= (wait_ms if level_percent else 2 * wait_ms)

    def deadline_ms(self, now_ms):
        deadline_ms = self._ramp.deadline_ms(now_ms)
        if self._shown is not None:
            shown_ms = self._shown.deadline_ms()
            if shown_ms is not None and (deadline_ms is None or shown_ms < deadline_ms):
                deadline_ms = shown_ms
        if self._presence is not None:
            for other_ms in (self._presence.deadline_ms(), self._changes_ms):
                if other_ms is not None and (deadline_ms is None or other_ms < deadline_ms):
                    deadline_ms = other_ms
        return deadline_ms

    def memory(self, now_ms):
        energy = self._energy
        gear_wh = energy.last_wh if energy.keeps else None
        return memory.encode(
            memory.LampMemory(
                self._lamp_s(now_ms),
                self._starts,
                energy.wh,
                gear_wh,
                self._reports.asset_known,
                self._saved_faults,
                self._aged,
            )
        )

    def _lamp_s(self, now_ms):
        if self.outputs.level_percent:
            self._lamp_ms += now_ms - self._lamp_at_ms
        self._lamp_at_ms = now_ms
        return self._lamp_ms // 1000


def _gear_watch(faults):
    """Loads the watch of a gear only where there is one: its memory banks take 5 KB of bytecode."""
    from lighting.dali_gear import GearWatch

    return GearWatch(faults & memory.GEAR_SILENT != 0, faults >> memory.GEAR_FLAGS_SHIFT)
