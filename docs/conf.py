"""How the pages are built: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``, without a network."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "_ext"), str(ROOT / "scripts")]
for library in ("OMP", "OPENBLAS"):  # threads of a busy machine wait for each other, for minutes
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # notebook kernels else complain about frozen modules

import colorize  # noqa: E402

project = "colorize"
author = "The colorize maintainers"
copyright = author
version = release = colorize.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "pages",
]
exclude_patterns = [
    "_build",
    "_ext",
    "_templates",
    "stages",
    "gallery/*.ipynb",
    "guide/*.ipynb",
    "**.ipynb_checkpoints",
]
templates_path = ["_templates"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb"}

# Our own names must resolve; those of other packages cannot, because nothing is looked up on a network.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!colorize\.).*"), (r"py:.*", r"colorize\..*\b_\w+(\.\w+)*")]  # and private ones
default_role = "py:obj"
smartquotes = False  # "--option" is no dash

myst_enable_extensions = ["deflist", "attrs_inline"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_timeout = 240
nb_execution_raise_on_error = True
nb_merge_streams = True

autosummary_generate = True
autodoc_mock_imports = [name for name in ("torch", "gradio", "dask", "distributed") if not find_spec(name)]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "colorize"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#8a3b12", "color-brand-content": "#8a3b12"},
    "dark_css_variables": {"color-brand-primary": "#f0a878", "color-brand-content": "#f0a878"},
}

# Examples write their results into the folder that they run in, so they run in a copy.
RUN = HERE / "_build" / "run"
shutil.rmtree(RUN, ignore_errors=True)
for name, source in (("gallery", ROOT / "examples"), ("guide", HERE / "stages")):
    shutil.copytree(source, RUN / name, ignore=shutil.ignore_patterns("__pycache__"))

sphinx_gallery_conf = {
    "examples_dirs": [str(RUN / "gallery"), str(RUN / "guide")],
    "gallery_dirs": ["gallery", "guide"],
    "filename_pattern": r".*",
    "image_scrapers": ("pages.written_pictures", "matplotlib"),
    "within_subsection_order": "pages.ByDepth",
    "default_thumb_file": str(HERE / "images" / "explain-page.jpg"),
    "download_all_examples": False,
    "remove_config_comments": True,
    "reset_modules": ("matplotlib", "pages.larger_text"),
    "capture_repr": (),
    "min_reported_time": 1000,
    "show_memory": False,
    "write_computation_times": False,  # its table would load scripts from a network
    "plot_gallery": True,
    "abort_on_example_error": False,
}
