"""Networks for equations and functions: solvers with an adjoint, residuals of equations, splines, sines."""

from __future__ import annotations

import math

from .training import train

__all__ = ["hamiltonian_network", "neural_ode", "physics_informed_network", "sine_network", "spline_network"]


def runge_kutta(f, y, t, step):
    """One step of the classic method of order four."""
    a = f(t, y)
    b = f(t + step / 2, y + step / 2 * a)
    c = f(t + step / 2, y + step / 2 * b)
    d = f(t + step, y + step * c)
    return y + step / 6 * (a + 2 * b + 2 * c + d)


def neural_ode(lib):
    """A field fitted to a spiral through the solver, and by an adjoint equation solved backwards in time."""
    nn = lib.nn

    class Adjoint(lib.autograd.Function):
        @staticmethod
        def forward(ctx, field, y, times, *parameters):
            ctx.field = field
            with lib.no_grad():
                rows = [y]
                for start, end in zip(times[:-1], times[1:]):
                    rows.append(runge_kutta(field, rows[-1], start, end - start))
                path = lib.stack(rows)
            ctx.save_for_backward(times, path, *parameters)
            return path

        @staticmethod
        def backward(ctx, gradient):
            times, path, *parameters = ctx.saved_tensors
            sizes = [path[0].numel(), path[0].numel(), *(p.numel() for p in parameters)]

            def backwards(t, state):
                y, adjoint, *_ = state.split(sizes)
                with lib.enable_grad():
                    y = y.detach().view_as(path[0]).requires_grad_(True)
                    value = ctx.field(t, y)
                    slopes = lib.autograd.grad(value, (y, *parameters), -adjoint.view_as(value), allow_unused=True)
                slopes = [lib.zeros_like(p) if s is None else s for p, s in zip((y, *parameters), slopes)]
                return lib.cat([value.detach().reshape(-1), *(slope.reshape(-1) for slope in slopes)])

            with lib.no_grad():
                adjoint, rest = gradient[-1], [lib.zeros(sum(sizes[2:]))]
                for i in range(len(times) - 1, 0, -1):
                    state = lib.cat([path[i].reshape(-1), adjoint.reshape(-1), *rest])
                    state = runge_kutta(backwards, state, times[i], times[i - 1] - times[i])
                    _, adjoint, *rest = state.split(sizes)
                    adjoint = adjoint.view_as(path[0]) + gradient[i - 1]
            return None, adjoint, None, *(part.view_as(p) for part, p in zip(rest, parameters))

    times, start = lib.linspace(0.0, 1.0, 6), lib.tensor([[2.0, 0.0], [1.0, 1.0]])
    turn = lib.tensor([[-0.1, 2.0], [-2.0, -0.1]])
    truth = Adjoint.apply(lambda t, y: y**3 @ turn, start, times)
    net = nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 2))

    def field(t, y):
        return net(y**3)

    def directly():
        rows = [start]
        for begin, end in zip(times[:-1], times[1:]):
            rows.append(runge_kutta(field, rows[-1], begin, end - begin))
        return (lib.stack(rows) - truth).abs().mean()

    optimizer = lib.optim.RMSprop(net.parameters(), lr=1e-2)
    curve = train(optimizer, directly, 3)
    return curve + train(
        optimizer, lambda: (Adjoint.apply(field, start, times, *net.parameters()) - truth).abs().mean(), 3
    )


