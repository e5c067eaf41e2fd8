"""The fixtures of tests/support/shims.py: the bench's shims, and a folder of the test's own."""

from tests.support.shims import in_folder, shim

__all__ = ("in_folder", "shim")
