"""With a user model of the site's own, whose id is a UUID: ``django test tests.custom_user --settings tests.settings_custom``."""

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, make_password

from .test_calls import CallTestCase


class CustomUserTest(CallTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = get_user_model().objects.create(contact="ada@example.org", password=make_password("old"))

    def test_is_found_read_and_changed(self):
        [account] = self.call("find", email="ADA@example.org")[1]["accounts"]
        self.assertEqual(account, self.account(self.user))
        expected = {"id": str(self.user.pk), "username": "ada@example.org", "isActive": True, "locale": "ja"}
        self.assertEqual({**account, **expected}, account)
        self.assertIsNotNone(account["createdAt"])
        self.assertEqual(self.set_password(self.user, make_password("new")), (200, {"status": "changed"}))
        self.user.refresh_from_db()
        self.assertTrue(check_password("new", self.user.password))

    def test_an_id_that_is_no_uuid_is_no_account(self):
        for user_id in ("1", "x", str(self.user.pk).upper(), self.user.pk.hex):
            self.assertEqual(self.call("get", id=user_id), (200, {"account": None}))
