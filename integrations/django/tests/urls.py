from django.urls import include, path

from . import site

urlpatterns = [
    path("password-reset/", include("password_reset_directory.urls")),
    path("test/seed", site.seed),
    path("test/log-in", site.log_in),
    path("test/me", site.me),
]
