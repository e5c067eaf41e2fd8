"""Puts the screens behind nginx, by the address that people type, and asks whether they answer there. What cabinets
fetch (`tools/centre/agents`) is on a port of its own, with the broker's certificate: they know no other authority.

nginx has the certificate and the port; the web has neither, and no network: a socket of this machine leads to it, which
nginx alone may open (bocage-web.socket). So what it is told of the caller (X-Forwarded-*) is nginx's word. The
certificate is of the centre's own authority until the territory puts its own in its place: one that phones know.
"""

import http.client
import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

from cryptography import x509

from tools.centre.broker.authority import Authority
from tools.centre.broker.files import BROKER, Place, setting_in, write

NAME, UNIT, PROXY_UNIT = "web", "bocage-web.service", "nginx.service"
# Browsers of Apple refuse one that is valid for longer than 825 days; a year is what public authorities never exceeded.
CERTIFICATE_DAYS = 365
_PATIENCE_S = 10
_SETTING = """\
# The screens (bocage-web). After a change: sudo systemctl restart bocage-web
# The address that people type; after a change also: sudo bocage centre init NAME
ORIGIN={origin}
# More of `bocage centre web --help`, as --kwh-price 0.2016
OPTIONS=
"""
_PROXY = """\
# Written by `bocage centre init`, by /etc/bocage-centre/web.conf.
server {{
    listen 80;
    listen [::]:80;
    server_name {host};
    location / {{ return 301 https://{host}$request_uri; }}
    # Whence a public authority's client proves the name (RFC 8555, section 8.3): certbot --webroot.
    location /.well-known/acme-challenge/ {{ root /var/www/html; }}
}}
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    http2 on;
    server_name {host};
    server_tokens off;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets off;
    location / {{
        proxy_pass http://unix:{socket};
        proxy_http_version 1.1;
        # What the web believes of the caller is what nginx saw.
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header Connection "";
    }}
}}
server {{
    listen {agents_port} ssl;
    listen [::]:{agents_port} ssl;
    server_tokens off;
    ssl_certificate {broker_certificate};
    ssl_certificate_key {broker_key};
    ssl_protocols TLSv1.3;
    location / {{ root {agents}; }}
}}
"""
# Beside the broker's (8883): the two ports that cabinets need. `gateway/shell/self_update.py` calls it.
AGENTS_PORT = 8884


def install(place: Place, host: str | None) -> None:
    """Writes the setting of the screens where there is none, for this host, and nginx's part by it. OSError."""
    if host is not None and not place.web_setting.exists():
        write(place.web_setting, _SETTING.format(origin=f"https://{_in_address(host)}").encode(), mode=0o644)
    certificate, key = place.pair(NAME)
    broker_certificate, broker_key = place.pair(BROKER)
    text = _PROXY.format(
        host=_host(place), certificate=certificate, key=key, socket=place.web_socket, agents_port=AGENTS_PORT,
        broker_certificate=broker_certificate, broker_key=broker_key, agents=place.agents,
    )  # fmt: skip
    place.proxy_configuration.parent.mkdir(parents=True, exist_ok=True)
    write(place.proxy_configuration, text.encode(), mode=0o644)


def origin(place: Place) -> str:
    """Returns the address that people type. OSError where there is none."""
    return setting_in(place.web_setting, "ORIGIN")


def is_own(place: Place, certificate: x509.Certificate) -> bool:
    """Returns whether the centre's authority made this certificate; another is the territory's to renew."""
    pem = Authority(place.etc).certificate.read_bytes()
    return certificate.issuer == x509.load_pem_x509_certificate(pem).subject


def check(place: Place) -> None:
    """Asks for the first page as a browser does, from this machine. OSError (also of TLS) where it does not come."""
    host = _host(place)
    context = ssl.create_default_context()
    context.load_verify_locations(Authority(place.etc).certificate)
    with (
        socket.create_connection(("127.0.0.1", 443), _PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=host.strip("[]")) as secure,
    ):
        secure.sendall(f"GET /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(secure)
        try:
            answer.begin()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        if answer.status != http.client.OK:
            raise OSError(f"HTTP {answer.status}")


def _host(place: Place) -> str:
    return urlsplit(origin(place)).netloc


def _in_address(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host
