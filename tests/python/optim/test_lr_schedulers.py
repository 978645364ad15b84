"""Schedules of learning rates beside torch: rates over the steps, state, chains, refusals."""

from __future__ import annotations

import copy

import pytest

from oracle import agree, run

SCHEDULES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda step: 0.9**step),
    "LambdaLR, one for each group": lambda s, o: s.LambdaLR(o, [lambda step: 0.9**step, lambda step: 1 / (step + 1)]),
    "StepLR": lambda s, o: s.StepLR(o, 3, 0.5),
    "StepLR by default": lambda s, o: s.StepLR(o, 2),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 7], 0.3),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.8),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 6, 0.01),
    "CosineAnnealingLR, a short period": lambda s, o: s.CosineAnnealingLR(o, 3),
    "ReduceLROnPlateau": lambda s, o: s.ReduceLROnPlateau(o, factor=0.5, patience=1),
    "ReduceLROnPlateau, upwards": lambda s, o: s.ReduceLROnPlateau(
        o, "max", 0.2, 0, 0.1, "abs", cooldown=1, min_lr=[0.01, 0.001]
    ),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda step: 1 - 0.1 / (step + 1)),
    "ConstantLR": lambda s, o: s.ConstantLR(o),
    "ConstantLR, half": lambda s, o: s.ConstantLR(o, 0.5, 3),
    "LinearLR": lambda s, o: s.LinearLR(o),
    "LinearLR, downwards": lambda s, o: s.LinearLR(o, 1.0, 0.1, 7),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 8, 2.0),
    "PolynomialLR by default": lambda s, o: s.PolynomialLR(o),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.1, 1.0, 3),
    "CyclicLR, triangular2": lambda s, o: s.CyclicLR(o, [0.1, 0.2], [1.0, 3.0], 2, 3, mode="triangular2"),
    "CyclicLR, exp_range": lambda s, o: s.CyclicLR(o, 0.1, 1.0, 2, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "CyclicLR, a function": lambda s, o: s.CyclicLR(o, 0.1, 1.0, 2, scale_fn=lambda x: 1 / (x + 1)),
    "CyclicLR, a function of steps": lambda s, o: s.CyclicLR(
        o, 0.1, 1.0, 2, scale_fn=lambda x: 0.9**x, scale_mode="iterations", base_momentum=0.5
    ),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 1.0, 13),
    "OneCycleLR, linear": lambda s, o: s.OneCycleLR(
        o, [1.0, 2.0], epochs=2, steps_per_epoch=8, anneal_strategy="linear"
    ),
    "OneCycleLR, three phases": lambda s, o: s.OneCycleLR(o, 1.0, 13, three_phase=True, cycle_momentum=False),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3),
    "CosineAnnealingWarmRestarts, longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.01),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9), s.StepLR(o, 2, 0.5)], [4, 8]
    ),
    "SequentialLR, from a warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=4), s.CosineAnnealingLR(o, 6)], [4]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9)], o),
    "StepLR and ExponentialLR": lambda s, o: (s.StepLR(o, 2, 0.5), s.ExponentialLR(o, 0.9)),
}
METRICS = [1.0, 0.8, 0.9, 0.9, 0.7, 0.7, 0.7, 0.71, 0.2, 0.3, 0.3, 0.3]


def optimizer_of(lib):
    groups = [{"params": [lib.ones(1, requires_grad=True)]}, {"params": [lib.ones(1, requires_grad=True)], "lr": 2.0}]
    return lib.optim.SGD(groups, lr=0.5, momentum=0.9)


def advance(lib, schedulers, optimizer, metric):
    optimizer.step()
    for scheduler in schedulers:
        plateau = isinstance(scheduler, lib.optim.lr_scheduler.ReduceLROnPlateau)
        scheduler.step(metric) if plateau else scheduler.step()
    return [(group["lr"], group["momentum"]) for group in optimizer.param_groups]


def made(lib, name, optimizer):
    schedulers = SCHEDULES[name](lib.optim.lr_scheduler, optimizer)
    return schedulers if isinstance(schedulers, tuple) else (schedulers,)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name):
    def program(lib):
        optimizer = optimizer_of(lib)
        schedulers = made(lib, name, optimizer)
        rates = [[(group["lr"], group["momentum"]) for group in optimizer.param_groups]]
        rates += [advance(lib, schedulers, optimizer, metric) for metric in METRICS]
        epochs = [s.last_epoch for s in schedulers if hasattr(s, "last_epoch")]
        return rates, [s.get_last_lr() for s in schedulers], epochs

    agree(program)


@pytest.mark.parametrize("name", SCHEDULES)
def test_states_go_on_where_they_were_saved(name):
    def program(lib):
        optimizer = optimizer_of(lib)
        schedulers = made(lib, name, optimizer)
        for metric in METRICS[:5]:
            advance(lib, schedulers, optimizer, metric)
        states = copy.deepcopy([s.state_dict() for s in schedulers])
        again = optimizer_of(lib)
        others = made(lib, name, again)
        again.load_state_dict(optimizer.state_dict())
        for scheduler, state in zip(others, states):
            scheduler.load_state_dict(state)
        return [
            [advance(lib, s, o, metric) for metric in METRICS[5:]]
            for s, o in ((schedulers, optimizer), (others, again))
        ]

    rates = agree(program)
    assert rates[0] == rates[1]


