"""The palette's page: what is found, by whom, and what is never looked through."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from console.models import Role
from crypto.ids import uuid7
from feeds.models import Feed
from tenants.models import KeyIndex, Tenant, Work
from tests.console.people import START, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def acme() -> Tenant:
    tenant = Tenant.objects.create(id=uuid7(START), name="Acme & Sons", created_at=START)
    KeyIndex.objects.create(
        id="abcdefghijkl", tenant=tenant, label="sensor", pepper=1, mac=bytes(32), scopes=[],
        created_at=START,
    )  # fmt: skip
    Work.objects.create(
        id=uuid7(START), tenant_id=tenant.id, queue="ingest", due_at=START, created_at=START
    )
    Feed.objects.create(
        id=uuid7(START), name="acme-list", source="plain_list", url="https://feeds.example.org/l",
        enabled=True, every=timedelta(hours=1), next_at=START, created_at=START,
    )  # fmt: skip
    return tenant


def found(person: Person, text: str) -> dict[str, list[str]]:
    groups = person.browser.get("/console/search/", {"q": text}).context["groups"]
    return {group.title: [hit.title for hit in group.hits] for group in groups}


def test_things_are_found_by_name_and_by_the_beginning_of_their_id(
    jo: Person, acme: Tenant, sequenced: Callable[[], None]
) -> None:
    jo.sign_in()
    sequenced()
    work = Work.objects.get()
    assert found(jo, "ACME") == {"Tenants": ["Acme & Sons"], "Feeds": ["acme-list"]}
    assert found(jo, str(acme.id)[:9])["Tenants"] == ["Acme & Sons"]
    assert found(jo, "twy_abcd") == {"API keys": ["twy_abcdefghijkl"]}
    assert found(jo, "jo") == {"Pages": ["Jobs"], "Staff": ["jo"]}
    assert found(jo, str(work.id)) == {"Work": ["ingest, pending"]}
    assert found(jo, "#0") == {"Audit log": ["Entry 0"]}
    assert found(jo, "99999999999") == {}
    assert found(jo, "' OR 1=1 --") == {}
    assert len(found(jo, "")["Pages"]) == 10


def test_each_hit_leads_to_a_page_that_answers(
    jo: Person, acme: Tenant, sequenced: Callable[[], None]
) -> None:
    jo.sign_in()
    sequenced()
    walked = 0
    for text in ("", acme.name[:4], "abcd", "jo", "0", str(acme.id)[:8]):
        for group in jo.browser.get("/console/search/", {"q": text}).context["groups"]:
            for hit in group.hits:
                assert jo.browser.get(hit.path.partition("#")[0]).status_code == 200, hit
                walked += 1
    assert walked > 10


def test_a_whole_api_key_finds_its_id_and_its_secret_is_not_shown_again(
    jo: Person, acme: Tenant
) -> None:
    jo.sign_in()
    page = jo.browser.get("/console/search/", {"q": f"twy_abcdefghijkl_{'s' * 40}"})
    (group,) = page.context["groups"]
    assert [hit.title for hit in group.hits] == ["twy_abcdefghijkl"]
    assert group.hits[0].note == f"sensor, {acme.name}"


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        (Role.OWNER, {"Tenants", "API keys", "Staff", "Feeds", "Work", "Audit log", "Pages"}),
        (Role.ANALYST, {"Tenants", "API keys", "Feeds", "Work", "Pages"}),
        (Role.AUDITOR, {"Staff", "Audit log", "Pages"}),
    ],
)
def test_a_role_finds_what_it_may_see_and_nothing_else(
    role: Role,
    kinds: set[str],
    person: Callable[..., Person],
    acme: Tenant,
    sequenced: Callable[[], None],
) -> None:
    somebody = person("acme", role).sign_in()
    sequenced()
    seen: set[str] = set()
    for text in ("acme", "abcd", "0", str(Work.objects.get().id), "system", str(acme.id)):
        seen |= set(found(somebody, text))
    assert seen == kinds


def test_a_search_is_a_staff_read_and_what_was_typed_is_not_kept(jo: Person) -> None:
    jo.sign_in()
    found(jo, "a secret that was pasted by mistake")
    (read,) = deeds("staff.read")
    assert read.resource == "page:console:search"
    assert read.detail == {}
