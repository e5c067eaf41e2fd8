"""A table of codes that is made when somebody asks for it: a node that tells no names has no room for them."""


def made(held, table):
    """`held` with TABLE, what `table()` says, and BY_CODE and BY_NAME, the same as maps. They are made once."""
    if not held:
        entries = table()
        held["TABLE"] = entries
        held["BY_CODE"] = {entry.code: entry for entry in entries}
        held["BY_NAME"] = {entry.name: entry for entry in entries}
    return held
