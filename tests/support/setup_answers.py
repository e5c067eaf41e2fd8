"""Answers to the wizard of `bocage gateway setup`, and what it wrote."""

import tomllib

SECRET = "correct horse battery"
CABINET = """
[cabinet]
latitude = 47.5720
longitude = -0.5940
modbus = "/dev/serial/by-id/usb-x"
[[cabinet.feeder]]
name = "bourg"
lamps = 14
lamp_watts = 32
contactor = "modbus:1/coil:0"
"""
ANSWERS = f"""
[gateway]
insee = "49135"
name = "cab-1"
[uplink]
broker = "centre.example.fr:8883"
[page]
bind = "192.168.50.1:8080"
password = "{SECRET}"
{CABINET}
"""


def written(image):
    return tomllib.loads((image / "etc/bocage/gateway.toml").read_text(encoding="utf-8"))


def etc(image, name):
    return image / "etc/bocage" / name
