"""``manage.py tenant``: customers, their keys and their people from the machine's own shell."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from audit.actors import Actor
from tenants import members
from tenants.actions import (
    change_plan,
    create_key,
    create_tenant,
    invite,
    resume_tenant,
    revoke_key,
    rotate_key,
    suspend_tenant,
)
from tenants.actions.approved import ask_deletion, asked
from tenants.apikeys import ALL_SCOPES, Scope
from tenants.errors import BadBody, UnfitTerms
from tenants.links import Role
from tenants.management import tenant_rights
from tenants.models import KeyIndex, Member, Tenant
from tenants.plans import Plan
from tenants.scope import tenant_scope

SHELL = Actor(kind="shell", id="manage.py")
Answer = Mapping[str, Any] | list[dict[str, Any]]


class Command(BaseCommand):
    """Create, list, stop and resume tenants; give, replace and revoke keys; name members."""

    help = "Tenants, keys and members. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        create = _deed(deeds, "create", "make a tenant and its first API key", _create)
        create.add_argument("name", help="the tenant's name, unique, up to 200 characters")
        _deed(deeds, "list", "list tenants", _list)
        for name, deed in (("suspend", _suspend), ("resume", _resume)):
            _of_tenant(_deed(deeds, name, f"{name} a tenant", deed))
        delete = _of_tenant(_deed(deeds, "delete", "ask for the end of a tenant", _delete))
        delete.add_argument("--confirm", required=True, help="the tenant's name, once more")
        plan = _of_tenant(_deed(deeds, "plan", "put a tenant on a plan", _plan))
        plan.add_argument("plan", choices=[str(plan) for plan in Plan])
        tenant_rights.add(deeds, _deed, _of_tenant)
        self._add_keys(deeds)
        self._add_members(deeds)

    def _add_keys(self, deeds: Any) -> None:
        keys = deeds.add_parser("key", help="API keys").add_subparsers(dest="key", required=True)
        _of_tenant(_deed(keys, "list", "list a tenant's keys", _list_keys))
        create = _of_tenant(_deed(keys, "create", "give a tenant a key", _create_key))
        create.add_argument("--label", default="", help="what the key is for")
        create.add_argument(
            "--scope", action="append", choices=[str(scope) for scope in Scope],
            help="what it may do, repeatable; default: everything",
        )  # fmt: skip
        create.add_argument("--network", action="append", help="CIDR it may be used from")
        create.add_argument("--days", type=int, help="days until it ends; default: it does not")
        rotate = _deed(keys, "rotate", "replace a key, with an overlap", _rotate)
        rotate.add_argument("key", help="the key's id: the twelve characters after twy_")
        rotate.add_argument("--hours", type=float, default=24, help="how long the old one goes on")
        revoke = _deed(keys, "revoke", "end a key at once", _revoke)
        revoke.add_argument("key", help="the key's id")

    def _add_members(self, deeds: Any) -> None:
        people = deeds.add_parser("member", help="people").add_subparsers(dest="member")
        people.required = True
        _of_tenant(_deed(people, "list", "list members, without names", _list_members))
        add = _of_tenant(_deed(people, "add", "name a member and mail a link", _add_member))
        add.add_argument("email")
        add.add_argument("--name", required=True)
        roles = [str(Role.OWNER), str(Role.MEMBER)]
        add.add_argument("--role", choices=roles, default=roles[1])

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand and print what it says."""
        try:
            said = options["run"](options)
        except (UnfitTerms, BadBody) as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self.stdout.write(json.dumps(said, default=str))
            return
        for row in said if isinstance(said, list) else [said]:
            self.stdout.write("  ".join(f"{name}: {value}" for name, value in row.items()))


def _deed(deeds: Any, name: str, words: str, run: Callable[[dict[str, Any]], Answer]) -> Any:
    parser = deeds.add_parser(name, help=words)
    parser.add_argument("--reason", default=f"{name} from the shell", help="for the audit log")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)
    return parser


