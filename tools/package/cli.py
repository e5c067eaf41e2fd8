"""Builds the gateway's Debian package: one file for Raspberry Pi (arm64) and PC (amd64), to be installed with apt."""

COMMANDS = {
    "build": "tools.package.build",
}
