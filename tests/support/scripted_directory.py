"""An OpenID provider on the loopback interface: discovery, keys, tokens, as OpenID Connect Core 1.0 has them.

It is told who comes (`claims`), and what is wrong with its next token (`wrong`: claims that are put in the place of the
right ones; `signer`: another key). `code` gives the code with which the browser comes back.
"""

import base64
import hashlib
import http.server
import json
import secrets
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.scripted_doors import serving

CLIENT, SECRET = "bocage", "s3cret"


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value):
    return _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class ScriptedDirectory(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, now_s):
        self.now_s = now_s
        self.key = self.signer = new_key()
        self.claims = {"sub": "42", "email": "mayor@example.fr", "email_verified": True}
        self.only_at_userinfo, self.wrong, self.asked, self.tokens = (), {}, {}, 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.server_address[1]}/realms/territoire"

    def code(self, location):
        """The browser was sent to `location`, and the person has given a password; returns (state, code)."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}
        code = secrets.token_hex(8)
        self.asked[code] = asked
        return asked["state"], code

    def id_token(self, asked):
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": self.now_s, "exp": self.now_s + 300, "nonce": asked["nonce"],
            **{name: value for name, value in self.claims.items() if name not in self.only_at_userinfo}, **self.wrong,
        }  # fmt: skip
        header = {"alg": "RS256", "kid": "1", "typ": "JWT"}
        parts = header, {name: value for name, value in claims.items() if value is not None}
        text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        signature = self.signer.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_base64(signature)}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        own = self.server
        if self.path.endswith("/.well-known/openid-configuration"):
            self._say({
                "issuer": own.issuer, "authorization_endpoint": own.issuer + "/auth",
                "token_endpoint": own.issuer + "/token", "jwks_uri": own.issuer + "/keys",
                "userinfo_endpoint": own.issuer + "/userinfo", "id_token_signing_alg_values_supported": ["RS256"],
            })  # fmt: skip
        elif self.path.endswith("/keys"):
            public = own.key.public_key().public_numbers()
            numbers = {"n": _number(public.n), "e": _number(public.e)}
            self._say({"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", **numbers}]})
        elif self.path.endswith("/userinfo"):
            self._say(own.claims)

    def do_POST(self):
        given = {name: value[0] for name, value in parse_qs(self._body()).items()}
        asked = self.server.asked.pop(given.get("code"), None)
        verifier = _base64(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        basic = base64.b64decode(self.headers.get("Authorization", "Basic ").split()[-1] or b"").decode()
        if asked is None or verifier != asked["code_challenge"] or basic != f"{CLIENT}:{SECRET}":
            self._say({"error": "invalid_grant"}, 400)
            return
        self.server.tokens += 1
        self._say({"access_token": "a", "token_type": "Bearer", "id_token": self.server.id_token(asked)})

    def _body(self):
        return self.rfile.read(int(self.headers["Content-Length"])).decode()

    def _say(self, document, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_):
        pass


def directory(now_s):
    """A context with such a directory behind a port."""
    return serving(ScriptedDirectory(now_s))
