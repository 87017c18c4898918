"""Build the compiled kernels. Everything else about the package is in pyproject.toml.

Needs a C compiler: ``cc``/``gcc``/``clang`` on the PATH, or the PyPI package ``ziglang``
(``pip install ziglang``), which is used when no other compiler is found.
"""

import glob
import os
import shutil
import sys
import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup

GEO = "src/adiz/geo/"
DETECT = "src/adiz/detect/"
ENCOUNTERS = ("rows", "tracks", "boxes", "leg", "pair")

REMEDY = (
    "adiz: no C compiler found, and its kernels are compiled when it is installed.\n"
    "  Debian/Ubuntu:  apt-get install gcc python3-dev\n"
    "  anywhere:       pip install ziglang   (then install adiz again with --no-build-isolation)\n"
    "  or install a ready-made wheel of adiz, which needs no compiler."
)

NO_HEADER = (
    "adiz: the header Python.h is not here, and the kernels need it to compile.\n"
    "  Debian/Ubuntu:  apt-get install python3-dev\n"
    "  or install a ready-made wheel of adiz, which needs neither it nor a compiler."
)


def use_some_compiler() -> None:
    """Leave a found compiler alone; else fall back to ziglang; else stop with a remedy."""
    wanted = os.environ.get("CC") or (sysconfig.get_config_var("CC") or "cc")
    if shutil.which(wanted.split()[0]):
        return
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            os.environ["CC"] = name
            os.environ.setdefault("LDSHARED", f"{name} -shared")
            return
    try:
        import ziglang  # noqa: F401
    except ImportError:
        sys.exit(REMEDY)
    os.environ["CC"] = f"{sys.executable} -m ziglang cc"
    os.environ["LDSHARED"] = f"{sys.executable} -m ziglang cc -shared"


if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    sys.exit(NO_HEADER)
use_some_compiler()

# -ffp-contract=off: the same bits whatever the compiler does with fused multiply-add, so that
# two machines give the same stays.
FLAGS = [
    "-O3",
    "-std=c11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-unused-function",
    "-Wno-cast-function-type",
]


def extension(name: str, pyx: str, *sources: str) -> Extension:
    return Extension(
        name,
        [pyx, *sources],
        include_dirs=[GEO, DETECT],
        extra_compile_args=FLAGS,
        libraries=["m"],
        depends=[*glob.glob(GEO + "*.h"), *glob.glob(DETECT + "*.h"), *glob.glob(DETECT + "*.pxi")],
    )


setup(
    ext_modules=cythonize(
        [
            extension("adiz.geo._geo", GEO + "_geo.pyx", GEO + "geodesic.c", GEO + "densify.c"),
            extension(
                "adiz.detect._encounters",
                DETECT + "_encounters.pyx",
                DETECT + "encounters.c",
                *(DETECT + f"encounters_{part}.c" for part in ENCOUNTERS),
            ),
            extension(
                "adiz.detect._latest",
                DETECT + "_latest.pyx",
                *(DETECT + name for name in ("latest.c", "tracknames.c")),
            ),
            extension(
                "adiz.detect._stays",
                DETECT + "_stays.pyx",
                *(GEO + name for name in ("geodesic.c", "zoneindex.c", "rings.c")),
                *(GEO + name for name in ("prism.c", "outside.c")),
                *(DETECT + name for name in ("stays.c", "membership.c", "leg.c", "depth.c")),
                DETECT + "tracknames.c",
                DETECT + "watching.c",
            ),
            extension(
                "adiz.detect._warnings",
                DETECT + "_warnings.pyx",
                *(GEO + name for name in ("geodesic.c", "zoneindex.c", "rings.c")),
                *(GEO + name for name in ("prism.c", "outside.c")),
                *(DETECT + f"warn{part}.c" for part in ("", "_motion", "_predict", "_tracks")),
                *(DETECT + name for name in ("leg.c", "membership.c", "depth.c", "tracknames.c")),
            ),
        ],
        language_level=3,
    )
)
