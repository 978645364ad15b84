"""Networks that make samples: autoencoders, adversaries, flows, diffusion."""

from __future__ import annotations

import math

from .training import train

__all__ = [
    "adversarial_networks",
    "coupling_flow",
    "denoising_diffusion",
    "planar_flow",
    "quantised_autoencoder",
    "variational_autoencoder",
    "wasserstein_critic",
]


def ring(lib, count):
    """Points near a circle."""
    angle = lib.rand(count) * (2 * math.pi)
    return lib.stack([angle.cos(), angle.sin()], dim=1) + 0.05 * lib.randn(count, 2)


def variational_autoencoder(lib):
    """A code drawn by a reparametrised normal distribution."""
    nn, F = lib.nn, lib.nn.functional
    data = lib.bernoulli(lib.rand(16, 36))
    encoder = nn.Sequential(nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 6))
    decoder = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 36), nn.Sigmoid())

    def loss():
        mean, log_variance = encoder(data).chunk(2, dim=1)
        code = mean + lib.randn_like(mean) * lib.exp(0.5 * log_variance)
        apart = F.binary_cross_entropy(decoder(code), data, reduction="sum")
        return apart - 0.5 * lib.sum(1 + log_variance - mean.pow(2) - log_variance.exp())

    return train(lib.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2), loss, 6)


def quantised_autoencoder(lib):
    """Codes from a book, with the gradient handed straight through."""
    nn, F = lib.nn, lib.nn.functional
    data, book = lib.randn(16, 8), nn.Embedding(6, 4)
    encoder, decoder = nn.Linear(8, 4), nn.Linear(4, 8)

    def loss():
        code = encoder(data)
        distances = (code**2).sum(1, keepdim=True) + (book.weight**2).sum(1) - 2 * code @ book.weight.t()
        chosen = lib.zeros_like(distances).scatter_(1, distances.argmin(1, keepdim=True), 1.0) @ book.weight
        apart = F.mse_loss(chosen, code.detach()) + 0.25 * F.mse_loss(chosen.detach(), code)
        return apart + F.mse_loss(decoder(code + (chosen - code).detach()), data)

    parts = nn.ModuleList([encoder, decoder, book])
    return train(lib.optim.Adam(parts.parameters(), lr=1e-2), loss, 5)


def adversarial_networks(lib):
    """Transposed convolutions against convolutions, trained in turn."""
    nn = lib.nn
    maker = nn.Sequential(
        nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(True),
        nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    judge = nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(8, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    for module in (*maker.modules(), *judge.modules()):
        if module.__class__.__name__.find("Conv") != -1:
            nn.init.normal_(module.weight.data, 0.0, 0.02)
        elif module.__class__.__name__.find("BatchNorm") != -1:
            nn.init.normal_(module.weight.data, 1.0, 0.02)
            nn.init.constant_(module.bias.data, 0)
    real, criterion = lib.randn(6, 1, 8, 8).clamp_(-1, 1), nn.BCELoss()
    optimizers = [lib.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999)) for net in (judge, maker)]
    curve = []
    for _ in range(3):
        label = lib.full((6,), 1.0)
        judge.zero_grad()
        on_real = criterion(judge(real).view(-1), label)
        on_real.backward()
        fake = maker(lib.randn(6, 6, 1, 1))
        on_fake = criterion(judge(fake.detach()).view(-1), label.fill_(0.0))
        on_fake.backward()
        optimizers[0].step()
        maker.zero_grad()
        fooled = criterion(judge(fake).view(-1), label.fill_(1.0))
        fooled.backward()
        optimizers[1].step()
        curve += [on_real.item(), on_fake.item(), fooled.item()]
    return curve


