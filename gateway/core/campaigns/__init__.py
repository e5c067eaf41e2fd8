"""Brings nodes their programs by campaigns: few first, then all, in their hours, within a share of the air."""
