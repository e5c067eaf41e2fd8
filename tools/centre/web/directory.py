"""Lets in who the territory's own directory knows (OpenID Connect Core 1.0, section 3.1), where a file configures one.

    browser ──▶ /login/directory ──▶ the directory asks for a password ──▶ /login/directory/back ──▶ the screens

The directory says who somebody is, and no more: it opens an account that exists here and that an administrator has
bound to that person (`bocage centre web account NAME --directory WHO`), and what the account sees stays ours. State,
nonce and PKCE (RFC 7636) are Authlib's; issuer, audience and time are checked by what we name here, for by itself it
accepts a token for another application. A refusal says one plain sentence, is counted, and logged by its word alone.

    issuer = "https://connexion.example.fr/realms/territoire"
    client = "bocage"
    secret = "/etc/bocage-centre/directory.secret"
    claim = "email"                       # or "sub", "preferred_username": what `--directory WHO` is compared with
    label = "le compte du syndicat"
"""

import logging
import tomllib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.http import Http404, HttpResponseRedirect

from tools.centre.web import accounts, entering
from tools.centre.web.limits import DIRECTORY_LEEWAY_S, DIRECTORY_TIMEOUT_S

# How often each refusal was, since the process began.
refused: Counter[str] = Counter()
_LOG = logging.getLogger(__name__)
_AFTER = "directory-after"
_SCOPES = "openid email profile"
_ISSUED = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, section 4


class Directory(NamedTuple):
    """Says which directory lets in. claim: what of a person an account is bound to; label: its name for people."""

    issuer: str
    client: str
    secret: str
    claim: str
    label: str


class Faulty(ValueError):
    """Names the setting of the file that is missing or of another form."""


def configuration(path: Path) -> Directory:
    """Returns what the file says; Faulty, OSError."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Faulty(str(error)) from error
    found = {"claim": "email", "label": "", **found}
    for field in (*Directory._fields, *found):
        if not isinstance(found.get(field), str) or field not in Directory._fields:
            raise Faulty(field)
    address = urlsplit(found["issuer"])
    if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1"):
        raise Faulty("issuer")
    secret = Path(found["secret"]).read_text(encoding="utf-8").strip()
    return Directory(**found | {"issuer": found["issuer"].rstrip("/"), "secret": secret})


def begin(request: Any) -> Any:
    """Leads to the directory, from which the browser comes back to `back`."""
    directory = _directory()
    request.session[_AFTER] = entering.own_address(request, request.GET.get("next", "/"))
    try:
        answer = _application(directory).authorize_redirect(request, settings.BOCAGE.origin + "/login/directory/back")
    except Exception as error:  # whatever a network and a stranger's answer may raise
        return _refuse(request, _word(error))
    return answer


def back(request: Any) -> Any:
    """Logs in the account that is bound to who the directory says it is."""
    directory = _directory()
    after = request.session.pop(_AFTER, "/")
    try:
        known = _known(request, directory)
    except Exception as error:
        return _refuse(request, _word(error))
    account = accounts.known_as(known, directory.claim)
    if account is None:
        return _refuse(request, "unknown")
    if account.last_login is None:
        account.set_unusable_password()  # a one-time password that nobody has replaced serves no more
        account.save(update_fields=["password"])
    auth.login(request, account, backend="django.contrib.auth.backends.ModelBackend")
    request.session.clear_expired()
    return HttpResponseRedirect(after)


def _directory() -> Directory:
    found = settings.BOCAGE.directory
    if found is None:
        raise Http404
    return found


@lru_cache(maxsize=1)
def _application(directory: Directory) -> Any:
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        "directory", client_id=directory.client, client_secret=directory.secret,
        server_metadata_url=directory.issuer + _ISSUED,
        client_kwargs={
            "scope": _SCOPES, "code_challenge_method": "S256", "default_timeout": DIRECTORY_TIMEOUT_S,
        },
    )  # fmt: skip


def _known(request: Any, directory: Directory) -> str:
    """Returns the claim of who comes back; raises what Authlib does for what is not sound."""
    from authlib.oidc.core import CodeIDToken

    class AtThisTime(CodeIDToken):
        def validate(self, now: int | None = None, leeway: int = 0) -> None:
            super().validate(request.now_s, leeway)

    wanted = {
        "iss": {"essential": True, "value": directory.issuer},
        "aud": {"essential": True, "value": directory.client},
    }
    application = _application(directory)
    token = application.authorize_access_token(
        request, claims_options=wanted, claims_cls=AtThisTime, leeway=DIRECTORY_LEEWAY_S
    )
    said = token["userinfo"]
    if directory.claim not in said:
        more = application.userinfo(token=token)
        if more["sub"] != said["sub"]:  # section 5.3.2: another person's, then
            raise ValueError("sub")
        said = more
    if directory.claim == "email" and said.get("email_verified") is False:
        return ""
    return str(said.get(directory.claim, ""))


def _word(error: Exception) -> str:
    """Returns the word of `entering.WORDS` for what went wrong."""
    from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
    from requests import RequestException

    kinds = ((MismatchingStateError, "state"), (OAuthError, "denied"), (RequestException, "unreachable"))
    return next((word for kind, word in kinds if isinstance(error, kind)), "token")


def _refuse(request: Any, word: str) -> Any:
    refused[word] += 1
    _LOG.warning("a way in by the directory was refused: %s, %d since the start", word, refused[word])
    return entering.login_page(request, f"directory.{word}", status=403)
