"""The gateway's Debian package: what is in it, what it depends on, and how it is built.

`debian/` holds what goes in as it is: the unit and its neighbours, the scripts of dpkg, the manual page.
"""
