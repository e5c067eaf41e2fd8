"""Declares the alarms of a cabinet: faults of a feeder, found in its watts and its contactor's feedback, and conditions
of the cabinet as a whole. One cause makes one alarm, over restarts too.

The causes at a feeder hide each other, in this order: no supply, a contactor that does not follow, a feeder without
current (breaker, fuse), a cable cut or stolen (several lamps at one instant), lamps out one by one. While a cause
lasts, nothing below it is judged, and alarms that were active remain active: a tripped feeder of forty lamps is one
alarm. By day: a feeder that burns though its contactor is open is bypassed or miswired. A feeder whose wanted state is
not known (the cabinet's own clock has the contactors) is not judged.

Conditions of the whole cabinet (supply, door, hand switch, time, policy, photocell, its meters) begin and end once they
have lasted for a set time. One whose input cannot be read (UNKNOWN) stays as it is.
"""

import json
from typing import Any, NamedTuple

from gateway.core import limits
from gateway.core.cabinet.equipment import FeederObservation
from gateway.core.cabinet.normal_power import NormalPower
from gateway.core.custody.disk import NumberedFile, SharedFolder, parse_json
from wire import event

_SECOND_MS = 1_000
_HOLD_MS = {
    event.SUPPLY_LOSS: limits.ALARM_SUPPLY_MS,
    event.DOOR_OPEN: limits.ALARM_DOOR_MS,
    event.LOCAL_OVERRIDE: _SECOND_MS,
    event.TIME_FALLBACK: 60 * _SECOND_MS,  # a start without a network finds the time in the first minute
    event.POLICY_EXPIRED: 0,
    event.HANDED_BACK: 60 * _SECOND_MS,
    event.PHOTOCELL_FAILURE: 0,
    event.CABINET_METER_FAILURE: limits.ALARM_METER_SILENT_MS,
}

# Found in the watts of lamps that the contactor switches.
_LIGHT = (event.FEEDER_UNEXPECTED_ON, event.FEEDER_FAILURE, event.CABLE_FAULT, event.LAMPS_LOST)

UNKNOWN: list[Any] = ["unknown"]
_FILE_BYTES_MAX = 65_536


class AlarmChange(NamedTuple):
    """Reports that a condition begins (or continues with other figures) or ends: event code, whether it is active, its
    detail."""

    code: int
    is_active: bool
    detail: list[Any]


class Sustained:
    """Becomes true once a condition has held for `for_ms`, and false once it has been absent for as long."""

    def __init__(self, for_ms: int) -> None:
        self._for_ms = for_ms
        self._against_ms: int | None = None
        self.is_so = False

    def observe(self, is_so: bool, *, now_ms: int) -> bool:
        if is_so == self.is_so:
            self._against_ms = None
            return is_so
        if self._against_ms is None:
            self._against_ms = now_ms
        if now_ms - self._against_ms >= self._for_ms:
            self.is_so, self._against_ms = is_so, None
        return self.is_so

    def clear(self) -> None:
        self.is_so, self._against_ms = False, None

    def settle(self) -> None:
        """Forget a change that was about to happen."""
        self._against_ms = None


