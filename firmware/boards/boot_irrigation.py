"""Runs first after every reset of this kind of node, as boot.py: every output at its safe level.
Generated from hardware/nodes/irrigation.toml by tools/hardware: change that file, not this one.

Must import nothing of ours, so that it works even if all else on the flash is damaged; must not decide or wait.
"""

KIND = "irrigation"
# (GPIO, level)
SAFE = (
    (38, 0),  # zones in1
    (39, 0),  # zones in2
    (40, 0),  # master in1
    (41, 0),  # master in2
    (42, 0),  # pump
    (47, 0),  # boost
    (7, 0),  # bus enable
    (21, 0),  # led
)


def safe_outputs():
    """Plain pin levels. One pin that refuses does not keep the others from theirs."""
    for number, level in SAFE:
        try:
            from machine import Pin

            Pin(number, Pin.OUT, value=level)
        except Exception as error:
            print("boot: output", number, "is not safe:", repr(error))


try:
    safe_outputs()
except BaseException:  # Ctrl-C: at the prompt that follows nothing would look after what is on
    from machine import reset

    reset()
