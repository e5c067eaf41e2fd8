"""Builds the gateway's Debian package: what is in it, what it depends on, and how it is made.

`debian/` holds what goes in as it is: the systemd unit and its configuration, the scripts of dpkg, the manual page.
"""
