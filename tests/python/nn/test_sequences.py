"""Sequences of several lengths, padded and packed, beside torch."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import rgrad
from oracle import agree, gradients, lines, raises, run

RANDOM = np.random.default_rng(8)
PADDED = RANDOM.normal(size=(4, 3, 2))

PACKED = """
    r.pack_padded_sequence(x, [4, 2, 1])
    r.pack_padded_sequence(x, lib.tensor([3, 3, 1]))
    r.pack_padded_sequence(x, [1, 4, 2], enforce_sorted=False)
    r.pack_padded_sequence(x, [2, 2, 2], enforce_sorted=False)
    r.pack_padded_sequence(x.transpose(0, 1), [4, 2, 1], True)
    r.pack_padded_sequence(x.transpose(0, 1), [1, 4, 2], batch_first=True, enforce_sorted=False)
    r.pack_padded_sequence(x[:, :, 0], [4, 2, 1])
    r.pack_sequence([x[:, 0], x[:3, 1], x[:1, 2]])
    r.pack_sequence([x[:1, 0], x[:3, 1], x[:2, 2]], enforce_sorted=False)
"""


def packed(library, expression):
    x = library.tensor(PADDED).requires_grad_()
    return x, eval(expression, {"lib": library, "r": library.nn.utils.rnn, "x": x})


@pytest.mark.parametrize("expression", lines(PACKED))
def test_packing(expression):
    """The parts, and what comes back when it is padded again, with gradients."""

    def program(library):
        x, sequence = packed(library, expression)
        r = library.nn.utils.rnn
        padded, lengths = r.pad_packed_sequence(sequence, padding_value=-1.0)
        longer, _ = r.pad_packed_sequence(sequence, batch_first=True, total_length=6)
        parts = r.unpack_sequence(sequence)
        return (
            list(sequence),
            [padded.detach(), longer.detach(), lengths, [part.detach() for part in parts]],
            [gradients(library, tensor, [x]) for tensor in (sequence.data, padded, longer, parts[0])],
        )

    agree(program, strides=False, graph=False)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_padding(batch_first, side):
    def program(library):
        x = library.tensor(PADDED).requires_grad_()
        r = library.nn.utils.rnn
        padded = r.pad_sequence([x[:2, 0], x[:, 1], x[:1, 2]], batch_first, 7.0, side)
        # torch transposes in place what it takes apart
        back = r.unpad_sequence(padded.clone(), library.tensor([2, 4, 1]), batch_first)
        return padded, [part.detach() for part in back], gradients(library, padded, [x])

    agree(program)


def test_padding_a_tensor():
    agree(lambda library: library.nn.utils.rnn.pad_sequence(library.tensor(PADDED)))


REFUSED = """
    r.pack_padded_sequence(x, [1, 4, 2])
    r.pack_padded_sequence(x, [4, 2])
    r.pack_padded_sequence(x, [4, 2, 0])
    r.pad_packed_sequence(r.pack_padded_sequence(x, [4, 2, 1]), total_length=3)
    r.pad_sequence(3)
    r.pad_sequence([x, x], padding_side="top")
    r.pad_sequence([])
    r.pack_sequence([x[:1, 0], x[:3, 1]])
"""


@pytest.mark.parametrize("expression", lines(REFUSED))
def test_refusals(expression):
    raises(lambda library: packed(library, expression))


def test_lengths_beyond_the_end_are_refused():
    with pytest.raises(RuntimeError, match="longer than the sequences"):
        rgrad.nn.utils.rnn.pack_padded_sequence(rgrad.ones(4, 3), [5, 2, 1])


def test_permutations_are_inverted():
    def program(library):
        invert = library.nn.utils.rnn.invert_permutation
        return invert(library.tensor([2, 0, 1])), invert(None)

    agree(program)


def test_conversions():
    def program(library):
        _, sequence = packed(library, "r.pack_padded_sequence(x, [1, 4, 2], enforce_sorted=False)")
        single = sequence.float()
        return (
            single.data.detach(),
            single.double().data.detach(),
            sequence.to(library.float64) is sequence,
            sequence.cpu() is sequence,
            sequence.is_cuda,
            [single.sorted_indices, single.unsorted_indices, single.batch_sizes],
            sequence.long().data,
            run(lambda library: sequence.to("somewhere"), library),
        )

    agree(program, graph=False)


def test_copies():
    sequence = rgrad.nn.utils.rnn.pack_sequence([rgrad.ones(2), rgrad.ones(3)], enforce_sorted=False)
    for copied in (copy.deepcopy(sequence), pickle.loads(pickle.dumps(sequence))):
        assert type(copied) is type(sequence)
        assert all(rgrad.equal(one, other) for one, other in zip(copied, sequence))