def _of_tenant(parser: Any) -> Any:
    parser.add_argument("tenant", help="a tenant's id or name")
    return parser


def _tenant(options: dict[str, Any]) -> Tenant:
    return tenant_rights.found(options["tenant"])


def _made(options: dict[str, Any]) -> dict[str, Any]:
    return {"actor": SHELL, "reason": options["reason"], "now": timezone.now()}


def _create(options: dict[str, Any]) -> Answer:
    name = options["name"].strip()
    if not 0 < len(name) <= 200:
        raise CommandError("a tenant's name has 1 to 200 characters")
    try:
        new = create_tenant(name=name, **_made(options))
    except IntegrityError:
        raise CommandError(f"a tenant named {name!r} exists already") from None
    return {"tenant": new.tenant.id, "api_key": new.api_key}


def _list(_options: dict[str, Any]) -> Answer:
    return [
        {"tenant": row.id, "name": row.name, "state": row.state, "plan": row.plan}
        for row in Tenant.objects.all()
    ]


def _suspend(options: dict[str, Any]) -> Answer:
    tenant = _tenant(options)
    return {"tenant": tenant.id, "changed": suspend_tenant(tenant=tenant.id, **_made(options))}


def _resume(options: dict[str, Any]) -> Answer:
    tenant = _tenant(options)
    return {"tenant": tenant.id, "changed": resume_tenant(tenant=tenant.id, **_made(options))}


def _delete(options: dict[str, Any]) -> Answer:
    tenant = _tenant(options)
    if options["confirm"] != tenant.name:
        raise CommandError("--confirm must be the tenant's name: this cannot be undone")
    if options["reason"] == "delete from the shell":
        raise CommandError("--reason says why, for the audit log")
    pending = ask_deletion(tenant=tenant.id, **_made(options))
    return {"tenant": tenant.id, **asked(pending)}


def _plan(options: dict[str, Any]) -> Answer:
    tenant, plan = _tenant(options), Plan(options["plan"])
    changed = change_plan(tenant=tenant.id, plan=plan, **_made(options))
    return {"tenant": tenant.id, "plan": plan, "changed": changed}


def _list_keys(options: dict[str, Any]) -> Answer:
    now = timezone.now()
    return [
        {
            "key": row.id,
            "label": row.label,
            "scopes": row.scopes,
            "networks": row.networks,
            "created": row.created_at,
            "expires": row.expires_at,
            "last_used": row.last_used_at,
            "live": not row.is_revoked(now=now),
        }
        for row in KeyIndex.objects.filter(tenant=_tenant(options))
    ]


def _create_key(options: dict[str, Any]) -> Answer:
    made = _made(options)
    days = options["days"]
    text = create_key(
        tenant=_tenant(options),
        label=options["label"],
        scopes=[Scope(scope) for scope in options["scope"] or ALL_SCOPES],
        networks=options["network"] or (),
        expires_at=None if days is None else made["now"] + timedelta(days=days),
        **made,
    )
    return {"key": text.split("_")[1], "api_key": text}


def _rotate(options: dict[str, Any]) -> Answer:
    overlap = timedelta(hours=options["hours"])
    new = rotate_key(key=options["key"], overlap=overlap, **_made(options))
    return {"key": new.id, "api_key": new.text}


def _revoke(options: dict[str, Any]) -> Answer:
    return {"key": options["key"], "changed": revoke_key(key=options["key"], **_made(options))}


def _list_members(options: dict[str, Any]) -> Answer:
    with tenant_scope(_tenant(options).id):
        return [
            {"member": row.id, "role": row.role, "verified": row.verified_at}
            for row in Member.objects.order_by("created_at")
        ]


def _add_member(options: dict[str, Any]) -> Answer:
    details = members.details({"name": options["name"], "email": options["email"]})
    role = Role(options["role"])
    tenant = _tenant(options)
    return {"member": invite(tenant=tenant.id, details=details, role=role, **_made(options))}
