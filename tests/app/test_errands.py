"""Comparing, and many photographs at once."""

from __future__ import annotations

import io
import threading
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from colorize.app.pages import pieces
from colorize.app.visits import GRACE_SECONDS, IDLE_SECONDS
from colorize.exceptions import RequestError
from colorize.io import read_photo, write_photo
from colorize.recipe.note import find_note
from colorize.types import RgbImage


def test_a_comparison_measures_only_against_true_colors(service, tmp_path, pictures):
    path = tmp_path / "a.png"
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:120, :160])), path)
    said = []
    found, _, true = service.errands.compare(
        "v", path, ["tiny", "no colour"], told=lambda share, words: said.append((share, words))
    )
    assert said == [
        (0.0, "Waiting for its turn"),
        (0.0, "Colouring with “tiny”"),
        (0.5, "Colouring with “no colour”"),
        (1.0, "Putting the pictures side by side"),
    ]
    assert [item.name for item in found] == ["tiny", "no colour"]
    assert true is not None
    assert found[1].figures["colorfulness"] == 0
    assert "nearest to the truth" in pieces.comparison(found, b"", true)
    gray = np.repeat(pictures["coffee"][:120, :160, 1:2], 3, axis=2)
    write_photo(RgbImage(gray), path, overwrite=True)
    found, _, true = service.errands.compare("v", path, ["tiny"])
    assert true is None
    assert set(found[0].figures) == {"colorfulness"}


def test_a_rule_beside_several_models_says_of_which_it_is(service, tmp_path, pictures):
    path = tmp_path / "a.png"
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:120, :160])), path)
    rule = "colours by lightness and height"
    for models, said in ((["tiny"], rule), (["default", "tiny"], f"{rule} of tiny")):
        found, _, _ = service.errands.compare("v", path, [*models, rule, "no colour"])
        assert [item.name for item in found] == [*models, said, "no colour"]


def test_a_batch_gives_a_zip_and_says_what_failed(service, tmp_path, pictures):
    good, bad, packed = tmp_path / "a.png", tmp_path / "b.jpg", tmp_path / "c.zip"
    buffer = io.BytesIO()
    Image.fromarray(pictures["coffee"][:100, :120]).save(buffer, "PNG")
    good.write_bytes(buffer.getvalue())
    bad.write_bytes(b"no")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/inside.png", buffer.getvalue())
        archive.writestr("readme.txt", "hello")
    result = service.errands.batch("v", [good, good, bad, packed], model="tiny", kind="PNG")
    assert len(result.done) == 3
    assert result.failures == {
        "b.jpg": "not a photograph, or its header is damaged",
        "readme.txt": "not a photograph by its name",
    }
    with zipfile.ZipFile(result.archive) as archive:
        assert sorted(archive.namelist()) == [
            *("a 2.colorized.png", "a.colorized.png", "folder/inside.colorized.png", "report.txt")
        ]
        inside = read_photo(archive.read("folder/inside.colorized.png"))
        assert inside.shape == (100, 120)
        assert find_note(inside.metadata.xmp).model == "tiny"
        report = archive.read("report.txt").decode()
    assert "3 coloured, 2 failed" in report
    assert str(tmp_path) not in report


def test_a_batch_says_what_photographs_lost(service, tmp_path, pictures):
    captioned = tmp_path / "with <caption>.tif"
    Image.fromarray(pictures["coffee"][:80, :100]).save(captioned, tiffinfo={0x83BB: b"\x1c\x02\x78\0\x03Ann"})
    plain = tmp_path / "plain.png"
    Image.fromarray(pictures["coffee"][:80, :100]).save(plain)
    result = service.errands.batch("v", [captioned, plain], model="tiny", kind="PNG")
    assert len(result.done) == 2
    [(note, names)] = result.notes().items()
    assert "IPTC" in note
    shown = pieces.batch(result)
    assert f"1 × {note}" in shown
    assert "with &lt;caption&gt;.tif" in shown or names[0] in shown
    assert "plain" not in shown


def test_a_folder_of_this_machine_is_coloured_in_its_own_order_and_can_be_stopped(service, tmp_path, pictures):
    for name in ("1938/summer/a.png", "1938/b.png", "c.png"):
        path = tmp_path / "albums" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures["coffee"][:80, :100]).save(path)
    result = service.errands.batch("v", [], folder=str(tmp_path / "albums"), model="tiny", kind="PNG")
    with zipfile.ZipFile(result.archive) as archive:
        assert sorted(archive.namelist()) == [
            *("1938/b.colorized.png", "1938/summer/a.colorized.png", "c.colorized.png", "report.txt")
        ]
    assert len(list((tmp_path / "albums").rglob("*.png"))) == 3  # as they were

    shares, said = [], []

    def stop_at_the_second(share, words):
        shares.append(share)
        said.append(words)
        if words.startswith("2 of 3"):
            service.errands.stop_batch("v")

    result = service.errands.batch("v", [], folder=str(tmp_path / "albums"), model="tiny", told=stop_at_the_second)
    assert shares == sorted(shares)
    assert 0.6 < shares[-1] < 2 / 3  # the second of three, nearly done
    assert said[-1].endswith(", then it stops")
    assert "stops" not in said[0]
    assert (len(result.done), result.n_left) == (2, 1)
    assert "1 was not begun" in pieces.batch(result)
    with zipfile.ZipFile(result.archive) as archive:
        assert "1 not begun" in archive.read("report.txt").decode()


