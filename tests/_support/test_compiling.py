"""Without a place for compiled code there is a warning, and colours all the same."""

import subprocess
import sys

import pytest

from colorize._support.compiling import keeps_compiled_code

NO_PLACE = """
import warnings
from numba.core import caching
for name in ("CacheImpl", "_CacheImpl"):  # as numba calls it now, and did before
    if hasattr(caching, name):
        getattr(caching, name)._locator_classes = []
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import numpy as np
    import colorize.color.metrics
    from colorize.color import lab_to_rgb
    print(lab_to_rgb(np.full((2, 2), 50, np.float32), np.zeros((2, 2, 2), np.float32)).tolist()[0][0])
print(*(message.message for message in told if "compiled anew" in str(message.message)), sep="\\n")
"""


def test_compiled_code_is_kept_here():
    assert keeps_compiled_code()


@pytest.mark.slow
def test_without_a_place_for_compiled_code_there_is_one_warning_and_a_picture():
    result = subprocess.run([sys.executable, "-c", NO_PLACE], capture_output=True, text=True, check=True)
    color, *warnings = result.stdout.splitlines()
    assert color == "[119, 119, 119]"
    assert len(warnings) == 1
    assert "NUMBA_CACHE_DIR" in warnings[0]
