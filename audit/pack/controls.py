"""Which of our events are evidence for which control of three frameworks, in our own words.

A control names the events that its evidence is counted from; what a pack holds besides, such as the
key inventory, stands in ``beside``. Every event of the catalogue is evidence of a control or stands
in `OUTSIDE` with the reason; a test holds this list against the catalogue, both ways.
"""

from dataclasses import dataclass

from audit.events import EventType as E


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control, what of it this deployment shows, and the events that show it."""

    framework: str
    id: str
    about: str
    shown: str
    events: tuple[E, ...]
    beside: tuple[str, ...] = ()


SOC2, ISO, PCI = "SOC 2 (TSC 2017)", "ISO/IEC 27001:2022", "PCI DSS 4.0"
SIGN_INS = (
    E.STAFF_LOGIN, E.STAFF_LOGIN_FAILED, E.STAFF_LOGOUT, E.STAFF_SESSION_ENDED,
    E.STAFF_STEPPED_UP, E.STAFF_FACTOR_LIMIT, E.STAFF_RECOVERY_USED, E.STAFF_SEALED_USED,
)  # fmt: skip
ACCOUNTS = (
    E.STAFF_CREATED, E.STAFF_INVITED, E.STAFF_ENROLLED, E.STAFF_ROLE_CHANGED, E.STAFF_DISABLED,
    E.STAFF_MFA_REPLACED, E.STAFF_MFA_RESET, E.STAFF_PASSKEY_ADDED, E.STAFF_PASSKEY_REMOVED,
    E.STAFF_RECOVERY_MADE, E.STAFF_PASSWORD_CHANGED,
)  # fmt: skip
CREDENTIALS = (
    E.KEY_CREATED, E.KEY_REVOKED, E.KEY_ROTATED, E.KEY_REQUESTED, E.KEY_RESET_ASKED, E.KEY_RESET,
    E.ENGINE_CREATED, E.ENGINE_REVOKED, E.MEMBER_REGISTERED, E.MEMBER_VERIFIED,
)  # fmt: skip
KEYS = (
    E.TENANT_KEY_CREATED, E.ROOT_VERSION_ADDED, E.ROOT_VERSION_PROMOTED, E.ROOT_REWRAPPED,
    E.ROOT_VERSION_RETIRED, E.TENANT_KEYS_DESTROYED, E.DECRYPT_FAILED,
    E.SYSTEM_VERSION_ADDED, E.SYSTEM_VERSION_PROMOTED, E.SYSTEM_RESEALED, E.SECRET_STORED,
    E.SECRET_REMOVED,
)  # fmt: skip
APPROVALS = (
    E.APPROVAL_ASKED, E.APPROVAL_GIVEN, E.APPROVAL_CANCELLED, E.APPROVAL_CARRIED_OUT,
    E.APPROVAL_FAILED, E.APPROVAL_EXPIRED,
)  # fmt: skip
GRANTS = (E.GRANT_OPENED, E.GRANT_REVOKED, E.GRANT_ENDED, E.GRANT_REFUSED)
EMERGENCIES = (
    E.BREAK_GLASS_OPENED, E.BREAK_GLASS_USED, E.BREAK_GLASS_CLOSED, E.BREAK_GLASS_REVIEWED,
    E.STAFF_SEALED_USED,
)  # fmt: skip
EXPORTS = (E.TENANT_EXPORTED, E.TENANT_EXPORT_SEALED, E.RESEARCH_EXPORTED)
CONSENT = (E.RESEARCH_ALLOWED, E.RESEARCH_WITHDRAWN, E.RESEARCH_EXPORTED)
HOLDS = (E.HOLD_PLACED, E.HOLD_RELEASED)
TERMS = (E.RETENTION_CHANGED, E.RETENTION_APPLIED)
ENDINGS = (E.TENANT_DELETED, E.TENANT_KEYS_DESTROYED, E.TENANT_PURGED)
TENANTS = (
    E.TENANT_CREATED, E.TENANT_SUSPENDED, E.TENANT_RESUMED, E.TENANT_EXPIRED,
    E.TENANT_PLAN_CHANGED, E.TENANT_DELETED, E.TENANT_PURGED,
)  # fmt: skip
DENIALS = (E.AUTH_DENIED, E.REQUESTS_DENIED, E.REQUESTS_LIMITED, E.REQUESTS_FAILED)
STAFF_READS = (E.STAFF_READ, E.AUDIT_READ, E.AUDIT_EXPORTED)
TENANT_READS = (
    E.ALERTS_POLLED, E.DESTINATIONS_POLLED, E.AUDIT_POLLED, E.GROUPS_POLLED, E.WISDOM_LOOKED_UP,
)  # fmt: skip
CHANGES = (
    E.CONFIGURATION_LOADED, E.CONFIGURATION_CHANGED, E.MIGRATION_APPLIED, E.FEED_CONFIGURED,
    E.GROUPS_CHANGED,
)  # fmt: skip
THE_LOG = (
    E.SEQUENCER_STARTED, E.SEQUENCER_STOPPED, E.CHECKPOINT_KEPT, E.CHECKPOINT_FAILED,
    E.CHECKPOINT_STALE, E.AUDIT_VERIFIED,
)  # fmt: skip
KEEPING = (
    E.EPOCH_SEALED, E.EPOCH_RETIRED, E.STAGING_DROPPED, E.AUDIT_ARCHIVE_VERIFIED, E.AUDIT_BUNDLED,
    E.AUDIT_PACKED,
)  # fmt: skip
RUNNING = (
    E.SYSTEM_FIRST_START, E.WORK_DEAD, E.WORK_RETRIED, E.FEED_REFRESHED, E.FEED_FAILED,
    E.CHECKPOINT_STALE,
)  # fmt: skip

CONTROLS: tuple[Control, ...] = (
    Control(
        framework=SOC2, id="CC6.1", about="logical access is restricted to those it is meant for",
        shown="Every request meets a key, a role or a refusal, and refusals are entries.",
        events=(*DENIALS, *CREDENTIALS, *KEYS, E.GRANT_REFUSED),
        beside=("keys", "access_review"),
    ),
    Control(
        framework=SOC2, id="CC6.2", about="accounts begin with a decision and end in time",
        shown="Accounts are made, invited, given roles and ended by somebody named, with a reason.",
        events=ACCOUNTS, beside=("access_review",),
    ),
    Control(
        framework=SOC2, id="CC6.3", about="rights follow roles, and less is the rule",
        shown="Roles and their changes; who read what of which tenant, under which ticket.",
        events=(
            E.STAFF_ROLE_CHANGED, E.STAFF_DISABLED, *STAFF_READS, *GRANTS, *EMERGENCIES, *APPROVALS,
        ),
        beside=("access_review", "staff_accesses"),
    ),
    Control(
        framework=SOC2, id="CC6.5", about="what is no longer needed is made unreadable",
        shown="A deleted tenant's keys are destroyed first; its rows follow. What is past its terms"
        " goes, unless a hold stands.",
        events=(*ENDINGS, *TERMS, *HOLDS),
    ),
    Control(
        framework=SOC2, id="CC6.6", about="what comes from outside is held off at the edge",
        shown="Sign-ins and requests over a limit are refused and counted.",
        events=(*DENIALS, E.STAFF_LOGIN_FAILED, E.STAFF_FACTOR_LIMIT),
    ),
    Control(
        framework=SOC2, id="CC7.1", about="changes that open a weakness are noticed",
        shown="Each start records a hash of its settings; each change of the schema is an entry.",
        events=CHANGES,
    ),
    Control(
        framework=SOC2, id="CC7.2", about="what is unusual is watched for",
        shown="Failures of work, feeds, places outside and decryption are entries.",
        events=(*RUNNING, *THE_LOG, E.DECRYPT_FAILED, E.STAFF_SEALED_USED), beside=("gaps",),
    ),
    Control(
        framework=SOC2, id="CC7.3", about="what was noticed can be looked into",
        shown="The log can be searched, exported and checked by somebody else.",
        events=(
            E.AUDIT_READ, E.AUDIT_EXPORTED, E.AUDIT_VERIFIED, E.AUDIT_BUNDLED,
            E.BREAK_GLASS_REVIEWED, E.STAFF_NOTICE_SEEN,
        ),
    ),
    Control(
        framework=ISO, id="A.5.3", about="duties that conflict are of different people",
        shown="What cannot be undone is asked for by one and approved by another, or waits a day;"
        " an emergency is reviewed by somebody else.",
        events=(*APPROVALS, *EMERGENCIES),
    ),
    Control(
        framework=ISO, id="A.5.15", about="access to information is controlled",
        shown="Tenants, their keys and members, grants on their rows, and every refusal.",
        events=(*TENANTS, *CREDENTIALS, *GRANTS, *DENIALS),
    ),
    Control(
        framework=ISO, id="A.5.18", about="rights are given, looked over and taken away",
        shown="Every change of staff and roles, and who has which role now.",
        events=ACCOUNTS, beside=("access_review",),
    ),
    Control(
        framework=ISO, id="A.5.28", about="evidence is gathered so that it holds",
        shown="Every entry is a leaf of a signed tree; this pack verifies without us.",
        events=(*THE_LOG, *KEEPING),
    ),
    Control(
        framework=ISO, id="A.5.34", about="what is about persons is kept private",
        shown="Who agreed to research and took it back; what left, sealed, and for whom.",
        events=(*CONSENT, *EXPORTS, *TERMS),
    ),
    Control(
        framework=ISO, id="A.5.33", about="records are kept as long as they must, and no change",
        shown="Entries leave after 24 months, in whole epochs whose tree is kept; a legal hold"
        " keeps a tenant's rows and keys.",
        events=(*KEEPING, *HOLDS),
    ),
    Control(
        framework=ISO, id="A.8.2", about="privileged access is limited and seen",
        shown="Deeds of staff and of the shell, with account and reason.",
        events=(
            *STAFF_READS, E.STAFF_WATCHED, *KEYS, *GRANTS, *EMERGENCIES, *APPROVALS,
            E.STAFF_STEPPED_UP, E.WORK_RETRIED,
        ),
        beside=("staff_accesses",),
    ),
    Control(
        framework=ISO, id="A.8.5", about="who signs in proves it safely",
        shown="Password and second factor at each sign-in; a fresh proof before what is dangerous.",
        events=(
            *SIGN_INS, E.STAFF_MFA_REPLACED, E.STAFF_MFA_RESET, E.STAFF_PASSKEY_ADDED,
            E.STAFF_PASSKEY_REMOVED,
        ),
        beside=("access_review",),
    ),
    Control(
        framework=ISO, id="A.8.10", about="information that is not needed is deleted",
        shown="Terms of each tenant and what each run deleted; ends of tenants and their keys.",
        events=(*TERMS, *ENDINGS, *HOLDS),
    ),
    Control(
        framework=ISO, id="A.8.15", about="what happens is logged and the log is protected",
        shown="The catalogue says what; gaps in time and the tree say whether anything is missing.",
        events=(
            *SIGN_INS, *STAFF_READS, E.STAFF_WATCHED, E.STAFF_NOTICE_SEEN, *GRANTS, *DENIALS,
            *CHANGES, *TENANT_READS, *EXPORTS,
        ),
        beside=("gaps",),
    ),
    Control(
        framework=ISO, id="A.8.16", about="systems are watched for what is not usual",
        shown="Alarms of the log's own, and what the work of detection did.",
        events=(
            *RUNNING, E.EVENTS_ACCEPTED, E.CHECKPOINT_FAILED, E.STAFF_SEALED_USED,
            E.STAFF_NOTICE_SEEN,
        ),
    ),
    Control(
        framework=ISO, id="A.8.17", about="clocks agree",
        shown="Each entry has the time of the deed and of sequencing; a clock set back is found.",
        events=(E.SEQUENCER_STARTED, E.AUDIT_VERIFIED), beside=("clock",),
    ),
    Control(
        framework=ISO, id="A.8.24", about="cryptography and its keys are managed",
        shown="Every version of the root key, of the deployment's own and of its named secrets from"
        " beginning to end, and the inventory.",
        events=KEYS, beside=("keys",),
    ),
    Control(
        framework=ISO, id="A.8.32", about="changes are controlled",
        shown="Settings and schema in force, and when they changed.",
        events=CHANGES,
    ),
    Control(
        framework=PCI, id="10.2.1.1", about="each person's access to the data",
        shown="A person's sight of a tenant's rows is recorded before it is given.",
        events=(*STAFF_READS, *GRANTS, *EMERGENCIES, *EXPORTS), beside=("staff_accesses",),
    ),
    Control(
        framework=PCI, id="10.2.1.2", about="everything done with administrative rights",
        shown="Deeds on tenants, keys, staff, feeds and work, with who and why; who approved what.",
        events=(
            *TENANTS, *ACCOUNTS, *CREDENTIALS, *KEYS, *APPROVALS, *EMERGENCIES, *HOLDS,
            E.RETENTION_CHANGED, E.FEED_CONFIGURED, E.WORK_RETRIED,
        ),
    ),
    Control(
        framework=PCI, id="10.2.1.3", about="access to the audit log itself",
        shown="Lists, exports, bundles, packs and a tenant's own reads are entries.",
        events=(E.AUDIT_READ, E.AUDIT_EXPORTED, E.AUDIT_POLLED, E.AUDIT_BUNDLED, E.AUDIT_PACKED),
    ),
    Control(
        framework=PCI, id="10.2.1.4", about="access that was tried and refused",
        shown="Refused keys, sign-ins, pages and grants.",
        events=(*DENIALS, E.STAFF_LOGIN_FAILED, E.GRANT_REFUSED),
    ),
    Control(
        framework=PCI, id="10.2.1.5", about="changes of accounts and of how they prove themselves",
        shown="Staff, their factors and roles; keys of tenants and engines.",
        events=(*ACCOUNTS, *CREDENTIALS),
    ),
    Control(
        framework=PCI, id="10.2.1.6", about="logging that begins, stops or pauses",
        shown="The sequencer says when it starts and stops; a place that fails is an entry.",
        events=THE_LOG, beside=("gaps",),
    ),
    Control(
        framework=PCI, id="10.2.1.7", about="objects of the system that come and go",
        shown="Schema, epochs of the log, tenants and their keys.",
        events=(
            E.MIGRATION_APPLIED, *KEEPING, E.TENANT_CREATED, E.TENANT_PURGED, *KEYS,
            E.RETENTION_APPLIED,
        ),
    ),
    Control(
        framework=PCI, id="10.2.2", about="what each entry says",
        shown="Who, which kind of event, when, how it ended, from which door, on what; see an"
        " entry of any control by its index.",
        events=(E.STAFF_LOGIN, E.STAFF_READ, E.AUTH_DENIED),
    ),
    Control(
        framework=PCI, id="10.3.4", about="a changed log is noticed",
        shown="verify.py names the index of a change from this pack and one checkpoint elsewhere.",
        events=(E.AUDIT_VERIFIED, E.CHECKPOINT_KEPT, E.CHECKPOINT_FAILED, E.CHECKPOINT_STALE),
    ),
    Control(
        framework=PCI, id="10.5.1", about="a year of the log, three months at hand",
        shown="24 months in the database; older epochs in archives that verify.",
        events=(E.EPOCH_SEALED, E.EPOCH_RETIRED, E.AUDIT_ARCHIVE_VERIFIED),
    ),
)  # fmt: skip

OUTSIDE: dict[E, str] = {
    E.WISDOM_ASKED: "an engine's questions about destinations, counted for its bill",
}
"""Events that are evidence of no control here, each with its reason."""


def outside() -> set[E]:
    """Return the events that neither a control nor `OUTSIDE` names: none, or a test fails."""
    return set(E) - {event for each in CONTROLS for event in each.events} - OUTSIDE.keys()
