"""The bench's certificate authority, for tests: a machine without openssl skips them."""

import shutil

import pytest

from simulator.rig import authority


class Authority(authority.Authority):
    """See `simulator/rig/authority.py`."""

    def __init__(self, folder, name):
        if shutil.which("openssl") is None:
            pytest.skip("no openssl program: apt-get install openssl")
        super().__init__(folder, name)
