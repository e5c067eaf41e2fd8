"""The answers of a warehouse that has received every batch."""

from tools.centre.ingest.intake import peek
from wire import receipt
from wire.receipt import Batch, Receipt, Rejected


class HonestWarehouse:
    """What a warehouse that has received every batch answers; `batches` by (epoch, lane), as they were sent."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.batches = {}

    def note(self, publication):
        envelope = peek(publication.payload)
        if envelope.last >= envelope.first:
            self.batches.setdefault((envelope.epoch, envelope.lane), []).append(envelope.batch(publication.payload))

    def sent(self, batch):
        """How a receipt names what was sent over these positions, the newest last."""
        sent = self.batches.get((batch.epoch, batch.lane), ())
        return [one for one in sent if (one.first, one.last) == (batch.first, batch.last)]

    def receipt(self, next_position, lane, epoch):
        """It holds all below a position: of the batches there, the newest."""
        sent = [batch for batch in self.batches.get((epoch, lane), ()) if batch.last < next_position]
        return Receipt(self.gateway, epoch, lane, next_position, tuple(sent[-receipt.BATCHES_MAX :]))

    def rejected(self, first, last, reason, lane, epoch):
        """It refuses the newest batch over these positions; one that it has not got is of somebody else."""
        sent = [batch for batch in self.batches.get((epoch, lane), ()) if (batch.first, batch.last) == (first, last)]
        batch = sent[-1] if sent else Batch(first, last, bytes(receipt.DIGEST_BYTES))
        return Rejected(self.gateway, epoch, lane, batch, reason)
