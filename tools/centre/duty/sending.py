"""Sends messages by mail (SMTP) and SMS (one HTTP request to a gateway of one's choice), as a file configures.

The gateway is whichever takes a request: a provider, or a box with a SIM card in the technical room. The file says what
it wants; `{to}`, `{text}`, `{secret}` and `{id}` are filled in, in any text of it. Passwords stand in files of their
own. An error that is kept or logged is the name of what failed, with a number: what a server answers may quote an
address, a text or a password.

    origin = "https://centre.example.fr"    # of the screens
    minutes = 15                            # until the substitute is told

    [mail]
    host = "smtp.example.fr"
    from = "astreinte@example.fr"
    user = "astreinte"
    secret = "/etc/bocage-centre/mail.secret"

    [sms]
    url = "https://sms.example.fr/v2/messages"
    secret = "/etc/bocage-centre/sms.secret"
    headers = { access-token = "{secret}" }
    json = { to = ["{to}"], text = "{text}" }       # or: form = { To = "{to}", Body = "{text}" }
"""

import base64
import ipaddress
import json
import smtplib
import ssl
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import formatdate
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.language import N_
from tools.centre.duty.book import Book, Message
from tools.centre.duty.desk import MAIL, SMS
from tools.centre.duty.rota import Person, Rota
from tools.centre.limits import DUTY_MINUTES, DUTY_MINUTES_MAX, SEND_TIMEOUT_S, SENDINGS_MAX
from tools.centre.store import database

_TLS, _STARTTLS, _PLAIN = "tls", "starttls", "none"
_PORTS = {_TLS: 465, _STARTTLS: 587, _PLAIN: 25}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Of an answer of a gateway of SMS, to look for what says that it was accepted.
_ANSWER_BYTES_MAX = 64 * 1024


class Faulty(ValueError):
    """States what is wrong with the file: a message of the catalogue with its values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values


class Unsent(Exception):
    """Is raised with a word for what failed: `timeout`, `refused 550`. It quotes nothing that was sent or answered."""


class Channel(Protocol):
    def send(self, person: Person, message: Message, *, now_s: int) -> None:
        """Sends a message; Unsent where that is not certain."""


class Mail(NamedTuple):
    """Sends by a mail server (RFC 5321), encrypted; without encryption only on this machine."""

    host: str
    port: int
    sender: str
    security: str
    user: str
    password: str

    def send(self, person: Person, message: Message, *, now_s: int) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, person.mail, message.subject
        mail["Date"] = formatdate(now_s)
        # The same at each try (RFC 5322, 3.6.4), and no other's: a book that was begun anew counts from 1.
        domain = self.sender.rpartition("@")[2].strip("> ")
        mail["Message-ID"] = f"<{message.made_unix_s}.{message.number}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers it
        mail.set_content(message.body)
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise Unsent(f"recipient {next(iter(error.recipients.values()))[0]}") from None
        except smtplib.SMTPResponseException as error:
            raise Unsent(f"{type(error).__name__} {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Unsent(type(error).__name__) from None

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == _TLS:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SEND_TIMEOUT_S, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=SEND_TIMEOUT_S)
        if self.security == _STARTTLS:
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


class Sms(NamedTuple):
    """Sends by one POST. body: a template of JSON or of a form; accepted: a text that the answer has to contain, for
    gateways that answer 200 to what they refuse."""

    url: str
    headers: Mapping[str, str]
    body: Any
    is_json: bool
    user: str
    password: str
    accepted: str

    def send(self, person: Person, message: Message, *, now_s: int) -> None:
        values = {
            "{to}": person.phone, "{text}": message.body, "{secret}": self.password,
            "{id}": f"{message.made_unix_s}-{message.number}",
        }  # fmt: skip
        body = _filled(self.body, values)
        headers = {"Content-Type": "application/json" if self.is_json else "application/x-www-form-urlencoded"}
        headers |= _filled(dict(self.headers), values)
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"  # RFC 7617
        data = json.dumps(body) if self.is_json else urllib.parse.urlencode(body)
        request = urllib.request.Request(self.url, data.encode(), headers, method="POST")
        try:
            with _OPENER.open(request, timeout=SEND_TIMEOUT_S) as answer:
                text = answer.read(_ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as error:
            error.close()
            raise Unsent(f"HTTP {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise Unsent(type(getattr(error, "reason", error)).__name__) from None
        if self.accepted.encode() not in text:
            raise Unsent("not accepted")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would take the secret, and a telephone's number, elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _filled(template: Any, values: Mapping[str, str]) -> Any:
    """Returns a template with its values, once: what is filled in is not looked into again."""
    if isinstance(template, dict):
        return {key: _filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    name = min((name for name in values if name in template), key=template.index, default=None)
    if name is None:
        return template
    before, _, after = template.partition(name)
    return before + values[name] + _filled(after, values)


# --- the file that configures it ------------------------------------------------------------------------------------


class Configuration(NamedTuple):
    """Holds what the file says."""

    origin: str
    minutes: int
    channels: Mapping[str, Channel]


def configuration(path: Path) -> Configuration:
    """Returns what the file says. Faulty names what is wrong; OSError."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Faulty("{why}", why=error) from error
    minutes = found.get("minutes", DUTY_MINUTES)
    if not isinstance(minutes, int) or not 0 < minutes <= DUTY_MINUTES_MAX:
        raise Faulty(N_("{field}: give 1 to {most}"), field="minutes", most=DUTY_MINUTES_MAX)
    origin = _text(found, "origin", "http://127.0.0.1:8080").rstrip("/")
    channels: dict[str, Channel] = {}
    if "mail" in found:
        channels[MAIL] = _mail(_table(found, "mail", ("host", "port", "from", "security", "user", "secret")))
    if "sms" in found:
        known = ("url", "headers", "json", "form", "user", "secret", "accepted")
        channels[SMS] = _sms(_table(found, "sms", known))
    if not channels:
        raise Faulty(N_("give [mail], [sms] or both"))
    _table({"": found}, "", ("origin", "minutes", "mail", "sms"))
    return Configuration(origin, minutes, channels)


