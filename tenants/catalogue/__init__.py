"""The catalogue lint: what of a database's schema would let one tenant's rows reach another.

Row-level security is only as good as the schema that declares it, and a migration can forget. So
the catalogue is read as it stands in the server and held against rules (`rules`) and a list of the
tables that are outside them, each with its reason (`listed`). A new table has a tenant's rows under
forced policies, or an entry there; else it is a finding, and ``manage.py isolation lint`` fails.
"""

from django.db import connections

from tenants.catalogue.findings import Finding, Rule
from tenants.catalogue.reading import read
from tenants.catalogue.rules import judge

__all__ = ["Finding", "Rule", "judge", "lint", "read"]


def lint(alias: str) -> list[Finding]:
    """Return what is wrong with the schema of the database `alias`, in a steady order."""
    with connections[alias].cursor() as cursor:
        return judge(read(cursor))
