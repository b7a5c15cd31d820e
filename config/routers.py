"""Which database holds which rows.

====================  =========================================================================
``default``           the engine's: tenants, series, alerts, staff, and the deployment's audit log
``staff``             the same database as ``default``, as the role that reads under a grant
``keys``              wrapped tenant keys, so that no dump of ``default`` holds them
``wisdom``            feeds and engines' credentials, with an audit staging table of its own, so
                      that a deed there and its audit row are one transaction
====================  =========================================================================
"""

from typing import Any

from django.db.models import Model

from tenants.errors import ReadOnlyScope
from tenants.scope import MAIN, STAFF, is_granted

KEYS_MODELS = frozenset(
    {"tenantkey", "rootversion", "systemkey", "namedsecret", "keyringreader", "keycertificate"}
)
WISDOM_APPS = frozenset({"feeds", "wisdom"})


def _is_tenants(model: type[Model]) -> bool:
    from tenants.models import TenantModel  # noqa: PLC0415 -- models exist once apps are ready

    return issubclass(model, TenantModel)


class ByPurpose:
    """Route each model to the database of its purpose; relations never cross databases."""

    def _home(self, app_label: str, model_name: str | None) -> str:
        if app_label == "tenants" and model_name in KEYS_MODELS:
            return "keys"
        return "wisdom" if app_label in WISDOM_APPS else "default"

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        """Name the database that a query of `model` goes to; a grant reads tenants' rows apart."""
        home = self._home(model._meta.app_label, model._meta.model_name)
        return STAFF if home == MAIN and is_granted() and _is_tenants(model) else home

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:
        """Name the database that a change of `model` goes to; under a grant there is none."""
        home = self._home(model._meta.app_label, model._meta.model_name)
        if home == MAIN and is_granted() and _is_tenants(model):
            raise ReadOnlyScope(f"a grant reads, and {model.__name__} was to be written")
        return home

    def allow_relation(self, a: Model, b: Model, **_hints: Any) -> bool:
        """Allow relations inside one database only."""
        homes = [self._home(each._meta.app_label, each._meta.model_name) for each in (a, b)]
        return homes[0] == homes[1]

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool:
        """Run an operation where its table lives.

        A raw operation says where it belongs with ``hints={"database": ...}``, or with
        ``hints={"databases": (...)}`` for a table that exists in several, like audit's.
        """
        if "databases" in hints:
            return db in hints["databases"]
        if "database" in hints:
            return bool(db == hints["database"])
        if app_label == "audit":
            return db in {"default", "wisdom"}
        return db == self._home(app_label, model_name)
