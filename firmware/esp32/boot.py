"""Runs first after every reset: the lamp's relay closed and the 0-10 V output at full, before anything can fail.

Must import nothing of ours, so that it works whatever else on the flash is damaged; must not decide or wait. The
pins below are written by tools/generate.py: a hardware fact is written once (hardware/nodes/streetlight.toml).
"""

# --- generated from hardware/nodes/streetlight.toml
# (GPIO, level that leaves the lamp fully lit)
SAFE = ((4, 0), (5, 0))
# --- end of the generated part


def safe_outputs():
    """Light the lamp by plain pin levels. One pin that refuses does not keep the other from its level."""
    for number, level in SAFE:
        try:
            from machine import Pin

            Pin(number, Pin.OUT, value=level)
        except Exception as error:
            print("boot: output", number, "is not safe:", repr(error))


safe_outputs()
