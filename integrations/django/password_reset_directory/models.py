from django.conf import settings
from django.db import models


class PasswordReset(models.Model):
    """Which reset key set a user's password last."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    reset_key_id = models.CharField(max_length=256)
    changed_at = models.DateTimeField()


class SeenCall(models.Model):
    """A signed call that was answered. The same one again is a replay; see ``MAX_AGE_SECONDS``."""

    call = models.CharField(max_length=160, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)
