"""Lessons in the order in which they build on each other."""

from __future__ import annotations

from dashboard.lessons import (
    balance,
    collapse,
    gone,
    lookalikes,
    memorising,
    requests,
    retain,
    settling,
    teacher,
)
from dashboard.lessons.base import Lesson

LESSONS: tuple[Lesson, ...] = tuple(
    module.LESSON
    for module in (
        memorising, collapse, retain, balance, settling, requests, lookalikes, teacher, gone,
    )
)  # fmt: skip
