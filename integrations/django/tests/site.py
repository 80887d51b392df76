"""What a site has beside the directory. ``python -m tests.site`` serves it on a free port, which it prints."""

import json

from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def seed(request):
    """Makes the users of the body the only ones."""
    from django.contrib.auth import get_user_model

    users = json.loads(request.body)
    get_user_model().objects.exclude(pk__in=[user["id"] for user in users]).delete()
    for user in users:
        fields = {"email": user["email"], "username": user["username"], "password": user["password"]}
        get_user_model().objects.update_or_create(pk=user["id"], defaults={**fields, "is_active": user["isActive"]})
    return JsonResponse({})


@csrf_exempt
def log_in(request):
    from django.contrib.auth import authenticate, login

    user = authenticate(request, **json.loads(request.body))
    if user is None:
        return HttpResponse(status=403)
    login(request, user)
    return HttpResponse()


def me(request):
    return HttpResponse(request.user.get_username())


def main():
    import django
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    django.setup()
    call_command("migrate", verbosity=0)
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler, ipv6=False)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
