"""Small networks of each family in training: from one seed to the same losses and weights as torch.

In float64: gradients that are zero but for rounding, such as those of a bias before a normalisation, become steps of
full length by Adam's scaling in float32.
"""

from __future__ import annotations

import pytest

from oracle import agree

STEPS = 6


def perceptron(library):
    nn = library.nn
    model = nn.Sequential(
        nn.Linear(6, 12),
        nn.BatchNorm1d(12),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(12, 8),
        nn.LayerNorm(8),
        nn.Linear(8, 3),
    )
    points, classes = library.randn(16, 6), library.randint(3, (16,))
    return model, "AdamW", lambda: nn.functional.cross_entropy(model(points), classes)


def residual_convolutions(library):
    nn = library.nn

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(channels)
            self.second = nn.Conv2d(channels, channels, 3, padding="same", groups=2)

        def forward(self, x):
            return nn.functional.relu(x + self.second(nn.functional.relu(self.norm(self.first(x)))))

    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        Block(4),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )
    images, classes = library.randn(6, 1, 10, 10), library.randint(3, (6,))
    return model, "SGD", lambda: nn.CrossEntropyLoss(label_smoothing=0.1)(model(images), classes)


def autoencoder(library):
    nn = library.nn
    model = nn.Sequential(
        nn.Conv1d(2, 4, 3, stride=2),
        nn.GroupNorm(2, 4),
        nn.SiLU(),
        nn.ConvTranspose1d(4, 2, 3, stride=2),
        nn.Tanh(),
    )
    curves = library.randn(5, 2, 9)
    return model, "Adam", lambda: nn.SmoothL1Loss()(model(curves), curves)


def sequences(library):
    nn = library.nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(10, 5, padding_idx=0)
            self.recurrent = nn.LSTM(5, 4, num_layers=2, batch_first=True, bidirectional=True, dropout=0.1)
            self.scores = nn.Linear(8, 3)

        def forward(self, words, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embedding(words), lengths, batch_first=True, enforce_sorted=False
            )
            states, _ = self.recurrent(packed)
            padded, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
            return self.scores(padded)

    model = Tagger()
    words, tags = library.randint(1, 10, (4, 5)), library.randint(3, (4, 5))
    loss = nn.CrossEntropyLoss()
    return model, "Adam", lambda: loss(model(words, [3, 5, 2, 4]).transpose(1, 2), tags)


def gated_sequences(library):
    nn = library.nn
    recurrent, scores = nn.GRU(3, 4, num_layers=2), nn.Linear(4, 1)
    model = nn.ModuleDict({"recurrent": recurrent, "scores": scores})
    series, following = library.randn(6, 2, 3), library.randn(6, 2, 1)
    return model, "SGD", lambda: nn.functional.mse_loss(scores(recurrent(series)[0]), following)


def language_model(library):
    nn = library.nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 8)
            layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, activation="gelu", batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.scores = nn.Linear(8, 11, bias=False)
            self.scores.weight = self.embedding.weight

        def forward(self, words):
            mask = nn.Transformer.generate_square_subsequent_mask(words.size(1))
            return self.scores(self.encoder(self.embedding(words), mask, is_causal=True))

    model = Model()
    words = library.randint(11, (3, 7))
    return (
        model,
        "AdamW",
        lambda: nn.functional.cross_entropy(model(words[:, :-1]).flatten(0, 1), words[:, 1:].flatten()),
    )


def translator(library):
    nn = library.nn
    model = nn.Transformer(8, 2, 1, 1, 12, dropout=0.0, batch_first=True, norm_first=True)
    source, target = library.randn(2, 5, 8), library.randn(2, 4, 8)
    mask = model.generate_square_subsequent_mask(4)
    return model, "Adam", lambda: (model(source, target, tgt_mask=mask) - target).abs().mean()


def bags_of_words(library):
    nn = library.nn
    model = nn.Sequential(nn.EmbeddingBag(9, 4, mode="mean"), nn.PReLU(), nn.Linear(4, 2), nn.LogSoftmax(1))
    words, classes = library.randint(9, (5, 6)), library.randint(2, (5,))
    return model, "SGD", lambda: nn.NLLLoss()(model(words), classes)


NETWORKS = [
    perceptron,
    residual_convolutions,
    autoencoder,
    sequences,
    gated_sequences,
    language_model,
    translator,
    bags_of_words,
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_training(network):
    """With gradients clipped on the way, and in evaluation at last."""

    def program(library):
        library.set_default_dtype(library.float64)
        try:
            return train(library)
        finally:
            library.set_default_dtype(library.float32)

    def train(library):
        library.manual_seed(20)
        model, optimizer_name, loss_of = network(library)
        optimizer = getattr(library.optim, optimizer_name)(model.parameters(), lr=0.02)
        losses = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            library.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]
        model.eval()
        return library.tensor(losses), loss_of().detach(), dict(model.state_dict())

    agree(program, slack=(1e-6, 1e-8))
