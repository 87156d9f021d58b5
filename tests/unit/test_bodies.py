from __future__ import annotations

import json
from base64 import b64decode

import pytest

from ollamamaster.domain.answers import AnswerRequest, Message
from ollamamaster.ollama.bodies import answer_body, answer_path, embed_body, encode, load_body

CONVERSATION = AnswerRequest("phi4", messages=(Message("user", "hi"),))


@pytest.mark.parametrize("request_", [AnswerRequest("phi4", "hi"), CONVERSATION])
def test_nothing_is_ever_cut_in_silence(request_: AnswerRequest) -> None:
    body = answer_body(request_)
    assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)


def test_embedding_is_not_cut_either() -> None:
    assert embed_body("bge-m3", ["a"])["truncate"] is False


def test_a_prompt_goes_to_generate_and_a_conversation_to_chat() -> None:
    assert answer_path(AnswerRequest("phi4", "hi")) == "/api/generate"
    assert answer_path(CONVERSATION) == "/api/chat"


def test_the_context_that_is_needed_becomes_an_option() -> None:
    body = answer_body(AnswerRequest("phi4", "hi", num_ctx=8192, options={"seed": 1}))
    assert body["options"] == {"seed": 1, "num_ctx": 8192}


def test_the_context_that_the_person_asked_for_wins() -> None:
    body = answer_body(AnswerRequest("phi4", "hi", num_ctx=8192, options={"num_ctx": 2048}))
    assert body["options"] == {"num_ctx": 2048}


def test_what_was_not_asked_for_is_not_sent() -> None:
    assert set(answer_body(AnswerRequest("phi4", "hi"))) == {
        "model",
        "stream",
        "truncate",
        "shift",
        "prompt",
    }


def test_what_was_asked_for_is_sent() -> None:
    request = AnswerRequest(
        "phi4", "hi", system="be kind", format="json", think=False, keep_alive=0
    )
    body = answer_body(request)
    assert (body["system"], body["format"], body["think"], body["keep_alive"]) == (
        "be kind",
        "json",
        False,
        0,
    )


def test_images_are_base64() -> None:
    (image,) = answer_body(AnswerRequest("llava", "what", images=(b"\x89PNG",)))["images"]
    assert b64decode(image) == b"\x89PNG"


def test_images_of_a_conversation_belong_to_the_last_turn_of_the_user() -> None:
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    messages = answer_body(AnswerRequest("llava", messages=turns, images=(b"x",)))["messages"]
    assert ["images" in m for m in messages] == [False, False, True]


def test_the_system_text_opens_a_conversation() -> None:
    request = AnswerRequest("phi4", messages=(Message("user", "hi"),), system="be kind")
    assert answer_body(request)["messages"][0] == {"role": "system", "content": "be kind"}


def test_loading_generates_nothing() -> None:
    assert load_body("phi4", 4096, "10m") == {
        "model": "phi4",
        "stream": True,
        "options": {"num_ctx": 4096},
        "keep_alive": "10m",
    }


def test_a_prompt_that_is_no_unicode_can_be_sent() -> None:
    assert json.loads(encode({"prompt": "caf\udce9 é"})) == {"prompt": "caf? é"}


def test_a_number_that_is_none_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"options": {"temperature": float("nan")}})