def wasserstein_critic(lib):
    """A penalty on the gradient of the critic, which is differentiated itself, and spectral normalisation."""
    nn = lib.nn
    maker = nn.Sequential(nn.Linear(3, 12), nn.LayerNorm(12), nn.SiLU(), nn.Linear(12, 2))
    critic = nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 12)), nn.LeakyReLU(0.2), nn.Linear(12, 1))
    of_maker, of_critic = (lib.optim.RMSprop(net.parameters(), lr=5e-3) for net in (maker, critic))
    real = ring(lib, 16)

    def judged():
        fake = maker(lib.randn(16, 3)).detach()
        share = lib.rand(16, 1)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        value = critic(between)
        (slope,) = lib.autograd.grad(value, between, lib.ones_like(value), create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        return critic(fake).mean() - critic(real).mean() + 10 * penalty

    curve = []
    for _ in range(3):
        curve += train(of_critic, judged, 2)
        curve += train(of_maker, lambda: -critic(maker(lib.randn(16, 3))).mean(), 1)
    return curve


def coupling_flow(lib):
    """Each half moves and stretches the other: the logarithm of the density is exact."""
    nn = lib.nn
    masks = lib.tensor([[0.0, 1.0], [1.0, 0.0]] * 2)
    scales, shifts = (
        nn.ModuleList([nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2), end()) for _ in masks])
        for end in (nn.Tanh, nn.Identity)
    )
    prior = lib.distributions.Independent(lib.distributions.Normal(lib.zeros(2), lib.ones(2)), 1)
    points = ring(lib, 32)

    def loss():
        z, volume = points, points.new_zeros(len(points))
        for mask, scale, shift in zip(masks, scales, shifts):
            kept = mask * z
            s, t = scale(kept) * (1 - mask), shift(kept) * (1 - mask)
            z = (1 - mask) * (z - t) * lib.exp(-s) + kept
            volume = volume - s.sum(dim=1)
        return -(prior.log_prob(z) + volume).mean()

    return train(lib.optim.Adam([*scales.parameters(), *shifts.parameters()], lr=1e-2), loss, 6)


def planar_flow(lib):
    """Bends of a normal distribution towards a density that is known up to a factor."""
    nn, F = lib.nn, lib.nn.functional
    flows = [[nn.Parameter(lib.randn(2) * 0.1) for _ in "uw"] + [nn.Parameter(lib.zeros(1))] for _ in range(3)]
    prior = lib.distributions.Independent(lib.distributions.Normal(lib.zeros(2), lib.ones(2)), 1)

    def loss():
        z = prior.sample((32,))
        log_density = prior.log_prob(z)
        for u, w, b in flows:
            product = lib.dot(u, w)
            u = u + (F.softplus(product) - 1 - product) * w / w.norm() ** 2
            bend = lib.tanh(z @ w + b)
            log_density = log_density - lib.log(lib.abs(1 + (1 - bend**2) * (w @ u)) + 1e-8)
            z = z + lib.outer(bend, u)
        return (log_density + 0.5 * ((z.norm(dim=1) - 2) / 0.4) ** 2).mean()

    return train(lib.optim.Adam([p for flow in flows for p in flow], lr=2e-2), loss, 6)


def denoising_diffusion(lib):
    """Noise predicted at random times, an average of the weights, and samples drawn backwards in time."""
    import copy

    nn, F = lib.nn, lib.nn.functional
    steps = 12
    betas = lib.linspace(1e-3, 0.2, steps)
    alphas = 1 - betas
    kept = lib.cumprod(alphas, dim=0)
    before = F.pad(kept[:-1], (1, 0), value=1.0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.time = nn.Sequential(nn.Linear(8, 16), nn.SiLU())
            self.first, self.second, self.out = nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 2)

        def forward(self, x, t):
            angles = t[:, None] * lib.exp(lib.arange(4) * (-math.log(10000) / 3))[None, :]
            x = self.first(x) * (1 + self.time(lib.cat((angles.sin(), angles.cos()), dim=-1)))
            return self.out(F.silu(self.second(F.silu(x))))

    net, points = Net(), ring(lib, 32)
    average = copy.deepcopy(net).requires_grad_(False)

    def loss():
        t, noise = lib.randint(0, steps, (len(points),)), lib.randn_like(points)
        noisy = kept.sqrt()[t, None] * points + (1 - kept).sqrt()[t, None] * noise
        return F.huber_loss(net(noisy, t), noise)

    def averaged():
        with lib.no_grad():
            for slow, fast in zip(average.parameters(), net.parameters()):
                slow.lerp_(fast, 0.1)

    curve = train(lib.optim.Adam(net.parameters(), lr=1e-2), loss, 6, averaged)
    with lib.inference_mode():
        x = lib.randn(4, 2)
        for i in reversed(range(steps)):
            t = lib.full((4,), i)
            mean = (x - betas[i] / (1 - kept[i]).sqrt() * average(x, t)) / alphas[i].sqrt()
            spread = (betas[i] * (1 - before[i]) / (1 - kept[i])).sqrt()
            x = mean if i == 0 else mean + spread * lib.randn_like(x)
    return curve + x.flatten().tolist()
