"""Say plainly what a machine lacks before an environment is made on it; runs on any Python 3."""

import importlib.util
import os
import sys
import sysconfig

LACKS = []
if sys.version_info < (3, 11):  # noqa: UP036
    LACKS.append("Python 3.11 or later. Another one? Say 'make demo PYTHON=python3.12'")
else:
    if importlib.util.find_spec("ensurepip") is None:
        LACKS.append("the module venv with pip. Debian: apt-get install python3-venv")
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        LACKS.append("the header Python.h. Debian: apt-get install python3-dev")
if LACKS:
    sys.exit("adiz needs " + "\n     and ".join(LACKS))
