"""Sans-IO decisions of the gateway: events in, effects out; no clock, socket, file or random source."""
