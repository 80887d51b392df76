"""The users of this site as accounts: django.contrib.auth and, if it is installed, allauth's further addresses."""

import datetime
import hashlib
import json
from functools import reduce

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, identify_hasher
from django.contrib.auth.password_validation import password_changed, validate_password
from django.core.exceptions import ValidationError
from django.db import router
from django.utils import timezone

from .models import PasswordReset


MAX_USERS = 50


def database():
    return router.db_for_write(get_user_model())


def find_users(email):
    """Yields each user who has the address, with the address as it is stored. Inactive users are among them."""
    users = get_user_model()._default_manager.using(database())
    field = get_user_model().get_email_field_name()
    seen = set()
    # The oldest first, and not without end: anybody may be able to register accounts with an address.
    for user in users.filter(**{field + "__iexact": email}).order_by("pk")[:MAX_USERS]:
        stored = getattr(user, field)
        if _is_same_address(stored, email):
            seen.add(user.pk)
            yield user, stored
    for user_id, stored in _further_addresses(email__iexact=email):
        if _is_same_address(stored, email) and user_id not in seen:
            seen.add(user_id)
            for user in users.filter(pk=user_id):
                yield user, stored


def get_user(user_id, lock=False):
    """The user whose id is exactly this text, or None."""
    users = get_user_model()._default_manager.using(database())
    if lock:
        users = users.select_for_update()
    try:
        pk = get_user_model()._meta.pk.clean(user_id, None)
        user = users.filter(pk=pk).first()
    except (ValidationError, OverflowError):  # the latter by SQLite, before it is asked
        return None
    return user if user is not None and str(user.pk) == user_id else None


def main_address(user):
    own = getattr(user, user.get_email_field_name(), "")
    if own:
        return own
    return next((email for _, email in _further_addresses(user_id=user.pk)), "")


def describe(user, email, settings):
    """The account as JSON."""
    reset = PasswordReset.objects.using(database()).filter(pk=user.pk).first()
    locale = _field(user, settings.locale_field)
    return {
        "id": str(user.pk),
        "email": email,
        "username": user.get_username(),
        "isActive": _can_log_in(user),
        "credentialVersion": credential_version(user),
        "locale": str(locale) if locale else None,
        "lastResetKeyId": reset and reset.reset_key_id,
        "passwordChangedAt": reset and _iso(reset.changed_at),
        "createdAt": _iso(_field(user, settings.created_field)),
    }


def credential_version(user):
    """Changes with everything that must end a reset key: password, activity, and the user's addresses."""
    addresses = sorted(email for _, email in _further_addresses(user_id=user.pk))
    state = [str(user.pk), user.password, user.is_active, main_address(user), addresses]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def can_verify(encoded):
    """Could this site verify the hash at log-in? Not if its hasher is missing from PASSWORD_HASHERS, or a library is missing."""
    max_length = get_user_model()._meta.get_field("password").max_length
    try:
        identify_hasher(encoded).decode(encoded)
    except Exception:  # ValueError, AssertionError, KeyError, or an error of the hasher's library
        return False
    return max_length is None or len(encoded) <= max_length


def is_repeat(user, reset_key_id, password, settings):
    """Did this very key set this very password, so that only the reply was lost?"""
    if not PasswordReset.objects.using(database()).filter(pk=user.pk, reset_key_id=reset_key_id).exists():
        return False
    return check_password(password, user.password) if settings.password == "plain" else user.password == password


def rejections(user, password):
    """What AUTH_PASSWORD_VALIDATORS say against a password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [{"code": each.code or "rejected", "message": " ".join(each.messages)} for each in error.error_list]
    return []


def write_password(user, encoded, reset_key_id, plain):
    user.password = encoded
    user.save(update_fields=["password"])
    PasswordReset.objects.using(database()).update_or_create(
        pk=user.pk, defaults={"reset_key_id": reset_key_id, "changed_at": timezone.now()}
    )
    if plain is not None:
        password_changed(plain, user)


def _can_log_in(user):
    return bool(user.is_active and user.password and user.has_usable_password())


def _further_addresses(**conditions):
    """allauth's addresses that are verified, as (user id, address): anybody may type another person's into a form."""
    if not apps.is_installed("allauth.account"):
        return []
    addresses = apps.get_model("account", "EmailAddress").objects.using(database())
    found = addresses.filter(verified=True, **conditions).order_by("-primary", "pk")
    return list(found.values_list("user_id", "email"))


def _is_same_address(one, other):
    # bytes.lower() changes ASCII letters only: a database may take K and the Kelvin sign for the same (CVE-2019-19844).
    return one.encode().lower() == other.encode().lower()


def _field(user, path):
    """``profile.language`` of a user; None if any part is missing."""
    try:
        return reduce(getattr, path.split("."), user) if path else None
    except AttributeError:  # a missing related row is one, too
        return None


def _iso(at):
    if not isinstance(at, datetime.datetime):
        return None
    if timezone.is_naive(at):
        at = timezone.make_aware(at, timezone.get_default_timezone())
    return at.astimezone(datetime.timezone.utc).isoformat()
