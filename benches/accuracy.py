"""How far rgrad's elementary functions are from the exact ones, in units in the last place.

float32: every number (or each `--step`-th), against numpy in float64. float64: random numbers, against mpmath.

    python benches/accuracy.py                      # everything: about two minutes a function
    python benches/accuracy.py --step 101 exp tanh  # some functions, a hundredth of the numbers
"""

from __future__ import annotations

import argparse

import mpmath
import numpy as np

import rgrad

FUNCTIONS = ("exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "tan")
CHUNK = 1 << 22
DIGITS = 40


def units(found: np.ndarray, exact: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    """The distance in units of the last place of the rounded result; 0 where that is what was found."""
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    distance = np.abs(found.astype(exact.dtype) - exact) / np.spacing(np.abs(rounded)).astype(exact.dtype)
    return np.where(same, 0.0, distance)


def sweep32(name: str, step: int) -> tuple[float, float, float]:
    """The largest distance, where it is, and the share of results that are not correctly rounded."""
    worst, place, wrong, count = 0.0, 0.0, 0, 0
    for start in range(0, 1 << 32, CHUNK * step):
        bits = np.arange(start, min(start + CHUNK * step, 1 << 32), step, dtype=np.int64).astype(np.uint32)
        x = bits.view(np.float32)
        found = getattr(rgrad, name)(rgrad.from_numpy(x)).numpy()
        with np.errstate(all="ignore"):
            exact = getattr(np, name)(x.astype(np.float64))
            distances = units(found, exact, exact.astype(np.float32))
        wrong, count = wrong + int((distances > 0).sum()), count + len(x)
        if distances.max() > worst or np.isnan(distances).any():
            worst, place = float(distances.max()), float(x[distances.argmax()])
    return worst, place, wrong / count


def sweep64(name: str, count: int) -> tuple[float, float]:
    random = np.random.default_rng(0)
    x = np.concatenate([scale * random.standard_normal(count // 5) for scale in (1e-3, 0.5, 3.0, 50.0, 300.0)])
    x = np.abs(x) if name in ("log", "log1p") else x
    found = getattr(rgrad, name)(rgrad.from_numpy(x)).numpy()
    function, worst, place = getattr(mpmath, name), 0.0, 0.0
    with mpmath.workdps(DIGITS):
        for value, result in zip(x.tolist(), found.tolist(), strict=True):
            exact = function(mpmath.mpf(value))
            if not np.isfinite(float(exact)):
                assert result == float(exact), (name, value, result)
                continue
            distance = float(abs(mpmath.mpf(result) - exact) / np.spacing(abs(float(exact))))
            if distance > worst:
                worst, place = distance, value
    return worst, place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="*", metavar="function", help=", ".join(FUNCTIONS))
    parser.add_argument("--step", type=int, default=1, help="look at each step-th float32")
    parser.add_argument("--count", type=int, default=100_000, help="how many float64 numbers to look at")
    options = parser.parse_args()
    print("| function | float32: worst | at | not correctly rounded | float64: worst | at |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in options.functions or FUNCTIONS:
        worst, place, wrong = sweep32(name, options.step)
        worst64, place64 = sweep64(name, options.count)
        print(f"| {name} | {worst:.3f} | {place:.9g} | {wrong:.2%} | {worst64:.3f} | {place64:.17g} |", flush=True)


if __name__ == "__main__":
    main()