def _mail(found: dict[str, Any]) -> Mail:
    host, security = _text(found, "host"), _text(found, "security", _STARTTLS)
    if security not in _PORTS:
        raise Faulty(N_("{field}: give one of {known}"), field="mail.security", known=", ".join(_PORTS))
    if security == _PLAIN and host not in _LOOPBACK:
        raise Faulty(N_("{field}: without encryption only for a server of this machine"), field="mail.security")
    port = found.get("port", _PORTS[security])
    if not isinstance(port, int) or not 0 < port < 65536:
        raise Faulty(N_("{field}: give 1 to {most}"), field="mail.port", most=65535)
    sender = _text(found, "from")
    if "@" not in sender:
        raise Faulty(N_("{field}: give one address"), field="mail.from")
    return Mail(host, port, sender, security, _text(found, "user", ""), _secret(found))


def _sms(found: dict[str, Any]) -> Sms:
    url = _text(found, "url")
    address = urllib.parse.urlsplit(url)
    if address.scheme != "https" and not (address.scheme == "http" and _is_near(address.hostname or "")):
        raise Faulty(N_("{field}: give https://…; http:// only for an address of this network"), field="sms.url")
    if ("json" in found) == ("form" in found):
        raise Faulty(N_("[sms]: give json or form, and not both"))
    is_json = "json" in found
    body = found["json" if is_json else "form"]
    text = json.dumps(body)
    if not isinstance(body, dict) or "{to}" not in text or "{text}" not in text:
        raise Faulty(N_("[sms]: {{to}} and {{text}} have to stand in its json or form"))
    return Sms(
        url, found.get("headers", {}), body, is_json, _text(found, "user", ""), _secret(found),
        _text(found, "accepted", ""),
    )  # fmt: skip


def _is_near(host: str) -> bool:
    """Returns whether a host is this machine or, by its number, on the same network: a box there has no certificate."""
    try:
        return host in _LOOPBACK or ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _table(found: dict[str, Any], name: str, known: tuple[str, ...]) -> dict[str, Any]:
    table = found[name]
    if not isinstance(table, dict):
        raise Faulty(N_("{field}: give a table, [{field}]"), field=name)
    for field in table.keys() - set(known):
        raise Faulty(N_("{field}: there is no such setting"), field=f"{name}.{field}".strip("."))
    return table


def _text(found: dict[str, Any], field: str, otherwise: str | None = None) -> str:
    value = found.get(field, otherwise)
    if not isinstance(value, str) or not value.isprintable() or (otherwise is None and not value):
        raise Faulty(N_("{field}: give a text of one line"), field=field)
    return value


def _secret(found: dict[str, Any]) -> str:
    """Returns the one line of the file in which the secret stands; "" where none is named."""
    return Path(found["secret"]).read_text(encoding="utf-8").strip() if "secret" in found else ""


# --- sending --------------------------------------------------------------------------------------------------------


def send_due(
    book: Book, rota: Rota, channels: Mapping[str, Channel], log: Callable[..., None], *, now_s: int
) -> int:
    """Sends the messages whose turn it is; returns how many went out. Each try is on the disk before it is made. A
    channel that fails is left alone until the next call: it would let each message wait for its time-out."""
    sent, failed = 0, set()
    for message in book.due(now_s=now_s, most=SENDINGS_MAX):
        if message.channel in failed:
            continue
        with database.transaction(book.connection):
            book.note_try(message, now_s=now_s)
        try:
            person = rota.people.get(message.person)
            if person is None or message.channel not in channels:
                raise Unsent("no address")
            channels[message.channel].send(person, message, now_s=now_s)
        except Unsent as error:
            if str(error).partition(" ")[0] not in ("recipient", "no"):
                failed.add(message.channel)
            with database.transaction(book.connection):
                is_over = book.note_failed(message, str(error))
            log("duty-unsent", number=message.number, channel=message.channel, error=str(error), given_up=is_over)
            continue
        with database.transaction(book.connection):
            book.note_sent(message, now_s=now_s)
        sent += 1
    return sent