@pytest.mark.parametrize(
    "name", ["StepLR", "ExponentialLR", "CosineAnnealingLR", "MultiStepLR", "LinearLR", "ConstantLR", "PolynomialLR"]
)
def test_starting_in_the_middle(name):
    def program(lib):
        optimizer = optimizer_of(lib)
        refused = run(lambda lib: resumed(lib, optimizer), lib)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        (scheduler,) = resumed(lib, optimizer)
        rates = [[(group["lr"], group["momentum"]) for group in optimizer.param_groups]]
        return refused, rates + [advance(lib, (scheduler,), optimizer, 0) for _ in range(6)]

    def resumed(lib, optimizer):
        schedules = lib.optim.lr_scheduler
        options = {
            "StepLR": {"step_size": 3},
            "ExponentialLR": {"gamma": 0.5},
            "CosineAnnealingLR": {"T_max": 5},
            "MultiStepLR": {"milestones": [3, 6]},
            "LinearLR": {"total_iters": 6},
            "ConstantLR": {"total_iters": 5},
            "PolynomialLR": {"total_iters": 7, "power": 2.0},
        }
        return (getattr(schedules, name)(optimizer, last_epoch=3, **options[name]),)

    agree(program)


REFUSED = {
    "constant factor": lambda lib: lib.optim.lr_scheduler.ConstantLR(optimizer_of(lib), 1.5),
    "first factor": lambda lib: lib.optim.lr_scheduler.LinearLR(optimizer_of(lib), 0.0),
    "last factor": lambda lib: lib.optim.lr_scheduler.LinearLR(optimizer_of(lib), 0.5, -1.0),
    "cyclic mode": lambda lib: lib.optim.lr_scheduler.CyclicLR(optimizer_of(lib), 0.1, 1.0, mode="square"),
    "cyclic bounds": lambda lib: lib.optim.lr_scheduler.CyclicLR(optimizer_of(lib), [0.1], 1.0),
    "cyclic, no optimizer": lambda lib: lib.optim.lr_scheduler.CyclicLR(3, 0.1, 1.0),
    "cyclic without momentum": lambda lib: lib.optim.lr_scheduler.CyclicLR(
        lib.optim.Adagrad([lib.ones(1, requires_grad=True)]), 0.1, 1.0
    ),
    "one cycle without steps": lambda lib: lib.optim.lr_scheduler.OneCycleLR(optimizer_of(lib), 1.0, epochs=3),
    "one cycle of no steps": lambda lib: lib.optim.lr_scheduler.OneCycleLR(optimizer_of(lib), 1.0, 0),
    "one cycle, part": lambda lib: lib.optim.lr_scheduler.OneCycleLR(optimizer_of(lib), 1.0, 5, pct_start=2.0),
    "one cycle, strategy": lambda lib: lib.optim.lr_scheduler.OneCycleLR(
        optimizer_of(lib), 1.0, 5, anneal_strategy="square"
    ),
    "one cycle, a step too many": lambda lib: [
        s.step() for s in [lib.optim.lr_scheduler.OneCycleLR(optimizer_of(lib), 1.0, 3)] for _ in range(5)
    ],
    "restarts, length": lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(lib), 0),
    "restarts, factor": lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(lib), 2, 0),
    "restarts, epoch": lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(lib), 2).step(-1),
    "sequence of nothing": lambda lib: lib.optim.lr_scheduler.SequentialLR(optimizer_of(lib), [], []),
    "sequence of another": lambda lib: lib.optim.lr_scheduler.SequentialLR(
        optimizer_of(lib), [lib.optim.lr_scheduler.StepLR(optimizer_of(lib), 1)], []
    ),
    "chain of nothing": lambda lib: lib.optim.lr_scheduler.ChainedScheduler([]),
    "chain with a metric": lambda lib: lib.optim.lr_scheduler.ChainedScheduler(
        [lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(lib))]
    ),
    "no optimizer": lambda lib: lib.optim.lr_scheduler.StepLR(3, 1),
    "functions of another number": lambda lib: lib.optim.lr_scheduler.LambdaLR(optimizer_of(lib), [lambda s: 1]),
    "no function": lambda lib: lib.optim.lr_scheduler.LambdaLR(optimizer_of(lib), 3),
    "factor": lambda lib: lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(lib), factor=1.5),
    "mode": lambda lib: lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(lib), mode="middle"),
    "threshold mode": lambda lib: lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(lib), threshold_mode="x"),
    "least rates of another number": lambda lib: lib.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer_of(lib), min_lr=[1.0, 2.0, 3.0]
    ),
    "no metric": lambda lib: lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(lib)).step(),
    "no step size": lambda lib: lib.optim.lr_scheduler.StepLR(optimizer_of(lib)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    agree(lambda lib: type(REFUSED[case](lib)).__name__)


def test_a_schedule_before_its_optimizer_is_warned_of():
    def warnings_of(lib):
        scheduler = lib.optim.lr_scheduler.StepLR(optimizer_of(lib), 1)
        with pytest.warns(UserWarning):
            scheduler.step()

    agree(warnings_of)
