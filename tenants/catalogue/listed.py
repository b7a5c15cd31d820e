"""The tables outside the tenants' policies, each with its reason, and what may be done to each.

A tenant's table needs no entry here: it has ``tenant_id`` and forced policies. Whoever adds another
table adds its entry, and so says why no tenant's row can be read through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

READ = frozenset({"SELECT"})
KEPT = READ | {"INSERT", "UPDATE"}
ROWS = KEPT | {"DELETE"}
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An exception: its reason, what the serving role may do, and the policies it has all the same.

    ``app`` is spelt as in `tenants.catalogue.findings.Relation`. A table with ``policies`` (their
    names) has row-level security forced, in every partition too.
    """

    reason: str
    app: frozenset[str]
    policies: frozenset[str] = frozenset()


def _columns(privilege: str, *columns: str) -> frozenset[str]:
    return frozenset(f"{privilege} ({column})" for column in columns)


LISTED: Mapping[str, Listed] = {
    # -- the contract's three, read before it is known whose scope to open
    "tenant": Listed(reason="a key finds its tenant here before a scope can be opened", app=KEPT),
    "key_index": Listed(reason="says whose scope a key opens", app=KEPT),
    "work": Listed(reason="workers look across tenants for what waits; no telemetry", app=ROWS),
    # -- the deployment's own keys, in the database of keys
    "root_version": Listed(reason="versions of the root key; no tenant's", app=KEPT),
    "system_key": Listed(reason="the deployment's own keys, wrapped by the root", app=KEPT),
    "named_secret": Listed(reason="secrets of the deployment's, sealed; no tenant's", app=ROWS),
    "keyring_reader": Listed(reason="processes, and which versions they can unwrap", app=ROWS),
    # -- strangers and mails: nobody is named in clear (docs/adr/0010)
    "letter": Listed(reason="a mail that waits, sealed; it names no tenant", app=ROWS),
    "mail_link": Listed(
        reason="a link's MAC, and sealed whom it is for; who follows it has no tenant yet",
        app=READ | {"INSERT", "DELETE"},
    ),
    "attempt_window": Listed(reason="counts under a keyed hash of who tried", app=ROWS),
    # -- the audit log has policies of its own (docs/adr/0101)
    "audit_stage": Listed(
        reason="entries about a tenant are written where no scope is open",
        app=READ
        | _columns(
            "INSERT",
            "id", "tenant", "event", "actor_kind", "actor_id", "resource", "outcome", "reason",
            "request_id", "detail", "occurred_at", "schema",
        ),
        policies=frozenset({"audit_stage_insert", "audit_stage_select"}),
    ),
    "audit_tally": Listed(
        reason="a minute's counts of a tenant or of none",
        app=READ
        | {"INSERT"}
        | _columns("UPDATE", "calls", "items", "emitted_calls", "emitted_items"),
        policies=frozenset({"audit_tally_own", "audit_tally_select", "audit_tally_emit"}),
    ),
    "audit_log": Listed(
        reason="one tree of every tenant's entries; each sees its own",
        app=READ | {"INSERT"},
        policies=frozenset({"audit_log_insert", "audit_log_select"}),
    ),
    "audit_taken": Listed(reason="ids of entries that are in the log", app=READ | {"INSERT"}),
    "audit_head": Listed(
        reason="the tree's size and hashes",
        app=READ | {"INSERT"} | _columns("UPDATE", "size", "nodes"),
    ),
    "audit_cursor": Listed(
        reason="how far the sequencer has read",
        app=READ | {"INSERT"} | _columns("UPDATE", "cluster", "xid", "stage"),
    ),
    "audit_node": Listed(reason="inner hashes of the tree", app=READ | {"INSERT"}),
    "audit_checkpoint": Listed(reason="signed tree heads, public", app=READ | {"INSERT"}),
    "audit_epoch": Listed(reason="trees of entries that were retired", app=READ),
    "audit_edge": Listed(reason="hashes beside retired checkpoints", app=READ),
    # -- staff are nobody's tenant
    "staff": Listed(reason="people of the operator's", app=KEPT),
    "staff_totp": Listed(reason="authenticators of staff, sealed", app=ROWS),
    "staff_passkey": Listed(reason="passkeys of staff: public keys", app=ROWS),
    "staff_passkey_challenge": Listed(reason="challenges that wait; they name nobody", app=ROWS),
    "staff_invite": Listed(reason="invitations of staff", app=ROWS),
    "staff_recovery_sheet": Listed(reason="when a member of staff was given codes", app=ROWS),
    "staff_recovery_code": Listed(reason="recovery codes of staff, hashed", app=ROWS),
    "staff_sign_in": Listed(reason="where staff signed in", app=ROWS),
    "staff_login_window": Listed(reason="counts under a keyed hash of who tried", app=ROWS),
    "django_session": Listed(reason="sessions of staff", app=ROWS),
    # -- what staff ask of each other, across tenants: what is asked is never changed (adr/0019)
    "pending_deed": Listed(
        reason="deeds that wait for a second person; who, when and why, no telemetry",
        app=READ
        | {"INSERT"}
        | _columns(
            "UPDATE",
            "state", "approved_by", "approved_at", "ended_by", "ended_at", "ended_why", "attempt",
            "lease_until", "outcome",
        ),
    ),
    "break_glass": Listed(
        reason="emergency accesses by grant and person, until they are reviewed",
        app=READ
        | {"INSERT"}
        | _columns(
            "UPDATE", "used_at", "closed_at", "closed_by", "reviewed_at", "reviewed_by", "review"
        ),
    ),
    "staff_notice": Listed(reason="alarms that all staff are told", app=READ | {"INSERT"}),
    "staff_notice_seen": Listed(reason="who has seen which alarm", app=READ | {"INSERT"}),
    # -- Django's own, which the serving role has no use for
    "auth_group": Listed(reason="Django's; unused, roles are a column of staff", app=NONE),
    "auth_group_permissions": Listed(reason="Django's; unused", app=NONE),
    "auth_permission": Listed(reason="Django's; unused", app=NONE),
    "django_content_type": Listed(reason="Django's; names of models", app=NONE),
    "django_migrations": Listed(
        reason="Django's; names of migrations, which the console compares", app=READ
    ),
    "django_otp_webauthn_webauthncredential": Listed(
        reason="the package's; empty, passkeys are staff_passkey; django-otp looks in it", app=READ
    ),
    "django_otp_webauthn_webauthnattestation": Listed(reason="the package's; unused", app=NONE),
    "django_otp_webauthn_webauthnuserhandle": Listed(reason="the package's; unused", app=NONE),
    # -- Wisdom knows destinations and engines, never tenants
    "engine": Listed(reason="engines that ask Wisdom; an engine serves many tenants", app=KEPT),
    "feed": Listed(reason="where lists come from", app=KEPT),
    "feed_release": Listed(reason="bodies of lists, public or the operator's own", app=ROWS),
}  # fmt: skip
"""By table; a partition goes by its root's entry."""

WRITTEN_ONCE: Mapping[str, frozenset[str]] = {
    "inbox_part": ROWS - {"UPDATE"},
    "identity_run": ROWS - {"UPDATE"},
    "segment": ROWS - {"UPDATE"},
    "key_certificate": READ | {"INSERT"},
    "access_grant": READ
    | {"INSERT", "DELETE"}
    | _columns("UPDATE", "revoked_at", "revoked_by", "end_noted_at"),
}
"""Tenants' tables whose rows are never changed; every other one is granted `ROWS` at the most."""

SECOND_POLICIES: Mapping[tuple[str, str], str] = {
    ("member", "member_by_mail"): (
        "a lost key's owner has no tenant: who names the keyed hash of a proven address reads its"
        " rows, and changes none (docs/adr/0010)"
    ),
    ("access_grant", "access_grant_listed"): (
        "the console lists who may read which tenant, and why; a grant holds nothing of the"
        " tenant's own (docs/adr/0018)"
    ),
    ("legal_hold", "legal_hold_of_owner"): (
        "the owner takes no epoch of the audit log away that has a held tenant's entries"
    ),
}
"""Read-only policies beside a table's own, for the serving role or the owner, with their reason."""
