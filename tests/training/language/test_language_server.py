"""The model on a server: many questions at once, faults survived, labels scored by the first token's alternatives."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from semanticface.errors import EngineError, OptionsError
from semanticface_training.language.choose import open_model
from semanticface_training.language.model import Chat, Sampling, without_thoughts
from semanticface_training.language.server import ServerModel

pytest.importorskip("httpx2", reason="the remote extra is not installed")

LABELS = ("happiness", "sadness", "surprise", "fear")


class Fake(ThreadingHTTPServer):
    """Answers a chat with its own last words; `faults` are used up first: a status, or "hang up"."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[dict[str, Any]] = []
        self.faults: deque[tuple[int, str]] = deque()
        self.refuses = ""
        self.finish = "stop"
        self.alternatives: dict[str, float] = {}
        self.gate = threading.Barrier(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Fake
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        if self.server.faults:
            status, words = self.server.faults.popleft()
            return self._send(status, {"error": {"message": words}})
        if self.server.refuses and self.server.refuses in body:
            return self._send(400, {"error": {"message": f"unknown field {self.server.refuses}"}})
        self.server.gate.wait(10)
        choice: dict[str, Any] = {
            "message": {"role": "assistant", "content": body["messages"][-1]["content"].upper()},
            "finish_reason": self.server.finish,
        }
        if body.get("logprobs"):
            pairs = [{"token": t, "logprob": math.log(p)} for t, p in self.server.alternatives.items()]
            choice["logprobs"] = {"content": [{**pairs[0], "top_logprobs": pairs}]} if pairs else None
        self._send(200, {"choices": [choice]})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = Fake()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def model(fake: Fake) -> Iterator[ServerModel]:
    asked = ServerModel(fake.url, "teacher", concurrency=4, seconds=10, patience=2)
    yield asked
    asked.close()


def chats(count: int) -> list[Chat]:
    return [Chat("be brief", f"say {number}") for number in range(count)]


def test_answers_come_back_in_the_order_of_the_questions_four_at_a_time(fake: Fake, model: ServerModel):
    fake.gate = threading.Barrier(4)  # nobody is answered until four ask
    written = model.generate(chats(8), Sampling())
    assert [one.text for one in written] == [f"SAY {number}" for number in range(8)]
    assert all(one.complete for one in written)


def test_thinking_is_off_and_each_question_has_its_own_seed(fake: Fake, model: ServerModel):
    model.generate(chats(3), Sampling(seed=5))
    assert all(body["chat_template_kwargs"] == {"enable_thinking": False} for body in fake.bodies)
    assert len({body["seed"] for body in fake.bodies}) == 3
    assert {body["top_k"] for body in fake.bodies} == {20}
    fake.bodies.clear()
    model.generate(chats(1), Sampling(temperature=0))
    assert fake.bodies[0]["temperature"] == 0 and "seed" not in fake.bodies[0]


def test_a_field_that_the_server_refuses_is_left_out_from_then_on(fake: Fake, model: ServerModel):
    fake.refuses = "chat_template_kwargs"
    assert model.generate(chats(1), Sampling())[0].text == "SAY 0"
    model.generate(chats(2), Sampling())
    assert len(fake.bodies) == 4


def test_a_server_that_is_busy_or_fails_is_asked_again(fake: Fake, model: ServerModel):
    fake.faults.extend([(429, "busy"), (500, "oops"), (503, "starting")])
    assert model.generate(chats(1), Sampling())[0].text == "SAY 0"
    assert len(fake.bodies) == 4


def test_one_question_that_is_refused_costs_the_others_nothing(fake: Fake, model: ServerModel):
    fake.faults.append((400, "the prompt is too long"))
    written = model.generate(chats(3), Sampling())
    lost = [one for one in written if not one.text]
    assert len(lost) == 1 and "too long" in lost[0].problem and not lost[0].complete
    assert sum(one.complete for one in written) == 2


def test_a_wrong_key_or_model_ends_the_run_with_the_servers_words(fake: Fake, model: ServerModel):
    fake.faults.append((404, "no model teacher"))
    with pytest.raises(EngineError, match="no model teacher"):
        model.generate(chats(1), Sampling())


def test_a_text_whose_tokens_ran_out_is_not_complete(fake: Fake, model: ServerModel):
    fake.finish = "length"
    assert not model.generate(chats(1), Sampling())[0].complete


def test_labels_are_scored_by_the_tokens_that_begin_them_alone(fake: Fake, model: ServerModel):
    fake.alternatives = {" Sur": 0.5, "happ": 0.2, " Happ": 0.1, "s": 0.15, "the": 0.05}
    scores = model.score(chats(1), LABELS)[0]
    assert [round(math.exp(score.per_token), 6) for score in scores] == [0.3, 0.05, 0.5, 0.05]
    assert fake.bodies[0]["max_tokens"] == 1 and fake.bodies[0]["top_logprobs"] == 20


def test_a_server_without_probabilities_says_so(fake: Fake, model: ServerModel):
    with pytest.raises(EngineError, match="no probabilities"):
        model.score(chats(1), LABELS)


def test_what_was_begun_for_the_model_is_sent_as_its_own_words(fake: Fake, model: ServerModel):
    fake.alternatives = {"fear": 1.0}
    model.score(chats(1), LABELS, begun="Emotion:")
    body = fake.bodies[0]
    assert body["messages"][-1] == {"role": "assistant", "content": "Emotion:"} and body["continue_final_message"]


def test_thoughts_are_taken_off_also_when_they_never_end():
    assert without_thoughts("<think>hm\nhm</think>\n\nSo.") == "So."
    assert without_thoughts("<think>and on") == ""


def test_wrong_settings_are_named():
    with pytest.raises(OptionsError, match="no language model of kind"), open_model("oracle", "x"):
        pass
    with pytest.raises(OptionsError, match="top-p"):
        Sampling(top_p=0)
