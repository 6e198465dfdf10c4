"""Models of the app, and visitors that come and go."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from colorize.app.pages import markdown, pieces
from colorize.app.shelf import NameTakenError, Shelf
from colorize.app.visits import GRACE_SECONDS, IDLE_SECONDS, Visits
from colorize.exceptions import RequestError
from colorize.models import user_folder
from colorize.models.file import save_model


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "models")


def test_a_model_is_brought_and_never_written_over(shelf, tiny_model):
    assert shelf.names() == ["default", "classic"]
    assert shelf.add(tiny_model, " mine ") == "mine"
    assert shelf.names() == ["default", "classic", "mine"]
    assert shelf.path("mine").read_bytes() == tiny_model.read_bytes()
    for name in ("mine", "MINE", "default"):
        with pytest.raises(RequestError, match="already"):
            shelf.add(tiny_model, name)
    assert shelf.load("mine") is shelf.load("mine")


def test_of_two_models_brought_at_once_under_one_name_one_is_refused(shelf, tiny_model, monkeypatch):
    both_are_checked = threading.Barrier(2)
    monkeypatch.setattr("colorize.colorizer.Colorizer.load", lambda path: both_are_checked.wait(30))
    with ThreadPoolExecutor(2) as visitors:
        answers = [visitors.submit(shelf.add, tiny_model, name) for name in ("mine", "Mine")]
    assert [type(answer.exception()) for answer in answers if answer.exception()] == [NameTakenError]
    assert len(shelf.paths()) == 3


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "x" * 41, "a\nb", "con:"])
def test_names_that_are_no_plain_names_are_refused(shelf, tiny_model, name):
    with pytest.raises(RequestError, match="1 to 40"):
        shelf.add(tiny_model, name)
    assert not shelf.folder.exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickled", b"PK\x03\x04zip", bytes(1000)])
def test_what_is_no_model_is_refused_without_its_path(shelf, tmp_path, content):
    path = tmp_path / "hidden-place.safetensors"
    path.write_bytes(content)
    with pytest.raises(RequestError) as error:
        shelf.add(path, "bad")
    assert "hidden-place" not in str(error.value)
    assert shelf.names() == ["default", "classic"]


def test_a_flipped_bit_is_noticed(shelf, tmp_path, tiny_model):
    data = bytearray(tiny_model.read_bytes())
    data[-100] ^= 1
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(data)
    with pytest.raises(RequestError, match=r"^damaged\.safetensors: damaged \(the sha256 "):
        shelf.add(path, "damaged")
    (shelf.folder / "damaged.safetensors").write_bytes(data)
    with pytest.raises(RequestError, match=r"^model damaged: ") as error:
        shelf.load("damaged")
    assert str(tmp_path) not in str(error.value)


def test_models_of_another_kind_are_listed_for_comparing_alone(shelf):
    shelf.folder.mkdir()
    save_model(shelf.folder / "other.safetensors", {}, {}, kind="deep")
    (shelf.folder / "rubbish.safetensors").write_bytes(b"rubbish")
    assert shelf.names() == ["default", "classic"]
    assert "other" in shelf.paths()


def test_the_card_tells_the_palette_and_escapes_names(shelf, tiny_model):
    shelf.add(tiny_model, "mine")
    card = shelf.card("mine")
    assert card.n_photos == 12
    assert [share for _, _, share in card.swatches] == sorted((share for _, _, share in card.swatches), reverse=True)
    html = pieces.card(card)
    assert "12 photographs" in html
    assert html.count('<i class="swatch"') == len(card.swatches) == 8
    assert "<table>" in pieces.card(shelf.card("default"))
    assert "&lt;b&gt;" in markdown("<b> **bold**")
    assert "<strong>bold</strong>" in markdown("<b> **bold**")


def test_the_users_folder_follows_the_system(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert user_folder() == Path("/data/colorize/models")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert user_folder() == Path("/local/colorize/models")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The time of visits, which stands still unless it is moved."""
    clock = Clock()
    monkeypatch.setattr("colorize.app.visits.monotonic", clock)
    return clock


