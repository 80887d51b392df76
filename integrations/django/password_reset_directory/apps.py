from django.apps import AppConfig
from django.core.checks import Error, register

from .conf import DirectorySettings


class PasswordResetDirectoryConfig(AppConfig):
    name = "password_reset_directory"
    verbose_name = "Password reset directory"

    def ready(self):
        register(check_settings)


def check_settings(app_configs, **kwargs):
    try:
        DirectorySettings.read()
    except ValueError as error:
        return [Error(str(error), id="password_reset_directory.E001")]
    return []
