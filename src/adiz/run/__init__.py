"""Drivers: they feed files or streams to the folds; no geometry here."""
