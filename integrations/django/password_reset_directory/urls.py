from django.urls import path

from . import views

app_name = "password_reset_directory"
urlpatterns = [
    path("find", views.find),
    path("get", views.get),
    path("set-password", views.set_password),
]
