"""Tests of what is not there yet, or not yet as in torch, with the reason of each.

The marks are strict: a test that passes has to be taken out.
"""

from __future__ import annotations

# Each reason with a file and the tests in it, one a line; without parameters in brackets, all that a function has.
PENDING = {
    "torch fills expanded tensors": """
        test_views_in_place.py
            test_changes[filled, of an expanded view]
    """,
    "a tensor that was saved and then lost its history": """
        test_views_in_place.py
            test_refusals[detach_ of a saved tensor]
    """,
    "the error class of an operation": """
        test_errors.py
            test_classes_of_wrong_arguments[einsum-function]
            test_classes_of_wrong_arguments[index_put-function]
            test_classes_of_wrong_arguments[std-method]
            test_classes_of_wrong_arguments[stft-function]
            test_classes_of_wrong_arguments[stft-method]
            test_classes_of_wrong_arguments[var-method]
    """,
    "what a function saves is freed with its result, though the node is kept": """
        autograd/test_function.py
            test_a_node_without_its_result_keeps_what_it_saved
    """,
    "an edge of an operation: a layout, a dtype or a name": """
        ops/test_operations.py
            test_other_types[uint8-histc]
            test_in_place[bool-addmv]
            test_in_place[int64-lerp]
            test_in_place[bool-lerp]
            test_narrow_types[bfloat16-grid_sample]
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