def physics_informed_network(lib):
    """Burgers' equation: residuals with second derivatives, minimised by L-BFGS."""
    nn = lib.nn
    net = nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 1))
    x, t = (lib.rand(24, 1) * 2 - 1).requires_grad_(), lib.rand(24, 1).requires_grad_()
    beginning = lib.linspace(-1, 1, 12).view(-1, 1)

    def derivative(y, x):
        return lib.autograd.grad(y, x, grad_outputs=lib.ones_like(y), create_graph=True)[0]

    def loss():
        u = net(lib.cat([x, t], dim=1))
        u_x = derivative(u, x)
        residual = derivative(u, t) + u * u_x - 0.01 / math.pi * derivative(u_x, x)
        start = net(lib.cat([beginning, lib.zeros_like(beginning)], dim=1)) + lib.sin(math.pi * beginning)
        return residual.pow(2).mean() + start.pow(2).mean()

    curve = train(lib.optim.Adam(net.parameters(), lr=1e-2), loss, 3)
    optimizer = lib.optim.LBFGS(net.parameters(), lr=1.0, max_iter=6, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        curve.append(value.item())
        return value

    optimizer.step(closure)
    return curve


def hamiltonian_network(lib):
    """An energy whose gradient, turned, is the motion of a pendulum."""
    nn, func = lib.nn, lib.func
    net = nn.Sequential(nn.Linear(2, 16), nn.Softplus(), nn.Linear(16, 1))
    states = lib.rand(24, 2) * 2 - 1
    motion = lib.stack([states[:, 1], -lib.sin(states[:, 0])], dim=1)

    def loss():
        parameters = dict(net.named_parameters())
        energy = func.grad(lambda state: func.functional_call(net, parameters, (state,)).squeeze())
        slopes = func.vmap(energy)(states)
        return nn.functional.mse_loss(lib.stack([slopes[:, 1], -slopes[:, 0]], dim=1), motion)

    return train(lib.optim.NAdam(net.parameters(), lr=1e-2), loss, 5)


def spline_network(lib):
    """Learnt functions on the edges, sums of B-splines, with a penalty on their coefficients."""
    nn, F = lib.nn, lib.nn.functional

    class Layer(nn.Module):
        def __init__(self, before, after, intervals=4, order=3):
            super().__init__()
            self.order = order
            knots = lib.arange(-order, intervals + order + 1) * (2 / intervals) - 1
            self.register_buffer("knots", knots.expand(before, -1).contiguous())
            self.base = nn.Parameter(lib.empty(after, before))
            self.spline = nn.Parameter(lib.randn(after, before, intervals + order) * 0.1)
            nn.init.kaiming_uniform_(self.base, a=math.sqrt(5))

        def forward(self, x):
            knots, point = self.knots, x.unsqueeze(-1)
            basis = ((point >= knots[:, :-1]) & (point < knots[:, 1:])).to(x.dtype)
            for k in range(1, self.order + 1):
                rise = (point - knots[:, : -(k + 1)]) / (knots[:, k:-1] - knots[:, : -(k + 1)])
                fall = (knots[:, k + 1 :] - point) / (knots[:, k + 1 :] - knots[:, 1:-k])
                basis = rise * basis[:, :, :-1] + fall * basis[:, :, 1:]
            return F.linear(F.silu(x), self.base) + F.linear(basis.flatten(1), self.spline.flatten(1))

    net = nn.Sequential(Layer(2, 3), Layer(3, 1))
    x = lib.rand(24, 2) * 2 - 1
    y = lib.exp(lib.sin(math.pi * x[:, [0]]) + x[:, [1]] ** 2)

    def loss():
        return F.mse_loss(net(x), y) + 1e-3 * sum(layer.spline.abs().mean(-1).sum() for layer in net)

    return train(lib.optim.AdamW(net.parameters(), lr=2e-2), loss, 5)


def sine_network(lib):
    """A picture as a function with sines, fitted by its values, its slope and its Laplacian."""
    nn = lib.nn

    class Sine(nn.Module):
        def __init__(self, before, after, frequency):
            super().__init__()
            self.frequency, self.linear = frequency, nn.Linear(before, after)
            with lib.no_grad():
                bound = 1 / before if frequency == 30 else math.sqrt(6 / before) / frequency
                self.linear.weight.uniform_(-bound, bound)

        def forward(self, x):
            return lib.sin(self.frequency * self.linear(x))

    net = nn.Sequential(Sine(2, 12, 30), Sine(12, 12, 10), nn.Linear(12, 1))
    side = lib.linspace(-1, 1, 6)
    grid = lib.stack(lib.meshgrid(side, side, indexing="ij"), dim=-1).reshape(-1, 2).requires_grad_(True)
    picture = lib.cos(3 * grid.detach()).prod(dim=1, keepdim=True)

    def loss():
        value = net(grid)
        (slope,) = lib.autograd.grad(value, grid, lib.ones_like(value), create_graph=True)
        laplacian = sum(
            lib.autograd.grad(slope[:, i], grid, lib.ones_like(slope[:, i]), create_graph=True)[0][:, i]
            for i in range(2)
        )
        return (value - picture).pow(2).mean() + 1e-4 * slope.pow(2).mean() + 1e-7 * laplacian.pow(2).mean()

    return train(lib.optim.Adam(net.parameters(), lr=1e-4), loss, 4)
