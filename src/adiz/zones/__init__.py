"""Zones as law: the model, the catalogue, the readers and the writer."""
