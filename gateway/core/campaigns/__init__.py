"""Campaigns that bring nodes their programs: few first, then all, in their hours, within a share of the air."""
