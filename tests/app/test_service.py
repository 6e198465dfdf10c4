"""The app without its page: visitors beside each other, and what is said if something cannot be done."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from colorize.app.core import Core
from colorize.app.serve import serve
from colorize.app.service import Service
from colorize.app.visits import IDLE_SECONDS
from colorize.color import rgb_to_lightness
from colorize.exceptions import RequestError
from colorize.io import read_photo, write_photo
from colorize.types import RgbImage

from .helpers import stroke


def test_a_page_that_is_loaded_again_offers_the_same_versions(opened):
    assert opened.editor.offered("v") == []
    pictures = opened.editor.alternatives("v")
    opened.core.visits.come_back("v2", opened.core.visits.get("v").token)
    assert opened.editor.offered("v2") == pictures
    opened.editor.choose("v2", 1)
    assert opened.editor.offered("v2") == pictures  # another one takes its place
    opened.editor.open_sample("v2", "coffee")
    assert opened.editor.offered("v2") == []


def test_without_a_photograph_every_wish_gets_a_plain_answer(service):
    editor, brush = service.editor, service.brush
    for wish in (brush.undo, brush.redo, brush.clear, brush.suggestions, brush.save, editor.share, editor.alternatives):
        with pytest.raises(RequestError, match="first choose a photograph"):
            wish("nobody")


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.editor.set_style("v", model="damaged"),
        lambda s: s.editor.open_sample("v", "coffee"),
        lambda s: s.brush.undo("v"),
        lambda s: s.brush.redo("v"),
        lambda s: s.editor.choose("v", -1),
    ],
)
def test_what_cannot_be_shown_is_not_gone_on_with(opened, monkeypatch, change):
    opened.editor.alternatives("v")
    opened.editor.choose("v", 2)
    for row in (60, 100):
        opened.brush.paint("v", stroke(row=row))
    before = opened.brush.undo("v")
    path = opened.core.shelf.path("tiny")
    # what a copy that was broken off leaves: its head is whole
    path.with_name("damaged.safetensors").write_bytes(path.read_bytes()[:-100])
    with monkeypatch.context() as patched:
        patched.setattr("colorize.app.core.Core.view", lambda *_: 1 / 0)
        with pytest.raises((RequestError, ZeroDivisionError)):
            change(opened)
    after = opened.editor.view("v")
    assert after.photo is before.photo
    assert (after.color, after.can_undo, after.can_redo) == (before.color, True, True)
    assert opened.core.visits.get("v").model == "tiny"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda s: s.editor.set_style("v", model="../tiny"), "no model named"),
        (lambda s: s.editor.save("v", "EXE"), "choose one of"),
        (lambda s: s.editor.choose("v", 99), "no such picture"),
        (lambda s: s.brush.erase("v", -1), "no such stroke"),
        (lambda s: s.brush.edit("v", -1, color="#ffffff"), "no such stroke"),
        (lambda s: s.brush.learn("v", "new"), "nothing has been painted"),
        (lambda s: s.brush.learn("v", "tiny"), "already"),
        (lambda s: s.models.rename("default", "mine"), "came with the package"),
        (lambda s: s.models.delete("default"), "came with the package"),
        (lambda s: s.models.delete("nothing"), "no model named"),
        (lambda s: s.models.rename("tiny", "Default"), "already"),
        (lambda s: s.models.train("v", "new", folder="x", base="nothing"), "no model named"),
        (lambda s: s.errands.batch("v", [], folder="/nowhere/at/all"), "no such folder"),
        (lambda s: s.errands.batch("v", [], folder=str(s.core.shelf.folder)), "no photographs in that folder"),
        (lambda s: s.editor.open_sample("v", "nothing"), "no such sample"),
        (lambda s: s.editor.explain("v", 5000, 1), "outside"),
        (lambda s: s.errands.compare("v", s.editor.save("v", "PNG"), ["nonsense"]), "no method nonsense"),
        (lambda s: s.errands.compare("v", s.editor.save("v", "PNG"), []), "at least one"),
        (lambda s: s.errands.batch("v", []), "choose photographs"),
        (lambda s: s.models.train("v", "new"), "choose photographs"),
        (lambda s: s.models.train("v", "tiny", folder="x"), "already"),
        (lambda s: s.models.train("v", "a/b", folder="x"), "name of 1 to 40"),
        (lambda s: s.models.train("v", "new", folder="/nowhere/at/all"), "no such folder"),
        (lambda s: s.models.resume("v"), "no training"),
    ],
)
def test_what_cannot_be_done_is_said(opened, call, expected):
    with pytest.raises(RequestError, match=expected):
        call(opened)


@pytest.mark.slow
def test_long_work_holds_nobody_else_up(opened, photo_file):
    """With one lock for everybody the calls within the saving would wait for ever."""
    before = opened.editor.view("v")
    said = []

    def meanwhile(share, words):
        said.append(words)
        if words == "Choosing colours":
            assert others.submit(opened.editor.open_sample, "w", "coffee").result(60).photo.path.name == "coffee.png"
            assert len(others.submit(opened.brush.paint, "v", stroke()).result(60).strokes) == 1

    with ThreadPoolExecutor(1) as others:
        saved = read_photo(opened.editor.save("v", "PNG", meanwhile))
    assert list(dict.fromkeys(said)) == [
        *("Waiting for its turn", "Reading 0.2 megapixels", "Choosing colours", "Spreading the colours to every pixel"),
        *("Making the picture", "Writing the PNG"),
    ]
    opened.brush.undo("v")
    assert opened.editor.view("v").color == before.color
    assert saved.pixels.tolist() == read_photo(opened.editor.save("v", "PNG")).pixels.tolist()  # as when it was begun


def test_a_page_that_is_loaded_again_comes_back_to_its_visit(opened):
    view = opened.brush.paint("v", stroke())
    opened.editor.set_style("v", vividness=0.3)
    token = opened.core.visits.get("v").token
    opened.core.visits.leave("v")
    visit = opened.core.visits.come_back("v2", token)
    again = opened.editor.view("v2")
    assert len(again.strokes) == 1
    assert again.photo is view.photo
    assert (visit.model, visit.vividness, visit.shows_sure) == ("tiny", 0.3, False)
    assert opened.core.visits.come_back("v3", "a token that nobody has").wishes.photo is None
    assert len(opened.editor.view("v2").strokes) == 1


@pytest.mark.slow
def test_a_page_comes_back_although_its_model_is_gone(opened):
    opened.brush.paint("v", stroke())
    opened.editor.alternatives("v")
    opened.editor.choose("v", 1)
    visit = opened.core.visits.get("v")
    visit.forget_session()  # as if others had needed the memory
    opened.models.delete("tiny")
    assert opened.core.visits.come_back("v2", visit.token) is visit
    assert opened.editor.lost_model("v2") == "tiny"
    assert visit.model == "default"
    view = opened.editor.view("v2")
    assert opened.editor.lost_model("v2") == ""
    assert len(view.strokes) == 1
    assert not visit.wishes.steps


def test_every_answer_of_the_page_says_in_words_what_cannot_be(service):
    pytest.importorskip("gradio", reason="the extra app is not installed")
    from colorize.app import web

    (service.core.shelf.folder / "bad.safetensors").write_bytes(b"not a model")
    answers = [step.fn for step in web.build(service).fns.values() if step.fn]
    bare = {answer.__name__ for answer in answers if not hasattr(answer, "__wrapped__")}
    assert bare == {"leave", "know"}  # they ask for nothing that can be refused
    cards = [answer for answer in answers if answer.__name__ == "show"]
    assert len(cards) == 2
    for card in cards:
        assert "model bad: " in card("bad")
        assert card(None) is None  # of a list whose model was deleted


def test_what_is_offered_or_was_sent_is_kept_for_a_day_and_missed_in_words(service, tmp_path):
    pytest.importorskip("gradio", reason="the extra app is not installed")
    from colorize.app import web
    from colorize.app.answers import sent

    assert web.build(service).delete_cache[1] >= IDLE_SECONDS == 86_400
    with pytest.raises(RequestError, match=r"old\.jpg is no longer here"):
        sent(service.core, SimpleNamespace(session_hash="v"), [str(tmp_path / "old.jpg")])


def test_a_host_that_is_none_of_this_machine_is_said_to_be_so(tmp_path):
    said = []
    with pytest.raises(RequestError, match=r"^203\.0\.113\.7 is no address of this machine; name another --host$"):
        serve(
            host="203.0.113.7",  # of documents alone, says RFC 5737
            port=0,
            models=tmp_path,
            max_upload=1,
            open_browser=False,
            login=None,
            folders_allowed=True,
            say=said.append,
        )
    assert said == []


@pytest.mark.slow
def test_visitors_do_not_see_each_other_and_leave_nothing_behind(service, photo_file):
    service.editor.open_photo("a", photo_file)
    service.editor.open_sample("b", "coffee")
    assert service.editor.view("a").photo.path.name == "Oma _ Opa.jpg"
    assert service.editor.view("b").photo.path.name == "coffee.png"
    folder = service.core.visits.get("a").folder
    service.editor.save("a", "PNG")
    service.core.visits.close("a")
    assert not folder.exists()
    assert service.editor.view("a") is None
    service.core.close()
    assert not service.core.workspace.exists()


@pytest.mark.slow
def test_many_at_once_all_get_their_own(service, tmp_path, pictures):
    names = sorted(pictures)[:4]
    for name in names:
        write_photo(RgbImage(np.ascontiguousarray(pictures[name][:150, :200])), tmp_path / f"{name}.png")
    found = {}

    def visit(name):
        service.editor.open_photo(name, tmp_path / f"{name}.png")
        found[name] = service.editor.set_style(name, model="tiny")

    threads = [threading.Thread(target=visit, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        lightness = found[name].photo.gray.lightness
        assert np.abs(lightness - rgb_to_lightness(pictures[name][:150, :200])).max() < 0.01  # float32


def test_a_failing_job_leaves_the_service_running(opened, monkeypatch):
    monkeypatch.setattr("colorize.app.core.jpeg", lambda pixels: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        opened.editor.set_style("v", vividness=0.9)
    monkeypatch.undo()
    assert opened.editor.set_style("v", vividness=0.8).color
    monkeypatch.setattr("colorize.guidance.session.Session.with_hints", lambda *_: np.empty(1 << 50))
    with pytest.raises(RequestError, match="memory"):
        opened.editor.set_style("v", vividness=0.7)


def test_a_visitor_may_not_name_folders_of_a_foreign_machine_or_change_its_models(tmp_path, tiny_model):
    service = Service(Core(tmp_path / "models", folders_allowed=False))
    service.core.shelf.add(tiny_model, "tiny")
    for wish in (
        lambda: service.models.train("v", "New", folder=str(tmp_path)),
        lambda: service.errands.batch("v", [], folder=str(tmp_path)),
        lambda: service.models.rename("tiny", "mine"),
        lambda: service.models.delete("tiny"),
    ):
        with pytest.raises(RequestError, match="this machine alone"):
            wish()
    service.core.close()
