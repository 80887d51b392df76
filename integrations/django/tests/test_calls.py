"""The app alone, by Django's runner. The contract and the concurrency run over HTTP in the reset app's own tests."""

import base64
import hashlib
import hmac
import importlib.util
import json
import time
from datetime import timedelta
from unittest import mock, skipUnless

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from password_reset_directory.apps import check_settings
from password_reset_directory.models import PasswordReset, SeenCall
from password_reset_directory.signatures import refusal_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + base64.b64encode(b"9" * 32).decode()
HAS_ALLAUTH = importlib.util.find_spec("allauth")


def sign(message_id, timestamp, body, secret=SECRET):
    key = base64.b64decode(secret[len("whsec_") :])
    digest = hmac.new(key, ("%s.%s.%s" % (message_id, timestamp, body)).encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


class CallTestCase(TestCase):
    calls = 0

    def send(self, call, body, signed=None, at=None, message_id=None, secret=SECRET):
        CallTestCase.calls += 1
        message_id = message_id or "call%d" % CallTestCase.calls
        at = int(time.time()) if at is None else at
        headers = {
            "HTTP_WEBHOOK_ID": message_id,
            "HTTP_WEBHOOK_TIMESTAMP": str(at),
            "HTTP_WEBHOOK_SIGNATURE": sign(message_id, at, body if signed is None else signed, secret),
        }
        return self.client.post("/password-reset/" + call, body, content_type="application/json", **headers)

    def call(self, call, **fields):
        answer = self.send(call, json.dumps(fields))
        return answer.status_code, answer.json()

    def account(self, user):
        return self.call("get", id=str(user.pk))[1]["account"]

    def set_password(self, user, password, reset_key_id="key", version=None):
        version = self.account(user)["credentialVersion"] if version is None else version
        fields = {"id": str(user.pk), "credentialVersion": version, "password": password, "resetKeyId": reset_key_id}
        return self.call("set-password", **fields)

    @classmethod
    def setUpTestData(cls):
        cls.ada = get_user_model().objects.create_user("ada", "Ada@example.org", "the old horse battery")


class SignatureTest(SimpleTestCase):
    def test_agrees_with_the_standard_webhooks_libraries(self):
        headers = {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,aaaa v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
        secret = base64.b64decode(SECRET[len("whsec_") :])
        body = b'{"test": 2432232314}'
        self.assertIsNone(refusal_of([b"0" * 24, secret], headers, body, now=1614265330 + 299))
        self.assertEqual(refusal_of([secret], headers, body, now=1614265330 + 301), "stale")
        self.assertEqual(refusal_of([secret], headers, body + b" ", now=1614265330), "bad_signature")


class RefusedCallTest(CallTestCase):
    body = json.dumps({"email": "ada@example.org"})

    def assertRefused(self, answer, code):
        self.assertEqual((answer.status_code, answer.json()), (401, {"code": code}))

    def test_a_replayed_call_is_refused_but_not_the_same_message_signed_anew(self):
        now = int(time.time())
        self.assertEqual(self.send("find", self.body, at=now, message_id="m").status_code, 200)
        self.assertRefused(self.send("find", self.body, at=now, message_id="m"), "replayed")
        self.assertEqual(self.send("find", self.body, at=now + 1, message_id="m").status_code, 200)

    def test_a_replayed_change_is_refused_also_after_a_conflict(self):
        body = json.dumps(
            {"id": str(self.ada.pk), "credentialVersion": "old", "password": make_password("x"), "resetKeyId": "k"}
        )
        now = int(time.time())
        self.assertEqual(self.send("set-password", body, at=now, message_id="m").status_code, 409)
        self.assertRefused(self.send("set-password", body, at=now, message_id="m"), "replayed")

    def test_a_stale_or_early_call_is_refused(self):
        for minutes in (-6, 6):
            self.assertRefused(self.send("find", self.body, at=int(time.time()) + minutes * 60), "stale")

    def test_a_re_serialised_body_is_refused(self):
        self.assertRefused(self.send("find", self.body, signed=self.body.replace(" ", "")), "bad_signature")

    def test_another_secret_is_refused(self):
        self.assertRefused(self.send("find", self.body, secret=OTHER_SECRET), "bad_signature")

    def test_an_unsigned_call_is_refused(self):
        self.assertRefused(self.client.post("/password-reset/find", self.body, content_type="text/plain"), "bad_signature")

    @override_settings(PASSWORD_RESET_DIRECTORY={"SECRETS": [OTHER_SECRET, SECRET]})
    def test_every_configured_secret_is_accepted(self):
        for secret in (SECRET, OTHER_SECRET):
            self.assertEqual(self.send("find", self.body, secret=secret).status_code, 200)

    def test_a_signed_body_of_another_shape_is_a_bad_request(self):
        for body in ("", "[]", "{}", '{"email": 1}', '{"email": "\\ud800"}', '{"email": "a\\u0000"}', "\u00ff"):
            self.assertEqual(self.send("find", body).status_code, 400, body)

    def test_only_post_is_answered(self):
        self.assertEqual(self.client.get("/password-reset/find").status_code, 405)

    def test_forgets_calls_that_are_refused_by_their_age(self):
        SeenCall.objects.create(call="old", seen_at=timezone.now() - timedelta(minutes=12))
        SeenCall.objects.create(call="new", seen_at=timezone.now() - timedelta(minutes=9))
        self.send("find", self.body)
        self.assertEqual(set(SeenCall.objects.filter(call__in=["old", "new"]).values_list("call", flat=True)), {"new"})


class AccountTest(CallTestCase):
    def test_an_account_has_every_field(self):
        reset_at = timezone.now() - timedelta(days=1)
        PasswordReset.objects.create(user=self.ada, reset_key_id="k", changed_at=reset_at)
        account = self.account(self.ada)
        version = account.pop("credentialVersion")
        self.assertRegex(version, "^[0-9a-f]{64}$")
        self.assertEqual(
            account,
            {
                "id": str(self.ada.pk),
                "email": "Ada@example.org",
                "username": "ada",
                "isActive": True,
                "locale": None,
                "lastResetKeyId": "k",
                "passwordChangedAt": reset_at.isoformat(),
                "createdAt": self.ada.date_joined.isoformat(),
            },
        )
        self.assertEqual(self.call("find", email="ada@EXAMPLE.org")[1]["accounts"][0]["credentialVersion"], version)

    @override_settings(PASSWORD_RESET_DIRECTORY={"SECRETS": SECRET, "LOCALE_FIELD": "first_name", "CREATED_FIELD": None})
    def test_locale_and_creation_come_from_the_fields_that_the_settings_name(self):
        get_user_model().objects.update(first_name="fr")
        account = self.account(self.ada)
        self.assertEqual((account["locale"], account["createdAt"]), ("fr", None))

    @override_settings(USE_TZ=False)
    def test_times_without_zone_are_local(self):
        self.assertRegex(self.account(self.ada)["createdAt"], r"\+00:00$")


@skipUnless(HAS_ALLAUTH, "allauth is not installed")
class AllauthTest(CallTestCase):
    def add(self, email, **more):
        from allauth.account.models import EmailAddress

        return EmailAddress.objects.create(user=self.ada, email=email, **more)

    def found(self, email):
        return [(each["id"], each["email"]) for each in self.call("find", email=email)[1]["accounts"]]

    def test_a_verified_address_finds_its_user_and_gets_the_mail(self):
        self.add("second@example.org", verified=True)
        self.assertEqual(self.found("SECOND@example.org"), [(str(self.ada.pk), "second@example.org")])
        self.assertEqual(self.account(self.ada)["email"], "Ada@example.org")

    def test_an_address_that_was_not_verified_finds_nobody(self):
        self.add("second@example.org", verified=False)
        self.assertEqual(self.found("second@example.org"), [])

    def test_a_user_is_found_once(self):
        self.add("ada@example.org", verified=True, primary=True)
        self.assertEqual(self.found("ada@example.org"), [(str(self.ada.pk), "Ada@example.org")])

    def test_the_address_of_a_user_without_one_of_their_own_is_the_primary_one(self):
        get_user_model().objects.update(email="")
        self.add("second@example.org", verified=True)
        self.add("first@example.org", verified=True, primary=True)
        self.assertEqual(self.account(self.ada)["email"], "first@example.org")

    def test_the_credential_version_changes_when_an_address_goes(self):
        address = self.add("second@example.org", verified=True)
        before = self.account(self.ada)["credentialVersion"]
        address.delete()
        self.assertNotEqual(self.account(self.ada)["credentialVersion"], before)


class SetPasswordTest(CallTestCase):
    new = "the new horse battery"

    def log_in(self, password):
        body = json.dumps({"username": "ada", "password": password})
        return self.client.post("/test/log-in", body, content_type="application/json").status_code == 200

    def test_a_hash_that_this_site_cannot_verify_is_refused_also_for_an_unknown_user(self):
        unsupported = (422, {"code": "unsupported_hash"})
        for encoded in (self.new, "!", "scrypt9$1$2$3", "pbkdf2_sha256$x", make_password("x") + "x" * 100):
            self.assertEqual(self.set_password(self.ada, encoded), unsupported, encoded)
        nobody = get_user_model()(pk=0)
        self.assertEqual(self.set_password(nobody, self.new, version="v"), unsupported)
        self.assertEqual(self.set_password(nobody, make_password("x"), version="v"), (404, {"code": "not_found"}))

    def test_a_hasher_without_its_library_is_not_supported(self):
        argon2 = "argon2$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$Jy3XqUJpSCMSxIVC4A1tHRDUFqTbVYQFkeBxtzKqZGk"
        with mock.patch.dict("sys.modules", argon2=None):
            self.assertEqual(self.set_password(self.ada, argon2), (422, {"code": "unsupported_hash"}))

    @override_settings(PASSWORD_RESET_DIRECTORY={"SECRETS": SECRET, "PASSWORD": "plain"})
    def test_a_plain_password_is_judged_by_the_sites_own_validators(self):
        version = self.account(self.ada)["credentialVersion"]
        status, answer = self.set_password(self.ada, "short")
        self.assertEqual((status, [each["code"] for each in answer["reasons"]]), (422, ["password_too_short"]))
        self.assertIn("12", answer["reasons"][0]["message"])
        self.assertEqual(self.account(self.ada)["credentialVersion"], version)
        for _ in range(2):
            self.assertEqual(self.set_password(self.ada, self.new, version=version), (200, {"status": "changed"}))
        self.assertEqual(self.set_password(self.ada, self.new + "!", version=version)[0], 409)
        self.assertTrue(self.log_in(self.new))

    @override_settings(PASSWORD_RESET_DIRECTORY={"SECRETS": SECRET, "PASSWORD": "plain"})
    def test_a_hash_is_not_taken_for_a_plain_password(self):
        self.assertEqual(self.set_password(self.ada, make_password("x")), (422, {"code": "unsupported_hash"}))


class ProjectTest(TestCase):
    def test_the_migrations_are_complete(self):
        call_command("makemigrations", "password_reset_directory", check=True, dry_run=True, verbosity=0)

    def test_wrong_settings_are_reported_by_the_system_check_without_a_value(self):
        self.assertEqual(check_settings(None), [])
        good = settings.PASSWORD_RESET_DIRECTORY
        for wrong in ({}, {"SECRETS": "whsec_c2hvcnQ="}, {"SECRETS": "x"}, {**good, "PASSWORD": "x"}, {**good, "X": 1}):
            with override_settings(PASSWORD_RESET_DIRECTORY=wrong):
                [error] = check_settings(None)
                self.assertNotIn("c2hvcnQ", error.msg)