@pytest.fixture
def album(tmp_path, pictures):
    """A folder of three small photographs."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name in "abc":
        Image.fromarray(pictures["coffee"][:80, :100]).save(folder / f"{name}.png")
    return folder


def test_a_visit_with_a_batch_under_way_is_not_forgotten(service, album, monkeypatch):
    clock, visits = [0.0], service.core.visits
    monkeypatch.setattr("colorize.app.visits.monotonic", lambda: clock[0])

    def somebody_comes_much_later(share, words):
        clock[0] += IDLE_SECONDS + 1
        visits.get("w")

    result = service.errands.batch("v", [], folder=str(album), model="tiny", told=somebody_comes_much_later)
    assert (len(result.done), result.failures) == (3, {})
    clock[0] += IDLE_SECONDS - 1  # there is time to fetch it
    visits.get("w")
    assert result.archive.is_file()
    clock[0] += 2
    visits.get("w")
    assert not result.archive.exists()


@pytest.fixture
def held(service, album):
    """A batch that waits for its second photograph until it is let go."""
    reached, gate = threading.Event(), threading.Event()
    batch = service.errands.batch

    def wait_at_the_second(*asked, told, **more):
        def hear(share, words):
            told(share, words)
            if words.startswith("2 of 3"):
                reached.set()
                gate.wait(60)

        return batch(*asked, told=hear, **more)

    service.errands.batch = wait_at_the_second
    work = service.errands.start_batch("v", [], folder=str(album), model="tiny")
    assert reached.wait(60)
    yield service, work, gate
    gate.set()
    work.wait(60)


def test_a_batch_goes_on_while_its_page_is_away_and_is_found_again(held, monkeypatch):
    service, work, gate = held
    clock = [time.monotonic()]
    monkeypatch.setattr("colorize.app.visits.monotonic", lambda: clock[0])
    visit = service.core.visits.get("v")

    def pass_by(seconds):
        """As when so much time is over."""
        clock[0] += seconds
        service.core.visits.tidy()

    service.core.visits.leave("v")
    pass_by(7200)
    gate.set()
    assert work.wait(60)
    assert len(work.result().done) == 3
    pass_by(7200)  # a night, with no page
    assert work.result().archive.is_file()
    service.core.visits.come_back("v2", visit.token)
    assert service.errands.batch_of("v2") is work
    service.errands.know_batch("v2")
    service.core.visits.leave("v2")
    pass_by(GRACE_SECONDS + 1)
    assert not work.result().archive.exists()


def test_a_second_batch_waits_for_the_first_and_the_zip_on_offer_stays_whole(held, album):
    service, work, gate = held
    with pytest.raises(RequestError, match="still going on"):
        service.errands.start_batch("v", [], folder=str(album), model="tiny")
    service.errands.stop_batch("v")
    gate.set()
    assert work.wait(60)
    first = work.result()
    assert (len(first.done), first.n_left) == (2, 1)
    content = first.archive.read_bytes()
    gate.clear()
    work = service.errands.start_batch("v", [], folder=str(album), model="tiny")
    while not work.now[1].startswith("2 of 3"):
        time.sleep(0.01)
    assert first.archive.read_bytes() == content
    gate.set()
    assert work.wait(60)
    second = work.result()
    assert len(second.done) == 3
    assert [path.parent for path in second.archive.parent.parent.glob("*/*")] == [second.archive.parent]


def test_a_folder_of_nobody_is_no_folder(service, tmp_path):
    with pytest.raises(RequestError, match="no such folder"):
        service.core.photographs([], "~nobody-of-this-name/album", tmp_path / "place")


def test_a_batch_that_failed_is_told_of_once(service):
    work = service.errands.start_batch("v", [])
    assert work.wait(60)
    assert service.errands.batch_of("v") is work
    with pytest.raises(RequestError, match="choose photographs first"):
        work.result()
    service.errands.know_batch("v")
    assert service.errands.batch_of("v") is None


def test_a_batch_ends_with_its_visit_and_says_nothing_of_this_machine(service, album):
    seen = []

    def close_at_the_second(share, words):
        seen.append(words[:6])
        if words.startswith("2 of 3"):
            service.core.visits.close("v")

    result = service.errands.batch("v", [], folder=str(album), model="tiny", told=close_at_the_second)
    assert "3 of 3" not in seen
    assert (len(result.done), result.n_left) == (1, 1)
    assert not any(str(service.core.workspace) in why for why in result.failures.values())
    assert list(result.failures) == ["b.png"]
