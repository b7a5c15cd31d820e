"""The console of a deployment that is an Analytics Engine alone."""

from django.urls import path

from console.engine.views import granted, pages as engine, running, tenant as one
from console.views import account, approvals, emergencies, enrolment, people, signing

app_name = "console"
urlpatterns = [
    path("", engine.overview, name="overview"),
    path("invite/<str:token>/", enrolment.invite, name="invite"),
    path("login/", signing.login, name="login"),
    path("logout/", signing.logout, name="logout"),
    path("verify/", signing.verify, name="verify"),
    path("authenticator/", signing.authenticator, name="authenticator"),
    path("tenants/", engine.tenants, name="tenants"),
    path("tenants/<uuid:tenant>/", one.tenant, name="tenant"),
    path("tenants/<uuid:tenant>/state/", one.change_state, name="tenant_state"),
    path("tenants/<uuid:tenant>/plan/", one.change_plan, name="tenant_plan"),
    path("tenants/<uuid:tenant>/delete/", approvals.delete_tenant, name="tenant_delete"),
    path("tenants/<uuid:tenant>/keys/new/", one.create_key, name="key_create"),
    path("tenants/<uuid:tenant>/keys/<str:key>/rotate/", one.rotate_key, name="key_rotate"),
    path("tenants/<uuid:tenant>/keys/<str:key>/revoke/", one.revoke_key, name="key_revoke"),
    path("tenants/<uuid:tenant>/grant/", granted.open_grant, name="grant_open"),
    path("grants/", granted.grants, name="grants"),
    path("grants/<uuid:grant>/revoke/", granted.revoke_grant, name="grant_revoke"),
    path("grants/<uuid:grant>/alerts/", granted.alerts, name="grant_alerts"),
    path("grants/<uuid:grant>/alerts/<uuid:alert>/", granted.alert, name="grant_alert"),
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/recovery/", account.recovery_codes, name="recovery"),
    path("account/theme/", account.theme, name="theme"),
    path("account/sessions/<uuid:session>/end/", account.end_session, name="session_end"),
    path("staff/", people.staff, name="staff"),
    path("staff/invite/", people.invite, name="staff_invite"),
    path("staff/<uuid:person>/role/", people.change_role, name="staff_role"),
    path("staff/<uuid:person>/disable/", people.disable, name="staff_disable"),
    path("staff/<uuid:person>/mfa-reset/", approvals.reset_mfa, name="staff_mfa_reset"),
    path("staff/<uuid:person>/link/", approvals.enrolment_link, name="staff_link"),
    path("approvals/", approvals.approvals_page, name="approvals"),
    path("approvals/<uuid:pending>/approve/", approvals.approve, name="approve"),
    path("approvals/<uuid:pending>/cancel/", approvals.cancel, name="approval_cancel"),
    path("emergency/", emergencies.emergencies, name="emergencies"),
    path("emergency/ask/", emergencies.ask, name="emergency_ask"),
    path("emergency/<uuid:emergency>/close/", emergencies.close, name="emergency_close"),
    path("emergency/<uuid:emergency>/review/", emergencies.review, name="emergency_review"),
    path("notices/<uuid:notice>/seen/", approvals.acknowledge, name="notice_seen"),
    path("audit/", engine.audit, name="audit"),
    path("audit/export/", engine.export, name="audit_export"),
    path("jobs/", running.jobs, name="jobs"),
    path("system/", running.system, name="system"),
]
