"""Defines commands to a gateway and its replies: signed commands, leases, outcomes, and the bundle of key set and
policy.

    topic `c`, to the gateway      a COSE_Sign1 of a command (first byte 0xD2), or
                                   a grant [1, nonce, duration_s]
    topic `r`, from the gateway    an outcome [1, id, outcome, why, feeder, power_dw, unix_s], or an ask
                                   [2, nonce, duration_s, policy version, key set version]
    topic `p`, retained            the bundle [key set or null, policy or null], signed messages as bytes

`policy/policy.cddl` has the forms. A command names its author, its reason, its beginning and its expiry (ARCHITECTURE,
section 6): the signature covers all of them, and every command has an expiry. Durations are in seconds, instants in
Unix seconds.

Encoders raise WireFault for values that are not sound, so that nothing is sent that the peer would refuse. Bytes from a
peer raise WireFault and nothing else: `command-<field>`, `reply-<field>`, `control`, `bundle`, or a reason of `cbor`.
Must not verify a signature and must not decide what is allowed.
"""

from collections import namedtuple

from wire import cbor, cose, directive, limits
from wire.faults import WireFault
from wire.line import is_line
from wire.topic import is_gateway_name, is_insee

OVERRIDE = 1  # a level until the expiry: 0 dark, 100 lit; between, no more light than so much
EMERGENCY = 2  # light until the expiry
END = 3  # the command `ends` is over
TEST_FEEDER = 4  # light, for TEST_S_MAX at most
DIRECTIVE = 5  # send `values` to nodes until the expiry (wire.directive)

# id, ends: 8 random bytes. gateway: a cabinet's name, None for every cabinet of the commune. target: a
# feeder's or a group's name, None for all feeders; of a DIRECTIVE a kind of node, a node's id in hexadecimal
# or a group of nodes, None for all nodes. level: 0, or LEVEL_MIN to 100 %, for an OVERRIDE, else None. ends: for an
# END, else None. values: {code of wire.directive: value} for a DIRECTIVE, else None.
Command = namedtuple(
    "Command",
    (
        "id",
        "kind",
        "author",
        "reason",
        "not_before_s",
        "expires_s",
        "insee",
        "gateway",
        "target",
        "level",
        "ends",
        "values",
    ),
)
# id: None when the command could not be read. why: a word of WHY, when it is refused or waits. power_dw: 0.1 W,
# measured.
Outcome = namedtuple("Outcome", ("id", "outcome", "why", "feeder", "power_dw", "unix_s"))
# The gateway asks for a lease of duration_s; the versions are those that it holds, 0 for none.
Ask = namedtuple("Ask", ("nonce", "duration_s", "policy_version", "keyset_version"))
# The lease counts from the sending of the ask with this nonce, on the gateway's monotonic clock.
Grant = namedtuple("Grant", ("nonce", "duration_s"))

OUTCOMES = ("received", "applied", "measured", "refused", "expired", "ended", "unmeasured")
WHY = (
    "signature",  # is not valid
    "stranger",  # signed by a key that may not command here
    "right",  # signed by an operator who may not do this
    "light-only",  # by a key that lights for a few hours from now on: this is longer, or later
    "hours-only",  # by a key that orders some hours of one room or green space: this is longer, or for more
    "key-lapsed",  # the operator's key has come to its end
    "malformed",
    "expired",
    "not-yet",  # kept until its time, not refused
    "clock",  # the gateway does not know the time well enough
    "scope",  # another commune, cabinet or feeder
    "limit",  # a limit of the policy forbids it
    "retained",  # kept by the broker: nothing shows when it was sent
    "too-long",
    "full",
    "unknown",  # ends a command that is not known
    "too-early",  # begins beyond WINDOW_S_MAX
    "handed-back",  # the cabinet's own clock has the contactors
    "id-taken",  # another command has this id
    "lease",  # an override without the centre's lease
    "interlock",  # a person at the cabinet has locked the feeder
    "emergency",
    "manual",  # a test at the cabinet
    "later",  # a later command for the same feeder
    "meter",  # unmeasured: the meter is silent
    "watts",  # unmeasured: the measured power does not agree
    "again",  # reported before: the command came a second time
    "no-dimming",  # no level between: a contactor, or a lamp without a driver that dims
)