class FeederWatch:
    """Judges one feeder: `observe` compares what is measured with what is wanted. `active` maps the codes in force to
    their details."""

    def __init__(self, name: str, normal: NormalPower, *, is_self_dimming: bool = False) -> None:
        self.name = name
        self.is_self_dimming = is_self_dimming
        self.normal = normal
        self.active: dict[int, list[Any]] = {}
        self._changes: list[AlarmChange] = []  # of the observation under way
        self._wanted: bool | None = None
        self._since_ms = 0
        self._stuck = Sustained(limits.ALARM_CONTACTOR_MS)
        self._refused: bool | None = None  # the position that a stuck contactor did not take
        self._burning = Sustained(limits.ALARM_BURNING_MS)
        self._failed = Sustained(limits.ALARM_FAILURE_MS)
        self._cable = Sustained(limits.ALARM_CABLE_MS)
        self._silent = Sustained(limits.ALARM_METER_SILENT_MS)
        self._lost = 0  # lamps declared
        self._losing: tuple[int, int] | None = None  # how many, since when
        self._waited: int | None = None  # how many were missing when half of the wait was over
        self._before: int | None = None  # the same, before a restart
        self._last: tuple[int, int] | None = None  # lamps missing at the last warm observation, when
        self._drop: int | None = None  # lamps lost at one instant
        self._dimmed_until_ms = 0  # by an order, and until the lamps are up again

    def observe(
        self,
        seen: FeederObservation,
        wanted: bool | None,
        *,
        has_supply: bool,
        has_meter: bool,
        has_light: bool = True,
        is_lowered: bool = False,
        now_ms: int,
    ) -> list[AlarmChange]:
        """Return the alarms that change. `wanted`: what the contactor must be; None: not decided by us now.

        `has_light` False: the lamps of the feeder have controllers of their own (a permanent feeder), so only its
        contactor and its meter are judged. `is_lowered`: an order keeps its lamps below their full power.
        """
        if is_lowered:
            self._dimmed_until_ms = now_ms + limits.LAMPS_WARM_UP_MS
        if wanted != self._wanted:
            self._changed(wanted, now_ms)
        if has_meter:
            silent = self._silent.observe(seen.power_dw is None and has_supply, now_ms=now_ms)
            self._declare(event.CABINET_METER_FAILURE, silent, [self.name])
        if wanted is None or not has_supply:
            self._rest()
        else:
            stuck = self._is_stuck(seen.feedback, wanted, now_ms)
            self._declare(event.CONTACTOR_STUCK, self._refused is not None, [self.name, self._refused])
            if not has_light:
                self._end_light()
            elif seen.power_dw is not None:
                if stuck:
                    self._hide_below()
                elif wanted:
                    self._judge_lit(seen.power_dw, now_ms)
                else:
                    self._judge_dark(seen.power_dw, now_ms)
        changes, self._changes = self._changes, []
        return changes

    # --- inside -------------------------------------------------------------------------------------------------

    def _changed(self, wanted: bool | None, now_ms: int) -> None:
        self._wanted, self._since_ms = wanted, now_ms
        self._stuck.clear()
        self._last = None

    def _is_stuck(self, feedback: bool | None, wanted: bool, now_ms: int) -> bool:
        """Return whether the feedback contradicts the order now. A welded contactor is in the right position for half
        of the
        day: the fault ends only when it has been observed in the position that it refused.
        """
        stuck = self._stuck.observe(feedback is not None and feedback != wanted, now_ms=now_ms)
        if stuck:
            self._refused = wanted
        elif self._refused is not None and feedback == self._refused == wanted:
            self._refused = None
        return stuck

    def _rest(self) -> None:
        """Judge nothing: active alarms remain active, a fault that was beginning starts its wait again."""
        for held in (self._stuck, self._burning, self._failed, self._cable):
            held.settle()
        self._losing = self._waited = self._last = None

    def _end_light(self) -> None:
        """End the alarms of the light: a policy has made the feeder permanent, and nothing else would ever end them."""
        self._burning.clear()
        self._failed.clear()
        self._cable.clear()
        self._lost, self._drop, self._losing, self._waited = 0, None, None, None
        for code in _LIGHT:
            self._declare(code, False, self.active.get(code, []))

    def _judge_dark(self, power_dw: int, now_ms: int) -> None:
        burning = self._burning.observe(not self.normal.is_dark(power_dw), now_ms=now_ms)
        # By day a fault of the light can neither be observed nor end.
        self._declare(event.FEEDER_UNEXPECTED_ON, burning, [self.name, power_dw])

    def _judge_lit(self, power_dw: int, now_ms: int) -> None:
        self._declare(event.FEEDER_UNEXPECTED_ON, False, [self.name, power_dw])
        self._burning.clear()
        normal = self.normal
        figures = [power_dw, normal.dw]
        is_dark = normal.is_dark(power_dw)
        failed = self._failed.observe(is_dark, now_ms=now_ms)
        self._declare(event.FEEDER_FAILURE, failed, [self.name, *figures])
        if failed:
            self._hide_below()
            return
        warm_ms = now_ms - self._since_ms - limits.LAMPS_WARM_UP_MS
        if warm_ms < 0 or is_dark:
            return
        dims_itself = self.is_self_dimming and warm_ms > limits.SELF_DIMMING_JUDGED_MS
        if dims_itself or now_ms < self._dimmed_until_ms:
            self._hide_below()
            return
        missing = normal.lamps_missing(power_dw)
        self._judge_cable(missing, figures, now_ms)
        if event.CABLE_FAULT not in self.active:
            self._judge_lamps(missing, figures, now_ms)
        if missing == 0 and not self.active:
            normal.observe(power_dw, now_ms=now_ms)
        self._last = (missing, now_ms)

    def _judge_cable(self, missing: int, figures: list[Any], now_ms: int) -> None:
        """Judge whether many lamps went out at one instant. The first warm observation of a night is compared with what
        was missing before."""
        known = (
            self._lost if self._last is None or now_ms - self._last[1] > limits.ALARM_INSTANT_MS else self._last[0]
        )
        many = max(limits.ALARM_CABLE_LAMPS, (self.normal.lamps or 10) * limits.ALARM_CABLE_PERCENT // 100)
        if missing - known >= many:
            self._drop = missing
        if self._drop is not None and missing < self._drop - 1:
            self._drop = None
        cut = self._cable.observe(self._drop is not None, now_ms=now_ms)
        active = self.active.get(event.CABLE_FAULT)
        lamps = active[1] if active is not None and cut else missing
        self._declare(event.CABLE_FAULT, cut, [self.name, lamps, *figures])

    def _judge_lamps(self, missing: int, figures: list[Any], now_ms: int) -> None:
        """Declare lamps that have been out for ALARM_LAMPS_MS, by the count nearest to what is declared already: with
        the mains voltage a count wavers. A restart keeps the first half of the wait, and its warm-up is the other half.
        """
        before, self._before = self._before, None
        if missing == self._lost:
            self._losing = self._waited = None
            return
        is_more = missing > self._lost
        nearer = min if is_more else max
        if self._losing is None or (self._losing[0] > self._lost) != is_more:
            is_known = before is not None and (before > self._lost) == is_more
            self._losing = (missing, now_ms - limits.ALARM_LAMPS_MS if is_known else now_ms)
        self._losing = (nearer(missing, self._losing[0]), self._losing[1])
        lost, since_ms = self._losing
        self._waited = lost if now_ms - since_ms >= limits.ALARM_LAMPS_MS - limits.LAMPS_WARM_UP_MS else None
        if now_ms - since_ms < limits.ALARM_LAMPS_MS:
            return
        self._lost, self._losing, self._waited = lost, None, None
        # With another number the alarm is reported again.
        self.active.pop(event.LAMPS_LOST, None) if lost else None
        self._declare(event.LAMPS_LOST, lost > 0, [self.name, lost, *figures])

    def _hide_below(self) -> None:
        """Restart the wait of faults below a higher cause, so that they begin anew when that cause is over."""
        self._cable.settle()
        self._losing = self._waited = self._last = None

    def to_save(self) -> dict[str, Any]:
        """Return the state that must survive a restart, as plain data."""
        return {"active": {str(code): detail for code, detail in self.active.items()}, "lost": self._lost,
                "losing": self._before if self._waited is None else self._waited,
                "refused": self._refused, "drop": self._drop}  # fmt: skip

    def resume(self, saved: dict[str, Any]) -> None:
        """Restore that state after a restart; ValueError, KeyError or TypeError when it is malformed."""
        active = {int(code): list(detail) for code, detail in saved["active"].items()}
        lost, refused, counts = saved["lost"], saved["refused"], (saved["losing"], saved["drop"])
        if type(lost) is not int or refused not in (None, True, False):
            raise ValueError("saved")
        if not all(count is None or type(count) is int for count in counts):
            raise ValueError("saved")
        self.active, self._lost, self._refused = active, lost, refused
        self._before, self._drop = counts
        for code, held in (
            (event.FEEDER_UNEXPECTED_ON, self._burning),
            (event.FEEDER_FAILURE, self._failed),
            (event.CABLE_FAULT, self._cable),
            (event.CABINET_METER_FAILURE, self._silent),
        ):
            held.is_so = code in active

    def _declare(self, code: int, is_active: bool, detail: list[Any]) -> None:
        if is_active == (code in self.active):
            return
        if is_active:
            self.active[code] = detail
        else:
            del self.active[code]
        self._changes.append(AlarmChange(code, is_active, detail))


class CabinetConditions:
    """Judges the conditions of the whole cabinet. `active` maps the codes in force to their details."""

    def __init__(self) -> None:
        self._held = {code: Sustained(for_ms) for code, for_ms in _HOLD_MS.items()}
        self.active: dict[int, list[Any]] = {}

    def observe(self, is_so: dict[int, list[Any] | None], *, now_ms: int) -> list[AlarmChange]:
        """Observe, for each code, its detail while the condition holds, else None. Return the conditions that begin,
        end, or continue with another detail."""
        verdicts = []
        for code, detail in is_so.items():
            if detail is UNKNOWN:
                self._held[code].settle()
            elif self._held[code].observe(detail is not None, now_ms=now_ms):
                if detail is not None and detail != self.active.get(code):
                    self.active[code] = detail
                    verdicts.append(AlarmChange(code, True, detail))
            elif code in self.active:
                verdicts.append(AlarmChange(code, False, self.active.pop(code)))
        return verdicts

    def resume(self, active: dict[int, list[Any]]) -> None:
        """Restore the conditions that were active before a restart."""
        self.active = {code: detail for code, detail in active.items() if code in self._held}
        for code in self.active:
            self._held[code].is_so = True


class AlarmFile:
    """Keeps the active alarms as one line of JSON, written when one begins, changes or ends: a restart neither
    forgets to end one nor begins it a second time. What cannot be read is judged anew: then an alarm may come twice.
    """

    def __init__(self, folder: SharedFolder) -> None:
        self._file = NumberedFile(folder, "standing", bytes_max=_FILE_BYTES_MAX)
        self._saved: dict[str, Any] = {}

    def restore(self, conditions: CabinetConditions, watches: list[FeederWatch]) -> None:
        """Restore the alarms that were active when the agent last stopped."""
        for line in self._file.restore():
            try:
                plain = parse_json(line)
                known = {int(code): list(detail) for code, detail in plain["conditions"].items()}
                by_name = {watch.name: watch for watch in watches}
                for name, saved in plain["feeders"].items():
                    if name in by_name:
                        by_name[name].resume(saved)
                conditions.resume(known)
                self._saved = plain
                return
            except (ValueError, KeyError, TypeError, AttributeError):
                continue

    def save(self, conditions: CabinetConditions, watches: list[FeederWatch]) -> None:
        """Write the active alarms, if anything has changed."""
        plain = {
            "conditions": {str(code): detail for code, detail in conditions.active.items()},
            "feeders": {watch.name: watch.to_save() for watch in watches},
        }
        if plain != self._saved:
            self._saved = plain
            self._file.save(json.dumps(plain).encode() + b"\n")
