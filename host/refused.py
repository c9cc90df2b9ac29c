"""The refusal of a fault."""

from __future__ import annotations


class Refused(Exception):
    """Said before anything was changed; the text is for a person and names the field and what is allowed."""
