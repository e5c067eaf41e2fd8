"""Lets the bench exchange messages with one peer under OSCORE over UDP: by a context file, or with the key of a node.

The context file is TOML: `master_secret`, `sender_id`, `recipient_id` and, if used, `master_salt` and `id_context`, in
hexadecimal. Beside it `<file>.sequence` holds the end of the numbers that may have been used: to copy, restore or
delete it breaks the context. Give the bench a context of its own, never a node's or a gateway's.

With a node's key file the bench talks to the gateway as that node, with keys agreed on for this conversation. The
node's own next request then gets no answer, and the node agrees on keys anew. Nothing is stored: the bench uses the
Unix second as the boot number of its nonces, which is far above any boot number that a node has reached.
"""

import os
import secrets
import socket
import stat
import time
import tomllib
from pathlib import Path
from typing import Any, Self

from gateway.core.link.sessions import NodeKey
from gateway.io.crypto import AesCcm
from gateway.io.files import sync_folder
from gateway.language import N_
from tools.command_line import UsageError
from tools.link.message_text import code_text
from tools.link.sequence import SenderSequence
from wire import coap, limits, oscore, oscore_context
from wire import coap_message as messages
from wire.faults import WireFault
from wire.oscore_context import GATEWAY_ID, Pairing
from wire.oscore_link import NodeLink

_FIELDS = ("master_secret", "master_salt", "sender_id", "recipient_id", "id_context")
_CIPHER = AesCcm()
_POLL_S = 0.05
_UNAUTHORIZED_MAX = 1  # a server may ask for Echo once (RFC 8613 appendix B.1.2)


class TalkError(UsageError):
    """Is raised for a fault that a person can put right. Its text holds no secret."""


def load_context(path: Path) -> oscore_context.Context:
    """Returns the context that the file holds; TalkError names what is wrong, never a value."""
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise TalkError(N_("{path}: others may read it; say: chmod 600 {path}"), path=path)
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = sorted(set(fields) - set(_FIELDS))
        if unknown:
            message = N_("{path}: no field {names}; there are {fields}")
            raise TalkError(message, path=path, names=", ".join(unknown), fields=", ".join(_FIELDS))
        return oscore_context.derive(**{name: bytes.fromhex(value) for name, value in fields.items()})
    except OSError as error:
        raise TalkError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, TypeError):
        message = N_("{path}: each field is a text of hexadecimal digits; three are needed")
        raise TalkError(message, path=path) from None
    except AssertionError as bound:
        raise TalkError(f"{path}: {bound}") from None


class SequenceFile:
    """Keeps the sender sequence of one context file; each block of numbers is on disk before it is used."""

    def __init__(self, context_path: Path, *, is_first: bool):
        self._path = context_path.with_name(context_path.name + ".sequence")
        if is_first:
            if self._path.exists():
                message = N_("{path} exists: this context was used before; leave --first out")
                raise TalkError(message, path=self._path)
            self._write(0)
        try:
            self._sequence = SenderSequence(int(self._path.read_text(encoding="ascii")))
        except FileNotFoundError:
            message = N_("no {path}: say --first if this context was NEVER used; else make another")
            raise TalkError(message, path=self._path) from None
        except (OSError, ValueError, AssertionError):
            raise TalkError(N_("{path} is damaged: make another context"), path=self._path) from None

    def reserve(self) -> int:
        """Reserves the next number on disk and returns it."""
        effect = self._sequence.due()
        if effect is not None:
            self._write(effect.upto)
            self._sequence.reserved(effect.upto)
        number = self._sequence.next_number()
        if number is None:
            raise TalkError(N_("{path}: every number is used; make another context"), path=self._path)
        return int(number)

    def _write(self, upto: int) -> None:
        """Writes by rename, so that a power cut leaves the old end or the new one."""
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(str(upto))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise TalkError(f"{self._path}: {error.strerror}") from None


