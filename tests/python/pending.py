"""Tests of what is not there yet, or not yet as in torch, with the reason of each.

The marks are strict: a test that passes has to be taken out. Those of single operations are in `ops/differences.py`.
"""

from __future__ import annotations

# Each reason with a file and the tests in it, one a line; without parameters in brackets, all that a function has.
PENDING = {
    "needs autograd.Function": """
        nn/test_module_backward_hooks.py
            test_gradients_of_inputs_and_outputs
            test_entries_without_gradients
            test_hooks_replace_gradients
            test_the_order_of_backward_hooks
            test_inputs_that_record_no_gradients
            test_the_number_of_gradients_has_to_be_kept
            test_nothing_happens_without_recording
            test_partial_hooks_see_the_last_operation
            test_outputs_other_than_tensors_are_warned_of
            test_gradients_of_gradients_pass_the_hooks
    """,
    "needs linalg.qr": """
        nn/test_initialisation.py
            test_orthogonal_matrices
    """,
}


def listed() -> dict[str, str]:
    """The tests with their reasons."""
    tests = {}
    for reason, lines in PENDING.items():
        file = ""
        for line in lines.split("\n"):
            if line.strip().endswith(".py"):
                file = line.strip()
            elif line.strip():
                tests[f"{file}::{line.strip()}"] = reason
    return tests


LISTED = listed()


def reason_of(test: str) -> str | None:
    """Why the test of a node's name fails, if it is listed."""
    name = test.removeprefix("tests/python/")
    return LISTED.get(name) or LISTED.get(name.partition("[")[0])
