from __future__ import annotations

import logging
import time

import pytest

from shared.webhooks import RUN_SECONDS, USUAL_SECONDS, WebhookSender
from tests.integration.alerts.http_receiver import Answer, Receiver

CANARY = "/services/T0/B0/canary-credential"


def test_accepted_post_arrives_once_and_whole(receiver: Receiver) -> None:
    delivery = WebhookSender().post(receiver.url + CANARY, {"text": "stop fehlt ⚠️"})
    assert delivery.delivered
    assert receiver.posts == [(CANARY, {"text": "stop fehlt ⚠️"})]


def test_busy_service_is_asked_again_when_it_says(receiver: Receiver) -> None:
    receiver.will_answer(CANARY, Answer(429, {"Retry-After": "0.3"}))
    began = time.monotonic()
    delivery = WebhookSender().post(receiver.url + CANARY, {})
    assert (delivery.delivered, delivery.attempts) == (True, 2)
    assert time.monotonic() - began >= 0.3


def test_longer_wait_than_budget_is_not_waited_for(receiver: Receiver) -> None:
    receiver.will_answer(CANARY, Answer(429, {"Retry-After": "60"}))
    waits: list[float] = []
    delivery = WebhookSender(budget_seconds=5, pause=waits.append).post(receiver.url + CANARY, {})
    assert (delivery.delivered, waits) == (False, [])
    assert delivery.detail == "gave up after 429"


def test_failing_service_is_tried_again_with_pauses(receiver: Receiver) -> None:
    receiver.will_answer(CANARY, Answer(500), Answer(503))
    waits: list[float] = []
    delivery = WebhookSender(pause=waits.append).post(receiver.url + CANARY, {})
    assert (delivery.delivered, delivery.attempts, waits) == (True, 3, [0.5, 1.0])


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_refusal_is_final_and_not_repeated(receiver: Receiver, status: int) -> None:
    receiver.will_answer(CANARY, Answer(status, {"Location": receiver.url + "/elsewhere"}))
    delivery = WebhookSender().post(receiver.url + CANARY, {})
    assert (delivery.delivered, delivery.attempts) == (False, 1)
    assert receiver.posts == []


def test_slow_service_costs_no_more_than_budget(receiver: Receiver) -> None:
    receiver.will_answer(CANARY, *[Answer(200, after_seconds=1.5)] * 9)
    began = time.monotonic()
    delivery = WebhookSender(budget_seconds=0.8).post(receiver.url + CANARY, {})
    assert not delivery.delivered
    assert time.monotonic() - began < 1.3


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://127.0.0.1:99999", "http://[broken"])
def test_unreachable_address_never_shows_in_detail_or_log(base: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    delivery = WebhookSender(budget_seconds=0.2, pause=lambda _: None).post(base + CANARY, {})
    assert not delivery.delivered
    assert "canary" not in delivery.detail + caplog.text


def test_delivered_address_never_shows_in_debug_log(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    WebhookSender().post(receiver.url + CANARY, {})
    assert "canary" not in caplog.text


class Elapsed:
    """Seconds that pass only by waiting, or as a test says."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.go_on(seconds)

    def go_on(self, seconds: float) -> None:
        self.seconds += seconds


def test_posts_to_one_address_are_a_second_apart(receiver: Receiver) -> None:
    elapsed = Elapsed()
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(2)
    for path in ("/a", "/a", "/b", "/a"):
        assert run.post(receiver.url + path, {}).delivered
    assert elapsed.waits == [1.0, 1.0]


def test_address_that_fails_costs_a_run_its_share_once(receiver: Receiver) -> None:
    elapsed = Elapsed()
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(2)
    receiver.will_answer("/a", *[Answer(500)] * 9)
    assert not run.post(receiver.url + "/a", {}).delivered
    spent = elapsed.seconds
    delivery = run.post(receiver.url + "/a", {})
    assert (delivery.attempts, delivery.detail) == (0, "not tried after: gave up after 500")
    assert (elapsed.seconds, spent <= RUN_SECONDS / 2) == (spent, True)
    assert run.post(receiver.url + "/b", {}).delivered


def test_refused_message_does_not_stop_the_next(receiver: Receiver) -> None:
    elapsed = Elapsed()
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(1)
    receiver.will_answer("/a", Answer(400))
    first, second = run.post(receiver.url + "/a", {}), run.post(receiver.url + "/a", {})
    assert (first.refused, second.delivered) == (True, True)


def test_run_ends_when_its_time_is_used_up(receiver: Receiver) -> None:
    elapsed = Elapsed()
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(1)
    deliveries = [run.post(receiver.url + "/a", {}) for _ in range(15)]
    assert [each.delivered for each in deliveries] == [True] * 12 + [False] * 3
    assert (deliveries[-1].detail, deliveries[-1].postponed) == ("no time left in this run", True)
    assert elapsed.seconds <= RUN_SECONDS


def test_slow_address_leaves_the_others_their_time(receiver: Receiver) -> None:
    elapsed = Elapsed()
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(2)
    receiver.will_answer("/a", *[Answer(429, {"Retry-After": "3"}), Answer(200)] * 9)
    found = [(run.post(receiver.url + "/a", {}), run.post(receiver.url + "/b", {})) for _ in range(5)]
    assert [slow.delivered for slow, _ in found] == [True, False, False, False, False]
    assert [other.delivered for _, other in found] == [True] * 5


def test_address_that_answers_slowly_gets_no_second_share(receiver: Receiver) -> None:
    elapsed = Elapsed()
    receiver.on_post = lambda: elapsed.go_on(4.0)
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(2)
    found = [run.post(receiver.url + "/a", {}) for _ in range(3)]
    assert [(each.delivered, each.postponed) for each in found] == [(True, False), (True, False), (False, True)]


@pytest.mark.parametrize(("addresses", "alone"), [(1, 8), (2, 8), (4, 8), (6, 7), (8, 5)])
def test_as_many_posts_as_promised_fit_every_address(receiver: Receiver, addresses: int, alone: int) -> None:
    elapsed = Elapsed()
    receiver.on_post = lambda: elapsed.go_on(USUAL_SECONDS)
    run = WebhookSender(elapsed=elapsed, pause=elapsed.wait).run(addresses)
    assert run.alone == alone
    paths = [f"/{number}" for _ in range(alone) for number in range(addresses)]
    assert [path for path in paths if not run.post(receiver.url + path, {}).delivered] == []
    assert elapsed.seconds <= RUN_SECONDS


def test_dated_retry_after_is_waited_for_like_none(receiver: Receiver) -> None:
    receiver.will_answer(CANARY, Answer(429, {"Retry-After": "Sun, 22 Nov 2026 12:00:00 GMT"}))
    waits: list[float] = []
    assert WebhookSender(pause=waits.append).post(receiver.url + CANARY, {}).delivered
    assert waits == [0.5]
