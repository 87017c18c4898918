"""Where alerts go: one module a kind, each with its ``OPTIONS`` and ``make(setting)``."""
