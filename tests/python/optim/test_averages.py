"""Averaged models and their schedule beside torch."""

from __future__ import annotations

import pytest

from oracle import agree, raises


def model_of(lib):
    model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 2))
    with lib.no_grad():
        for i, parameter in enumerate(model.parameters()):
            parameter.copy_(lib.arange(parameter.numel()).reshape(parameter.shape) * 0.1 - i)
    return model


AVERAGES = {
    "all": lambda w: {},
    "swa_avg": lambda w: {"avg_fn": w.get_swa_avg_fn()},
    "ema_avg": lambda w: {"avg_fn": w.get_ema_avg_fn(0.9)},
    "swa_multi": lambda w: {"multi_avg_fn": w.get_swa_multi_avg_fn(), "use_buffers": True},
    "ema_multi": lambda w: {"multi_avg_fn": w.get_ema_multi_avg_fn(0.7)},
    "own": lambda w: {"avg_fn": lambda average, value, count: average * 0.5 + value * count},
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averages(name):
    def program(lib):
        model = model_of(lib)
        utils = lib.optim.swa_utils
        average = utils.AveragedModel(model, **AVERAGES[name](utils))
        for i in range(4):
            with lib.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(1.1 + i * 0.1)
            average.update_parameters(model)
        output = average(lib.ones(2, 3))
        return dict(average.state_dict()), output.detach(), dict(model.state_dict())

    agree(program)


def test_an_average_is_a_copy():
    def program(lib):
        model = model_of(lib)
        average = lib.optim.swa_utils.AveragedModel(model)
        average.update_parameters(model)
        lib.optim.swa_utils.update_bn([lib.ones(2, 3)], model)
        return [ours is theirs for ours, theirs in zip(average.parameters(), model.parameters())], model.training

    agree(program)


@pytest.mark.parametrize(
    "options", [{}, {"anneal_epochs": 3}, {"anneal_epochs": 0}, {"anneal_strategy": "linear"}], ids=str
)
@pytest.mark.parametrize("rate", [0.05, [0.05, 0.3]])
def test_schedule(rate, options):
    def program(lib):
        groups = [
            {"params": [lib.ones(1, requires_grad=True)]},
            {"params": [lib.ones(1, requires_grad=True)], "lr": 2.0},
        ]
        optimizer = lib.optim.SGD(groups, lr=0.5)
        before = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        scheduler = lib.optim.swa_utils.SWALR(optimizer, rate, **options)
        rates = []
        for i in range(14):
            optimizer.step()
            (before if i < 3 else scheduler).step()
            rates.append([group["lr"] for group in optimizer.param_groups])
        return rates, scheduler.get_last_lr()

    agree(program)


REFUSED = {
    "both": lambda lib: lib.optim.swa_utils.AveragedModel(
        model_of(lib),
        avg_fn=lib.optim.swa_utils.get_swa_avg_fn(),
        multi_avg_fn=lib.optim.swa_utils.get_swa_multi_avg_fn(),
    ),
    "decay": lambda lib: lib.optim.swa_utils.get_ema_avg_fn(1.5),
    "decay of lists": lambda lib: lib.optim.swa_utils.get_ema_multi_avg_fn(-0.5),
    "strategy": lambda lib: lib.optim.swa_utils.SWALR(
        lib.optim.SGD([lib.ones(1, requires_grad=True)], 0.1), 0.1, anneal_strategy="square"
    ),
    "epochs": lambda lib: lib.optim.swa_utils.SWALR(
        lib.optim.SGD([lib.ones(1, requires_grad=True)], 0.1), 0.1, anneal_epochs=-1
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    raises(REFUSED[case])
