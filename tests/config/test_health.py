"""Health: alive says nothing of the databases, ready speaks for each of them."""

import json

import pytest
from django.db import DatabaseError
from django.test import Client

from config import health


class Away:
    """A database that does not answer, and must not be named by its error."""

    def cursor(self) -> None:
        raise DatabaseError("password of 10.0.0.1")


def test_a_process_that_answers_is_alive() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, json.loads(response.content)) == (200, {"status": "alive"})


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
def test_a_process_whose_databases_answer_is_ready() -> None:
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert json.loads(response.content) == {"status": "ready", "missing": []}


def test_a_database_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "connections", {"default": Away(), "keys": Away()})
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert json.loads(response.content) == {"status": "waiting", "missing": ["default", "keys"]}
