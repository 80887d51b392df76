"""What a site has beside the directory: users to begin with, a log-in, and who is logged in."""

import json

from django.contrib.auth import authenticate, get_user_model, login
from django.http import HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def seed(request):
    """Makes the users of the body the only ones."""
    users = json.loads(request.body)
    get_user_model().objects.exclude(pk__in=[user["id"] for user in users]).delete()
    for user in users:
        fields = {"email": user["email"], "username": user["username"], "password": user["password"]}
        get_user_model().objects.update_or_create(pk=user["id"], defaults={**fields, "is_active": user["isActive"]})
    return JsonResponse({})


@csrf_exempt
def log_in(request):
    user = authenticate(request, **json.loads(request.body))
    if user is None:
        return HttpResponse(status=403)
    login(request, user)
    return HttpResponse()


def me(request):
    return HttpResponse(request.user.get_username())


urlpatterns = [
    path("password-reset/", include("password_reset_directory.urls")),
    path("test/seed", seed),
    path("test/log-in", log_in),
    path("test/me", me),
]
