"""The three calls of the account directory. Only signed ones are answered, and each once."""

import datetime
import json
from contextlib import contextmanager
from functools import wraps

from django.db import IntegrityError, transaction
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import accounts
from .conf import DirectorySettings
from .models import SeenCall
from .signatures import MAX_AGE_SECONDS, refusal_of

# A call may carry a time that is ahead by MAX_AGE_SECONDS, and is good for as long after it.
SEEN_FOR = datetime.timedelta(seconds=2 * MAX_AGE_SECONDS + 60)


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.answer = JsonResponse({"code": code}, status=status)


def signed(*names):
    """A view of a signed call: gets the named fields of its body, the settings, and ``once``, see below."""

    def decorate(handle):
        @never_cache
        @csrf_exempt
        @require_POST
        @wraps(handle)
        def view(request):
            settings = DirectorySettings.read()
            try:
                headers = _verified_headers(request, settings)
                fields = _strings(request.body, names)
                return handle(*fields, settings=settings, once=lambda: _once(headers))
            except Refused as refused:
                return refused.answer

        return view

    return decorate


@signed("email")
def find(email, settings, once):
    with once():
        found = [accounts.describe(user, stored, settings) for user, stored in accounts.find_users(email)]
    return JsonResponse({"accounts": found})


@signed("id")
def get(user_id, settings, once):
    with once():
        user = accounts.get_user(user_id)
        account = user and accounts.describe(user, accounts.main_address(user), settings)
    return JsonResponse({"account": account})


@signed("id", "credentialVersion", "password", "resetKeyId")
def set_password(user_id, credential_version, password, reset_key_id, settings, once):
    is_plain = settings.password == "plain"
    # Also a plain password that is a hash: then the app's ACCOUNT_DIRECTORY_PASSWORD is not what it is here.
    if accounts.can_verify(password) == is_plain:
        raise Refused(422, "unsupported_hash")

    superseded = JsonResponse({"code": "superseded"}, status=409)
    changed = JsonResponse({"status": "changed"})

    def judge(user):
        """The answer, unless the password is to be set. May take as long as a log-in."""
        if user is None:
            return JsonResponse({"code": "not_found"}, status=404)
        if accounts.is_repeat(user, reset_key_id, password, settings):
            return changed
        return None if accounts.credential_version(user) == credential_version else superseded

    user = accounts.get_user(user_id)
    answer = judge(user)
    encoded = password
    if answer is None and is_plain:
        reasons = accounts.rejections(user, password)
        if reasons:
            return JsonResponse({"reasons": reasons}, status=422)
        user.set_password(password)
        encoded = user.password
    # No password is hashed while the user is locked, and SQLite locks the whole database.
    with once():
        if answer is None:
            user = accounts.get_user(user_id, lock=True)
            if user is not None and accounts.credential_version(user) == credential_version:
                accounts.write_password(user, encoded, reset_key_id, password if is_plain else None)
                answer = changed
    # Another call was faster, perhaps with this very change.
    return answer or judge(accounts.get_user(user_id)) or superseded


def _verified_headers(request, settings):
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: request.META.get("HTTP_" + name.upper().replace("-", "_")) for name in names}
    refusal = refusal_of(settings.secrets, headers, request.body)
    if refusal is not None:
        raise Refused(401, refusal)
    return headers


@contextmanager
def _once(headers):
    """
    One transaction that begins by noting the call, so that a replay finds it noted.

    It begins with a write for SQLite's sake: a transaction that reads first cannot wait for another one's write.
    """
    using = accounts.database()
    now = timezone.now()
    seen = SeenCall.objects.using(using)
    with transaction.atomic(using=using):
        try:
            with transaction.atomic(using=using):
                seen.create(call="%(webhook-id)s.%(webhook-timestamp)s" % headers, seen_at=now)
        except IntegrityError:
            raise Refused(401, "replayed") from None
        seen.filter(seen_at__lt=now - SEEN_FOR).delete()
        yield


def _strings(raw_body, names):
    try:
        body = json.loads(raw_body)
        fields = [body[name] for name in names]
        if all(isinstance(field, str) and "\0" not in field and field.encode() for field in fields):
            return fields
    except (ValueError, TypeError, KeyError):
        pass
    raise Refused(400, "bad_request")
