"""The rules: a catalogue in, findings out. Nothing here asks a database."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tenants.catalogue.findings import Catalogue, Definer, Finding, Policy, Relation, Rule
from tenants.catalogue.listed import (
    LISTED,
    ROWS,
    SECOND_POLICIES,
    WRITTEN_ONCE,
)
from tenants.catalogue.reading import APP, OWNER, STAFF

OWN = "tenant_id=NULLIFcurrent_setting'app.tenant'::text,true,''::text::uuid"
"""What a tenant's policy says, without blanks and brackets: it compares uuids, so an index serves
it, and the empty text that a finished transaction leaves is no tenant."""

_NAMED = (
    "{0}id=NULLIFcurrent_setting'app.grant'::text,true,''::text::uuid"
    "AND{0}staff_id=NULLIFcurrent_setting'app.staff'::text,true,''::text::uuid"
)
OF_GRANT = re.compile(
    re.escape("tenant_id=SELECTheld.tenant_idFROMaccess_grantheldWHERE" + _NAMED.format("held."))
    + re.escape("ANDheld.expires_at>clock_timestampANDheld.revoked_atISNULLANDheld.scopes?|ARRAY[")
    + r"'[a-z]+'::text(?:,'[a-z]+'::text)*\]"
)
"""What a policy for staff says, to the letter (`tenants.rls.granted`): the rows of the tenant that
a grant names, while that lives by the clock, to the person that it names, within its scopes."""
GRANTS = "access_grant"
OWN_GRANT = _NAMED.format("")
"""What staff see of grants: the one that they name, where it is their own."""

TABLES = frozenset("rp")
_BRACKETS = re.compile(r"[\s()]+")


def judge(catalogue: Catalogue) -> list[Finding]:
    """Return what breaks a rule, ordered by object."""
    return sorted(
        [
            *_relations(catalogue),
            *_policies(catalogue),
            *_uniques(catalogue),
            *_keys(catalogue),
            *(finding for each in catalogue.definers for finding in _definer(each)),
            *_role(catalogue),
        ]
    )


def _relations(catalogue: Catalogue) -> Iterator[Finding]:
    policies = _by_table(catalogue.policies)
    for each in catalogue.relations:
        if each.kind == "v":
            if not each.invoker:
                text = "the view lacks security_invoker"
                yield Finding(object=each.name, rule=Rule.VIEW_AS_OWNER, text=text)
        elif each.kind not in TABLES:
            text = "a materialised view or foreign table can have no policy"
            yield Finding(object=each.name, rule=Rule.NO_POLICIES_HERE, text=text)
        elif each.root in LISTED:
            if LISTED[each.root].policies:
                yield from _secured(each)
        elif "tenant_id" in each.columns:
            yield from _secured(each)
            if not each.is_partition and not policies[each.name]:
                text = "a tenant's table has no policy by tenant_id"
                yield Finding(object=each.name, rule=Rule.NO_POLICY, text=text)
        else:
            text = "no column tenant_id, and no entry in tenants/catalogue/listed.py"
            yield Finding(object=each.name, rule=Rule.UNLISTED, text=text)
        yield from _grants(each)


def _secured(table: Relation) -> Iterator[Finding]:
    if not table.rls:
        text = "row-level security is not enabled"
        yield Finding(object=table.name, rule=Rule.RLS_OFF, text=text)
    if not table.forced:
        text = "row-level security is not forced"
        yield Finding(object=table.name, rule=Rule.RLS_NOT_FORCED, text=text)


def _grants(table: Relation) -> Iterator[Finding]:
    if table.root in LISTED:
        allowed = LISTED[table.root].app
    elif table.kind in TABLES:
        allowed = WRITTEN_ONCE.get(table.root, ROWS)
    else:
        allowed = frozenset({"SELECT"})
    for each in sorted(table.app):
        if each not in allowed and _verb(each) not in allowed:
            yield _grant(table, APP, each)
    for each in sorted(table.public):
        yield _grant(table, "every role", each)
    is_tenants = table.kind in TABLES and table.root not in LISTED and "tenant_id" in table.columns
    for each in sorted(table.staff):
        if not is_tenants or _verb(each) != "SELECT":
            yield _grant(table, STAFF, each)


def _grant(table: Relation, role: str, privilege: str) -> Finding:
    writes = _verb(privilege) in {"UPDATE", "DELETE", "TRUNCATE"}
    rule = Rule.AUDIT_WRITABLE if writes and table.root.startswith("audit_") else Rule.GRANT
    return Finding(object=table.name, rule=rule, text=f"{role} may {privilege}")


def _verb(privilege: str) -> str:
    return privilege.partition(" ")[0]


def _by_table(policies: Iterable[Policy]) -> dict[str, list[Policy]]:
    found: dict[str, list[Policy]] = defaultdict(list)
    for each in policies:
        found[each.table].append(each)
    return found


def _policies(catalogue: Catalogue) -> Iterator[Finding]:
    roots = {each.name: each.root for each in catalogue.relations}
    for each in catalogue.policies:
        listed = LISTED.get(roots.get(each.table, each.table))
        name = f"{each.table}.{each.name}"
        if any(_is_true(text) for text in (each.using, each.check)) and each.permissive:
            text = "the policy is true for every row"
            yield Finding(object=name, rule=Rule.OPEN_POLICY, text=text)
        elif not each.permissive:
            continue  # it can only take rows away
        elif listed is not None:
            if each.name not in listed.policies:
                text = "a policy that the table's entry does not name"
                yield Finding(object=name, rule=Rule.WRONG_POLICY, text=text)
        elif (fault := _fault(each)) is not None:
            yield Finding(object=name, rule=Rule.WRONG_POLICY, text=fault)


def _fault(policy: Policy) -> str | None:
    """Say what is wrong with a permissive policy of a tenant's table, ``None`` if nothing is."""
    if policy.roles in ({APP}, {OWNER}) and (policy.table, policy.name) in SECOND_POLICIES:
        return None if policy.command == "SELECT" else "a second policy may only read"
    if policy.roles == {STAFF}:
        return None if _is_of_grant(policy) else "staff read under a live grant of theirs, no more"
    if policy.roles != {APP}:
        return f"it holds for {', '.join(sorted(policy.roles))}, not for {APP} alone"
    if policy.command != "ALL":
        return f"it holds for {policy.command} alone"
    for part, text in (("USING", policy.using), ("WITH CHECK", policy.check)):
        if _BRACKETS.sub("", text or "") != OWN:
            return f"{part} is not tenant_id = the scope's tenant: {text}"
    return None


