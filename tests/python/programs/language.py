"""Networks that read and write: recurrent ones, attention, transformers, labels of sequences."""

from __future__ import annotations

import math

from .training import train

__all__ = [
    "convolved_state_space",
    "selective_state_space",
    "character_model",
    "generative_transformer",
    "sequence_labels",
    "skip_grams",
    "translation_by_attention",
    "translation_by_transformer",
]

TEXT = "the quick brown fox jumps over the lazy dog and the dog sleeps on. "
LETTERS = sorted(set(TEXT))


def encoded(lib, text=TEXT):
    return lib.tensor([LETTERS.index(letter) for letter in text])


def character_model(lib):
    """The next letter by GRU, LSTM and plain cells, from sequences of several lengths."""
    nn = lib.nn
    packed, padded = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence
    codes, lengths = encoded(lib), lib.tensor([20, 7, 14])
    rows = nn.utils.rnn.pad_sequence([codes[i : i + n + 1] for i, n in enumerate(lengths.tolist())], batch_first=True)
    curve = []
    for kind in (nn.GRU, nn.LSTM, nn.RNN):
        embed, cell = nn.Embedding(len(LETTERS), 8), kind(8, 12, num_layers=2, batch_first=True, dropout=0.1)
        model = nn.ModuleList([embed, cell, nn.Linear(12, len(LETTERS))])

        def loss(model=model):
            embed, cell, out = model
            hidden, _ = cell(packed(embed(rows[:, :-1]), lengths, batch_first=True, enforce_sorted=False))
            hidden, _ = padded(hidden, batch_first=True)
            return nn.functional.cross_entropy(out(hidden).flatten(0, 1), rows[:, 1 : hidden.shape[1] + 1].flatten())

        curve += train(lib.optim.Adam(model.parameters(), lr=0.01), loss, 3)
    return curve


