"""What people and machines see of a watch that runs: a terminal view, metrics, health.

Everything here works on copies (:mod:`adiz.out.face.model`), in threads of its own.
"""
