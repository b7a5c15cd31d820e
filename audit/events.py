"""The catalogue of what is audited.

A new event is one member with its label and a docstring that says when it is recorded. Its value
is in the log for ever: a member may be added, never renamed or reused.
"""

from enum import StrEnum
from typing import Literal, Self


class Outcome(StrEnum):
    """How a deed ended."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILURE = "failure"


class EventType(StrEnum):
    """What can be audited: the value stands in the log, ``label`` in lists.

    An event that is kept by the minute happens too often for a row each: it is counted per actor
    and minute (`audit.record.tally`). Every other is one row a deed (`audit.record.record`).
    """

    label: str
    tallied: bool

    def __new__(cls, value: str, label: str, kept: Literal["deed", "minute"] = "deed") -> Self:
        """Make a member from its value, its label and what one row of it stands for."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.tallied = kept == "minute"
        return member

    TENANT_CREATED = "tenant.created", "Tenant created"
    """A tenant and its first API key were made."""
    TENANT_SUSPENDED = "tenant.suspended", "Tenant suspended"
    """A tenant's keys stopped working; its rows stay."""
    TENANT_RESUMED = "tenant.resumed", "Tenant resumed"
    """A suspended tenant's keys work again."""
    TENANT_EXPIRED = "tenant.expired", "Tenant expired"
    """A provisional tenant's time was over; its keys stopped at that moment."""
    TENANT_PLAN_CHANGED = "tenant.plan_changed", "Tenant's plan changed"
    """An operator put a tenant on another plan."""
    MEMBER_REGISTERED = "member.registered", "Member registered"
    """A person was named as a tenant's member and is mailed a link."""
    MEMBER_VERIFIED = "member.verified", "Member verified"
    """A person opened the link and pressed the button: the address is theirs."""
    TENANT_KEY_CREATED = "key.tenant_key_created", "Tenant key created"
    """The key that a tenant's rows are sealed with was made and wrapped by the root key."""
    ROOT_VERSION_ADDED = "key.root_version_added", "Root key version added"
    """A rotation began: a newer version of the root key can unwrap, and wraps nothing yet."""
    ROOT_VERSION_PROMOTED = "key.root_version_promoted", "Root key version made primary"
    """Every process had reported the newer version; from here on it wraps."""
    ROOT_REWRAPPED = "key.root_rewrapped", "Keys rewrapped"
    """Every tenant's key is wrapped by the primary version of the root key."""
    ROOT_VERSION_RETIRED = "key.root_version_retired", "Root key version retired"
    """No key was wrapped by it any more; it was destroyed, or its destruction scheduled."""
    TENANT_KEYS_DESTROYED = "key.tenant_keys_destroyed", "Tenant keys destroyed"
    """A tenant's wrapped keys were destroyed: what was sealed under them opens nowhere."""
    SYSTEM_VERSION_ADDED = "key.system_version_added", "System key version added"
    """A rotation of the deployment's own secret began: the newer version only opens."""
    SYSTEM_VERSION_PROMOTED = "key.system_version_promoted", "System key version made primary"
    """Every process had reported the newer version; from here on it seals."""
    SYSTEM_RESEALED = "key.system_resealed", "Deployment's secrets resealed"
    """What was sealed under older versions of the deployment's own secret is under the newest."""
    SECRET_STORED = "secret.stored", "Secret stored"
    """A version of a named secret of the deployment's was sealed and kept."""
    SECRET_REMOVED = "secret.removed", "Secret removed"
    """A named secret of the deployment's, or a version of it, was deleted."""
    DECRYPT_FAILED = ("key.decrypt_failed", "Decryption failed", "minute")
    """Sealed bytes did not open in their row's context: failures as calls, per class and minute."""
    TENANT_DELETED = "tenant.deleted", "Tenant deleted"
    """A tenant was ended for good, its keys destroyed before; its rows go in batches."""
    TENANT_PURGED = "tenant.purged", "Tenant purged"
    """The last row of a deleted tenant is gone."""

    KEY_CREATED = "key.created", "API key created"
    """An API key was made and shown once."""
    KEY_REVOKED = "key.revoked", "API key revoked"
    """An API key stopped working for good."""
    KEY_ROTATED = "key.rotated", "API key rotated"
    """An API key got a successor and ends with the overlap."""
    KEY_REQUESTED = "key.requested", "Provisional key requested"
    """Somebody unknown got a provisional tenant with a key of its own."""
    KEY_RESET_ASKED = "key.reset_asked", "Key reset asked for"
    """Somebody asked for a reset by mail; whether the address is known is not said here."""
    KEY_RESET = "key.reset", "API key reset"
    """An owner replaced a tenant's keys by a link in a mail; the older ones end soon."""
    AUTH_DENIED = "auth.denied", "Access denied"
    """A request was refused: unknown, revoked or expired key, or one without the scope."""

    REQUESTS_LIMITED = ("requests.limited", "Requests over a limit", "minute")
    """A key or a tenant asked for more than it may: refusals as calls, per key and minute."""
    EVENTS_ACCEPTED = ("events.accepted", "Events accepted", "minute")
    """Telemetry was taken: requests as calls, events as items, per key and minute."""
    ALERTS_POLLED = ("alerts.polled", "Alerts polled", "minute")
    """Alerts were read over the API: polls as calls, alerts as items, per key and minute."""
    WISDOM_ASKED = ("wisdom.asked", "Wisdom asked", "minute")
    """An engine asked about destinations: requests as calls, destinations as items."""
    DESTINATIONS_POLLED = ("destinations.polled", "Daily destinations polled", "minute")
    """Daily summaries were read over the API: polls as calls, destinations as items."""
    AUDIT_POLLED = ("audit.polled", "Own audit entries read", "minute")
    """A tenant read its own entries over the API: polls as calls, entries as items."""
    WISDOM_LOOKED_UP = ("wisdom.looked_up", "Destination looked up", "minute")
    """A tenant's key asked about one destination: requests as calls and items."""

    GROUPS_CHANGED = "groups.changed", "Monitoring groups changed"
    """A tenant's groups were replaced by others, over the API."""

    TENANT_EXPORTED = "tenant.exported", "Tenant exported"
    """Everything of a tenant's is about to be read into a sealed archive; recorded before it is."""
    TENANT_EXPORT_SEALED = "tenant.export_sealed", "Tenant's archive sealed"
    """The archive is whole: its digest and how much it holds."""
    HOLD_PLACED = "hold.placed", "Legal hold placed"
    """A tenant's rows and keys must stay, whatever their terms and whoever asks for their end."""
    HOLD_RELEASED = "hold.released", "Legal hold released"
    """A legal hold is over; where it was the last, terms hold again."""
    RETENTION_CHANGED = "retention.changed", "Retention changed"
    """A tenant's terms were set, or put back to the product's own."""
    RETENTION_APPLIED = "retention.applied", "Retention applied"
    """Nothing of a tenant is older than its terms: the limits, and rows deleted in this run."""
    RESEARCH_ALLOWED = "research.allowed", "Research use allowed"
    """A tenant lets its series be used, de-identified, for research."""
    RESEARCH_WITHDRAWN = "research.withdrawn", "Research use withdrawn"
    """A tenant takes its consent back; every export is refused from here on."""
    RESEARCH_EXPORTED = "research.exported", "Series exported for research"
    """De-identified series are about to be read for research; recorded before they are."""

    STAFF_CREATED = "staff.created", "Staff account created"
    """A person got an account on the console."""
    STAFF_LOGIN = "staff.login", "Staff signed in"
    """A person proved password and second factor."""
    STAFF_LOGIN_FAILED = "staff.login_failed", "Staff sign-in failed"
    """A password or second factor was wrong, or the account is locked."""
    STAFF_LOGOUT = "staff.logout", "Staff signed out"
    """A person ended a session."""
    STAFF_DISABLED = "staff.disabled", "Staff account disabled"
    """A person's access was ended, and with it every session."""
    STAFF_MFA_REPLACED = "staff.mfa_replaced", "Staff second factor replaced"
    """A person put a new authenticator in the place of the old."""
    STAFF_PASSKEY_ADDED = "staff.passkey_added", "Staff passkey added"
    """A person made a passkey, which is a second factor from then on."""
    STAFF_PASSKEY_REMOVED = "staff.passkey_removed", "Staff passkey removed"
    """A person removed a passkey; the sessions that it opened ended."""
    STAFF_FACTOR_LIMIT = "staff.factor_limit", "Staff second factor tried too often"
    """An alarm: who knows the password, or has the session, guesses codes; once a span."""
    STAFF_STEPPED_UP = "staff.stepped_up", "Staff proved the second factor again"
    """A person proved the second factor before a deed that asks for a fresh proof."""
    STAFF_RECOVERY_MADE = "staff.recovery_made", "Recovery codes made"
    """A person got ten recovery codes; the earlier ones ended."""
    STAFF_RECOVERY_USED = "staff.recovery_used", "Recovery code used"
    """A recovery code opened a session; a new authenticator must follow."""
    STAFF_INVITED = "staff.invited", "Staff invited"
    """Somebody was invited to an account, by a link that works once."""
    STAFF_ENROLLED = "staff.enrolled", "Staff enrolled"
    """An invited person set a password and confirmed an authenticator."""
    STAFF_ROLE_CHANGED = "staff.role_changed", "Staff role changed"
    """A person got another role; their sessions ended."""
    STAFF_PASSWORD_CHANGED = "staff.password_changed", "Staff password changed"
    """A person set another password; their other sessions ended."""
    STAFF_SESSION_ENDED = "staff.session_ended", "Staff session ended"
    """A person ended another of their own sessions."""
    STAFF_READ = "staff.read", "Staff read a tenant's rows"
    """A person saw rows of a tenant; recorded before they are shown."""

    GRANT_OPENED = "grant.opened", "Access grant opened"
    """Staff may read a tenant's rows for a time; the detail says who, until when and why."""
    GRANT_REVOKED = "grant.revoked", "Access grant revoked"
    """A grant was ended before its time."""
    GRANT_ENDED = "grant.ended", "Access grant ended"
    """A grant's time was over."""
    GRANT_REFUSED = "grant.refused", "Access grant refused"
    """Somebody came with a grant that is over, another's or none: no row was read."""
    STAFF_MFA_RESET = "staff.mfa_reset", "Staff second factors reset"
    """A person's devices and sessions ended, by two people or after a day; a link follows."""
    STAFF_SEALED_USED = "staff.sealed_used", "Sealed account used"
    """An alarm: somebody signed in to an account that was made for emergencies."""

    APPROVAL_ASKED = "approval.asked", "Approval asked for"
    """Somebody asked for a deed that takes two people, or a day."""
    APPROVAL_GIVEN = "approval.given", "Approval given"
    """A second person stood behind a deed, or was refused to (denied)."""
    APPROVAL_CANCELLED = "approval.cancelled", "Approval cancelled"
    """A deed that waited was stopped, or somebody was refused to stop it (denied)."""
    APPROVAL_CARRIED_OUT = "approval.carried_out", "Approved deed carried out"
    """A deed was done; who asked and who approved are its details."""
    APPROVAL_FAILED = "approval.failed", "Approved deed failed"
    """A deed could not be done; the detail says why."""
    APPROVAL_EXPIRED = "approval.expired", "Approval expired"
    """Nobody approved a deed in time."""
    BREAK_GLASS_OPENED = "break_glass.opened", "Emergency access opened"
    """Two people opened a tenant's rows to one person, for half an hour at most; all are told."""
    BREAK_GLASS_USED = "break_glass.used", "Emergency access used"
    """An emergency access was used for the first time."""
    BREAK_GLASS_CLOSED = "break_glass.closed", "Emergency access closed"
    """An emergency access ended, by hand or by its time."""
    BREAK_GLASS_REVIEWED = "break_glass.reviewed", "Emergency access reviewed"
    """Somebody else looked at what was done with an emergency access."""

    FEED_REFRESHED = "feed.refreshed", "Feed refreshed"
    """A threat feed was fetched and its index built."""
    FEED_FAILED = "feed.failed", "Feed failed"
    """A threat feed could not be fetched, parsed or trusted; the last good index stays."""
    FEED_CONFIGURED = "feed.configured", "Feed configured"
    """A feed was switched on or off, or its settings changed."""
    ENGINE_CREATED = "engine.created", "Engine created"
    """An Analytics Engine got a credential for Wisdom."""

    WORK_DEAD = "work.dead", "Work gave up"
    """A unit of work failed as often as it may and was set aside."""
    SYSTEM_FIRST_START = "system.first_start", "First start"
    """The deployment made its keys and its first owner."""
    SEQUENCER_STARTED = "sequencer.started", "Sequencer started"
    """The process that signs the log began to run."""
    ENGINE_REVOKED = "engine.revoked", "Engine revoked"
    """An engine's credential stopped working."""
    AUDIT_VERIFIED = "audit.verified", "Audit log verified"
    """The log was checked against its checkpoints; the outcome says how that ended."""
    AUDIT_READ = "audit.read", "Audit log read"
    """Somebody listed the log across tenants."""
    AUDIT_EXPORTED = "audit.exported", "Audit log exported"
    """Somebody wrote the log, across tenants, into files for an auditor."""
