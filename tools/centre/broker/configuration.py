"""Reads the configuration of Mosquitto or RabbitMQ for what no client sees: what is kept over a restart, and which
limits drop messages.

Only settings that the centre depends on are looked at; the last line of a setting counts, as both brokers have it, and
Mosquitto's `include_dir` is followed. Must not judge listeners of other uses.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.language import N_, Message
from tools.centre.limits import GROUP_MESSAGES_MAX, SESSION_EXPIRY_S
from tools.centre.mqtt import Finding


class Rule(NamedTuple):
    """Names a setting and its default, whether a value is sound, what an unsound one means, and what to write."""

    setting: str
    default: str
    is_sound: Callable[[str], bool]
    meaning: Message
    write: str
    is_fault: bool = False


def _at_least(least: int) -> Callable[[str], bool]:
    return lambda value: value.isdecimal() and int(value) >= least


def _unlimited_or(least: int) -> Callable[[str], bool]:
    return lambda value: value == "0" or _at_least(least)(value)


def _is(*values: str) -> Callable[[str], bool]:
    return lambda value: value in values


# A week of a territory's batches: 200 gateways, one a minute.
_QUEUE_MIN = 2_000_000
_ANYBODY = N_("{setting} is {value}: everybody may connect")
_NO_IDENTITY = N_("{setting} is {value}: a client's certificate does not say who it is")
_DROPS = N_("{setting} is {value}: what comes beyond it while the ingest is away is dropped, and sent again later")
_FORGETS = N_("{setting} is {value}: a restart forgets sessions, queues and retained policies")
_OLD_TLS = N_("{setting} is {value}: an older TLS than 1.3 is accepted")

MOSQUITTO = (
    Rule("persistence", "false", _is("true"), _FORGETS, "persistence true", True),
    Rule("allow_anonymous", "false", _is("false"), _ANYBODY, "allow_anonymous false", True),
    Rule("require_certificate", "false", _is("true"), _ANYBODY, "require_certificate true", True),
    Rule("use_identity_as_username", "false", _is("true"), _NO_IDENTITY, "use_identity_as_username true", True),
    Rule("tls_version", "", _is("tlsv1.3"), _OLD_TLS, "tls_version tlsv1.3"),
    Rule("max_queued_messages", "1000", _unlimited_or(_QUEUE_MIN), _DROPS, "max_queued_messages 0"),
    Rule("max_queued_bytes", "0", _is("0"), _DROPS, "max_queued_bytes 0"),
    Rule(
        "max_inflight_messages", "20", _unlimited_or(GROUP_MESSAGES_MAX),
        N_("{setting} is {value}: the ingest gets fewer messages at once than it commits together"),
        f"max_inflight_messages {GROUP_MESSAGES_MAX}",
    ),
    Rule(
        "retain_available", "true", _is("true"),
        N_("{setting} is {value}: policies and states are not kept for who connects later"), "retain_available true",
    ),
    Rule(
        "persistent_client_expiration", "", _is(""),
        N_("{setting} is {value}: a process of the centre that is away for longer loses its queue"),
        "# persistent_client_expiration",
    ),
    Rule(
        "acl_file", "", _is(""),
        N_("{setting} is {value}: it binds no commune, and lets every client join the ingests' group"),
        "plugin /usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so", True,
    ),
)  # fmt: skip
RABBITMQ = (
    Rule("mqtt.allow_anonymous", "true", _is("false"), _ANYBODY, "mqtt.allow_anonymous = false", True),
    Rule(
        "ssl_options.fail_if_no_peer_cert", "false", _is("true"), _ANYBODY, "ssl_options.fail_if_no_peer_cert = true",
        True,
    ),
    Rule("ssl_options.verify", "verify_none", _is("verify_peer"), _ANYBODY, "ssl_options.verify = verify_peer", True),
    Rule("mqtt.ssl_cert_login", "false", _is("true"), _NO_IDENTITY, "mqtt.ssl_cert_login = true", True),
    Rule("ssl_options.versions.1", "", _is("tlsv1.3"), _OLD_TLS, "ssl_options.versions.1 = tlsv1.3"),
    Rule(
        "mqtt.durable_queue_type", "classic", _is("quorum"),
        N_("{setting} is {value}: what waits for the ingest is on one node only, and is lost with it"),
        "mqtt.durable_queue_type = quorum",
    ),
    Rule(
        "mqtt.max_session_expiry_interval_seconds", "86400", _at_least(SESSION_EXPIRY_S),
        N_("{setting} is {value}: a process of the centre that is away for longer loses its queue"),
        f"mqtt.max_session_expiry_interval_seconds = {SESSION_EXPIRY_S}",
    ),
    Rule(
        "mqtt.exchange", "amq.topic", _is("amq.topic"),
        N_("{setting} is {value}: other applications' rules for it apply to our topics"), "mqtt.exchange = amq.topic",
    ),
)  # fmt: skip


def settings(path: Path) -> tuple[dict[str, str], bool]:
    """Returns the settings in a file, and whether they are RabbitMQ's (`name = value`). OSError; ValueError for bytes
    that are no text."""
    found: dict[str, str] = {}
    is_rabbit = False
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition(" = ") if " = " in line else line.partition("=")
        if equals and " " not in name.strip():
            is_rabbit = True
            found[name.strip()] = value.strip()
            continue
        name, _, value = line.partition(" ")
        if name == "include_dir":
            for part in sorted(Path(value.strip()).glob("*.conf")):
                found.update(settings(part)[0])
        else:
            found[name] = value.strip()
    return found, is_rabbit


def findings(path: Path) -> list[Finding]:
    """Returns what the settings in a file mean for the centre. OSError; ValueError."""
    found, is_rabbit = settings(path)
    rules = RABBITMQ if is_rabbit else MOSQUITTO
    unsound = [
        Finding(rule.meaning, N_("write: {write}"), rule.is_fault, {
            "setting": rule.setting, "value": found.get(rule.setting, rule.default) or "—", "write": rule.write,
        })
        for rule in rules
        if not rule.is_sound(found.get(rule.setting, rule.default))
    ]
    sound = Finding(N_("{count} settings of {broker} are sound"), values={
        "count": len(rules) - len(unsound), "broker": "RabbitMQ" if is_rabbit else "Mosquitto",
    })
    return [sound, *unsound]
