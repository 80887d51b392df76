"""Reads ``settings.PASSWORD_RESET_DIRECTORY``; the README lists its keys."""

import base64
import binascii
from dataclasses import dataclass
from typing import List, Optional

from django.conf import settings

SECRET_PREFIX = "whsec_"
MIN_SECRET_BYTES = 24  # Standard Webhooks


@dataclass(frozen=True)
class DirectorySettings:
    secrets: List[bytes]
    password: str = "encoded"
    locale_field: Optional[str] = None
    created_field: Optional[str] = "date_joined"

    @classmethod
    def read(cls):
        """Raises ValueError, which names the key that is wrong and never quotes a value."""
        given = dict(getattr(settings, "PASSWORD_RESET_DIRECTORY", {}))
        secrets = given.pop("SECRETS", [])
        if isinstance(secrets, str):
            secrets = [secret.strip() for secret in secrets.split(",") if secret.strip()]
        if not secrets:
            raise ValueError("PASSWORD_RESET_DIRECTORY['SECRETS'] is missing: whsec_... as in ACCOUNT_DIRECTORY_SECRETS.")
        password = given.pop("PASSWORD", cls.password)
        if password not in ("encoded", "plain"):
            raise ValueError("PASSWORD_RESET_DIRECTORY['PASSWORD'] must be 'encoded' or 'plain'.")
        locale_field = given.pop("LOCALE_FIELD", cls.locale_field)
        created_field = given.pop("CREATED_FIELD", cls.created_field)
        if given:
            raise ValueError("PASSWORD_RESET_DIRECTORY has an unknown key: %s." % sorted(given)[0])
        return cls([_secret(secret) for secret in secrets], password, locale_field, created_field)


def _secret(text):
    try:
        secret = base64.b64decode(text[len(SECRET_PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(SECRET_PREFIX) or len(secret) < MIN_SECRET_BYTES:
        raise ValueError(
            "PASSWORD_RESET_DIRECTORY['SECRETS'] holds something that is not whsec_ and the base64 of %d bytes or more."
            % MIN_SECRET_BYTES
        )
    return secret
