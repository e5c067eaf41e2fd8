"""The temperature inside the node, as the chip itself measures it (ESP32-S3 and C3: `esp32.mcu_temperature`)."""

from wire import quantity


def read(esp32) -> dict:
    """{TEMPERATURE: 10^-2 °C}, empty on a chip without the sensor. `esp32` is the port's module."""
    try:
        return {quantity.TEMPERATURE: 100 * int(esp32.mcu_temperature())}
    except (AttributeError, OSError):
        return {}
