"""The console of a deployment that is an Analytics Engine alone."""

from django.urls import path

from console import views
from console.engine import views as engine

app_name = "console"
urlpatterns = [
    path("", engine.overview, name="overview"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("authenticator/", views.authenticator, name="authenticator"),
    path("tenants/", engine.tenants, name="tenants"),
    path("audit/", engine.audit, name="audit"),
]