ID_BYTES = 8
NONCE_BYTES = 8
AUTHOR_BYTES_MAX = 60
REASON_BYTES_MAX = 60
NAME_BYTES_MAX = 24  # of a feeder or a group
LEVEL_MIN = 10  # of a lamp that burns: a gear on 0-10 V gives no less (IEC 60929, annex E)
WINDOW_S_MAX = 7 * 86400  # a longer need calls for a change of the policy
TEST_S_MAX = 300
LEASE_S_MAX = 7 * 86400
# How long a directive may last at a gateway, which renews it at the nodes meanwhile. Weather is stale by the next
# reading or day; a drought order runs into the autumn; summer holidays take two months. Others last a week.
DIRECTIVE_S_MAX = {
    directive.OUTDOOR_TEMPERATURE: 3 * 3600,
    directive.TEMPERATURE_MIN_6H: 6 * 3600,
    directive.EVAPOTRANSPIRATION: 2 * 86400,
    directive.RAIN_DAY: 2 * 86400,
    directive.RAIN_FORECAST: 86400,
    directive.WIND_SPEED: 3 * 3600,
    directive.DROUGHT_LEVEL: 366 * 86400,
    directive.LOAD_SHED: 86400,
    directive.EXCEPTION: 92 * 86400,
    directive.WEATHER_DAY: 2 * 86400,
}
# A command with every field at its limit takes 225 bytes, a DIRECTIVE with every code 262; a signature adds 86.
COMMAND_BYTES_MAX = 264
SIGNED_COMMAND_BYTES_MAX = COMMAND_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES
SAID_BYTES_MAX = 128
GRANT_BYTES_MAX = 32
POLICY_BYTES_MAX = 16384
KEYSET_BYTES_MAX = 2048
SIGNED_POLICY_BYTES_MAX = POLICY_BYTES_MAX + cose.SIGN1_OVERHEAD_BYTES
SIGNED_KEYSET_BYTES_MAX = (
    KEYSET_BYTES_MAX + cose.SIGN_HEAD_BYTES + cose.SIGNER_BYTES * cose.SIGNATURES_MAX
)
BUNDLE_BYTES_MAX = SIGNED_POLICY_BYTES_MAX + SIGNED_KEYSET_BYTES_MAX + 16

_FORMAT = 1
_GRANT = 1
_OUTCOME = 1
_ASK = 2
_VERSION_MAX = 0xFFFFFFFF
_POWER_DW_MAX = 10**8  # 10 MW
_KEYS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
_OPTIONAL_KEYS = {11, 12, 13}


def window_s_max(kind, values) -> int:
    """Returns how long a command of this kind may last."""
    if kind == DIRECTIVE:
        return directive_s_max(values)
    return TEST_S_MAX if kind == TEST_FEEDER else WINDOW_S_MAX


def directive_s_max(codes) -> int:
    """Returns how long a directive of these codes together may last at a gateway."""
    return min([DIRECTIVE_S_MAX.get(code, directive.FOR_S_MAX) for code in codes])


def encode_command(command) -> bytes:
    """Returns the CBOR map of a Command; raises WireFault when a field is not sound."""
    _check_command(command)
    fields = {
        1: _FORMAT,
        2: command.id,
        3: command.kind,
        4: command.author,
        5: command.reason,
        6: command.not_before_s,
        7: command.expires_s,
        8: command.insee,
        9: command.gateway,
        10: command.target,
    }
    if command.level is not None:
        fields[11] = command.level
    if command.ends is not None:
        fields[12] = command.ends
    if command.values is not None:
        fields[13] = command.values
    return cbor.encode(fields, COMMAND_BYTES_MAX)


def decode_command(payload) -> Command:
    """Returns the Command in the payload of a COSE_Sign1; raises WireFault."""
    fields = cbor.decode(payload, bytes_max=COMMAND_BYTES_MAX, depth_max=2)
    if not isinstance(fields, dict) or not _within(fields.get(1), _FORMAT, _FORMAT):
        raise WireFault("command-format")
    if set(fields) - _OPTIONAL_KEYS != _KEYS:
        raise WireFault("command-fields")
    for key in _OPTIONAL_KEYS:
        if key in fields and fields[key] is None:  # an absent field is left out, never null
            raise WireFault("command-fields")
    command = Command(
        fields[2],
        fields[3],
        fields[4],
        fields[5],
        fields[6],
        fields[7],
        fields[8],
        fields[9],
        fields[10],
        fields.get(11),
        fields.get(12),
        fields.get(13),
    )
    _check_command(command)
    return command


def decode_control(payload):
    """Returns the message of topic `c`: a Grant, or the bytes of a signed command, not verified."""
    if len(payload) > SIGNED_COMMAND_BYTES_MAX:
        raise WireFault("too-long")
    if len(payload) and payload[0] == cose.SIGN1_FIRST_BYTE:
        return bytes(payload)
    fields = cbor.decode(payload, bytes_max=GRANT_BYTES_MAX, depth_max=1)
    if not isinstance(fields, list) or len(fields) != 3 or not _within(fields[0], _GRANT, _GRANT):
        raise WireFault("control")
    grant = Grant(fields[1], fields[2])
    _check_grant(grant)
    return grant


def encode_grant(grant) -> bytes:
    _check_grant(grant)
    return cbor.encode([_GRANT, grant.nonce, grant.duration_s], GRANT_BYTES_MAX)


def encode_reply(message) -> bytes:
    """Returns the bytes of an Outcome or an Ask, for topic `r`."""
    if isinstance(message, Ask):
        _check_ask(message)
        return cbor.encode([_ASK] + list(message), SAID_BYTES_MAX)
    _check_outcome(message)
    return cbor.encode([_OUTCOME] + list(message), SAID_BYTES_MAX)


