"""The Celery application: every queue has a way to it, every task of work a queue."""

from typing import Any

from kombu import Connection as BrokerConnection
from redis import Redis

from config.beat import analytics as analytics_beat, feeds as feeds_beat
from config.celery import QUEUES, app
from config.embedded.state import Connection


def test_every_kind_of_work_has_a_task_and_a_queue(settings: Any) -> None:
    app.loader.import_default_modules()
    for queue, task in settings.WORK_TASKS.items():
        assert queue in QUEUES
        assert task in app.tasks


def test_every_task_of_the_clock_exists_and_goes_to_a_queue_that_is_there() -> None:
    app.loader.import_default_modules()
    entries: list[Any] = [*analytics_beat.SCHEDULE.values(), *feeds_beat.SCHEDULE.values()]
    for entry in entries:
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] in QUEUES


def test_a_message_reaches_its_queue_though_the_broker_forgot_everything(
    servers: Connection,
) -> None:
    valkey = Redis(unix_socket_path=str(servers.valkey_socket), db=7)
    url = f"redis+socket://{servers.valkey_socket}?virtual_host=7"
    for _ in range(2):
        with BrokerConnection(url) as connection:
            for queue in QUEUES:
                app.send_task("some.task", kwargs={}, queue=queue, connection=connection)
        assert [valkey.llen(queue) for queue in QUEUES] == [1] * len(QUEUES)
        valkey.flushdb()
    valkey.close()


def test_a_task_has_a_time_limit_and_takes_json_only() -> None:
    assert 0 < app.conf.task_soft_time_limit < app.conf.task_time_limit
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_ignore_result