def generative_transformer(lib):
    """Causal attention over letters, shared embeddings, accumulated gradients, then sampling from the model."""
    nn, F = lib.nn, lib.nn.functional

    class Attention(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.register_buffer("mask", lib.tril(lib.ones(16, 16)).view(1, 1, 16, 16))

        def forward(self, x):
            batch, length, width = x.size()
            q, k, v = (
                part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
                for part in self.qkv(x).split(width, dim=2)
            )
            weights = q @ k.transpose(-2, -1) / math.sqrt(k.size(-1))
            weights = weights.masked_fill(self.mask[:, :, :length, :length] == 0, float("-inf")).softmax(dim=-1)
            return self.out((weights @ v).transpose(1, 2).contiguous().view(batch, length, width))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.near, self.attention, self.far = nn.LayerNorm(16), Attention(16, 2), nn.LayerNorm(16)
            self.dense = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16), nn.Dropout(0.1))

        def forward(self, x):
            x = x + self.attention(self.near(x))
            return x + self.dense(self.far(x))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(len(LETTERS), 16), nn.Embedding(16, 16)
            self.blocks, self.norm = nn.Sequential(Block(), Block()), nn.LayerNorm(16)
            self.head = nn.Linear(16, len(LETTERS), bias=False)
            self.words.weight = self.head.weight
            self.apply(self.initialise)

        @staticmethod
        def initialise(module):
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)

        def forward(self, index):
            x = self.words(index) + self.places(lib.arange(index.size(1)))
            return self.head(self.norm(self.blocks(x)))

    model, codes = Model(), encoded(lib)
    plain = [p for p in model.parameters() if p.dim() < 2]
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimizer = lib.optim.AdamW(groups, lr=1e-2, betas=(0.9, 0.95))
    curve = []
    for _ in range(4):
        for _ in range(2):
            places = lib.randint(len(codes) - 16, (4,))
            x, y = (lib.stack([codes[i + shift : i + shift + 16] for i in places]) for shift in (0, 1))
            loss = F.cross_entropy(model(x).view(-1, len(LETTERS)), y.view(-1)) / 2
            loss.backward()
            curve.append(loss.item())
        curve.append(nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    model.eval()
    written = codes[None, :4]
    with lib.no_grad():
        for _ in range(8):
            logits = model(written[:, -16:])[:, -1, :]
            best, _ = lib.topk(logits, 5)
            logits[logits < best[:, [-1]]] = -float("inf")
            written = lib.cat((written, lib.multinomial(logits.softmax(dim=-1), 1)), dim=1)
    return curve + written[0].tolist()


def reversals(lib, count=8, length=6):
    """Sequences of numbers from 2, and the same backwards, each ended by 1."""
    source = lib.randint(2, 10, (count, length))
    end = lib.ones(count, 1, dtype=lib.long)
    return lib.cat([source, end], 1), lib.cat([source.flip(1), end], 1)


def translation_by_attention(lib):
    """An encoder, and a decoder that looks at its states with additive attention and at its own last word."""
    nn, F = lib.nn, lib.nn.functional

    class Decoder(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.embed, self.cell = nn.Embedding(10, width), nn.GRU(2 * width, width, batch_first=True)
            self.query, self.key, self.score = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1)
            self.out = nn.Linear(width, 10)

        def forward(self, states, hidden, target=None):
            word, outputs = lib.zeros(states.size(0), 1, dtype=lib.long), []
            for i in range(states.size(1)):
                scores = self.score(lib.tanh(self.query(hidden.permute(1, 0, 2)) + self.key(states))).squeeze(2)
                context = lib.bmm(F.softmax(scores.unsqueeze(1), dim=-1), states)
                output, hidden = self.cell(lib.cat((self.embed(word), context), dim=2), hidden)
                outputs.append(self.out(output))
                word = outputs[-1].topk(1)[1].squeeze(-1).detach() if target is None else target[:, i].unsqueeze(1)
            return F.log_softmax(lib.cat(outputs, dim=1), dim=-1)

    source, target = reversals(lib)
    embed, encoder, decoder = nn.Embedding(10, 12), nn.GRU(12, 12, batch_first=True), Decoder(12)
    parts = nn.ModuleList([embed, encoder, decoder])

    def loss():
        scores = decoder(*encoder(F.dropout(embed(source), 0.1)), target)
        return F.nll_loss(scores.view(-1, 10), target.view(-1))

    curve = train(lib.optim.Adam(parts.parameters(), lr=1e-2), loss, 5)
    with lib.no_grad():
        return curve + decoder(*encoder(embed(source))).exp().amax(-1).flatten().tolist()


def translation_by_transformer(lib):
    """Encoder and decoder with masks for padding and for words to come."""
    nn = lib.nn
    source, target = reversals(lib)
    source[::2, -2:] = 0
    model = nn.Transformer(16, 2, 1, 1, 32, dropout=0.1, batch_first=True)
    embed, out = nn.Embedding(10, 16, padding_idx=0), nn.Linear(16, 10)
    angles = lib.arange(7).unsqueeze(1) * lib.exp(lib.arange(0, 16, 2) * (-math.log(10000.0) / 16))
    places = lib.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    ahead = lib.triu(lib.ones(6, 6, dtype=lib.bool), diagonal=1)

    def loss():
        hidden = model(
            embed(source) + places,
            embed(target[:, :-1]) + places[:6],
            tgt_mask=ahead,
            src_key_padding_mask=source == 0,
            memory_key_padding_mask=source == 0,
        )
        return nn.functional.cross_entropy(out(hidden).transpose(1, 2), target[:, 1:], label_smoothing=0.1)

    parameters = [*model.parameters(), *embed.parameters(), *out.parameters()]
    optimizer = lib.optim.Adam(parameters, lr=1e-2, betas=(0.9, 0.98), eps=1e-9)
    warming = lib.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) ** -0.5, (step + 1) / 4))
    return train(optimizer, loss, 5, warming.step)


def sequence_labels(lib):
    """Labels by a bidirectional LSTM and a conditional random field: the forward algorithm in logarithms."""
    nn = lib.nn
    words, labels = lib.tensor([0, 1, 2, 3, 4, 5]), lib.tensor([0, 1, 1, 2, 2, 0])
    embed, cell, out = nn.Embedding(6, 5), nn.LSTM(5, 4, bidirectional=True), nn.Linear(8, 3)
    transitions = nn.Parameter(lib.randn(3, 3))

    def scores():
        hidden, _ = cell(embed(words).view(len(words), 1, -1))
        return out(hidden.view(len(words), -1))

    def loss():
        rows = scores()
        total, path = rows[0], rows[0, labels[0]]
        for before, row, label in zip(labels, rows[1:], labels[1:]):
            total = lib.logsumexp(total.unsqueeze(1) + transitions, dim=0) + row
            path = path + transitions[before, label] + row[label]
        return total.logsumexp(0) - path

    parts = nn.ModuleList([embed, cell, out])
    optimizer = lib.optim.SGD([*parts.parameters(), transitions], lr=0.1, weight_decay=1e-4)
    curve = train(optimizer, loss, 5)
    with lib.no_grad():
        rows = scores()
        best, back = rows[0], []
        for row in rows[1:]:
            best, origin = (best.unsqueeze(1) + transitions).max(dim=0)
            best = best + row
            back.append(origin)
        label = best.argmax()
        found = [label.item()]
        for origin in reversed(back):
            label = origin[label]
            found.append(label.item())
    return curve + found


