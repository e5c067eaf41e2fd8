"""Lists the bounds that both ends of a link obey, each with its reason: one section a module; values only, no code."""

# --- bearers -------------------------------------------------------------------------------------------------
# ESP-NOW carries 250 bytes in every MicroPython release up to 1.28; the other bearers keep the same bound so that a
# record never depends on its bearer.
DATAGRAM_BYTES_MAX = 250
# A node sends this to learn, from the radio's own acknowledgement, that its concentrator is on the channel. No datagram
# of CoAP is one byte long. It is here so that a node need not load `wire.radio`, which only gateway and concentrator
# use.
RADIO_PROBE = b"\x00"

# --- CBOR ----------------------------------------------------------------------------------------------------
# sequence item > record > body > detail > list: a record needs five levels; a 16 KiB stack bears many more.
CBOR_DEPTH_MAX = 6
# One record from a node, or one answer; far above the 48 bytes of a streetlight's readings.
CBOR_BYTES_MAX = 1024
# Items in one array or map of a record: nothing in the tables comes near it.
CBOR_ITEMS_MAX = 64

# --- records -------------------------------------------------------------------------------------------------
NODE_ID_BYTES = 8
# Sequence and boot stay below 2^32: one record a second for 136 years, and SQLite and `struct` hold them.
SEQUENCE_MAX = 0xFFFFFFFF
BOOT_MAX = 0xFFFFFFFF
# Unix seconds or uptime: a value above 2^32 is a fault, and the ESP32's own clock ends before.
SECONDS_MAX = 0xFFFFFFFF
# An uncertainty above a day is no use: it is written as a day.
UNCERTAINTY_S_MAX = 86400
READINGS_MAX = 24
CHANNELS_MAX = 64
# Readings are scaled integers; 53 bits pass through every JSON and SQLite reader unharmed.
READING_ABS_MAX = (1 << 53) - 1
TEXT_BYTES_MAX = 40
# A payload is a short CBOR sequence: what fits a datagram, bounded again for bearers that carry more.
RECORDS_PER_PAYLOAD_MAX = 8

# --- orders to a node ------------------------------------------------------------------------------------------
# An order of today takes 28 bytes at most; a newer gateway may not send more to this node.
ORDER_BYTES_MAX = 32
ORDER_ID_BYTES = 8
# No command of the centre lasts longer (wire.command.WINDOW_S_MAX), from its beginning.
ORDER_S_MAX = 7 * 86400
# Orders that wait for one node, and the seconds left of a lease: small numbers.
WAITING_MAX = 255
LEASE_S_MAX = 7 * 86400

# --- directives to a node --------------------------------------------------------------------------------------
# All the codes of today take 97 bytes; a datagram holds nearly twice as many.
DIRECTIVES_BYTES_MAX = 180
DIRECTIVES_MAX = 16
# The word for a kind of node, as in its boot report.
KIND_BYTES_MAX = 16

# --- batches, gateway to centre ------------------------------------------------------------------------------
# Inflated size of one batch. 50 records of a street of lights take about 10 kB; raw payloads are the worst case.
BATCH_BYTES_MAX = 256 * 1024
BATCH_RECORDS_MAX = 500
# Journal positions: 53 bits pass through SQLite and JSON unharmed, and no journal lives long enough to reach it.
POSITION_MAX = (1 << 53) - 1

# --- CoAP ---------------------------------------------------------------------------------------------------
# An independent peer over UDP may send this much (RFC 7252 section 4.6); node links keep DATAGRAM_BYTES_MAX.
COAP_UDP_DATAGRAM_BYTES_MAX = 1152
# A path of a few segments, a query, Content-Format, Echo, OSCORE, two Blocks: half of this.
COAP_OPTIONS_MAX = 16
# The longest value of every option we could act on (RFC 7252 section 5.10).
COAP_OPTION_BYTES_MAX = 255
# CoAP's ACK_TIMEOUT on every bearer, unless the settings or a long RS-485 line (bus.ack_timeout_ms) ask for more. The
# group commit takes up to a second and a poll cycle another: a shorter timeout doubles the traffic.
COAP_ACK_TIMEOUT_MIN_MS = 4000
# Messages received and remembered against duplicates. With one request outstanding (NSTART) a peer needs one
# place for the request and one for our own request's separate response; four times that for what the network
# delays.
COAP_EXCHANGES_PER_PEER_MAX = 8
# In all: a node talks to one gateway and the bench tool. A gateway passes a larger figure.
COAP_EXCHANGES_MAX = 16
# Our own requests without an outcome, in all and to one peer: a dead peer must not take the others' places.
COAP_REQUESTS_MAX = 16
COAP_REQUESTS_PER_PEER_MAX = 8
# Datagrams waiting for the shell, which drains them every turn. Overflow is a lost datagram: it is sent
# again.
COAP_OUTGOING_MAX = 64

# --- OSCORE ---------------------------------------------------------------------------------------------------
# Messages under one key before both agree on another: far below 2^23, where the limits of AES-CCM with 8-byte tags are
# drawn (RFC 9001 appendix B, draft-ietf-core-oscore-key-limits). A lamp reaches it after twenty years.
OSCORE_MESSAGES_MAX = 1 << 20

# --- block-wise transfers -----------------------------------------------------------------------------------
# Blocks of 128 bytes on the node link: with OSCORE, ETag, Size, Request-Tag and a path of four segments the
# datagram still holds them; the next size, 256, never fits.
BLOCK_LINK_SZX = 3
# Restarts of one transfer before it is given up: with a document that changes more often while it is read, or a peer
# that forgets as often, it would never end.
BLOCK_RESTARTS_MAX = 3
