"""Coastline data, made by ``tools/make_coast.py``; credited in NOTICE."""
