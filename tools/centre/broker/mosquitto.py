"""Writes Mosquitto's configuration for a centre: TLS 1.3, certificates of the territory, roles, nothing that forgets.

It goes into `conf.d` beside Debian's own file, which keeps what is received over a restart (`persistence true`).
"""

from tools.centre.broker.authority import Authority
from tools.centre.broker.files import Place
from tools.centre.limits import GROUP_MESSAGES_MAX

_TEXT = """\
# Written by `bocage centre init`, which writes it again: change nothing here.
# The plugin refuses what no role allows. Never put an acl_file beside it: that grants every subscription, and a client
# in the ingests' group takes their messages.

allow_anonymous false
plugin {plugin}
plugin_opt_config_file {roles}

# Nothing is dropped while a process of the centre is away.
max_queued_messages 0
max_inflight_messages {inflight}

# As by default; and which subscriptions are granted, for that one was refused is not logged.
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe

listener {port}
cafile {authority}
crlfile {revoked}
certfile {certificate}
keyfile {key}
tls_version tlsv1.3
require_certificate true
# The name in the certificate is the account and the name of the session: no client takes another's.
use_identity_as_username true
use_username_as_clientid true
"""


def configuration(place: Place, *, port: int, plugin: str) -> str:
    authority = Authority(place.etc)
    certificate, key = place.pair("broker")
    return _TEXT.format(
        plugin=plugin, roles=place.roles, inflight=GROUP_MESSAGES_MAX, port=port, authority=authority.certificate,
        revoked=authority.revoked, certificate=certificate, key=key,
    )  # fmt: skip
