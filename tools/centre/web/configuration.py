"""Makes Django's settings from arguments; there is no module of settings, and so none that could hold a secret.

The secret key, which signs what a browser sends back, is made at the first start, beside the web's own database and
readable by its owner only. Sessions, accounts and failed logins live in that database; the warehouse is read through
the scope of the person only (`access`), and never written.
"""

import fcntl
import ipaddress
import os
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tools.centre.web import limits

_HERE = "tools.centre.web"
KEY_MODE = 0o600
_KEY_BYTES = 50  # beyond the 128 bits that a forger would have to guess, as Django's own `startproject` has


class Options(NamedTuple):
    """Says what the web serves. warehouse: as `--db`; data: the web's own SQLite file; origin: the address by which
    people reach it; clock: gives the Unix seconds that every page calls now (a simulated town has its own); ground: the
    folder of what maps draw under the lights, `49135.geojson` for a commune; tiles: a PMTiles file of images under
    that; control: the control file, without which no order is given; kwh_price: what the commune pays, in euros; duty:
    the book of `bocage centre duty`, without which its screen is not there; directory: a `directory.Directory`;
    issued: the folder of the certificates that the authority has signed."""

    warehouse: str
    data: str
    origin: str = "http://127.0.0.1:8080"
    clock: Callable[[], float] = time.time
    ground: str | None = None
    control: str | None = None
    kwh_price: float | None = None
    tiles: str | None = None
    duty: str | None = None
    directory: Any = None
    issued: str | None = None


def is_loopback(host: str) -> bool:
    """Returns whether a host's name means this machine, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def configure(options: Options) -> None:
    """Configures Django for this process, once, and makes the tables that the web's own database lacks."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    # One process at a time: the service may start while a person makes the first account.
    with os.fdopen(_opened_key(options.data)) as key:
        fcntl.flock(key, fcntl.LOCK_EX)
        settings.configure(**settings_of(options))
        django.setup()
        call_command("migrate", verbosity=0)


def _opened_key(data: str) -> int:
    return os.open(data + ".key", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, KEY_MODE)


def secret_key(data: str) -> str:
    """Returns the secret key of the web whose database this is; makes it where there is none."""
    with os.fdopen(_opened_key(data), "r+", encoding="ascii") as file:
        key = file.read()
        if not key:
            key = secrets.token_urlsafe(_KEY_BYTES)
            file.write(key)
        return key


def settings_of(options: Options) -> dict[str, Any]:
    """Returns Django's settings. Long because it is one list, each line a setting."""
    origin = urlsplit(options.origin)
    host, is_secure = origin.hostname or "", origin.scheme == "https"
    os.close(os.open(options.data, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, KEY_MODE))
    return {
        "BOCAGE": options,
        "SECRET_KEY": secret_key(options.data),
        "DEBUG": False,
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost"] if is_loopback(host) else [host],
        "ROOT_URLCONF": f"{_HERE}.urls",
        "INSTALLED_APPS": [
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
            "django.contrib.staticfiles", "django_htmx", "leaflet", "axes", _HERE,
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            f"{_HERE}.middleware.policy_of_content",
            "django.middleware.gzip.GZipMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "django_htmx.middleware.HtmxMiddleware",
            f"{_HERE}.middleware.Access",
            "axes.middleware.AxesMiddleware",
        ],
        "TEMPLATES": [{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"builtins": [f"{_HERE}.templatetags.words", "django.templatetags.static"]},
        }],
        "USE_I18N": False,  # sentences are those of gateway.language
        "USE_TZ": True,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "DATABASES": {"default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": options.data,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
            },
        }},
        # --- accounts
        "AUTHENTICATION_BACKENDS": ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
             "OPTIONS": {"min_length": limits.PASSWORD_CHARACTERS_MIN}},
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
            {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
        ],
        "LOGIN_URL": "/login",
        "AXES_FAILURE_LIMIT": limits.LOGIN_FAILURES_MAX,
        "AXES_COOLOFF_TIME": limits.LOGIN_COOLOFF,
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        "AXES_LOCKOUT_CALLABLE": f"{_HERE}.entering.locked_out",
        "AXES_RESET_ON_SUCCESS": True,
        "AXES_DISABLE_ACCESS_LOG": True,  # when who was here is nobody's business; failures are kept
        "SILENCED_SYSTEM_CHECKS": [],
        # --- browsers
        "SESSION_COOKIE_NAME": "bocage",
        "SESSION_COOKIE_AGE": limits.SESSION_S,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": is_secure,
        "CSRF_COOKIE_SECURE": is_secure,
        "CSRF_USE_SESSIONS": True,
        "CSRF_FAILURE_VIEW": f"{_HERE}.errors.form_refused",
        "SECURE_HSTS_SECONDS": limits.HSTS_S if is_secure else 0,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if is_secure else None,
        # --- what is ours to serve
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_MAX_AGE": limits.STATIC_S,
        "WHITENOISE_ALLOW_ALL_ORIGINS": False,
        "LOGGING_CONFIG": None,
    }  # fmt: skip
