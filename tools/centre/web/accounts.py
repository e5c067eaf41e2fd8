"""Makes accounts and one-time passwords. An account has a name and a password; what it may see, the scope says.

`last_login` stays empty until the person has chosen a password: an account without it has a one-time password, made at
`date_joined`. `email` holds by what the territory's directory knows the person (`directory`), whatever claim that is;
"" where they do not enter so.
"""

import secrets
from typing import Any

from tools.centre.web.limits import ONE_TIME_GROUPS

# Without signs that are read for others.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Returns a password such as `k3fu-9mwe-tz5a-px7c`."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(ONE_TIME_GROUPS))
    return "-".join(groups)


def bind(name: str, who: str) -> None:
    """Lets the person whom the territory's directory knows as `who` enter by an account, which is made where there is
    none; "" ends that. Of two accounts the last one that was bound to a person is theirs."""
    from django.contrib.auth import get_user_model
    from django.db import transaction

    with transaction.atomic():
        accounts = get_user_model().objects
        if who:
            accounts.filter(email__iexact=who).update(email="")
        account = accounts.filter(username=name).first() or get_user_model()(username=name)
        if not account.password:
            account.set_unusable_password()
        account.email = who
        account.save()


def known_as(who: str, claim: str) -> Any:
    """Returns the account that is bound to a person of the directory; None where there is none."""
    from django.contrib.auth import get_user_model

    # An address is the same in capitals; any other claim is a word of the directory's, and is as it is.
    is_same = {"email__iexact" if claim == "email" else "email": who}
    found = list(get_user_model().objects.filter(**is_same, is_active=True)) if who else []
    return found[0] if len(found) == 1 else None


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
