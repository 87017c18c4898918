"""``python -m adiz``."""

import sys

from adiz.cli import main

sys.exit(main())
