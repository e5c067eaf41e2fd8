"""Journals with a planted fault each, for the checks that must see them."""

from gateway.core.custody.journal import Journal


class AcknowledgesAtAppend(Journal):
    """Planted: reports durable what was only written."""

    early = ()

    def flush(self):
        ticket = super().flush()
        if ticket is not None:
            self.early = [*self.early, *super().on_synced(ticket, None)]
        return ticket

    def on_synced(self, ticket, error):
        early, self.early = self.early, ()
        return list({end.lane: end for end in early}.values())


class TrustsTheNextSync(Journal):
    """Planted: after a failed sync, syncs the same file again and believes the answer."""

    def on_synced(self, ticket, error):
        if error is not None:
            self._flushes.pop(ticket)
            for name in self._disk.list():
                self._files.mark(name)
            return []
        return super().on_synced(ticket, error)


class FreesOneTooMany(Journal):
    """Planted: an off-by-one on what is freed."""

    def release_through(self, stream, position):
        super().release_through(stream, position + 1)


PLANTED = (AcknowledgesAtAppend, TrustsTheNextSync, FreesOneTooMany)
