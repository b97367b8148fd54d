"""A progress bar on a terminal's standard error; elsewhere nothing, so that scripts read only what they asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(*, for_people: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yields what is to be told a stage's name, how much of it is done, and how much there is. Not `for_people`,
    nothing is drawn."""
    # 100 ms, which --help need not pay
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_drawn = for_people and sys.stderr.isatty()  # whatever FORCE_COLOR makes of the console
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not is_drawn, transient=True) as bar:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield show