def decode_reply(payload):
    """Returns the message of topic `r`: an Outcome or an Ask."""
    fields = cbor.decode(payload, bytes_max=SAID_BYTES_MAX, depth_max=1)
    if not isinstance(fields, list) or not fields or not cbor.is_integer(fields[0]):
        raise WireFault("reply-kind")
    if fields[0] == _OUTCOME and len(fields) == 7:
        outcome = Outcome(fields[1], fields[2], fields[3], fields[4], fields[5], fields[6])
        _check_outcome(outcome)
        return outcome
    if fields[0] == _ASK and len(fields) == 5:
        ask = Ask(fields[1], fields[2], fields[3], fields[4])
        _check_ask(ask)
        return ask
    raise WireFault("reply-kind")


def encode_bundle(keyset, policy) -> bytes:
    """Returns the bundle of topic `p`: signed messages as bytes, None for an absent one."""
    _check_bundle(keyset, policy)
    return cbor.encode([keyset, policy], BUNDLE_BYTES_MAX)


def decode_bundle(payload):
    """Returns (key set, policy) as bytes of signed messages, not verified; None for an absent one."""
    fields = cbor.decode(payload, bytes_max=BUNDLE_BYTES_MAX, depth_max=1)
    if not isinstance(fields, list) or len(fields) != 2:
        raise WireFault("bundle")
    _check_bundle(fields[0], fields[1])
    return (fields[0], fields[1])


def _check_bundle(keyset, policy):
    for part, bytes_max in ((keyset, SIGNED_KEYSET_BYTES_MAX), (policy, SIGNED_POLICY_BYTES_MAX)):
        if part is not None and not (isinstance(part, bytes) and 0 < len(part) <= bytes_max):
            raise WireFault("bundle")


def _check_command(command):
    _refuse_unless(_is_bytes(command.id, ID_BYTES), "command-id")
    kind = command.kind
    _refuse_unless(_within(kind, OVERRIDE, DIRECTIVE), "command-kind")
    _refuse_unless(is_line(command.author, AUTHOR_BYTES_MAX), "command-author")
    _refuse_unless(is_line(command.reason, REASON_BYTES_MAX), "command-reason")
    start, end = command.not_before_s, command.expires_s
    _refuse_unless(_within(start, 0, limits.SECONDS_MAX), "command-not-before")
    _refuse_unless(_values_fit(kind, command.values), "command-values")
    window = window_s_max(kind, command.values)
    _refuse_unless(_within(end, start + 1, min(start + window, limits.SECONDS_MAX)), "command-expires")
    _refuse_unless(isinstance(command.insee, str) and is_insee(command.insee), "command-insee")
    cabinet = command.gateway
    _refuse_unless(cabinet is None or _is_gateway(cabinet), "command-gateway")
    named = command.target is not None
    _refuse_unless(not named or (kind != END and is_line(command.target, NAME_BYTES_MAX)), "command-target")
    _refuse_unless(_level_fits(kind, command.level), "command-level")
    ends = command.ends
    _refuse_unless(_is_bytes(ends, ID_BYTES) if kind == END else ends is None, "command-ends")


def _level_fits(kind, level):
    if kind != OVERRIDE:
        return level is None
    return _within(level, 0, 0) or _within(level, LEVEL_MIN, 100)


def _values_fit(kind, values):
    if kind != DIRECTIVE:
        return values is None
    if not isinstance(values, dict) or not values:
        return False
    return all(directive.is_sound(code, values[code]) for code in values)


def _check_outcome(outcome):
    _refuse_unless(outcome.id is None or _is_bytes(outcome.id, ID_BYTES), "reply-id")
    _refuse_unless(isinstance(outcome.outcome, str) and outcome.outcome in OUTCOMES, "reply-outcome")
    # A word that this release's table lacks is accepted: a centre may be older than a gateway.
    _refuse_unless(outcome.why is None or is_line(outcome.why, NAME_BYTES_MAX), "reply-why")
    _refuse_unless(outcome.feeder is None or is_line(outcome.feeder, NAME_BYTES_MAX), "reply-feeder")
    power = outcome.power_dw
    _refuse_unless(power is None or _within(power, -_POWER_DW_MAX, _POWER_DW_MAX), "reply-power")
    unix_s = outcome.unix_s
    _refuse_unless(unix_s is None or _within(unix_s, 0, limits.SECONDS_MAX), "reply-time")


def _check_ask(ask):
    _refuse_unless(_is_bytes(ask.nonce, NONCE_BYTES), "reply-nonce")
    _refuse_unless(_within(ask.duration_s, 1, LEASE_S_MAX), "reply-duration")
    _refuse_unless(_within(ask.policy_version, 0, _VERSION_MAX), "reply-version")
    _refuse_unless(_within(ask.keyset_version, 0, _VERSION_MAX), "reply-version")


def _check_grant(grant):
    _refuse_unless(_is_bytes(grant.nonce, NONCE_BYTES), "control")
    _refuse_unless(_within(grant.duration_s, 1, LEASE_S_MAX), "control")


def _is_gateway(value):
    return isinstance(value, str) and is_gateway_name(value)


def _is_bytes(value, length):
    return isinstance(value, bytes) and len(value) == length


def _within(value, low, high):
    return cbor.is_integer(value) and low <= value <= high


def _refuse_unless(sound, reason):
    if not sound:
        raise WireFault(reason)
