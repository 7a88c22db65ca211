"""Tonearm's analysis worker. README.md, one folder up, fixes the line protocol."""

PROTOCOL = 1
