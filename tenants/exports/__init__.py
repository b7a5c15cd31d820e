"""Everything of a tenant's in one sealed archive.

Each app exports its own rows: it registers sections when it is ready (`registry`), and the deed
(`deed`) writes them all, in one snapshot of the database, through one stream (`archive`).
"""

from tenants.exports.deed import Exported, export_tenant
from tenants.exports.registry import Section, leave_out, register

__all__ = [
    "Exported",
    "Section",
    "export_tenant",
    "leave_out",
    "register",
]
