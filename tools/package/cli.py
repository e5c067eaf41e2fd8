"""Builds the Debian packages of the gateway and the centre: one file each for Raspberry Pi and PC, for apt."""

COMMANDS = {
    "build": "tools.package.build",
}
