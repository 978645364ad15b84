"""Tests of what is not there yet, or not yet as in torch, with the reason of each.

The marks are strict: a test that passes has to be taken out.
"""

from __future__ import annotations

# Each reason with a file and the tests in it, one a line; without parameters in brackets, all that a function has.
PENDING = {
    "a node of another name": """
        test_indexing.py
            test_gradients_of_writing[slice(None) := 0]
            test_gradients_of_writing[([0, 1], slice(None), [0, 2]) := lib.arange(6.0).reshape(2, 3).to(dtype)]
            test_gradients_of_writing[(slice(None), [0, 1], [0, 2]) := lib.ones(2, dtype=dtype)]
            test_gradients_of_writing[Ellipsis := 3]
            test_gradients_of_writing[() := 3]
        test_random.py
            test_numbers[(lib.ones(5, requires_grad=True) * 1).normal_()]
    """,
    "a message without the name of the operation": """
        test_errors.py
            test_messages[a.reshape(4)]
    """,
    "torch fills expanded tensors": """
        test_views_in_place.py
            test_changes[filled, of an expanded view]
    """,
    "a tensor that was saved and then lost its history": """
        test_views_in_place.py
            test_refusals[detach_ of a saved tensor]
    """,
    "needs flip": """
        test_numpy.py
            test_expressions[reversed(lib.tensor([3, 1, 2]))]
    """,
    "needs shifts": """
        test_numpy.py
            test_expressions[lib.tensor(2) << 1]
            test_expressions[lib.tensor(8) >> 1]
            test_expressions[1 << lib.tensor(2)]
    """,
    "the error class of an operation": """
        nn/test_layers.py
            test_functions[f.linear(x, w[0], b[0])]
        test_errors.py
            test_classes[lib.autograd.grad(a.requires_grad_().sum(), [])]
            test_classes[lib.autograd.grad([a.requires_grad_().sum()], a, [lib.ones(()), lib.ones(())])]
            test_classes_of_wrong_arguments[amax-function]
            test_classes_of_wrong_arguments[amax-method]
            test_classes_of_wrong_arguments[amin-function]
            test_classes_of_wrong_arguments[amin-method]
            test_classes_of_wrong_arguments[as_strided-function]
            test_classes_of_wrong_arguments[as_strided-method]
            test_classes_of_wrong_arguments[bitwise_and-function]
            test_classes_of_wrong_arguments[bitwise_or-function]
            test_classes_of_wrong_arguments[bitwise_xor-function]
            test_classes_of_wrong_arguments[chunk-function]
            test_classes_of_wrong_arguments[index_add-function]
            test_classes_of_wrong_arguments[index_add-in_place]
            test_classes_of_wrong_arguments[index_add-method]
            test_classes_of_wrong_arguments[index_put-function]
            test_classes_of_wrong_arguments[movedim-function]
            test_classes_of_wrong_arguments[movedim-method]
            test_classes_of_wrong_arguments[mv-function]
            test_classes_of_wrong_arguments[narrow-function]
            test_classes_of_wrong_arguments[narrow-method]
            test_classes_of_wrong_arguments[scatter-function]
            test_classes_of_wrong_arguments[scatter-in_place]
            test_classes_of_wrong_arguments[scatter-method]
            test_classes_of_wrong_arguments[split-function]
            test_classes_of_wrong_arguments[split_with_sizes-function]
            test_classes_of_wrong_arguments[split_with_sizes-method]
            test_classes_of_wrong_arguments[std-method]
            test_classes_of_wrong_arguments[var-method]
        test_numpy.py
            test_expressions[~lib.tensor(1.5)]
    """,
    "what a function saves is freed with its result, though the node is kept": """
        autograd/test_function.py
            test_a_node_without_its_result_keeps_what_it_saved
    """,
    "torch gives NaN for matrices of halves": """
        ops/test_operations.py
            test_narrow_types[float16-matrix_exp]
            test_narrow_types[bfloat16-matrix_exp]
    """,
    "needs Tensor.diagonal": """
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
