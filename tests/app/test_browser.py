"""The real app, driven by a real browser."""

from __future__ import annotations

import io
import re
import urllib.error
import urllib.request
import zipfile

import numpy as np
import pytest
from PIL import Image

from colorize.app import stages
from colorize.color import rgb_to_lab, rgb_to_lightness

pytestmark = pytest.mark.browser


def test_it_is_small(app, visit):
    visit()
    assert app.memory() <= 700  # with a visitor and a model


def test_upload_slide_save(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    assert "our cat.jpg, 1200 x 800 pixels" in visitor.page.locator(".stage .caption").inner_text()
    shot = Image.open(io.BytesIO(visitor.page.locator(".stage .frame").screenshot())).convert("RGB")
    chroma = np.hypot(*np.moveaxis(rgb_to_lab(np.asarray(shot))[..., 1:], 2, 0))
    half = chroma.shape[1] // 2
    assert chroma[60:, : half - 30].mean() < 1.5  # gray on the left
    assert chroma[60:, half + 30 :].mean() > 3  # coloured on the right; fur has little colour
    split = visitor.page.get_by_label("Slide between the gray photograph and its colours")
    split.focus()
    split.press("ArrowLeft")
    assert visitor.page.locator(".stage .frame").evaluate("e => e.style.getPropertyValue('--split')") == "49%"
    visitor.page.get_by_label("JPEG").first.check()
    with visitor.page.expect_download() as download:
        visitor.page.locator("#save").click()
    assert download.value.suggested_filename == "our cat.colorized.jpg"
    saved = Image.open(download.value.path())
    assert saved.size == (1200, 800)
    assert saved.getexif()[0x010F] == "Grandfather's camera"
    lightness = rgb_to_lightness(np.asarray(Image.open(cat_photo)))
    assert np.abs(rgb_to_lightness(np.asarray(saved)) - lightness).mean() < 0.6  # JPEG of quality 95
    ready = visitor.page.locator("#ready")
    ready.get_by_text("Download our cat.colorized.jpg").wait_for()
    visitor.page.locator("#vividness input[type=range]").press("End")
    ready.wait_for(state="detached")  # it was of the picture before


def test_a_stroke_changes_the_region_and_undo_takes_it_back(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    before = visitor.picture()
    visitor.step("Correct")
    visitor.page.locator(".stage .paint").fill("#2040d0")
    visitor.paint(0.3, 0.45)
    visitor.wait_for_version(2)
    after = visitor.picture()
    row, col = round(0.3 * before.shape[0]), round(0.49 * before.shape[1])
    patch = slice(row - 3, row + 4), slice(col - 20, col + 20)
    blue = rgb_to_lab(after[patch])[..., 2].mean() - rgb_to_lab(before[patch])[..., 2].mean()
    assert blue < -25
    visitor.page.get_by_role("button", name="Undo").click()
    visitor.wait_for_version(3)
    assert np.array_equal(visitor.picture(), before)
    assert visitor.page.get_by_role("button", name="Undo").is_disabled()


def test_undo_and_redo_in_haste_are_not_lost(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    visitor.paint(0.3, 0.45)
    for keys in ("Control+z", "Control+Shift+z", "Control+z"):  # before the stroke is answered
        visitor.page.keyboard.press(keys)
    visitor.page.wait_for_function("!document.querySelector('.stage').classList.contains('busy')")
    assert visitor.n_strokes() == 0
    assert visitor.page.get_by_role("button", name="Undo").is_disabled()
    assert visitor.page.get_by_role("button", name="Redo").is_enabled()


def test_keyboard_dropper_suggestions_and_kept_hints(visit, cat_photo, tmp_path):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    pad = visitor.page.locator(".stage .pad")
    pad.focus()
    pad.press("ArrowUp")
    pad.press("Enter")
    visitor.wait_for_version(2)
    visitor.page.get_by_role("button", name="Pick from the photo").click()
    visitor.page.mouse.click(*visitor.place(0.5, 0.5))
    assert visitor.page.locator(".stage .paint").input_value() != "#9a5b3c"
    visitor.page.get_by_role("button", name="Where would a hint help most?").click()
    swatches = visitor.page.locator("#places button.swatch")
    swatches.first.wait_for()
    assert visitor.page.locator(".stage .pin").count() == 5
    assert re.match(r"paint place 1 .+ likely", swatches.first.get_attribute("aria-label"))
    swatches.nth(1).click()
    visitor.wait_for_version(3)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Keep these hints").click()
    hints = tmp_path / download.value.suggested_filename
    download.value.save_as(hints)
    assert hints.name == "our cat.hints.json"
    painted = visitor.picture()
    visitor.page.get_by_role("button", name="Clear all").click()
    visitor.wait_for_version(4)
    visitor.page.set_input_files("input[type=file][accept*=json]", hints)
    visitor.wait_for_version(5)
    assert np.array_equal(visitor.picture(), painted)


def test_vividness_by_keyboard_changes_the_picture_and_doubts_stay_in_sight(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    pictures = [visitor.picture()]
    visitor.page.get_by_role("tab", name="Why?").focus()
    visitor.page.keyboard.press("Tab")
    options = visitor.page.get_by_role("option")
    options.first.wait_for()
    visitor.page.keyboard.press("Tab")
    options.first.wait_for(state="detached")  # the list of models, which would lie over the slider
    slider = visitor.page.locator("#vividness input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    assert slider.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"  # one sees where one is
    visitor.wait_for_version(2)
    pictures.append(visitor.picture())
    visitor.page.get_by_label("Show how sure the model is").check()
    visitor.page.locator(".stage img.sure").wait_for()
    number = visitor.page.locator("#vividness input[type=number]")
    number.fill("1")
    number.press("Enter")
    visitor.wait_for_version(3)
    pictures.append(visitor.picture())
    chroma = [np.abs(rgb_to_lab(picture)[..., 1:]).mean() for picture in pictures]
    assert chroma == sorted(chroma)
    assert chroma[2] > chroma[0] + 0.5
    assert visitor.page.locator(".stage img.sure").is_visible()


def test_strokes_are_seen_edited_erased_and_brought_back(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    page = visitor.page
    pictures = {0: visitor.picture()}
    for number, row in enumerate((0.3, 0.7)):
        page.locator(".stage .paint").fill(("#2040d0", "#c03020")[number])
        visitor.paint(row, 0.4)
        visitor.wait_for_version(2 + number)
        pictures[1 + number] = visitor.picture()
    rows = page.locator("#strokes li")
    assert rows.count() == 2
    page.get_by_label("Erase", exact=True).or_(page.get_by_role("button", name="Erase", exact=True)).first.click()
    drawn = page.evaluate(
        """() => { const c = document.querySelector('canvas.drawn');
        return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0); }"""
    )
    assert drawn
    page.mouse.click(*visitor.place(0.3, 0.44))  # the first stroke
    visitor.wait_for_version(4)
    assert rows.count() == 1
    page.keyboard.press("Control+z")
    visitor.wait_for_version(5)
    assert np.array_equal(visitor.picture(), pictures[2])
    page.keyboard.press("Control+z")
    visitor.wait_for_version(6)
    assert np.array_equal(visitor.picture(), pictures[1])
    page.keyboard.press("Control+Shift+Z")
    visitor.wait_for_version(7)
    assert np.array_equal(visitor.picture(), pictures[2])
    page.get_by_label("colour of stroke 2").fill("#20c040")
    visitor.wait_for_version(8)
    assert not np.array_equal(visitor.picture(), pictures[2])
    # Of a double click the second half takes no other stroke away.
    page.get_by_role("button", name="erase stroke 1").dblclick()
    page.get_by_test_id("toast-body").get_by_text("no such stroke any more").wait_for()
    visitor.wait_for_version(9)
    assert rows.count() == 1
    page.get_by_role("button", name="erase stroke 1").click()
    visitor.wait_for_version(10)
    assert np.array_equal(visitor.picture(), pictures[0])


def test_the_list_of_strokes_keeps_the_focus(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    page = visitor.page
    for number, row in enumerate((0.3, 0.7)):
        visitor.paint(row, 0.4)
        visitor.wait_for_version(2 + number)
    reach = page.get_by_label("how far stroke 2 spreads")
    reach.focus()
    for number, wanted in enumerate(("similar", "photo")):
        page.keyboard.press("ArrowDown")
        visitor.wait_for_version(4 + number)
        assert reach.evaluate("e => e === document.activeElement && e.value") == wanted
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # erases the second
    visitor.wait_for_version(6)
    assert page.get_by_role("button", name="erase stroke 1").evaluate("e => e === document.activeElement")


def test_what_is_protected_stays_as_it_is(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    page = visitor.page
    before = visitor.picture()
    page.get_by_role("button", name="Protect").click()
    visitor.paint(0.3, 0.5, length=0.2)
    visitor.wait_for_version(2)
    page.get_by_role("button", name="Brush").click()
    page.get_by_label("Spreads to").select_option("photo")
    page.locator(".stage .paint").fill("#2040d0")
    visitor.paint(0.7, 0.2, length=0.2)
    visitor.wait_for_version(3)
    height, width = before.shape[:2]
    moved = np.linalg.norm((rgb_to_lab(visitor.picture()) - rgb_to_lab(before))[..., 1:], axis=2)
    spot = (slice(round(0.3 * height) - 2, round(0.3 * height) + 3), slice(round(0.52 * width), round(0.68 * width)))
    assert moved[spot].mean() < 2  # JPEG
    assert np.median(moved) > 5
    assert page.locator("#strokes").get_by_text("stays as it is").count() == 1
    page.get_by_label("Erase", exact=True).or_(page.get_by_role("button", name="Erase", exact=True)).first.click()
    page.mouse.click(*visitor.place(0.3, 0.5 + 0.2 / 12))  # between the first two of six moves
    visitor.wait_for_version(4)
    assert page.locator("#strokes").get_by_text("stays as it is").count() == 0


def test_zoom_paints_where_the_pointer_is(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    page = visitor.page
    x, y = visitor.place(0.3, 0.45)
    page.mouse.move(x, y)
    assert page.locator(".stage .ring").is_visible()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function("Number(document.querySelector('.stage').dataset.zoom) > 2")
    page.mouse.click(x, y)
    visitor.wait_for_version(2)
    row, col = page.evaluate("document.querySelector('.stage').strokes[0].path[0]")
    height, width = visitor.picture().shape[:2]
    assert row == pytest.approx(0.3 * height, abs=2)
    assert col == pytest.approx(0.45 * width, abs=2)
    page.get_by_role("button", name="Undo").click()  # has the focus then
    visitor.wait_for_version(3)
    page.get_by_role("button", name="Redo").click()
    visitor.wait_for_version(4)
    page.mouse.move(x, y)
    there = page.locator(".stage .sheet").get_attribute("style")
    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(x + 40, y + 20, steps=3)
    page.mouse.up()
    page.keyboard.up(" ")
    assert page.locator(".stage .sheet").get_attribute("style") != there
    page.get_by_role("button", name="Fit").click()
    assert (visitor.version(), visitor.n_strokes()) == (4, 1)  # moved, with nothing painted or pressed
    assert page.locator(".stage").get_attribute("data-zoom") == "1.00"


def test_a_panorama_can_be_painted_on(visit, pictures, tmp_path):
    path = tmp_path / "panorama.png"
    Image.fromarray(pictures["coffee"][200:240]).resize((3000, 300)).save(path)
    visitor = visit(viewport={"width": 1366, "height": 768})
    visitor.open(path)
    visitor.step("Correct")
    page = visitor.page
    frame, sheet = (page.locator(f".stage .{name}") for name in ("frame", "sheet"))
    assert frame.bounding_box()["height"] > 250
    assert sheet.bounding_box()["width"] == pytest.approx(frame.bounding_box()["width"], abs=1)
    page.get_by_role("button", name="Fill").click()
    assert sheet.bounding_box()["height"] == pytest.approx(frame.bounding_box()["height"], abs=1)
    page.mouse.click(*visitor.place(0.3, 0.5))
    visitor.wait_for_version(2)
    row, col = page.evaluate("document.querySelector('.stage').strokes[0].path[0]")
    height, width = visitor.picture().shape[:2]
    assert height > 200
    assert row == pytest.approx(0.3 * height, abs=2)
    assert col == pytest.approx(0.5 * width, abs=2)
    visitor.step("Colorize")
    box = frame.bounding_box()
    assert box["width"] == pytest.approx(10 * box["height"], rel=0.02)
    assert sheet.bounding_box() == box


def test_marks_at_the_edge_are_whole(visit, pictures, tmp_path):
    path = tmp_path / "strip.png"
    Image.fromarray(pictures["coffee"][150:250, :600]).save(path)
    visitor = visit(viewport={"width": 390, "height": 844})
    visitor.open(path)
    visitor.step("Correct")
    visitor.page.get_by_role("button", name="Where would a hint help most?").click()
    visitor.page.locator("#places .swatch").first.wait_for()
    sheet = visitor.page.locator(".stage .sheet").bounding_box()
    for pin in visitor.page.locator(".stage .pin").all():
        box = pin.bounding_box()
        for start, length in (("x", "width"), ("y", "height")):
            assert sheet[start] <= box[start]
            assert box[start] + box[length] <= sheet[start] + sheet[length]


def test_learning_from_corrections_makes_a_model(visit, cat_photo, app):
    visitor = visit()
    visitor.open(cat_photo)
    page = visitor.page
    visitor.step("Correct")
    page.get_by_role("button", name="Learn from these corrections").first.click()
    page.get_by_label("Name of the model that learns").fill("blue cats")
    page.locator("#learn").click()
    complaint = page.get_by_test_id("toast-body")
    complaint.get_by_text("nothing has been painted").wait_for()
    ends = complaint.bounding_box()["x"] + complaint.bounding_box()["width"]
    assert ends < page.locator("#learn").bounding_box()["x"]  # beside what it speaks of
    page.locator(".stage .paint").fill("#2040d0")
    visitor.paint(0.3, 0.45)
    visitor.wait_for_version(2)
    page.locator("#learn").click()
    page.locator("#learnt").get_by_text("in the list of models").wait_for()
    assert (app.models / "blue cats.safetensors").is_file()
    visitor.room("Train")
    page.locator("#base input").click()
    page.get_by_role("option", name="blue cats").wait_for()


def test_other_versions_can_be_chosen_from_also_after_a_reload_and_doubts_stay_in_sight(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    before = visitor.picture()
    visitor.page.get_by_role("button", name="Other versions").click()
    visitor.page.locator("#choices").get_by_text("Working ...").wait_for()
    choices = visitor.page.locator("#choices button[data-pick]")
    choices.first.wait_for()
    assert choices.count() == 6
    assert choices.nth(1).inner_text() == "colder"
    choices.nth(1).click()
    visitor.wait_for_version(2)
    chosen = visitor.picture()
    assert np.abs(chosen.astype(int) - before).mean() > 3
    visitor.page.get_by_label("Show how sure the model is").check()
    visitor.page.locator(".stage img.sure").wait_for()
    visitor.reload()
    visitor.wait_for_version(1)
    assert np.array_equal(visitor.picture(), chosen)
    assert visitor.page.locator(".stage img.sure").is_visible()
    choices.last.click()
    visitor.wait_for_version(2)
    assert np.array_equal(visitor.picture(), before)


def test_why(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Why?")
    visitor.page.mouse.click(*visitor.place(0.4, 0.6))
    visitor.page.locator(".stage .caption").get_by_text("Working ...").wait_for()
    # Clicked before the first is answered: the last counts.
    for row, col in ((0.2, 0.2), (0.1, 0.9), (0.9, 0.1)):
        visitor.page.mouse.click(*visitor.place(row, col))
    visitor.page.locator("#answer .card").wait_for()
    visitor.wait_for_version(1)  # and no longer busy
    said = visitor.page.locator("#answer").inner_text()
    visitor.page.mouse.click(*visitor.place(0.9, 0.1))
    visitor.page.wait_for_timeout(100)
    visitor.wait_for_version(1)
    assert visitor.page.locator("#answer").inner_text() == said
    assert "What spoke for it, and against" in visitor.page.locator("#answer").inner_text()
    visitor.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert visitor.page.evaluate("scrollY") > 200
    assert visitor.page.locator(".stage .frame").bounding_box()["y"] >= 0  # to ask again


def test_a_reference_lends_its_colors(visit, cat_photo, tmp_path, pictures):
    path = tmp_path / "cup.png"
    Image.fromarray(pictures["coffee"]).save(path)
    visitor = visit()
    visitor.open(cat_photo)
    before = visitor.picture()
    visitor.step("Reference")
    visitor.page.set_input_files("#references input", path)
    visitor.page.locator("#references").get_by_text("cup").wait_for()
    visitor.page.get_by_role("button", name="Colour it like these").click()
    visitor.wait_for_version(2)
    assert np.abs(visitor.picture().astype(int) - before).mean() > 1
    visitor.page.reload()
    visitor.page.wait_for_selector(".stage", state="attached")
    visitor.wait_for_version(1)
    visitor.step("Reference")
    visitor.page.locator("#lenders").get_by_text("cup.png").click()
    visitor.wait_for_version(2)
    assert np.array_equal(visitor.picture(), before)
    assert visitor.page.locator("#lenders button").count() == 0


def test_a_deleted_model_gives_way_to_the_default_one_everywhere(visit, cat_photo, tiny_model, app):
    app.models.mkdir(exist_ok=True)
    (app.models / "short lived.safetensors").write_bytes(tiny_model.read_bytes())
    visitor = visit()
    page = visitor.page
    visitor.open(cat_photo)
    before = visitor.picture()
    page.get_by_role("tabpanel").get_by_label("Model").first.click()
    page.get_by_role("option", name="short lived").click()
    visitor.wait_for_version(2)
    visitor.room("Batch")
    page.locator("#batch-model input").click()
    page.get_by_role("option", name="short lived").click()
    visitor.room("Train")
    page.locator("#shelf input").click()
    page.get_by_role("option", name="short lived").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#delete-model").click()
    toast = page.get_by_test_id("toast-body")
    toast.get_by_text("“short lived” is gone").wait_for()
    assert toast.locator(".toast-title.info").count() == 1  # no failure
    visitor.room("Photograph")
    visitor.wait_for_version(3)
    assert np.array_equal(visitor.picture(), before)
    assert page.get_by_role("tabpanel").get_by_label("Model").first.input_value() == "default"
    visitor.room("Batch")
    assert page.locator("#batch-model input").input_value() == "default"


def test_the_lists_of_one_page_follow_what_another_renamed(visit, tiny_model, app):
    app.models.mkdir(exist_ok=True)
    (app.models / "early.safetensors").write_bytes(tiny_model.read_bytes())
    one, other = visit(), visit()
    one.room("Train")
    one.page.locator("#shelf input").click()
    one.page.get_by_role("option", name="early").click()
    one.page.locator("#new-name input, #new-name textarea").fill("late")
    one.page.locator("#rename-model").click()
    one.page.wait_for_function("document.querySelector('#shelf input').value === 'late'")
    other.room("Train")
    other.page.wait_for_timeout(1000)  # for the answer
    other.page.locator("#shelf input").click()
    other.page.get_by_role("option", name="late").wait_for()
    assert other.page.get_by_role("option", name="early").count() == 0
    (app.models / "late.safetensors").unlink()


def test_a_bad_upload_is_refused_and_the_app_goes_on(visit, cat_photo, tmp_path):
    bad = tmp_path / "holiday.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    visitor = visit()
    visitor.open(cat_photo)
    visitor.page.set_input_files("#upload input", str(bad))
    box = visitor.page.get_by_test_id("toast-body")
    box.wait_for()
    assert "holiday.png: " in box.inner_text()
    assert "/" not in box.inner_text()
    title = box.locator(".toast-title")
    assert title.evaluate("e => getComputedStyle(e, '::before').content") == '"That did not work"'
    assert title.evaluate("e => getComputedStyle(e).fontSize") == "0px"  # Gradio's word for it
    visitor.step("Correct")
    visitor.paint(0.5, 0.5)
    visitor.wait_for_version(2)


def test_after_a_refused_file_the_next_one_is_taken(visit, cat_photo, tmp_path, tiny_model):
    bad, model = tmp_path / "holiday.png", tmp_path / "gift.safetensors"
    bad.write_bytes(b"nothing")
    model.write_bytes(b"nothing")
    visitor = visit()
    toasts = visitor.page.get_by_test_id("toast-body")
    assert visitor.drop("#upload button", bad)
    toasts.get_by_text("holiday.png: ").wait_for()
    assert visitor.drop("#upload button", cat_photo)
    visitor.wait_for_version(1)
    visitor.room("Train")
    assert visitor.drop("#bring button", model)
    toasts.get_by_text("not a colorize model file").wait_for()
    model.write_bytes(tiny_model.read_bytes())
    visitor.page.locator("#bring input[type=file]").wait_for(state="attached")
    assert visitor.drop("#bring button", model)
    visitor.page.get_by_text("Model “gift”").wait_for()  # its card: the sign that it is here
    assert visitor.drop("#bring button", model)  # the name is taken now: another is offered
    field = visitor.page.get_by_label("That name is taken")
    field.wait_for()
    assert field.input_value() == "gift 2"
    visitor.page.locator("#bring-as").click()
    field.wait_for(state="hidden")
    visitor.page.wait_for_function("document.querySelector('#shelf input').value === 'gift 2'")
    visitor.page.locator("#new-name input, #new-name textarea").fill("present")
    visitor.page.locator("#rename-model").click()
    visitor.page.wait_for_function("document.querySelector('#shelf input').value === 'present'")
    visitor.page.on("dialog", lambda dialog: dialog.accept())
    visitor.page.locator("#delete-model").click()
    visitor.page.wait_for_function("document.querySelector('#shelf input').value === 'default'")


def test_a_complaint_stays_until_something_else_is_tried(visit):
    page = visit().page
    page.locator("#save").evaluate("button => button.click()")  # out of sight before there is a photograph
    toasts = page.get_by_test_id("toast-body")
    toasts.get_by_text("first choose a photograph").wait_for()
    assert toasts.locator(".timer").count() == 0
    page.get_by_role("tab", name="Train").click()
    toasts.wait_for(state="detached")
    page.get_by_role("button", name="Train", exact=True).click()
    toasts.get_by_text("give the model a name").wait_for()
    page.get_by_label("Name of the new model").fill("mountains")
    assert toasts.is_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    toasts.get_by_text("choose photographs first").wait_for()
    assert "give the model a name" not in toasts.inner_text()


def test_a_file_dropped_beside_the_zone_is_taken_in(visit, cat_photo, tmp_path, pictures):
    visitor = visit()
    assert visitor.drop(".masthead", cat_photo)
    visitor.wait_for_version(1)
    assert "our cat.jpg" in visitor.page.locator(".stage .caption").inner_text()
    other = tmp_path / "cup.png"
    Image.fromarray(pictures["coffee"][:200, :300]).save(other)
    assert visitor.drop(".stage .frame", other)
    visitor.wait_for_version(2)
    assert "cup.png" in visitor.page.locator(".stage .caption").inner_text()
    visitor.room("Batch")
    assert visitor.drop("#rooms", other)
    visitor.page.locator("#many").get_by_text("cup").wait_for()


def test_the_bar_of_a_large_photograph_moves_and_the_button_belongs_to_what_is_shown(
    visit, pictures, cat_photo, tmp_path
):
    path = tmp_path / "large.jpg"
    Image.fromarray(pictures["astronaut"]).resize((2400, 2400), Image.Resampling.BICUBIC).save(path, quality=85)
    visitor = visit()
    page = visitor.page
    page.evaluate(
        """() => { window.said = {opening: [], saved: []}; new MutationObserver(() => {
            for (const [name, said] of Object.entries(window.said)) {
                const bar = document.querySelector(`#${name} progress`);
                if (bar?.checkVisibility()) said.push([bar.value, bar.ariaLabel]);
            }
        }).observe(document.body, {childList: true, attributes: true, subtree: true});
        window.heard = [];
        const teller = document.querySelector('body > [role=status]');
        new MutationObserver(() => window.heard.push(teller.textContent)).observe(teller, {childList: true}); }"""
    )

    def saved(button):
        with page.expect_download() as download:
            page.locator(button).click()
        return download.value.suggested_filename, Image.open(download.value.path()).size

    visitor.open(path)
    assert not page.locator("#opening progress").is_visible()
    assert saved("#save") == ("large.colorized.png", (2400, 2400))
    page.locator("#ready").get_by_text("large").wait_for()
    assert page.locator("#saved progress").count() == 0
    heard = page.evaluate("window.heard")
    quarters = [words for words in heard if words not in {"25 %", "50 %", "75 %"}]
    assert quarters[1::2] == ["The work has ended."] * 2  # opening and saving; both have begun with words
    assert len(heard) == len(set(enumerate(heard))) <= 2 * 5
    opening, saving = (page.evaluate(f"window.said.{name}") for name in ("opening", "saved"))
    # Which stages of opening are seen depends on the machine; test_editor.py has them all.
    assert {words for _, words in opening} & {"Reading the photograph", *stages.SENTENCES.values()}
    for told in (opening, saving):
        shares = [share for share, _ in told]
        assert shares == sorted(shares)
    spread = {share for share, words in saving if words == "Spreading the colours to every pixel"}
    assert len(spread) >= 3
    visitor.open(cat_photo)
    assert not page.locator("#ready").is_visible()
    name, size = saved("#share")
    assert name == "our cat.before-after.jpg"
    assert size[0] > 2 * 1000
    page.locator("#ready").get_by_text("our cat").wait_for()
    page.get_by_label("JPEG").first.check()
    assert saved("#save") == ("our cat.colorized.jpg", (1200, 800))


def test_a_reload_keeps_the_session(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    visitor.paint(0.3, 0.45)
    visitor.wait_for_version(2)
    visitor.step("Colorize")
    number = visitor.page.locator("#vividness input[type=number]")
    number.fill("0.9")
    number.press("Enter")
    visitor.wait_for_version(3)
    before, asked = visitor.picture(), []
    visitor.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    visitor.page.reload()
    assert asked == ["beforeunload"]
    visitor.page.wait_for_selector(".stage", state="attached")
    visitor.wait_for_version(1)
    assert np.array_equal(visitor.picture(), before)
    visitor.page.locator("#upload").get_by_text("Another photograph").wait_for()
    assert visitor.n_strokes() == 1
    assert visitor.page.locator("#vividness input[type=number]").input_value() == "0.9"
    visitor.step("Correct")
    visitor.page.get_by_role("button", name="Undo").click()
    visitor.wait_for_version(2)
    assert visitor.n_strokes() == 0


def test_a_page_whose_visit_is_forgotten_says_so(visit):
    visitor = visit()
    toast = visitor.page.get_by_test_id("toast-body")
    visitor.reload()  # nothing was open
    visitor.page.evaluate("sessionStorage.setItem('colorize-visit', 'of an app that was stopped')")
    assert toast.count() == 0
    visitor.reload()
    toast.get_by_text("What was open here is gone").wait_for()


def test_another_photograph_over_hints_is_asked_about(visit, cat_photo):
    visitor = visit()
    visitor.open(cat_photo)
    visitor.step("Correct")
    visitor.paint(0.3, 0.45)
    visitor.wait_for_version(2)
    with visitor.page.expect_download():
        visitor.page.get_by_role("button", name="Keep these hints").click()
    kept = visitor.page.locator("#hints-ready")
    kept.wait_for()
    visitor.page.once("dialog", lambda dialog: dialog.dismiss())
    visitor.page.set_input_files("#upload input", str(cat_photo))
    visitor.page.locator("#samples summary").click()
    visitor.page.once("dialog", lambda dialog: dialog.dismiss())
    visitor.page.click("#samples button[data-pick=coffee]")
    assert visitor.n_strokes() == 1
    visitor.page.once("dialog", lambda dialog: dialog.accept())
    visitor.page.click("#samples button[data-pick=coffee]")
    visitor.wait_for_version(3)
    assert "coffee.png" in visitor.page.locator(".stage .caption").inner_text()
    assert visitor.n_strokes() == 0
    kept.wait_for(state="detached")  # they were of the other photograph


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_photograph_tools_and_save_are_in_one_view(visit, cat_photo, size):
    visitor = visit(viewport={"width": size[0], "height": size[1]})
    visitor.open(cat_photo)
    visitor.step("Correct")
    tools = [f".stage .tools > :nth-child({k})" for k in range(1, 8)]
    boxes = {}
    for selector in (".stage .frame", *tools, "#save", "#share"):
        boxes[selector] = visitor.page.evaluate(
            "(s) => document.querySelector(s).getBoundingClientRect().toJSON()", selector
        )
    for selector, box in boxes.items():
        assert box["width"] > 0, selector
        assert box["left"] >= 0, selector
        assert box["right"] <= size[0], selector
        assert box["top"] >= 0, selector
        assert box["bottom"] <= size[1], selector
    assert visitor.page.evaluate("window.scrollY") == 0
    assert boxes[".stage .frame"]["height"] > 0.5 * size[1]
    right = max(boxes[selector]["right"] for selector in tools)
    assert right <= visitor.page.evaluate("document.querySelector('.stage .tools').getBoundingClientRect().right") + 1


def test_train_use_compare_take_along(visit, crops, cat_photo, app):
    visitor = visit()
    page = visitor.page
    visitor.room("Train")
    page.get_by_label("Name of the new model").fill("crops")
    page.set_input_files("#teachers input", str(crops))
    page.locator("#teachers").get_by_text("crops").wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator("#stop-training").wait_for()
    visitor.reload()  # the training goes on, and its Stop is there again
    visitor.room("Train")
    page.locator("#stop-training").click()
    page.locator("#training").get_by_text("Nothing is lost").wait_for()
    page.get_by_role("button", name="Go on").click()
    page.locator("#training .trio").first.wait_for()
    page.get_by_test_id("toast-body").get_by_text("“crops” is ready").wait_for(timeout=180_000)  # a whole training
    page.locator("#training").get_by_text("The model is called “crops”").wait_for()
    assert "note.txt" in page.locator("#training").inner_text()
    assert "look first at what the default model makes" in page.locator("#training").inner_text()
    page.locator("#training .trio").last.evaluate("e => e.scrollIntoView()")
    assert page.locator("#training h3").bounding_box()["y"] >= 0  # how it stands is in sight beside any picture
    page.locator("#shelf input").click()
    page.get_by_role("option", name="crops").click()
    page.get_by_text("Learnt from 20 photographs").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Take it along").click()
    assert download.value.path().read_bytes() == (app.models / "crops.safetensors").read_bytes()
    brought = download.value.path().with_name("brought.safetensors")
    brought.write_bytes(download.value.path().read_bytes())
    page.set_input_files("input[type=file][accept*=safetensors]", str(brought))

    visitor.room("Photograph")
    visitor.open(cat_photo)
    before = visitor.picture()
    page.get_by_role("tabpanel").get_by_label("Model").first.click()
    page.get_by_role("option", name="brought").wait_for()
    page.get_by_role("option", name="crops").click()
    visitor.wait_for_version(2)
    assert np.abs(visitor.picture().astype(int) - before).mean() > 1

    visitor.room("Compare")
    page.set_input_files("#compared input", str(cat_photo))
    page.locator("#compared").get_by_text("our cat").wait_for()
    page.get_by_label("crops", exact=True).check()
    page.get_by_role("button", name="Compare").click()
    shots = page.locator("#comparison figure")
    shots.first.wait_for()
    assert shots.count() == 6  # gray, true, default, crops and two rules
    assert page.locator("#comparison").get_by_text("nearest to the truth").count() == 1


def test_upright_photographs_are_compared_within_one_view(visit, pictures, tmp_path):
    path = tmp_path / "tower.png"
    Image.fromarray(pictures["astronaut"][:, 100:260]).resize((480, 1536)).save(path)
    visitor = visit(viewport={"width": 1366, "height": 600})
    page = visitor.page
    visitor.room("Compare")
    page.set_input_files("#compared input", str(path))
    page.locator("#compared").get_by_text("tower").wait_for()
    page.get_by_role("button", name="Compare").click()
    page.locator("#comparison figure").first.wait_for()
    for picture in page.locator("#comparison img").all():
        assert 200 < picture.bounding_box()["height"] <= 0.75 * 600 + 1
        assert picture.evaluate("e => getComputedStyle(e).objectFit") == "contain"  # neither squeezed nor cut


def test_a_batch_comes_back_as_a_zip(visit, crops, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    visitor = visit()
    visitor.room("Batch")
    assert (
        "A photograph may have up to 20 MB and 64 megapixels, a zip up to 2 GB"
        in visitor.page.locator("#rooms").inner_text()
    )
    visitor.page.set_input_files("#many input", [str(crops), str(bad)])
    visitor.page.locator("#many").get_by_text("bad").wait_for()
    stop = visitor.page.locator("#stop-batch")
    assert not stop.is_visible()
    visitor.page.get_by_role("button", name="Colour them all").click()
    stop.wait_for()
    visitor.reload()  # it goes on
    visitor.room("Batch")
    stop.wait_for()
    assert visitor.page.get_by_role("button", name="Colour them all").is_disabled()
    visitor.page.get_by_text("24 coloured").wait_for()
    assert not stop.is_visible()
    with visitor.page.expect_download() as download:
        visitor.page.locator("#zip-ready").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 25
        assert "failed: bad.jpg" in archive.read("report.txt").decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling_and_everything_has_a_name(visit, cat_photo, scheme):
    visitor = visit(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    bars = visitor.page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert bars == {"light": "normal", "dark": "dark"}[scheme]  # bars for scrolling are the browser's
    visitor.open(cat_photo)
    for step in ("Colorize", "Correct", "Reference", "Why?"):
        visitor.step(step)
        check_page(visitor)
    for room in ("Train", "Compare", "Batch"):
        visitor.room(room)
        check_page(visitor)


@pytest.mark.parametrize("size", [(768, 1024), (667, 375), (1024, 768)])
def test_on_small_screens_nothing_is_cut_and_the_photograph_is_large(visit, cat_photo, size):
    visitor = visit(viewport={"width": size[0], "height": size[1]})
    visitor.open(cat_photo)
    for part in ("#save", "#share"):
        box = visitor.page.locator(part).bounding_box()
        assert box["x"] + box["width"] <= size[0]
    kinds = visitor.page.locator("#saving label")
    ends = [box["x"] + box["width"] for box in (kinds.nth(k).bounding_box() for k in range(3))]
    assert (
        max(ends) <= visitor.page.locator("#save").bounding_box()["x"]
        or kinds.last.bounding_box()["y"] + 20 < (visitor.page.locator("#save").bounding_box()["y"])
    )
    assert visitor.page.locator(".stage .frame").bounding_box()["height"] >= 200
    for name in ("Colorize", "Correct", "Reference", "Why?"):
        assert visitor.page.locator("#steps").get_by_role("tab", name=name, exact=True).is_visible()
    zone = visitor.page.locator("#upload")
    zone.get_by_test_id("upload-text").wait_for()
    whole, label, words = (
        part.bounding_box() for part in (zone, zone.locator("label"), zone.get_by_test_id("upload-text"))
    )
    is_out_of_sight = words["y"] >= whole["y"] + whole["height"] - 1
    assert is_out_of_sight or words["x"] > label["x"] + label["width"]


def test_on_a_phone_held_sideways_half_of_the_window_is_photograph_and_the_tools_are_beside_it(visit, cat_photo):
    visitor = visit(viewport={"width": 844, "height": 390}, has_touch=True, is_mobile=True)
    visitor.open(cat_photo)
    visitor.step("Correct")
    page = visitor.page
    frame = page.locator(".stage .frame")

    def share():
        box = frame.bounding_box()
        shown = min(box["y"] + box["height"], 390) - max(box["y"], 0)
        return box["width"] * shown / (844 * 390)

    assert share() >= 0.5
    photograph = frame.bounding_box()
    for part in page.locator(".stage .tools > *").all():
        box = part.bounding_box()
        assert box["x"] >= photograph["x"] + photograph["width"]
        assert box["x"] + box["width"] <= 844
        assert box["y"] + box["height"] <= 390
    page.touchscreen.tap(*visitor.place(0.5, 0.5))
    visitor.wait_for_version(2)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("scrollY") > 200
    assert share() >= 0.5  # it stays
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("!document.body.classList.contains('sideways')")
    assert page.locator(".stage .tools").bounding_box()["width"] > 300


def test_on_a_phone_the_photograph_and_what_is_answered_stay_in_sight(visit, cat_photo):
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visitor.open(cat_photo)
    page = visitor.page
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    box = page.locator(".stage .frame").bounding_box()
    assert box["y"] >= -1
    assert box["y"] + box["height"] < 500
    visitor.step("Correct")
    assert "Two fingers" in page.locator(".stage .caption").inner_text()
    page.locator(".stage .paint").fill("#ff0000")
    page.touchscreen.tap(*visitor.place(0.5, 0.5))
    page.locator(".stage .caption").get_by_text("Note: ").wait_for()  # more words below the photograph
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.locator(".stage .frame").bounding_box()["y"] >= -1
    page.get_by_label("Zoom in").click()
    page.set_viewport_size({"width": 390, "height": 788})  # the bar of addresses
    page.wait_for_timeout(300)
    assert page.locator(".stage").get_attribute("data-zoom") == "1.50"
    visitor.step("Why?")
    page.touchscreen.tap(*visitor.place(0.4, 0.6))
    page.locator("#answer .card").wait_for()
    page.wait_for_function(
        """() => {
            const boxes = ['#answer h3', '#stage'].map((s) => document.querySelector(s).getBoundingClientRect());
            const [title, stage] = boxes;
            return title.top >= stage.bottom - 1 && title.bottom <= innerHeight && stage.top < 1;
        }"""
    )


def test_screen_readers_hear_which_zone_file_and_slider_a_button_belongs_to(visit, cat_photo, crops):
    page = visit().page

    def is_named(name):
        page.get_by_role("button", name=name, exact=True).wait_for()

    is_named("Choose or drop: Your photograph")
    is_named("Reset Vividness")
    page.get_by_role("tab", name="Reference").click()
    page.set_input_files("#references input", [str(cat_photo), str(crops)])
    for name in ("Add files", "Remove all files", "Remove our cat.jpg", "Remove crops.zip"):
        is_named(name)
    page.get_by_role("link", name="Download our cat.jpg").wait_for()


def check_page(visitor):
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    nameless = visitor.page.evaluate(
        """[...document.querySelectorAll('img, button, input, select, textarea, [role=application]')]
        .filter(e => e.checkVisibility() && !e.closest('[aria-hidden=true]'))
        .filter(e => !(e.alt || e.innerText?.trim() || e.ariaLabel || e.title || e.labels?.length || e.placeholder))
        .map(e => e.outerHTML.slice(0, 150))"""
    )
    assert nameless == []


def test_photographs_from_two_browsers_at_once(visit, browse, pictures, tmp_path):
    visitors = [visit(browse()) for _ in range(2)]
    names = sorted(pictures)
    for turn in range(2):
        sent = {}
        for number, visitor in enumerate(visitors):
            step = 0 if turn else number  # in the end both send the same
            pixels = pictures[names[turn + step]]
            sent[number] = np.roll(pixels[:200, :260], 13 * (2 * turn + step), axis=1)
            path = tmp_path / f"{turn} {number}.png"
            Image.fromarray(sent[number]).save(path)
            visitor.page.set_input_files("#upload input", str(path))
        for number, visitor in enumerate(visitors):
            visitor.wait_for_version(turn + 1)
            assert f"{turn} {number}.png" in visitor.page.locator(".stage .caption").inner_text()
            shown = visitor.picture()
            assert np.abs(rgb_to_lightness(shown) - rgb_to_lightness(sent[number])).mean() < 2  # JPEG
            assert np.abs(rgb_to_lab(shown)[..., 1:]).mean() > 1


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_files_of_the_machine_are_not_served(app, tiny_model):
    assert status(app.address) == 200
    for path in ("/etc/passwd", str(tiny_model), str(app.log), str(app.models)):
        assert status(f"{app.address}gradio_api/file={path}") in (403, 404)


def test_without_the_password_there_is_nothing_to_see(guarded_app):
    for path in ("config", "gradio_api/info"):
        assert status(guarded_app.address + path) == 401
    request = urllib.request.Request(guarded_app.address + "gradio_api/upload", data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=60)
