"""The staff console: who may come in, how they prove it, and the pages they see."""
