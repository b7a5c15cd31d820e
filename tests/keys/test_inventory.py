"""Cryptography is in ``crypto`` only, and the document lists all of it."""

from pathlib import Path

import pytest

from tenants.keys.inventory import LIBRARIES, imports, inventory

ROOT = Path(__file__).resolve().parents[2]
SERVER = ("analytics", "audit", "config", "console", "destinations", "egress", "feeds", "openapi",
          "tenants", "wisdom")  # fmt: skip
ALONE = {"audit/bundle/verify.py"}
"""Runs on an auditor's machine without any of the product, and so with its own hashes."""


@pytest.mark.parametrize("package", SERVER)
def test_no_package_but_crypto_imports_a_cryptographic_library(package: str) -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / package).rglob("*.py"))
        if LIBRARIES.intersection(imports(path.read_text("utf-8")))
    }
    assert found <= ALONE


def test_the_lint_sees_every_way_to_import() -> None:
    for line in ("import hashlib", "from hmac import digest", "def f():\n import hashlib as h",
                 "from cryptography.hazmat.primitives import hashes"):  # fmt: skip
        assert LIBRARIES.intersection(imports(line))
    assert not LIBRARIES.intersection(imports("from crypto import mac"))


def test_the_documents_table_is_the_inventory() -> None:
    page = (ROOT / "docs" / "key-management.md").read_text("utf-8")
    for row in inventory():
        line = f"| `{row['module']}` | {row['algorithm']} | {row['bits']} | {row['purpose']} |"
        assert line in page
