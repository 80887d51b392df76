from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS, MIDDLEWARE, PASSWORD_RESET_DIRECTORY

INSTALLED_APPS = [*[app for app in INSTALLED_APPS if not app.startswith("allauth")], "tests"]
MIDDLEWARE = [each for each in MIDDLEWARE if not each.startswith("allauth")]
AUTH_USER_MODEL = "tests.Member"
PASSWORD_RESET_DIRECTORY = {**PASSWORD_RESET_DIRECTORY, "LOCALE_FIELD": "language", "CREATED_FIELD": "joined"}
