"""Makes accounts and one-time passwords. An account has a name and a password; what it may see, the scope says.

`last_login` stays empty until the person has chosen a password: an account without it has a one-time password, made at
`date_joined`.
"""

import secrets

from tools.centre.web.limits import ONE_TIME_GROUPS

# Without signs that are read for others.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Returns a password such as `k3fu-9mwe-tz5a-px7c`."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(ONE_TIME_GROUPS))
    return "-".join(groups)


def reset(name: str) -> str:
    """Makes an account, or gives it a new one-time password and ends its sessions; returns the password."""
    from axes.utils import reset as forget_failures
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    password = one_time_password()
    account = get_user_model().objects.filter(username=name).first() or get_user_model()(username=name)
    account.set_password(password)  # sessions name a digest of it, so they end
    account.last_login, account.date_joined = None, timezone.now()
    account.save()
    forget_failures(username=name)
    return password
