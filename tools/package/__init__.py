"""Builds the Debian packages of the gateway and the centre: what is in them, on what they depend, how they are made.

`debian/` holds what goes in as it is: the systemd unit and its configuration, the scripts of dpkg, the manual page.
"""