def skip_grams(lib):
    """Embeddings of words from their neighbours, with negative samples; and a bag of words."""
    nn, F = lib.nn, lib.nn.functional
    centre, context = nn.Embedding(20, 6, sparse=False), nn.Embedding(20, 6)
    context.weight.data.uniform_(-0.5, 0.5)
    words, near, far = lib.randint(20, (8,)), lib.randint(20, (8,)), lib.randint(20, (8, 3))

    def loss():
        vectors = centre(words)
        close = F.logsigmoid((vectors * context(near)).sum(1))
        apart = F.logsigmoid(-lib.bmm(context(far), vectors.unsqueeze(2)).squeeze(2)).sum(1)
        return -(close + apart).mean()

    curve = train(lib.optim.Adagrad([*centre.parameters(), *context.parameters()], lr=0.1), loss, 4)
    bags, out = nn.EmbeddingBag(20, 6, mode="mean"), nn.Linear(6, 2)
    text, offsets, labels = lib.randint(20, (12,)), lib.tensor([0, 5, 7]), lib.tensor([0, 1, 1])
    optimizer = lib.optim.SGD([*bags.parameters(), *out.parameters()], lr=0.5)
    return curve + train(optimizer, lambda: F.cross_entropy(out(bags(text, offsets)), labels), 3)


def selective_state_space(lib):
    """A recurrence whose steps depend on the input, between a convolution of each channel and a gate."""
    nn, F = lib.nn, lib.nn.functional
    width, states, rank = 8, 4, 2

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.widen, self.narrow = nn.Linear(width // 2, 2 * width, bias=False), nn.Linear(width, width // 2)
            self.nearby = nn.Conv1d(width, width, 3, groups=width, padding=2)
            self.chosen, self.step = nn.Linear(width, rank + 2 * states, bias=False), nn.Linear(rank, width)
            self.decay = nn.Parameter(lib.arange(1.0, states + 1).repeat(width, 1).log())
            self.skip = nn.Parameter(lib.ones(width))
            wanted = lib.exp(lib.rand(width) * 3 - 6).clamp(min=1e-4)
            with lib.no_grad():
                self.step.bias.copy_(wanted + lib.log(-lib.expm1(-wanted)))

        def forward(self, x):
            length = x.shape[1]
            x, gate = self.widen(x).split([width, width], dim=-1)
            x = F.silu(self.nearby(x.transpose(1, 2))[..., :length].transpose(1, 2))
            step, into, out = self.chosen(x).split([rank, states, states], dim=-1)
            step = F.softplus(self.step(step))
            kept = lib.exp(lib.einsum("bld,dn->bldn", step, -self.decay.exp()))
            added = lib.einsum("bld,bln,bld->bldn", step, into, x)
            state, results = x.new_zeros(len(x), width, states), []
            for place in range(length):
                state = kept[:, place] * state + added[:, place]
                results.append(lib.einsum("bdn,bn->bd", state, out[:, place]))
            return self.narrow((lib.stack(results, dim=1) + x * self.skip) * F.silu(gate))

    layer, x = Layer(), lib.randn(2, 6, width // 2)
    optimizer = lib.optim.AdamW(layer.parameters(), lr=1e-2)
    return train(optimizer, lambda: F.mse_loss(layer(x), x.roll(1, 1)), 4)


def convolved_state_space(lib):
    """A linear recurrence of complex states as one long convolution, computed by Fourier transforms."""
    nn, F = lib.nn, lib.nn.functional
    channels, states, length = 3, 4, 10
    rates = nn.Parameter(lib.randn(channels))
    real, imaginary = nn.Parameter(lib.zeros(channels, states)), nn.Parameter(lib.arange(4.0).repeat(channels, 1))
    weights = nn.Parameter(lib.view_as_real(lib.randn(channels, states, dtype=lib.complex128)))
    mix, x = nn.Conv1d(channels, 2 * channels, 1), lib.randn(2, channels, length)

    def loss():
        poles = (-real.exp() + 1j * imaginary) * rates.sigmoid()[:, None]
        scaled = lib.view_as_complex(weights) * (poles.exp() - 1) / poles
        kernel = 2 * lib.einsum("hn,hnl->hl", scaled, (poles[..., None] * lib.arange(length)).exp()).real
        spectrum = lib.fft.rfft(x, n=2 * length) * lib.fft.rfft(kernel, n=2 * length)
        y = lib.fft.irfft(spectrum, n=2 * length)[..., :length]
        y += x
        return F.mse_loss(F.glu(mix(F.gelu(y)), dim=-2), x)

    return train(lib.optim.Adam([rates, real, imaginary, weights, *mix.parameters()], lr=1e-2), loss, 4)
