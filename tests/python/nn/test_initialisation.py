"""The functions of `nn.init` draw torch's numbers from torch's seeds."""

from __future__ import annotations

import pytest

from oracle import agree, run

SHAPES = [(4, 3), (3, 4), (2, 3, 5), (17, 16)]

FILLS = {
    "uniform": lambda init, t: init.uniform_(t, -2.0, 3.0),
    "normal": lambda init, t: init.normal_(t, 1.0, 3.0),
    "constant": lambda init, t: init.constant_(t, 0.3),
    "ones": lambda init, t: init.ones_(t),
    "zeros": lambda init, t: init.zeros_(t),
    "eye": lambda init, t: init.eye_(t),
    "dirac": lambda init, t: init.dirac_(t),
    "xavier uniform": lambda init, t: init.xavier_uniform_(t, gain=2.0),
    "xavier normal": lambda init, t: init.xavier_normal_(t),
    "kaiming uniform": lambda init, t: init.kaiming_uniform_(t, a=1, mode="fan_out"),
    "kaiming normal": lambda init, t: init.kaiming_normal_(t, nonlinearity="relu"),
    "sparse": lambda init, t: init.sparse_(t, sparsity=0.4),
    "truncated normal": lambda init, t: init.trunc_normal_(t),
    "truncated normal, cut hard": lambda init, t: init.trunc_normal_(t, 0.5, 2.0, -1.5, 2.5),
    "truncated normal, narrow": lambda init, t: init.trunc_normal_(t, 0.0, 1.0, -0.1, 0.2),
    "truncated normal, tail": lambda init, t: init.trunc_normal_(t, 0.0, 1.0, 1.5, 4.0),
    "truncated normal, lower tail": lambda init, t: init.trunc_normal_(t, 0.0, 0.5, -4.0, -1.0),
    "truncated normal, no width": lambda init, t: init.trunc_normal_(t, 0.0, 0.0),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", FILLS)
def test_values(fill, shape, dtype):
    def program(library):
        library.manual_seed(7)
        tensor = library.zeros(shape, dtype=getattr(library, dtype), requires_grad=True)
        result = run(lambda library: FILLS[fill](library.nn.init, tensor) is tensor, library)
        return result, tensor, library.rand(2)

    agree(program)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 5)])
def test_orthogonal_matrices(shape):
    def program(library):
        library.manual_seed(7)
        return library.nn.init.orthogonal_(library.empty(shape), gain=2.0)

    agree(program, slack=(1e-4, 1e-5))


def test_a_generator_of_its_own():
    def program(library):
        generator = library.Generator().manual_seed(3)
        init = library.nn.init
        fills = [
            init.uniform_,
            init.normal_,
            init.trunc_normal_,
            init.xavier_uniform_,
            init.xavier_normal_,
            init.kaiming_uniform_,
            init.kaiming_normal_,
        ]
        return [fill(library.empty(3, 4), generator=generator) for fill in fills]

    agree(program)


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("shape", [(4, 2, 3), (2, 3, 3, 4), (4, 1, 2, 3, 2), (3,)])
def test_dirac(shape, groups):
    agree(lambda library: library.nn.init.dirac_(library.empty(shape), groups))


GAINS = [
    ("linear",), ("conv2d",), ("conv_transpose3d",), ("sigmoid",), ("tanh",), ("relu",), ("selu",), ("unknown",),
    ("leaky_relu",), ("leaky_relu", 0.2), ("leaky_relu", 1), ("leaky_relu", True), ("leaky_relu", "steep"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", GAINS)
def test_gains(arguments):
    agree(lambda library: float(library.nn.init.calculate_gain(*arguments)))


REFUSED = [
    lambda library: library.nn.init.eye_(library.empty(2, 2, 2)),
    lambda library: library.nn.init.sparse_(library.empty(2), 0.5),
    lambda library: library.nn.init.orthogonal_(library.empty(2)),
    lambda library: library.nn.init.xavier_normal_(library.empty(2)),
    lambda library: library.nn.init.kaiming_uniform_(library.empty(2)),
    lambda library: library.nn.init.kaiming_uniform_(library.empty(2, 2), mode="fan"),
    lambda library: library.nn.init.normal_(library.empty(2), 0, -1),
    lambda library: library.nn.init.uniform_(library.empty(2), 3, 1),
]


@pytest.mark.parametrize("program", REFUSED)
def test_what_cannot_be_filled(program):
    agree(program)


def test_empty_tensors_are_left_alone():
    def program(library):
        init = library.nn.init
        with pytest.warns(UserWarning):
            filled = init.kaiming_uniform_(library.empty(0, 3)), init.kaiming_normal_(library.empty(0, 3))
        return filled, init.orthogonal_(library.empty(0, 3)), init.xavier_uniform_(library.empty(0, 3))

    agree(program)


@pytest.mark.parametrize("name", ["uniform", "normal", "constant", "eye", "xavier_uniform", "kaiming_normal"])
def test_older_names_are_deprecated(name):
    def program(library):
        arguments = (0.5,) if name == "constant" else ()
        library.manual_seed(7)
        with pytest.warns(FutureWarning):
            return getattr(library.nn.init, name)(library.empty(2, 3), *arguments)

    agree(program)
