"""The command line of the tour: its options, its steps in order, and what it needs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rgrad.tour.screen import Screen

_EXTRAS = {"rich": "rich", "plotille": "plotille", "sklearn": "scikit-learn"}
_PICTURE = "rgrad-graph.svg"
_DRAWING = """\
loss.backward(retain_graph=True)
names = {"w": w, "b": b, "z": z, "loss": loss}
rgrad.graph.draw(loss, names=names, values=True).save("rgrad-graph.svg")
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the tour and returns the exit status: 0, or 1 if it needs something not installed."""
    options = _parser().parse_args(arguments)
    try:
        from rgrad.tour.screen import Screen

        if options.steps:
            import sklearn  # noqa: F401
    except ModuleNotFoundError as error:
        package = _EXTRAS.get((error.name or "").split(".")[0])
        if package is None:
            raise
        print(
            f"rgrad: the tour needs {package}; install it with: pip install 'rgrad[tour]'",
            file=sys.stderr,
        )
        return 1
    screen = Screen(plain=options.plain, quiet=options.quiet)
    _read_notes(screen, options.seed)
    _draw(screen, options.seed, options.output)
    if options.steps:
        _train(screen, options.seed, options.steps)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rgrad",
        description="Walk through study notes on automatic differentiation, run with rgrad.",
    )
    parser.add_argument("--plain", action="store_true", help="no colour and no moving bar")
    parser.add_argument("--quiet", action="store_true", help="only the results, as plain text")
    parser.add_argument(
        "--steps",
        type=_count,
        default=600,
        help="steps of training, 0 for none (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of all random numbers (default: %(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help=f"where to write {_PICTURE} (default: the current directory)",
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _read_notes(screen: Screen, seed: int) -> None:
    import rgrad
    from rgrad.tour.notes import SNIPPETS
    from rgrad.tour.replay import Replay

    rgrad.manual_seed(seed)
    replay = Replay()
    for snippet in SNIPPETS:
        screen.heading(snippet.section, snippet.title)
        screen.code(snippet.code)
        screen.output(replay.run(snippet))
        screen.remark(snippet.remark)


def _draw(screen: Screen, seed: int, directory: Path) -> None:
    import rgrad
    from rgrad.graph import draw
    from rgrad.tour.notes import RECORDING
    from rgrad.tour.replay import Replay

    screen.heading("Picture", "The graph of the loss")
    screen.code(_DRAWING)
    rgrad.manual_seed(seed)
    replay = Replay()
    replay.run(RECORDING)
    loss = replay.namespace["loss"]
    loss.backward(retain_graph=True)
    names = {name: replay.namespace[name] for name in ("w", "b", "z", "loss")}
    directory.mkdir(parents=True, exist_ok=True)
    path = draw(loss, names=names, values=True).save(directory / _PICTURE)
    screen.remark("Arrows point the way the data went; backward() goes against them.")
    screen.result(f"The graph of the notes' loss is in {path}")


def _train(screen: Screen, seed: int, steps: int) -> None:
    import rgrad
    from rgrad.tour import digits

    screen.heading("Training", "Handwritten digits")
    data = digits.load(seed)
    screen.remark(
        f"A network of one hidden layer learns from {len(data.labels)} images of 8 × 8 pixels; "
        f"{len(data.test_labels)} others, which it never sees, are for the test."
    )
    rgrad.manual_seed(seed)
    model = digits.build()
    before = time.perf_counter()
    with screen.progress("training", steps) as on_step:
        losses = digits.train(model, data, steps, on_step)
    seconds = time.perf_counter() - before
    screen.curve(losses)
    correct = digits.accuracy(model, data.test_images, data.test_labels)
    screen.result(f"Test accuracy {correct:.1%} after {steps} steps in {seconds:.1f} s")
