"""``python -m tests.site`` serves the test site on a free port, which it prints."""

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
