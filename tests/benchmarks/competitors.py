"""One SGD step with weight decay, by everyone who is compared: the same network, loss, mini-batches and update."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.optim import SGD

from . import book, buffered, byhand

OURS, BYHAND, BUFFERED, BOOK = "tinygrad_vg", "by hand", "by hand, buffered", "the book's loop"
TORCH, MYGRAD, UNGUARDED, HIPS = "PyTorch", "MyGrad", "MyGrad unguarded", "HIPS autograd"
LR, DECAY = 0.1, 5.0 / 50_000  # chapter 5: η = 0.1, λ = 5, of 50,000 samples


class Competitor(NamedTuple):
    """Someone who trains.

    Attributes
    ----------
    step
        ``step(x, y)`` takes one step on a mini-batch.
    params
        Gives w₁, b₁, w₂, … as NumPy arrays of shapes (n_in, n_out) and (n_out,).
    batches
        The mini-batches, in the form that `step` takes.
    """

    step: Callable[[Any, Any], Any]
    params: Callable[[], list[np.ndarray]]
    batches: list[tuple[Any, Any]]


def ours(sizes, batches):
    mlp = network(sizes)
    opt = SGD(mlp.parameters(), lr=LR, weight_decay=DECAY)

    def step(x, y):
        cost = losses.cross_entropy(mlp.logits(x), y)
        cost.backward()
        opt.step()

    return Competitor(step, lambda: [p.data for p in mlp.parameters()], batches)


def network(sizes):
    """The network everyone starts from."""
    return MLP(sizes, seed=0)


def initial(sizes):
    """Its parameters, to be changed."""
    return [p.data.copy() for p in network(sizes).parameters()]


def by_hand(sizes, batches):
    params, kept = initial(sizes), 1 - LR * DECAY
    return Competitor(lambda x, y: byhand.step(params, x, y, LR, kept), lambda: params, batches)


def by_hand_buffered(sizes, batches):
    params, kept = initial(sizes), 1 - LR * DECAY
    step = buffered.make(params, len(batches[0][0]))
    return Competitor(lambda x, y: step(x, y, LR, kept), lambda: params, batches)


def the_book(sizes, batches):
    params, kept = initial(sizes), 1 - LR * DECAY
    loop = book.Loop([w.T.copy() for w in params[::2]], [b[:, None] for b in params[1::2]])
    columns = [([(x[i][:, None], y[i][:, None]) for i in range(len(x))], None) for x, y in batches]

    def back():
        pairs = zip(loop.weights, loop.biases, strict=True)
        return [p for w, b in pairs for p in (w.T, b[:, 0])]

    return Competitor(lambda samples, _: loop.step(samples, LR, kept), back, columns)


def torch(sizes, batches):
    import torch

    torch.set_num_threads(1)
    layers = []
    for w, b in pairs(initial(sizes)):
        linear = torch.nn.Linear(*w.shape, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, torch.nn.Sigmoid()]
    net = torch.nn.Sequential(*layers[:-1])
    loss = torch.nn.BCEWithLogitsLoss(reduction="sum")
    weights, biases = ([p for p in net.parameters() if p.ndim == ndim] for ndim in (2, 1))
    opt = torch.optim.SGD([{"params": weights, "weight_decay": DECAY}, {"params": biases}], lr=LR)

    def step(x, y):
        opt.zero_grad()
        cost = loss(net(x), y) / len(x)
        cost.backward()
        opt.step()

    def back():
        return [p.detach().numpy().T for p in net.parameters()]

    return Competitor(step, back, [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in batches])


def mygrad(sizes, batches):
    import mygrad as mg
    from mygrad.nnet.activations import sigmoid

    params = [mg.tensor(p) for p in initial(sizes)]
    kept = 1 - LR * DECAY

    def step(x, y):
        a = x
        for w, b in pairs(params[:-2]):
            a = sigmoid(mg.matmul(a, w) + b)
        z = mg.matmul(a, params[-2]) + params[-1]
        cost = mg.logaddexp(0.0, (1.0 - 2.0 * y) * z).sum() / len(x)
        cost.backward()
        for p in params:
            if p.ndim == 2:
                p.data *= kept
            p.data -= LR * p.grad
            p.null_grad()

    return Competitor(step, lambda: [p.data for p in params], batches)


def mygrad_unguarded(sizes, batches):
    """Without the locks on arrays that belong to a graph, as MyGrad's manual advises where speed matters."""
    from mygrad import mem_guard_off

    guarded = mygrad(sizes, batches)

    def step(x, y):
        with mem_guard_off:
            guarded.step(x, y)

    return guarded._replace(step=step)


def hips(sizes, batches):
    import autograd.numpy as anp
    from autograd import grad

    params = initial(sizes)
    kept = 1 - LR * DECAY

    def cost(params, x, y):
        a = x
        for w, b in pairs(params[:-2]):
            a = 1.0 / (1.0 + anp.exp(-(anp.dot(a, w) + b)))
        z = anp.dot(a, params[-2]) + params[-1]
        return anp.sum(anp.logaddexp(0.0, (1.0 - 2.0 * y) * z)) / len(x)

    gradient = grad(cost)

    def step(x, y):
        for p, g in zip(params, gradient(params, x, y), strict=True):
            if p.ndim == 2:
                p *= kept
            p -= LR * g

    return Competitor(step, lambda: params, batches)


def pairs(params):
    """(w, b) of each layer."""
    return list(zip(params[::2], params[1::2], strict=True))


MAKERS = {
    BYHAND: by_hand,
    OURS: ours,
    BUFFERED: by_hand_buffered,
    TORCH: torch,
    MYGRAD: mygrad,
    UNGUARDED: mygrad_unguarded,
    HIPS: hips,
    BOOK: the_book,
}


def everyone(sizes, batches):
    """All who can be had, by name, and the names of those who are not installed."""
    found, absent = {}, []
    for name, make in MAKERS.items():
        try:
            found[name] = make(sizes, batches)
        except ModuleNotFoundError as error:
            if error.name and error.name.split(".")[0] in ("torch", "mygrad", "autograd"):
                absent.append(name)
            else:
                raise
    return found, absent


def check_alike(found, steps=5, rtol=1e-10):
    """Train everyone for a few steps and compare all that was learned with what is written by hand.

    The difference is measured against what the steps have changed, so that a gradient of the wrong size shows, however
    small the steps are.

    Raises
    ------
    AssertionError
        If someone computes something else.
    """
    before = [p.copy() for p in found[BYHAND].params()]
    for who in found.values():
        for x, y in who.batches[:steps]:
            who.step(x, y)
    wanted = found[BYHAND].params()
    for name, who in found.items():
        for i, (p, q, start) in enumerate(zip(who.params(), wanted, before, strict=True)):
            off = np.abs(p - q).max() / np.abs(q - start).max()
            assert off < rtol, f"{name}: parameter {i} is {off:.1e} off after {steps} steps, of what they changed"
