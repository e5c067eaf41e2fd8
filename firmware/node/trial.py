"""Judges whether the running program is good: an image on trial must pass before it is confirmed, and the boot guard
learns that this start succeeded.

    good start (guard)   ten minutes of turning, or one authentic exchange with the gateway
    good image (trial)   both of these, and the outputs are applied, and the ports' last sample is whole, and
                         measurements do not contradict the outputs (`Trade.is_sound`)

An image that does not pass in TRIAL_MAX_MS is restarted, when its trade allows it: the loader counts three trials and
then falls back. So a node whose meter or lamp is dead accepts no new image: it must be repaired first, and runs the old
image until then. A confirmed image is never restarted from here, however long its gateway is away.
"""

from node import limits


class Trial:
    """Collects the evidence of this start. `is_trial`: the image is not confirmed yet."""

    def __init__(self, *, is_trial, now_ms):
        self.is_trial = is_trial
        self._started_ms = now_ms
        self._has_applied = False
        self._has_sampled = False
        self._has_exchanged = False

    def applied(self, answered):
        """Observes that the ports have applied outputs that the application decided. `answered`: every output that can
        be read back has confirmed it."""
        self._has_applied = answered

    def sampled(self, values, whole=()):
        """Observes a sample of the ports: a map, or None when they are silent. `whole`: the keys of a whole map
        (`whole` of the ports). `values` must hold nothing that the board measures without them: a chip has its own
        thermometer even when everything is torn off its pins."""
        self._has_sampled = self.is_trial and bool(values) and not set(whole).difference(values)

    def exchanged(self):
        """Observes that the gateway has answered under our keys."""
        self._has_exchanged = True

    def is_good_start(self, now_ms) -> bool:
        """Returns whether the boot guard may count this start as good."""
        return self._has_exchanged or now_ms - self._started_ms >= limits.GOOD_START_MS

    def may_confirm(self, *, is_sound, now_ms) -> bool:
        """Returns whether an image on trial has passed."""
        if not self.is_trial or now_ms - self._started_ms < limits.GOOD_START_MS:
            return False
        return self._has_applied and self._has_sampled and self._has_exchanged and is_sound

    def is_over(self, now_ms) -> bool:
        """Returns whether a trial has failed."""
        return self.is_trial and now_ms - self._started_ms >= limits.TRIAL_MAX_MS

    def missing(self, *, is_sound) -> str:
        """Returns the words for what an image on trial lacks to pass, for the log."""
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
