"""How long the rows of each table are kept: a lint's list, which a new table must enter.

Terms in days count from receipt. What belongs to the account goes with it (`tenants.actions`
`.deletion`), and the audit log by whole epochs (docs/audit.md).
"""

from collections.abc import Mapping
from enum import Enum


class Kept(Enum):
    """A class of retention; ``is_counted`` where a daily run deletes by the tenant's terms."""

    INBOX = ("24 h after effect", True)
    IDENTITIES = ("72 h of receipt", True)
    SERIES = ("90 d of receipt, or the tenant's shorter term", True)
    ALERTS = ("400 d of receipt, or the tenant's shorter term", True)
    ACCOUNT = ("as long as the account", False)
    AUDIT = ("24 months, by whole epochs", False)
    UNTIL_USED = ("until it is used or its own time is over", False)
    STAFF = ("as long as the person has an account here", False)
    DEPLOYMENT = ("as long as the deployment", False)
    RELEASES = ("until newer releases take its place", False)

    def __init__(self, words: str, is_counted: bool) -> None:  # noqa: FBT001 -- an Enum's values
        self.words = words
        self.is_counted = is_counted


CLASSES: Mapping[str, Kept] = {
    # -- counted by the daily run
    "inbox_part": Kept.INBOX,
    "work": Kept.INBOX,
    "identity_run": Kept.IDENTITIES,
    "segment": Kept.SERIES,
    "series_window": Kept.SERIES,
    "evaluation_day": Kept.SERIES,
    "source_sketch": Kept.SERIES,
    "ignored_fields": Kept.SERIES,
    "destination_summary": Kept.SERIES,
    "usage_day": Kept.SERIES,
    "alert": Kept.ALERTS,
    "alert_change": Kept.ALERTS,
    # -- of the account
    "tenant": Kept.ACCOUNT,
    "key_index": Kept.ACCOUNT,
    "member": Kept.ACCOUNT,
    "monitoring_groups": Kept.ACCOUNT,
    "alert_sequence": Kept.ACCOUNT,  # a number
    "destination_day": Kept.ACCOUNT,  # a date and a number: no day is told twice
    "stream": Kept.ACCOUNT,  # a time a kind
    "retention_terms": Kept.ACCOUNT,
    "retention_run": Kept.ACCOUNT,
    "research_consent": Kept.ACCOUNT,
    "legal_hold": Kept.ACCOUNT,
    "access_grant": Kept.ACCOUNT,
    "tenant_key": Kept.ACCOUNT,
    "data_key": Kept.ACCOUNT,
    "key_certificate": Kept.DEPLOYMENT,  # proves a deletion, and outlives the account for that
    # -- the log
    "audit_stage": Kept.AUDIT,
    "audit_tally": Kept.AUDIT,
    "audit_taken": Kept.AUDIT,
    "audit_log": Kept.AUDIT,
    "audit_head": Kept.DEPLOYMENT,
    "audit_cursor": Kept.DEPLOYMENT,
    "audit_node": Kept.AUDIT,
    "audit_checkpoint": Kept.DEPLOYMENT,  # public
    "audit_epoch": Kept.DEPLOYMENT,
    "audit_edge": Kept.DEPLOYMENT,
    # -- of minutes and days
    "letter": Kept.UNTIL_USED,
    "mail_link": Kept.UNTIL_USED,
    "attempt_window": Kept.UNTIL_USED,
    "django_session": Kept.UNTIL_USED,
    "staff_login_window": Kept.UNTIL_USED,
    "staff_invite": Kept.UNTIL_USED,
    "staff_passkey_challenge": Kept.UNTIL_USED,
    "answered_request": Kept.UNTIL_USED,
    "pending_deed": Kept.UNTIL_USED,
    # -- staff
    "staff": Kept.STAFF,
    "django_otp_webauthn_webauthncredential": Kept.STAFF,  # empty: passkeys are staff_passkey
    "django_otp_webauthn_webauthnattestation": Kept.STAFF,
    "django_otp_webauthn_webauthnuserhandle": Kept.STAFF,
    "staff_totp": Kept.STAFF,
    "staff_recovery_sheet": Kept.STAFF,
    "staff_recovery_code": Kept.STAFF,
    "staff_sign_in": Kept.STAFF,
    "staff_passkey": Kept.STAFF,
    "staff_notice": Kept.STAFF,
    "staff_notice_seen": Kept.STAFF,
    # -- the deployment's own
    "root_version": Kept.DEPLOYMENT,
    "system_key": Kept.DEPLOYMENT,
    "named_secret": Kept.DEPLOYMENT,
    "break_glass": Kept.DEPLOYMENT,
    "keyring_reader": Kept.UNTIL_USED,
    "engine": Kept.DEPLOYMENT,
    "feed": Kept.DEPLOYMENT,
    "feed_release": Kept.RELEASES,
    "auth_group": Kept.DEPLOYMENT,
    "auth_permission": Kept.DEPLOYMENT,
    "django_content_type": Kept.DEPLOYMENT,
}
