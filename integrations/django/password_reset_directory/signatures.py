"""Verifies calls signed by Standard Webhooks (https://www.standardwebhooks.com), with the standard library alone."""

import base64
import hashlib
import hmac
import re
import time

MAX_AGE_SECONDS = 5 * 60


def refusal_of(secrets, headers, raw_body, now=None):
    """
    Why a call is refused: ``bad_signature`` or ``stale``, or None for a good one.

    ``headers`` maps lower-case names to values. ``raw_body`` must be the bytes as received: JSON that was parsed and
    serialised again has another signature.
    """
    message_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = (headers.get("webhook-signature") or "").split(" ")
    # A dot in the id would let one signed text be read as another id, time and body.
    if not re.fullmatch(r"[\w-]{1,128}", message_id, re.ASCII) or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return "bad_signature"
    signed = ("%s.%s." % (message_id, timestamp)).encode() + raw_body
    expected = [
        b"v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()) for secret in secrets
    ]
    matches = [
        hmac.compare_digest(signature.encode("utf-8", "replace"), each) for signature in signatures for each in expected
    ]
    if not any(matches):
        return "bad_signature"
    age = (time.time() if now is None else now) - int(timestamp)
    return "stale" if abs(age) > MAX_AGE_SECONDS else None
