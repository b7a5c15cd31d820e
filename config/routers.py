"""Which database holds which rows.

====================  =========================================================================
``default``           the engine's: tenants, series, alerts, staff, and the deployment's audit log
``keys``              wrapped tenant keys, so that no dump of ``default`` holds them
``wisdom``            feeds and engines' credentials, with an audit staging table of its own, so
                      that a deed there and its audit row are one transaction
====================  =========================================================================
"""

from typing import Any

from django.db.models import Model

KEYS_MODELS = frozenset(
    {"tenantkey", "rootversion", "systemkey", "keyringreader", "keycertificate"}
)
WISDOM_APPS = frozenset({"feeds", "wisdom"})


class ByPurpose:
    """Route each model to the database of its purpose; relations never cross databases."""

    def _home(self, app_label: str, model_name: str | None) -> str:
        if app_label == "tenants" and model_name in KEYS_MODELS:
            return "keys"
        return "wisdom" if app_label in WISDOM_APPS else "default"

    def db_for_read(self, model: type[Model], **_hints: Any) -> str:
        """Name the database that a query of `model` goes to."""
        return self._home(model._meta.app_label, model._meta.model_name)

    def db_for_write(self, model: type[Model], **_hints: Any) -> str:
        """Name the database that a change of `model` goes to."""
        return self._home(model._meta.app_label, model._meta.model_name)

    def allow_relation(self, a: Model, b: Model, **_hints: Any) -> bool:
        """Allow relations inside one database only."""
        return self.db_for_read(type(a)) == self.db_for_read(type(b))

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
