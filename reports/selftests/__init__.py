"""Tests of the report and of the check of its input; `sample` makes the document they share."""
