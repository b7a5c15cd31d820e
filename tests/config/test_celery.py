"""The Celery application: every queue has a way to it, every task of work a queue."""

from typing import Any

from config.beat import analytics as analytics_beat, feeds as feeds_beat
from config.celery import QUEUES, app


def test_every_kind_of_work_has_a_task_and_a_queue(settings: Any) -> None:
    app.loader.import_default_modules()
    for queue, task in settings.WORK_TASKS.items():
        assert queue in QUEUES
        assert task in app.tasks


def test_every_task_of_the_clock_exists_and_goes_to_a_queue_that_is_there() -> None:
    app.loader.import_default_modules()
    for entry in (*analytics_beat.SCHEDULE.values(), *feeds_beat.SCHEDULE.values()):
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] in QUEUES


def test_queues_are_routed_by_their_name_alone() -> None:
    queues = {queue.name: queue for queue in app.conf.task_queues}
    assert set(queues) == set(QUEUES)
    for name, queue in queues.items():
        assert (queue.exchange.name, queue.routing_key) == ("", name)
    assert not app.conf.task_create_missing_queues


def test_a_task_has_a_time_limit_and_takes_json_only() -> None:
    assert 0 < app.conf.task_soft_time_limit < app.conf.task_time_limit
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result
