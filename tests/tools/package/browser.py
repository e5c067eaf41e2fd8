"""Enters the screens of a centre as a person does, in Debian's Chromium; the last line says what was seen.

    python -m tests.tools.package.browser ORIGIN ADDRESS AUTHORITY.pem PERSON PASSWORD CHOSEN

It runs in the network of a booted machine, whose names this machine does not know. Chromium is told the key that the
server showed to a client which believes this authority alone.
"""

import base64
import hashlib
import http.client
import socket
import ssl
import sys
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"


def main():
    origin, address, authority, person, password, chosen = sys.argv[1:]
    host = urlsplit(origin).hostname
    key = shown_key(host, address, authority)
    assert by_plain_http(host, address) == (301, f"{origin}/"), "port 80 leads to TLS"
    words = [
        "--no-sandbox", f"--host-resolver-rules=MAP {host} {address}", f"--ignore-certificate-errors-spki-list={key}",
    ]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
        context = browser.new_context(locale="fr-FR")
        page = context.new_page()
        said = []
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        answer = page.goto(origin)
        assert "max-age=31536000" in answer.headers["strict-transport-security"]
        page.fill("[name=who]", person)
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        if password != chosen:
            page.wait_for_url("**/password**")
            for field in page.locator("input[type=password]").all():
                field.fill(chosen)
            page.locator("input[type=password]").last.press("Enter")
        page.wait_for_selector("header")
        page.wait_for_load_state()
        [session] = [one for one in context.cookies() if one["name"] == "bocage"]
        assert session["secure"] and session["httpOnly"] and session["sameSite"] == "Lax", session
        body = page.content()
        browser.close()
    assert person in body and not said, (body, said)
    print(body)


def shown_key(host, address, authority):
    """The digest of the key of a server that this authority has certified for this name (RFC 7469, section 2.4)."""
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection((address, 443), 10) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def by_plain_http(host, address):
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.headers["Location"]


main()
