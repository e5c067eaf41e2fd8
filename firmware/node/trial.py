"""Judges whether the program that runs is good: the gate that an image on trial must pass before it is confirmed, and
the signal to the boot guard that this start succeeded.

    good start (guard)   ten minutes of turning, or one exchange with the gateway that held
    good image (trial)   both of these, and the outputs are applied, and the ports' last sample is whole, and what was
                         measured does not contradict the outputs (`Trade.is_sound`)

An image that does not get there in TRIAL_MAX_MS is restarted, when its trade allows it: the loader counts three trials
and goes back. So a node whose meter is dead, or whose lamp is, accepts no new image: it is repaired first, and the
running one goes on. An image that is confirmed already is never restarted from here, however long its gateway is away.
"""

from node import limits


class Trial:
    """Collects what this start has shown. `is_trial`: the image is not confirmed yet."""

    def __init__(self, *, is_trial, now_ms):
        self.is_trial = is_trial
        self._started_ms = now_ms
        self._has_applied = False
        self._has_sampled = False
        self._has_exchanged = False

    def applied(self, answered):
        """Observes that the ports have applied outputs that the application decided. `answered`: every output that can
        be asked has confirmed it."""
        self._has_applied = answered

    def sampled(self, values, whole=()):
        """Observes what the ports gave: a map, or None when they are silent. `whole`: the keys that a whole map has
        (`whole` of the ports). It must hold nothing that the board knows without them: a chip has its own thermometer
        even when everything is torn off its pins."""
        self._has_sampled = self.is_trial and bool(values) and not set(whole).difference(values)

    def exchanged(self):
        """Observes that the gateway has answered under keys of ours."""
        self._has_exchanged = True

    def is_good_start(self, now_ms) -> bool:
        """True when the boot guard may count this start as good."""
        return self._has_exchanged or now_ms - self._started_ms >= limits.GOOD_START_MS

    def may_confirm(self, *, is_sound, now_ms) -> bool:
        """True when an image on trial has shown all that it has to show."""
        if not self.is_trial or now_ms - self._started_ms < limits.GOOD_START_MS:
            return False
        return self._has_applied and self._has_sampled and self._has_exchanged and is_sound

    def is_over(self, now_ms) -> bool:
        """True when a trial has failed."""
        return self.is_trial and now_ms - self._started_ms >= limits.TRIAL_MAX_MS

    def missing(self, *, is_sound) -> str:
        """Returns what an image on trial has not shown, for the log."""
        found = []
        for word, has in (
            ("outputs", self._has_applied),
            ("sample", self._has_sampled),
            ("gateway", self._has_exchanged),
            ("soundness", is_sound),
        ):
            if not has:
                found.append(word)
        return ", ".join(found)
