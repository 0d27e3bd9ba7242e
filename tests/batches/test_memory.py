"""Free memory goes back to the system."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from nme_core.batches.memory import give_back

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

assert not give_back()  # too little to be worth the while
parts = [np.ones(8_000) for _ in range(4_000)]  # 256 MB in pieces
kept = parts[::40]
del parts
before = held()
give_back()
assert before - held() > 100e6, (before, held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the call")
def test_pieces_between_others_that_stay_are_given_back():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)


LARGE_ARRAYS = """
import resource
import numpy as np
from nme_core.batches.memory import return_large_arrays

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

assert return_large_arrays()
np.ones(30_000_000 // 8)  # let go at once: without the call its memory is kept for the next
arrays = [np.ones(20_000_000 // 8) for _ in range(10)]
last = arrays.pop()
before = held()
del arrays
assert before - held() > 170e6, (before, held())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the call")
def test_large_arrays_are_given_back_as_they_are_let_go():
    subprocess.run([sys.executable, "-c", LARGE_ARRAYS], check=True, timeout=60)