def test_visits_are_bounded_and_expire(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("colorize.app.visits.N_VISITS", 3)
    visits = Visits(tmp_path)
    folders = []
    for name in "abcd":
        clock.now += 1
        folders.append(visits.get(name).folder)
    assert [folder.exists() for folder in folders] == [False, True, True, True]
    clock.now += IDLE_SECONDS + 1
    visits.get("d")
    assert [folder.exists() for folder in folders] == [False, False, False, True]


def test_a_visit_that_was_left_is_forgotten_after_a_while_unless_it_comes_back(tmp_path, clock):
    visits = Visits(tmp_path)
    first, second, third = (visits.get(key) for key in "abc")
    clock.now = 3 * GRACE_SECONDS  # looked at meanwhile
    visits.leave("a")
    visits.leave("b")
    assert visits.come_back("d", first.token) is first
    assert visits.come_back("e", "unknown") is not second
    clock.now += GRACE_SECONDS
    visits.tidy()
    assert second.folder.exists()
    clock.now += 1
    visits.tidy()
    assert not second.folder.exists()
    assert third.folder.exists()
    assert visits.get("d") is first


def test_a_visit_that_goes_on_after_it_was_left_is_kept(tmp_path, clock):
    visits = Visits(tmp_path)
    visit = visits.get("a")
    visits.leave("a")
    assert visits.get("a") is visit
    clock.now += GRACE_SECONDS + 1
    visits.tidy()
    assert visit.folder.exists()
    visits.leave("a")  # when it is left for good
    clock.now += GRACE_SECONDS + 1
    visits.tidy()
    assert not visit.folder.exists()


def test_visits_are_tidied_while_nobody_comes(tmp_path, clock, monkeypatch):
    visits = Visits(tmp_path)
    visit = visits.get("a")
    visits.leave("a")
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        clock.now += seconds
        if clock.now > 2 * GRACE_SECONDS:
            raise KeyboardInterrupt

    monkeypatch.setattr("colorize.app.visits.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        visits.keep_tidy()
    assert max(slept) <= 60
    assert not visit.folder.exists()


@pytest.mark.parametrize("is_left", [False, True])
def test_a_training_keeps_the_visit_of_an_open_page_alone(tmp_path, clock, is_left):
    visits = Visits(tmp_path)
    visit = visits.get("a")
    visit.job = SimpleNamespace(status=SimpleNamespace(is_on=True), abandon=lambda: None)
    if is_left:
        visits.leave("a")
    clock.now += IDLE_SECONDS + 1
    visits.tidy()
    assert visit.folder.exists() is not is_left


def test_visits_with_work_under_way_are_kept_besides(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("colorize.app.visits.N_VISITS", 1)
    visits = Visits(tmp_path)
    first, second = visits.get("a"), visits.get("b")
    assert not first.folder.exists()
    first = visits.get("a")
    with visits.at_work(first):
        second = visits.get("b")
        clock.now = IDLE_SECONDS + 1
        with visits.at_work(second):
            visits.get("c")
            visits.get("d")
            assert [visit.folder.exists() for visit in (first, second)] == [True, True]
    clock.now += 1
    visits.get("e")
    assert [visit.folder.exists() for visit in (first, second)] == [False, False]


def test_only_so_many_photographs_are_kept_open(tmp_path, monkeypatch):
    monkeypatch.setattr("colorize.app.visits.N_OPEN", 2)
    visits = Visits(tmp_path)
    for name in "abc":
        visit = visits.get(name)
        visit.session = object()
        visits.opened(visit)
    assert [visits.get(name).session is not None for name in "abc"] == [False, True, True]


def test_files_that_were_sent_go_with_the_last_visit_that_uses_them(tmp_path):
    visits = Visits(tmp_path / "visits")
    old, shared, fresh = (tmp_path / name for name in ("old.jpg", "shared.jpg", "fresh.jpg"))
    for path in (old, shared, fresh):
        path.write_bytes(b"1")
    for path in (old, shared):
        os.utime(path, (0, 0))
    visits.keep("a", (old, shared, fresh))
    visits.keep("b", [shared])
    visits.close("a")
    visits.close("a")
    assert [path.exists() for path in (old, shared, fresh)] == [False, True, True]  # another may just have sent it
    os.utime(fresh, (0, 0))
    visits.get("b")
    assert not fresh.exists()
    visits.close("b")
    assert not shared.exists()
