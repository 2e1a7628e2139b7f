"""A process that answers computes on the thread that asks."""

import subprocess
import sys

_CODE = """
import numpy
from lingxi.server.threads import spare_threads
spare_threads()
import scipy.linalg
from threadpoolctl import threadpool_info
print({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
"""


def test_no_library_of_linear_algebra_starts_threads_whenever_it_was_loaded():
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1}"
