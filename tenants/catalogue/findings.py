"""What a catalogue can get wrong, by name, and the parts of a catalogue that are looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """A way in which a schema lets tenants' rows out; each name is for ever."""

    UNLISTED = "unlisted_table"
    """A table neither is a tenant's nor has an entry that says why not."""
    RLS_OFF = "rls_off"
    RLS_NOT_FORCED = "rls_not_forced"
    """The table's owner would be past the policies."""
    NO_POLICY = "no_policy"
    """A tenant's table lets nobody in by tenant: it was forgotten, or is about to be opened."""
    WRONG_POLICY = "wrong_policy"
    """A policy compares something else than the tenant's uuid, or admits another role."""
    OPEN_POLICY = "open_policy"
    """A policy is true for every row."""
    UNIQUE_ACROSS = "unique_across_tenants"
    """A unique index that tenant_id does not lead tells a tenant what another one has."""
    KEY_ACROSS = "foreign_key_across_tenants"
    """A foreign key without tenant_id accepts another tenant's hidden row."""
    VIEW_AS_OWNER = "view_as_owner"
    """A view reads with its owner's rights."""
    NO_POLICIES_HERE = "relation_without_policies"
    """A materialised view or a foreign table, which can have no policy."""
    DEFINER_BYPASSES = "definer_bypasses"
    """A SECURITY DEFINER function whose owner is a superuser or bypasses row-level security."""
    DEFINER_PATH = "definer_search_path"
    """A SECURITY DEFINER function that its caller's search_path or temporary tables could bend."""
    DEFINER_PUBLIC = "definer_public"
    """A SECURITY DEFINER function that every role may call."""
    GRANT = "unlisted_grant"
    """A role may do more to a table than is listed, or everybody may do anything."""
    AUDIT_WRITABLE = "audit_writable"
    """The serving role may change or remove entries of the audit log (AUD-9)."""
    ROLE = "role_unconfined"
    """The serving role owns, bypasses, or is a member of another role."""
    SCHEMA = "schema_open"
    """The serving role may make objects in a schema."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong: the object, the rule it breaks, and how."""

    object: str
    rule: Rule
    text: str

    def __str__(self) -> str:
        return f"{self.object}: {self.rule}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table, partition, view or the like; `root` is itself, or what it is a partition of.

    ``kind`` is pg_class.relkind. ``app`` holds the serving role's privileges, ``staff`` those of
    the role that reads under grants and ``public`` everybody's, such as ``SELECT`` or, on one
    column, ``UPDATE (calls)``.
    """

    name: str
    kind: str
    root: str
    columns: frozenset[str]
    rls: bool
    forced: bool
    invoker: bool
    app: frozenset[str]
    staff: frozenset[str]
    public: frozenset[str]

    @property
    def is_partition(self) -> bool:
        """Whether its rows are asked for through another table, whose policies then hold."""
        return self.root != self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy; ``command`` is ALL, SELECT, INSERT, UPDATE or DELETE."""

    table: str
    name: str
    permissive: bool
    roles: frozenset[str]
    command: str
    using: str | None
    check: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueIndex:
    """A unique index; ``leads`` is its first column, empty for an expression."""

    table: str
    name: str
    leads: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key as its pairs of columns."""

    table: str
    name: str
    target: str
    pairs: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definer:
    """A SECURITY DEFINER function."""

    name: str
    owner_bypasses: bool
    path: str
    public: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The serving role."""

    bypasses: bool
    owns: tuple[str, ...]
    member_of: tuple[str, ...]
    creates_in: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What of a database is looked at."""

    relations: tuple[Relation, ...]
    policies: tuple[Policy, ...]
    uniques: tuple[UniqueIndex, ...]
    keys: tuple[ForeignKey, ...]
    definers: tuple[Definer, ...]
    role: Role
