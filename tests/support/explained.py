"""What `gateway explain` says of a document written by hand, as data and as one line of text."""

from gateway.commands import explain
from tests.support import cabinet_document as told


def explained(part=None, name="bourg", language="fr", at=None, **more):
    """(the data, everything that is printed); `part` is the cabinet's part of the document."""
    document = told.agent(part, **more)
    found = explain.explain(document, name, language, at=at, system_unix_s=told.NOW)
    return found, " ".join(" ".join(explain.render(document, found, language)).split())


def said(*arguments, **more):
    return explained(*arguments, **more)[1]


def bourg(*above, **more):
    """A cabinet in which stronger rules have a word about `bourg`."""
    return {"feeders": told.feeders(bourg=told.feeder("bourg", *above, **more))}
