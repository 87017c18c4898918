"""Results for a reader: maps, tables, files. Reads results, never detects."""