class Conversation:
    """Exchanges messages with one peer under one context, from one socket: servers tell bodies apart by the address
    they come from."""

    def __init__(
        self, context: oscore_context.Context, sequence: SequenceFile, address: tuple[str, int], *, wait_s: float
    ) -> None:
        self._context = context
        self._sequence = sequence
        self._address = address
        self._wait_s = wait_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_POLL_S)
        self._end = coap.Endpoint(
            random_below=secrets.randbelow,
            first_message_id=secrets.randbelow(0x10000),
            datagram_max=limits.COAP_UDP_DATAGRAM_BYTES_MAX,
            handled_options=(messages.OSCORE,),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: messages.Content) -> messages.Content:
        """Sends `request` and returns the protected response. A demand for Echo is met once. TalkError when no response
        comes."""
        for _ in range(_UNAUTHORIZED_MAX + 1):
            content, exchange = oscore.protect_request(
                self._context, request, _CIPHER, number=self._sequence.reserve(), with_id_context=True
            )
            response = self._exchange(content)
            try:
                opened = oscore.unprotect_response(self._context, response, _CIPHER, exchange)
            except WireFault as fault:
                raise TalkError(_unprotected(response, fault.reason)) from None
            echo = messages.option_values(opened.options, messages.ECHO)
            if opened.code != messages.UNAUTHORIZED or not echo:
                break
            options = [option for option in request.options if option[0] != messages.ECHO]
            messages.insert_option(options, messages.ECHO, echo[0])
            request = messages.Content(request.code, tuple(options), request.payload)
        return opened

    def _exchange(self, content: messages.Content) -> Any:
        end = self._end
        asked = end.request(self._address, content.code, (), content.payload, options=content.options, now_ms=_now_ms())
        if isinstance(asked, coap.Refused):
            raise TalkError(N_("the request cannot be sent: {reason}"), reason=asked.reason)
        deadline_ms = _now_ms() + int(self._wait_s * 1000)
        while _now_ms() < deadline_ms:
            self._send()
            for event in self._events():
                if isinstance(event, coap.Request) or event.exchange != asked:
                    continue
                if isinstance(event, coap.Failed):
                    raise TalkError(N_("no answer: {reason}"), reason=event.reason)
                self._send()  # its acknowledgement
                return event
        host, port = self._address
        message = N_("no answer from {host} port {port} within {wait:g} s")
        raise TalkError(message, host=host, port=port, wait=self._wait_s)

    def _send(self) -> None:
        for peer, datagram in self._end.outgoing():
            self._socket.sendto(datagram, peer)

    def _events(self) -> list[Any]:
        events = list(self._end.poll(now_ms=_now_ms()))
        datagram, peer = _receive(self._socket, self._address)
        return events + (self._end.receive(datagram, peer, now_ms=_now_ms()) if datagram else [])


class NodeConversation:
    """Exchanges messages with one gateway from one socket, as a node. It has the methods of `Conversation`."""

    def __init__(self, key: NodeKey, address: tuple[str, int], *, wait_s: float) -> None:
        self._address = address
        self._wait_s = wait_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_POLL_S)
        endpoint = coap.Endpoint(
            random_below=secrets.randbelow,
            first_message_id=secrets.randbelow(0x10000),
            handled_options=oscore.ANY_OUTSIDE,
        )
        self._link = NodeLink(
            endpoint,
            Pairing(key.master_secret, key.kid, GATEWAY_ID),
            AesCcm(),
            peer=address,
            boot=int(time.time()) & 0xFFFFFFFF,
            random_below=secrets.randbelow,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: messages.Content) -> messages.Content:
        """Sends `request` and returns the answer. TalkError when none comes."""
        asked = self._link.request(
            self._address, request.code, (), request.payload, options=request.options, now_ms=_now_ms()
        )
        deadline_ms = _now_ms() + int(1000 * self._wait_s)
        while _now_ms() < deadline_ms:
            for peer, datagram in self._link.outgoing():
                self._socket.sendto(datagram, peer)
            for event in self._events():
                if isinstance(event, coap.Request) or event.exchange != asked:
                    continue
                if isinstance(event, coap.Failed):
                    raise TalkError(N_("no answer: {reason}"), reason=event.reason)
                for peer, datagram in self._link.outgoing():  # its acknowledgement
                    self._socket.sendto(datagram, peer)
                return messages.Content(event.code, event.options, event.payload)
        host, port = self._address
        message = N_("no answer from {host} port {port} within {wait:g} s: is this node adopted there?")
        raise TalkError(message, host=host, port=port, wait=self._wait_s)

    def _events(self) -> list[Any]:
        events = list(self._link.poll(now_ms=_now_ms()))
        datagram, peer = _receive(self._socket, self._address)
        return events + (self._link.receive(datagram, peer, now_ms=_now_ms()) if peer == self._address else [])


def _receive(bound: socket.socket, address: tuple[str, int]) -> tuple[bytes, Any]:
    """Returns the next datagram and its sender; (b"", None) when none came in time."""
    try:
        return bound.recvfrom(limits.COAP_UDP_DATAGRAM_BYTES_MAX + 1)
    except TimeoutError:
        return b"", None
    except ConnectionError:
        raise TalkError(N_("nothing listens at {host} port {port}"), host=address[0], port=address[1]) from None


def _unprotected(response: Any, reason: str) -> str:
    if reason != "oscore-missing":
        return f"the answer does not hold under this context: {reason}"
    said = response.payload.decode(errors="replace") if response.payload.isascii() else response.payload.hex()
    return f"unprotected answer {code_text(response.code)} {said!r}: anybody may have sent it"


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
