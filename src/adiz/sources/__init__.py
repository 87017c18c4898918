"""Readers: one module a format or feed, from bytes or files to the reports table."""
