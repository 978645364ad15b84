"""What the tour looks like on a terminal, and in a file or pipe where there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper

import plotille
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

_WIDEST = 100
_CURVE_WIDTH = 60
_CURVE_HEIGHT = 12
_REPORTS_WITHOUT_BAR = 5


class Screen:
    """Writes to standard output: in colour on a terminal, as simple text elsewhere.

    `plain` is simple text on a terminal too; `quiet` leaves out all but the results.
    """

    def __init__(self, *, plain: bool, quiet: bool) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            # An output of few letters gets question marks instead of an error.
            sys.stdout.reconfigure(errors="replace")
        self._quiet = quiet
        self._plain = plain or quiet
        self._console = Console(
            no_color=self._plain or None,
            force_terminal=False if self._plain else None,
            highlight=False,
            soft_wrap=False,
        )
        self._console.width = min(self._console.width, _WIDEST)
        self._lively = self._console.is_terminal

    def heading(self, section: str, title: str) -> None:
        """A line that begins a step."""
        if self._quiet:
            return
        self._console.print()
        if self._lively:
            text = Text.assemble((section, "bold cyan"), "  ", (title, "bold"))
            self._console.print(Rule(text, align="left", style="cyan"))
        else:
            self._line(f"== {section}: {title}")

    def code(self, code: str) -> None:
        """Source text as it is."""
        if self._quiet:
            return
        if self._lively:
            syntax = Syntax(code.rstrip("\n"), "python", theme="ansi_dark", tab_size=4)
            self._console.print(Padding(syntax, (0, 2)))
        else:
            self._line()
            for line in code.splitlines():
                self._line(f"    {line}".rstrip())

    def output(self, printed: str) -> None:
        """What a snippet printed, if anything."""
        if self._quiet or not printed:
            return
        if self._lively:
            panel = Panel(Text(printed.rstrip("\n")), title="output", title_align="left")
            panel.border_style = "green"
            self._console.print(panel)
        else:
            self._line()
            for line in printed.splitlines():
                self._line(f"  | {line}".rstrip())

    def remark(self, text: str) -> None:
        """A line of explanation."""
        if self._quiet:
            return
        if self._lively:
            self._console.print(Padding(Text(text, style="italic"), (0, 2)))
        else:
            self._line()
            self._console.print(text)

    def result(self, text: str) -> None:
        """Something found or written, said even when quiet."""
        self._console.print(Text(text, style="bold green" if self._lively else ""))

    def curve(self, values: Sequence[float]) -> None:
        """A plot of values over steps; its dots need an output in one of the Unicode encodings."""
        if self._quiet or len(values) < 2 or not self._console.encoding.startswith("utf"):
            return
        figure = plotille.Figure()
        figure.width = min(self._console.width - 28, _CURVE_WIDTH)
        figure.height = _CURVE_HEIGHT
        figure.color_mode = "names"
        figure.with_colors = self._lively
        figure.x_label, figure.y_label = "step", "loss"
        figure.set_x_limits(0, len(values))
        figure.set_y_limits(0, max(values))
        figure.x_ticks_fkt = lambda value, _: f"{value:.0f}"
        figure.y_ticks_fkt = lambda value, _: f"{value:6.2f}"
        figure.plot(range(1, len(values) + 1), values, lc="cyan")
        for line in figure.show().splitlines():
            self._console.print(Text.from_ansi(line), no_wrap=True, crop=False)

    @contextmanager
    def progress(self, title: str, steps: int) -> Iterator[Callable[[float], None]]:
        """Gives a function to call with the loss after each step."""
        if not self._lively:
            yield self._reporter(steps)
            return
        columns = (
            TextColumn(title),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[loss]}"),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(title, total=steps, loss="")
            yield lambda loss: progress.update(task, advance=1, loss=f"loss {loss:.4f}")

    def _reporter(self, steps: int) -> Callable[[float], None]:
        """A few lines instead of a bar that moves."""
        done = 0
        interval = max(steps // _REPORTS_WITHOUT_BAR, 1)

        def report(loss: float) -> None:
            nonlocal done
            done += 1
            if not self._quiet and (done % interval == 0 or done == steps):
                self._line(f"step {done:5d} of {steps}, loss {loss:.4f}")

        return report

    def _line(self, text: str = "") -> None:
        self._console.print(Text(text), no_wrap=True, crop=False, overflow="ignore")
