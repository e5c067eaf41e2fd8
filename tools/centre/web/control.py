"""Opens the control file for who asks: what is ordered, by which policy. Without one (`--control`) nothing is."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import Http404

from tools.centre.control import communes
from tools.centre.control import file as control_file
from tools.centre.scope import grants, reader
from tools.centre.store import sqlite_file
from tools.centre.web.access import Commune
from tools.centre.web.connections import Areas


def has_control() -> bool:
    return settings.BOCAGE.control is not None


@contextmanager
def opened_control(areas: Areas) -> Iterator[sqlite_file.Connection]:
    """Opens the control file for who has these areas, to read; 404 where this web has none."""
    if settings.BOCAGE.control is None:
        raise Http404
    connection = reader.of_control(control_file.open_to_read(settings.BOCAGE.control), set(areas))
    try:
        yield connection
    finally:
        connection.close()


def orderable_feeders(own: Commune, *, now_s: int) -> frozenset[str]:
    """Returns the feeders for which a person of these areas may order light: those of the policy in force."""
    if not has_control() or (own.insee, grants.LIGHTING) not in own.areas:
        return frozenset()
    with opened_control(own.areas) as control:
        policy = communes.policy_in_force(control, own.insee, now_s=now_s)
    return frozenset() if policy is None else frozenset(one.name for one in policy.lighting.feeders)
