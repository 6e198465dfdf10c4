"""Training: stopped, gone on with, refused, kept."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from colorize.app.pages import pieces
from colorize.app.training import TrainingJob
from colorize.exceptions import OutputError, RequestError


def ended(job, seconds=300):
    """How a training stands once it no longer runs."""
    end = time.monotonic() + seconds
    while job.status.is_on and time.monotonic() < end:
        time.sleep(0.05)
    return job.status


@pytest.mark.slow
def test_training_ends_with_a_model_and_figures_also_after_a_stop(service, tmp_path, photos):
    packed = tmp_path / "photos.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number, photo in enumerate(photos):
            buffer = io.BytesIO()
            Image.fromarray(photo.pixels).save(buffer, "PNG")
            archive.writestr(f"{number}.png", buffer.getvalue())
        archive.writestr("twin.png", buffer.getvalue())
    service.models.train("v", "My own", files=[packed])
    with pytest.raises(RequestError, match="still running"):
        service.models.train("v", "Another", files=[packed])
    job = service.core.visits.get("v").job
    described = lambda: list(job.folder.glob("described-*/*.safetensors"))  # noqa: E731
    while job.status.is_on and len(described()) < 2:
        threading.Event().wait(0.05)
    service.models.stop("v")
    assert ended(job).state == "stopped"
    kept = {path: path.stat().st_mtime_ns for path in described()}
    assert kept
    service.models.resume("v")
    seen = {}
    while job.status.is_on:
        seen |= {path: path.stat().st_mtime_ns for path in kept if path.exists()}
        threading.Event().wait(0.05)
    status = ended(job)
    assert status.state == "done", status.message
    assert seen == kept  # what was described before the stop was not described again
    assert status.report["left_out"][0][1] == "duplicate"
    assert len(status.samples["pictures"][0]) == 3
    assert "My own" in service.core.shelf.names()
    card = service.core.shelf.card("My own")
    assert card.n_photos == 10
    assert card.figures["n_photos"] == 2
    assert 0 < card.figures["model"] < 40
    assert sum(share for _, _, share in card.swatches) == pytest.approx(1, abs=1e-5)
    assert "My own" in pieces.training(status)
    assert not job.folder.exists()


@pytest.mark.slow
def test_training_builds_on_a_model(service, tmp_path, photos):
    folder = tmp_path / "few"
    folder.mkdir()
    for number, photo in enumerate(photos[:8]):
        Image.fromarray(photo.pixels).save(folder / f"{number}.png")
    service.models.train("v", "On top", folder=str(folder), base="tiny")
    status = ended(service.core.visits.get("v").job)
    assert status.state == "done", status.message
    assert service.core.shelf.load("On top").summary_["base"]
    assert "look first at what the default model" not in pieces.training(status)


@pytest.mark.slow
def test_training_that_cannot_work_says_why_and_can_be_left(service, tmp_path):
    gray = tmp_path / "gray.png"
    Image.new("RGB", (100, 100), (90, 90, 90)).save(gray)
    service.models.train("v", "Gray", files=[gray])
    job = service.core.visits.get("v").job
    status = ended(job)
    assert status.state == "failed"
    assert "usable" in status.message
    assert str(service.core.workspace) not in status.message
    service.core.visits.close("v")
    assert not job.folder.exists()


@pytest.fixture
def trained(monkeypatch, tiny_model):
    """Make trainings end at once, with the tiny model; tells the folders of those that ran."""
    ran = []

    def run(job):
        ran.append(job.folder)
        job.folder.mkdir(exist_ok=True)
        (job.folder / "model.safetensors").write_bytes(tiny_model.read_bytes())
        return 0

    monkeypatch.setattr(TrainingJob, "_run_process", run)
    return ran


def test_a_training_stopped_and_begun_again_while_it_waits_runs_once(tmp_path, trained):
    turn, before = threading.Lock(), {*threading.enumerate()}
    job = TrainingJob(tmp_path, tmp_path, turn, lambda model: "mine")
    with turn:
        job.start()
        job.stop()
        job.start()
        waiting = {*threading.enumerate()} - before
    for thread in waiting:
        thread.join(30)
    assert len(waiting) == 2
    assert trained == [tmp_path]
    assert (job.status.state, job.status.message) == ("done", "mine")


def test_a_training_stopped_as_its_turn_comes_begins_no_process(tmp_path, monkeypatch):
    run, begun = TrainingJob._run_process, []

    def stopped_first(job):
        job.stop()
        return run(job)

    monkeypatch.setattr(TrainingJob, "_run_process", stopped_first)
    monkeypatch.setattr("subprocess.Popen", lambda *args, **kwargs: begun.append(args))
    job = TrainingJob(tmp_path, tmp_path, threading.Lock(), lambda model: "mine")
    job.start()
    assert ended(job).state == "stopped"
    assert not begun


def test_a_model_whose_name_was_taken_while_it_was_trained_is_kept_under_another(service, tmp_path, trained):
    with service.models._turn:
        service.models.train("v", " My own", folder=str(tmp_path))
        service.core.shelf.rename("tiny", "my OWN")
    status = ended(service.core.visits.get("v").job)
    assert (status.state, status.message) == ("done", "My own 2")
    assert service.core.shelf.names() == ["default", "classic", "My own 2", "my OWN"]


def test_a_rename_waits_for_nobody_and_outlasts_what_its_visitor_is_changing(service):
    service.editor.set_style("v", model="tiny")
    visit = service.core.visits.get("v")
    with ThreadPoolExecutor(1) as others, suppress(RequestError), service.core.turn("v"):
        visit.start_from(strength=0.5)
        assert others.submit(service.models.rename, "tiny", "mine").result(30) == "mine"
        raise RequestError("refused: what was asked for before is back, under the name of now")
    assert (visit.model, visit.wishes.strength) == ("mine", 1.0)
    assert service.editor.lost_model("v") == ""


def test_who_comes_while_a_model_is_renamed_does_not_lose_it(service, monkeypatch):
    service.editor.set_style("v", model="tiny")
    rename, answers = Path.rename, []

    def rename_and_be_visited(path, target):
        moved = rename(path, target)
        answers.append(others.submit(service.editor.lost_model, "v"))
        with suppress(TimeoutError):
            answers[0].result(0.5)
        return moved

    monkeypatch.setattr(Path, "rename", rename_and_be_visited)
    with ThreadPoolExecutor(1) as others:
        service.models.rename("tiny", "mine")
    assert answers[0].result() == ""
    assert service.core.visits.get("v").model == "mine"


def test_a_full_disk_at_the_end_of_a_training_ends_it(tmp_path, trained):
    def keep(model):
        raise OutputError("models: no space left")

    job = TrainingJob(tmp_path, tmp_path, threading.Lock(), keep)
    job.start()
    status = ended(job)
    assert (status.state, status.message) == ("failed", "models: no space left")
    assert (tmp_path / "model.safetensors").is_file()  # what was learnt waits to be kept
