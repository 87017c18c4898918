"""Detectors: folds from reports to events."""
