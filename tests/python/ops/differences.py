"""Tests of single operations in which some sample still differs from torch.

Each is work to do, mostly error classes of unusual types, the strides of gradients, or the name of a node. A test that
passes again has to be taken out: the mark is strict.
"""

DIFFERENCES = frozenset(
    """
    test_in_place[float64-pow]
    test_values_and_gradients[binary_cross_entropy]
    test_values_and_gradients[max]
    test_values_and_gradients[min]
    test_values_and_gradients[pow]
    """.split()
)
