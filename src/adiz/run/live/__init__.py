"""The live watch: journal, engine, store and archive, driven by one loop."""
