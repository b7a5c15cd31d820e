"""Routes of accounts and keys, as existing clients know them, and the pages that mails link to."""

from django.urls import path

from tenants.views import audit, pages, rights, signup

urlpatterns = [
    path("v1/audit", audit.Audit.as_view(), name="tenants-audit"),
    path("v1/transparency/checkpoint", audit.checkpoint, name="tenants-checkpoint"),
    path("v1/key/request", signup.request_key, name="tenants-key-request"),
    path("v1/key/reset", signup.ask_for_reset, name="tenants-key-reset"),
    path("v1/key/reset/open", pages.reset, name="tenants-reset-page"),
    path("v1/account/register", signup.register_account, name="tenants-register"),
    path("v1/account/retention", rights.Retention.as_view(), name="tenants-retention"),
    path("v1/account/research", rights.Research.as_view(), name="tenants-research"),
    path("v1/account/verify", pages.verify, name="tenants-verify"),
    path("v1/account/verify/<str:token>", pages.verify, name="tenants-verify-path"),
]