def _is_of_grant(policy: Policy) -> bool:
    said = _BRACKETS.sub("", policy.using or "")
    if policy.table == GRANTS:
        return policy.command == "SELECT" and said == OWN_GRANT
    return policy.command == "SELECT" and OF_GRANT.fullmatch(said) is not None


def _is_true(text: str | None) -> bool:
    return text is not None and _BRACKETS.sub("", text).lower() == "true"


def _tenants(catalogue: Catalogue) -> dict[str, Relation]:
    """Return the tables, by name, whose rows are tenants' own."""
    return {
        each.name: each
        for each in catalogue.relations
        if each.kind in TABLES and each.root not in LISTED and "tenant_id" in each.columns
    }


def _uniques(catalogue: Catalogue) -> Iterator[Finding]:
    tenants = _tenants(catalogue)
    for each in catalogue.uniques:
        if each.table in tenants and each.leads != "tenant_id":
            text = f"it is led by {each.leads or 'an expression'}, not by tenant_id"
            name = f"{each.table}.{each.name}"
            yield Finding(object=name, rule=Rule.UNIQUE_ACROSS, text=text)


def _keys(catalogue: Catalogue) -> Iterator[Finding]:
    tenants = _tenants(catalogue)
    for each in catalogue.keys:
        if each.target in tenants and ("tenant_id", "tenant_id") not in each.pairs:
            text = f"it refers to {each.target} without tenant_id"
            name = f"{each.table}.{each.name}"
            yield Finding(object=name, rule=Rule.KEY_ACROSS, text=text)


def _definer(function: Definer) -> Iterator[Finding]:
    if function.owner_bypasses:
        text = "its owner is a superuser or bypasses row-level security"
        yield Finding(object=function.name, rule=Rule.DEFINER_BYPASSES, text=text)
    if function.path.rpartition(",")[2].strip(' "') != "pg_temp":
        said = f"is {function.path}" if function.path else "is not set"
        text = f"search_path {said}; it must end with pg_temp"
        yield Finding(object=function.name, rule=Rule.DEFINER_PATH, text=text)
    if function.public:
        text = "every role may call it"
        yield Finding(object=function.name, rule=Rule.DEFINER_PUBLIC, text=text)


def _role(catalogue: Catalogue) -> Iterator[Finding]:
    role = catalogue.role
    if role.bypasses:
        text = "it is a superuser or bypasses row-level security"
        yield Finding(object=APP, rule=Rule.ROLE, text=text)
    if role.owns:
        text = f"it owns {', '.join(role.owns)}"
        yield Finding(object=APP, rule=Rule.ROLE, text=text)
    if role.member_of and not role.bypasses:
        text = f"it is a member of {', '.join(role.member_of)}"
        yield Finding(object=APP, rule=Rule.ROLE, text=text)
    for schema in role.creates_in:
        yield Finding(object=schema, rule=Rule.SCHEMA, text=f"{APP} may make objects in it")
