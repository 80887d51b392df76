"""A user model of a site's own, for settings_custom.py."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    number = models.UUIDField(primary_key=True, default=uuid.uuid4)
    contact = models.EmailField(unique=True)
    language = models.CharField(max_length=10, default="ja")
    joined = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager()
    USERNAME_FIELD = EMAIL_FIELD = "contact"
