# %% [markdown] minutes=20
# # 12. An op of your own
#
# At the end of tutorial 11 there was one thing left that we had to believe: the table of rules. Every number of this
# series, every gradient, picture and Hessian, was put together from its lines. Somebody wrote those lines. Now it is
# your turn to write one.
#
# We make a new activation function, from the formula on paper to a deep network that learns with it. On the way we
# break it in seven ways. You will see that *every one* of the broken ones still learns, and what it takes to catch
# them all.

# %%
import numpy as np
from hypothesis import settings

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("12_your_own_op", lang="en")

# %% [markdown]
# ## What we would like to have
#
# The whole trouble of this series came from one number: σ′ is never larger than a quarter. So let us look for a
# function that squeezes any number into a range, as σ does, but has slope 1 in the middle. Here is one; we call it ψ
# ("psi").
#
# $$\psi(z) = \frac{z}{\sqrt{1 + z^2}}$$
#
# For small z the root is nearly 1, and ψ(z) is nearly z. For large z the root is nearly |z|, and ψ(z) is nearly 1 or
# −1. (It has been used in networks before, under the name *inverse square root unit*.)


# %%
def psi(z):
    return z / np.sqrt(1 + z * z)


zs = np.linspace(-6, 6, 241)
with plot(
    "Two panels. Left, σ climbs from 0 to 1 and ψ from −1 to 1. Right, the slope of ψ is a hill of height 1, that of σ "
    "a flat one of height a quarter",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    left.plot(zs, psi(zs), label="ψ")
    left.plot(zs, vg.sigmoid(zs), "--", label="σ")
    left.set(xlabel="z", title="two functions that squeeze")
    left.legend()
    right.plot(zs, [vg.grad(psi)(z) for z in zs], label="ψ′")
    right.plot(zs, [vg.grad(vg.sigmoid)(z) for z in zs], "--", label="σ′")
    right.set(xlabel="z", title="their slopes")
    right.legend()

# %% tags=["hidden"]
assert vg.grad(psi)(0.0) == 1
assert max(float(vg.grad(psi)(z)) for z in zs) == 1

# %% [markdown]
# Wait: `vg.grad(psi)` *worked*. We wrote no rule, and the library gave us the slope. Since ψ is made of a product, a
# sum, a root and a quotient, and these are in the table, it can be put together from them. Here is how it looks
# inside.

# %%
z = vg.Tensor(0.66, name="z")
show(
    vg.draw(psi(z).named("a")),
    "ψ put together from the table: z leads to the root on two edges and to the quotient on a third",
)

# %% tags=["hidden"]
in_pieces = vg.backprop(psi(z).named("a"))
assert f"{in_pieces[z]:.4f}" == "0.5814"

# %% [markdown]
# Three paths, a division, a root: right, and nobody would guess from this picture that it shows a slope between 0 and
# 1. There are three reasons to make ψ an op of its own:
#
# * **One node instead of four.** Fewer nodes mean less memory and less to do in every sweep.
# * **A name.** In pictures and in `vg.explain` there will be ψ, and what is special about its slope can be read.
# * **You decide how the slope is computed.** We will need that in a moment.
#
# ## The rule
#
# First the derivative, on paper. Write u = 1 + z², so that ψ = z · u^(−½). The product rule, and the chain rule for
# u:
#
# $$\psi'(z) = u^{-1/2} - z \cdot \tfrac12 u^{-3/2} \cdot 2z = u^{-3/2}\,(u - z^2) = (1 + z^2)^{-3/2}$$
#
# At z = 0 that is 1, as we wished. Now into the table. `vg.primitive` takes the function and one rule for each
# argument. A rule is a **vjp**: it is given the cotangent g that arrives from behind, the output `out`, and the
# arguments, and it answers what to send on: *g times the local derivative*.


# %%
def psi_vjp(g, out, z):
    return g * (1 + z * z) ** -1.5


squash = vg.primitive(psi, (psi_vjp,), name="squash", symbol="ψ", local="(1 + {0}²)^(−3/2)")

z = vg.Tensor(0.66, name="z")
a = squash(z).named("a")
a.backward()
print(f"ψ(0.66) = {a.item():.4f}, slope {z.grad:.4f}")

# %%
show(vg.draw(a), "ψ as an op of its own: z leads to a, and back leads one edge with (1 + z²)^(−3/2) = 0.5814 on it")

# %% tags=["hidden"]
assert f"{a.item():.4f}" == "0.5508"
assert f"{float(z.grad):.4f}" == "0.5814"

# %% [markdown]
# One node, one edge back, and the edge says what it is. That is what `symbol` and `local` are for: `{0}` stands for
# the first argument. The slope is the same 0.5814 as before.
#
# ## Two rules, equally right on paper
#
# Look at the arguments of the rule again: it is given the output, too. Could one save the work of the power? Since ψ²
# = z²/(1 + z²), we have 1 − ψ² = 1/(1 + z²), and so
#
# $$\psi'(z) = (1 - \psi^2)^{3/2}$$
#
# It is the same formula, as a(1 − a) is for σ. Let us put both to a large z. The true slope at z = 1e9 is 1e-27, to
# more digits than we can print.

# %%
for z in (1.0, 1e3, 1e6, 1e9):
    by_input = (1 + z * z) ** -1.5
    by_output = (1 - psi(z) ** 2) ** 1.5
    print(f"z = {z:.0e}: by the input {by_input:.6e}, by the output {by_output:.6e}")

# %% tags=["hidden"]
assert (1 - psi(1e9) ** 2) ** 1.5 == 0
assert abs((1 + 1e9 * 1e9) ** -1.5 / 1e-27 - 1) < 1e-14
off = [abs((1 - psi(z) ** 2) ** 1.5 / (1 + z * z) ** -1.5 - 1) for z in (1e6, 1.0)]
assert off[0] > 1e-5
assert off[1] < 1e-14

# %% [markdown]
# At z = 1 they agree. At 1e6 the second has lost most of its digits, and at 1e9 it says 0. The output is so near to 1
# that the computer's 16 digits cannot hold the difference, and what 1 − ψ² computes there is mostly **rounding**. A
# tiny slope is not no slope: in this series we looked at gradients that were a product of such numbers. So we keep
# the rule that uses the input. (The library's σ has such a rule for the same reason.)
#
# ## Is it right?
#
# Do not trust the paper, and me even less. The honest judge of tutorial 4:

# %%
points = np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]])
print(vg.check_gradients(squash, points))

# %% [markdown]
# It agrees with finite differences. Is that enough? A gradient check compares a derivative with *its own* function,
# here, at these points, for one cotangent. It cannot know what ψ was meant to be. And an op has to have more virtues
# than a right slope: it must not change what it is given, must answer in the right shape, must be right for a tiny
# cotangent and for none at all, and it must be differentiable again.
#
# `vg.check_op` tries all that. It wants samples, and a **reference**: the same value, computed in *another* way. We
# have one from trigonometry: ψ(z) = sin(arctan z).


# %%
def reference(z):
    return np.sin(np.arctan(z))


samples = [0.5, points, np.array([[0.2, -3.0, 0.9]])]
print(vg.check_op(squash, samples=samples, reference=reference))

# %% [markdown]
# Fifteen properties, each tried on the three samples. You could read them as a description of what an op is. Two
# examples: *vjp(0) = 0* says that nothing comes out where nothing goes in, and *used twice* that ψ(x) + 4·ψ(x) gets
# five times the gradient.
#
# ## Break it
#
# A check that says "ok" has told you little until you have seen it say "no". So here are six faulty ops, each with a
# mistake that people really make.


# %%
last = {}


def psi_and_note(z):
    last["z"] = z  # to have it at hand later
    return psi(z)


def no_tiny_ones(g, out, z):
    sent = psi_vjp(g, out, z)
    return np.where(np.abs(sent) < 1e-7, 0.0, sent)


faulty = {
    "wrong sign": (psi, lambda g, out, z: -psi_vjp(g, out, z)),
    "forgets g": (psi, lambda g, out, z: (1 + z * z) ** -1.5),
    "remembers the last z": (psi_and_note, lambda g, out, z: g * (1 + last["z"] ** 2) ** -1.5),
    "drops what is tiny": (psi, no_tiny_ones),
    "takes z for a constant": (psi, lambda g, out, z: psi_vjp(g, out, vg.stop_gradient(z))),
    "another function": (lambda z: z / np.sqrt(2 + z * z), lambda g, out, z: g * 2 * (2 + z * z) ** -1.5),
}

# %% [markdown]
# The last one has a right derivative, but of the wrong function: there is a 2 where a 1 should be.
#
# Predict, before you run the next cell: with which of these will a network *not* learn? We take two hidden layers of
# 30 neurons, 1,000 digits, and 30 steps.


# %%
X, y = vg.datasets.mnist_sample().train


def learn(activation, steps=30):
    net = vg.nn.MLP([784, 30, 30, 10], activation=activation, seed=0)
    optimizer = vg.optim.SGD(net.parameters(), lr=0.1)
    costs = []
    for _ in range(steps):
        C = vg.nn.losses.cross_entropy(net.logits(X), y)
        C.backward()
        optimizer.step()
        costs.append(C.item())
    return costs


broken = {name: vg.primitive(f, (vjp,), name="squash") for name, (f, vjp) in faulty.items()}
curves = {name: learn(op) for name, op in {"right": squash, **broken}.items()}
for name, costs in curves.items():
    print(f"{name:23} C from {costs[0]:.2f} to {costs[-1]:.2f}")

# %%
with plot(
    "Seven curves of the cost over 30 steps, all of them falling; the right op and two of the broken ones lie on one "
    "another",
    width=6.8,
    height=3.8,
) as axes:
    for (name, costs), style in zip(curves.items(), ("-", "--", "-.", ":", "--", ":", "-"), strict=True):
        axes.plot(
            costs, style, linewidth=4 if name == "right" else 1.6, alpha=0.4 if name == "right" else 1, label=name
        )
    axes.set(xlabel="step", ylabel="cost C", title="all of them learn")
    axes.legend()

# %% tags=["hidden"]
ends = {name: costs[-1] for name, costs in curves.items()}
assert all(min(costs) == costs[-1] < costs[0] / 2 for costs in curves.values())
assert f"{ends['right']:.2f}" == "2.74"
assert sum(abs(ends[name] - ends["right"]) < 1e-3 for name in broken) == 2
assert f"{ends['wrong sign']:.2f}" == "2.88"
shares = np.bincount(y) / len(y)
known = -np.sum(shares * np.log(shares) + (1 - shares) * np.log(1 - shares))
assert f"{ends['forgets g']:.2f}" == "3.25" == f"{known:.2f}"

# %% [markdown]
# All seven costs fall. Even with the *wrong sign*, from 9.51 to 2.88, where the right op comes to 2.74: the output
# layer has σ and learns properly, whatever the layers below it do. The one that forgets g comes to 3.25; that is the
# cost of a network which knows how frequent each digit is and nothing else (tutorial 7). And two of the faulty ones
# cannot be told from the right one at all.
#
# Remember this picture whenever somebody says "my gradient must be right, the cost goes down". Now the judges.

# %%
print(f"{'':23} check_gradients   check_op")
verdicts = {}
for name, op in broken.items():
    by_gradients = vg.check_gradients(op, points, raises=False)
    by_op = vg.check_op(op, samples=samples, reference=reference, raises=False)
    verdicts[name] = bool(by_gradients), [failure.property for failure in by_op.failures]
    print(f"{name:23} {'sees nothing' if by_gradients else 'caught':17} {verdicts[name][1][0]}")

# %% tags=["hidden"]
assert f"{curves['wrong sign'][0]:.2f}" == "9.51"
assert [name for name, (passed, _) in verdicts.items() if not passed] == ["wrong sign", "forgets g"]
assert all(found for _, found in verdicts.values())
assert verdicts["remembers the last z"][1] == ["second order"]
assert verdicts["takes z for a constant"][1] == ["second order"]
assert verdicts["another function"][1] == ["forward"]
assert verdicts["drops what is tiny"][1][0].startswith("vjp(2")

# %% [markdown]
# The gradient check sees two of the six, and that is no fault of its own: in the other four, the first derivative at
# these points *is* right. `check_op` catches them all, each by a property that asks for exactly that virtue:
#
# * the one that drops what is tiny by *vjp(2ᵏg) = 2ᵏ·vjp(g)*: a rule must be as right for a message of 2⁻¹⁶⁰ as for
#   one of 1. In the first layer of a deep network messages *are* tiny;
# * the one that takes z for a constant by *second order*. That is tutorial 11: right as a number, wrong as something
#   to be differentiated again;
# * the one that remembers the last z by *second order*, too, since what it remembers is a mere array. It is right as
#   long as the op is used once. A network with two layers uses it twice, and then the first layer gets the slopes of
#   the second;
# * the other function by *forward*, thanks to our reference.
#
# ## The seventh
#
# Here is one more. Its author thought: "beyond 4 it is saturated anyway".

# %%
cut_off = vg.primitive(psi, (lambda g, out, z: g * np.where(np.abs(z) < 4, (1 + z * z) ** -1.5, 0.0),), name="squash")
print("check_gradients:", bool(vg.check_gradients(cut_off, points)))
print("check_op:", bool(vg.check_op(cut_off, samples=samples, reference=reference)))

# %% tags=["hidden"]
assert max(np.max(np.abs(s)) for s in samples) == 3
assert abs(learn(cut_off)[-1] - ends["right"]) < 1e-3

# %% [markdown]
# Nobody notices. Of course not: the largest number in our samples is 3. **A check is as good as its samples**, and we
# chose them with the same head that wrote the rule.
#
# So let somebody else choose. Hypothesis, which you met in tutorial 4, draws samples of all shapes and sizes from
# what we allow, and when one fails, it looks for the smallest that still does. `vg.op_test` makes a test of an op
# from it; in a file of tests it is one line.

# %%
wide = vg.strategies.arrays(vg.strategies.shapes(max_dims=2), domain=(-8, 8))
calmly = settings(max_examples=60, deadline=None, derandomize=True, database=None)

test_squash = vg.op_test(squash, samples=wide, reference=reference, settings=calmly)
test_squash()
print("squash: passed")

test_cut_off = vg.op_test(cut_off, samples=wide, reference=reference, settings=calmly)
try:
    test_cut_off()
except AssertionError as failure:
    found = str(failure)
    print("cut_off:", found)

# %% tags=["hidden"]
assert "in squash(4.0)" in found

# %% [markdown]
# The right op passes. The seventh is caught, and look at the last line: of all the arrays with all their numbers,
# Hypothesis hands us `squash(4.0)`, a single number, the very place where the author drew his line.
#
# ## How good are my samples?
#
# One can ask the question the other way round. `vg.mutants(op)` makes copies of your op with some twenty-five faults,
# such as a sign, a forgotten sum, a transposed answer, a detour through float32. With `mutants=True`, `check_op`
# tries each of them and reports those that your samples would have let pass.

# %%
for name, chosen in (("a single number", [1.0]), ("our three samples", samples)):
    report = vg.check_op(squash, samples=chosen, reference=reference, mutants=True)
    print(f"{name}: {report.killed} mutants noticed, idle: {', '.join(report.idle) or 'none'}")

# %% tags=["hidden"]
assert len(report.idle) == 1
assert "mean for sum" in report.idle[0]
alone = vg.check_op(squash, samples=[1.0], reference=reference, mutants=True)
assert len(alone.idle) == 6
assert alone.killed + 6 == report.killed + 1 == len(vg.mutants(squash)) == 25

# %% [markdown]
# A mutant is **idle** if it made no difference on the samples. With a single number six of them are: turn a single
# number round, transpose it, and it is the same as before. With our samples one is left, *mean for sum*, and that one
# is harmless: in an op that answers each number by itself nothing is ever summed.
#
# This is why one of the samples should have two axes of *different* length, and one an axis of length 1.
#
# ## Put it to work
#
# Four hidden layers, as in tutorial 7. There the first layer of the sigmoid network learned about a hundred times
# more slowly than the last, at the start. And with ψ?

# %%
speeds = {}
for name, activation in (("σ", "sigmoid"), ("ψ", squash)):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=activation, seed=0)
    vg.nn.losses.cross_entropy(net.logits(X), y).backward()
    speeds[name] = [float(np.linalg.norm(layer.b.grad)) for layer in net.layers[:4]]
    print(f"{name}: ‖δ‖ in layers 1 to 4:", *(f"{v:.4f}" for v in speeds[name]))

# %%
digits = vg.datasets.mnist_sample()


def entropy(net, X, y):
    return vg.nn.losses.cross_entropy(net.logits(X), y)


accuracy = {}
for name, activation in (("σ", "sigmoid"), ("ψ", squash)):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=activation, seed=0)
    history = vg.training.fit(net, entropy, digits.train, epochs=5, lr=0.1, validation=digits.validation, seed=0)
    accuracy[name] = history.accuracy
    print(f"{name}: {history.accuracy[-1]:.0%} right after 5 epochs")

# %%
with plot(
    "Two panels. Left, learning speeds of the four hidden layers on a log scale: with σ they fall steeply towards the "
    "first layer, with ψ gently. Right, σ stays at one digit in ten for five epochs, ψ rises",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    for name, marker in (("ψ", "o-"), ("σ", "s--")):
        left.semilogy(range(1, 5), speeds[name], marker, label=name)
        right.plot(range(1, 6), accuracy[name], marker, label=name)
    left.set(xlabel="hidden layer", xticks=range(1, 5), title="‖δ‖ at the start")
    right.set(xlabel="epoch", ylabel="right of 1,000 new digits", ylim=(0, 1), title="learning")
    left.legend()
    right.legend()

# %% tags=["hidden"]
times = {name: values[3] / values[0] for name, values in speeds.items()}
assert abs(times["σ"] - 110) < 10
assert 6 < times["ψ"] < 7
assert accuracy["σ"][-1] < 0.15
assert 0.65 < accuracy["ψ"][-1] < 0.85
for seed in (1, 2):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=squash, seed=seed)
    entropy(net, X, y).backward()
    norms = [np.linalg.norm(layer.b.grad) for layer in net.layers[:4]]
    assert 5 < norms[3] / norms[0] < 10
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], activation=squash, seed=seed)
    history = vg.training.fit(net, entropy, digits.train, epochs=4, lr=0.1, validation=digits.validation, seed=0)
    assert history.accuracy[-1] > 0.6
book = {"four hidden layers of 30, 50,000 training images, 30 epochs, right in %": 96.53}

# %% [markdown]
# From layer 4 to layer 1 the learning speed falls by a factor of about 110 with σ, of 6 to 7 with ψ. After five
# epochs on 1,000 digits the sigmoid network still guesses, one in ten; the one with your op reads about three in
# four. (Seed 0; with the seeds 1 and 2 the factor of ψ lies between 5 and 10, too, and more than 60 % are right after
# four epochs. With all 50,000 images the sigmoid network learns as well, it only starts late: the one in the book
# ends at 96 %.)
#
# It is no miracle: ψ saturates like every function that squeezes, and its factors, too, are multiplied. But its hill
# is four times as high.
#
# ### Exercise 12.1: an op with a weight of its own
#
# Now everything once more, by yourself, and with two arguments. The function is called **swish**:
#
# $$\text{swish}(x, \beta) = x \cdot \sigma(\beta x)$$
#
# A network can *learn* β. For β = 0 it is the straight line x/2, for large β nearly the ReLU.

# %%
xs = np.linspace(-5, 5, 201)
with plot("swish for three β: for 0.3 a gentle bend, for 1 a dip left of zero, for 10 nearly the ReLU") as axes:
    for beta, style in ((0.3, "-"), (1.0, "--"), (10.0, "-.")):
        axes.plot(xs, xs * vg.sigmoid(beta * xs), style, label=f"β = {beta}")
    axes.set(xlabel="x", title="swish(x, β)")
    axes.legend()

# %% [markdown]
# Write two things.
#
# * `swish`: an op made with `vg.primitive`, of two arguments x and β in this order, with two rules, and with `local`
#   for both. Mind that x goes into the formula twice. Your rules need not care about shapes: if β is one number, or
#   one per neuron, the engine adds up what has to be added up. Answer in the shape of the output.
# * `my_samples`: a list of pairs (x, β) for `vg.check_op`, good enough that no mutant stays idle but those that
#   cannot make a difference. Try `vg.check_op(swish, samples=my_samples, reference=…, mutants=True)` and read what it
#   says.

# %% tags=["exercise"]
swish = ...
my_samples = [...]


# %% tags=["solution"]
def swish_vjp_x(g, out, x, beta):
    s = vg.sigmoid(beta * x)
    return g * (s + beta * x * s * vg.sigmoid(-beta * x))  # two paths from x, added


def swish_vjp_beta(g, out, x, beta):
    return g * x * x * vg.sigmoid(beta * x) * vg.sigmoid(-beta * x)


swish = vg.primitive(
    lambda x, beta: x * vg.sigmoid(beta * x),
    (swish_vjp_x, swish_vjp_beta),
    name="swish",
    local=("σ({1}·{0}) + {1}·{0}·σ′({1}·{0})", "{0}²·σ′({1}·{0})"),
)
my_samples = [
    (np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]]), np.array([[0.5, 1.0, 2.0], [-0.7, 1.2, 0.3]])),
    (np.array([[0.8], [-1.1]]), np.array([[1.0, -0.5, 2.0]])),  # both are stretched
]

# %% tags=["check"]
with check(
    "12.1", hint="Nudge x: it moves the factor x and the σ. Stretch each argument in some sample: (2, 1), (1, 3)."
):
    answered(swish, my_samples)
    rng = np.random.default_rng(121)
    assert hasattr(swish, "op"), "swish should be made with vg.primitive"
    assert len(swish.op.rules(2)) == 2, f"two arguments, so two rules, but there are {len(swish.op.rules(2))}"
    tried = [tuple(rng.normal(size=s) for s in pair) for pair in (((), ()), ((2, 3), (2, 3)), ((3, 1), (1, 2)))]

    def other_way(x, beta):
        return x * (1 + np.tanh(beta * x / 2)) / 2

    report = vg.check_op(swish, samples=tried, reference=other_way, mutants=True, raises=False)
    if not report:
        lines = [str(failure).splitlines()[0] for failure in report.failures]
        raise AssertionError(f"{len(lines)} properties do not hold, the first: {lines[0]}")
    words = swish.op.local
    assert len(words) == 2, "give local=(…, …): how the pictures should write the two local derivatives"
    assert all("{0}" in word or "{1}" in word for word in words), "local should say {0} for x and {1} for β"
    mine = vg.check_op(swish, samples=my_samples, reference=other_way, mutants=True, raises=False)
    assert not mine.failures, f"at your samples: {mine.failures[0]}"
    asleep = [name.split(": ")[1] for name in (*mine.missed, *mine.idle) if name not in report.idle]
    assert not asleep, f"swish is right. Your samples do not notice {len(asleep)} mutants: {', '.join(asleep[:5])}"

# %% [markdown]
# Here is what such a solution looks like in a picture, with β as a variable beside x. It has its own gradient, and a
# network could learn it.


# %%
def sigma_slope(z):
    return vg.sigmoid(z) * vg.sigmoid(-z)


gated = vg.primitive(
    lambda x, beta: x * vg.sigmoid(beta * x),
    (
        lambda g, out, x, beta: g * (vg.sigmoid(beta * x) + beta * x * sigma_slope(beta * x)),
        lambda g, out, x, beta: g * x * x * sigma_slope(beta * x),
    ),
    name="swish",
    local=("σ({1}·{0}) + {1}·{0}·σ′({1}·{0})", "{0}²·σ′({1}·{0})"),
)
x, beta = vg.Tensor(0.8, name="x"), vg.Tensor(1.5, name="β")
out = gated(x, beta).named("a")
show(vg.draw(out), "swish as one node with two edges back, to x and to β; the one to β says x²·σ′(β·x) = 0.1139")
print(vg.explain(out, wrt=beta))

# %% tags=["hidden"]
assert f"{vg.backprop(out)[beta]:.4f}" == "0.1139"

# %% [markdown]
# ## What to take with you
#
# * An op is a function and one **vjp** per argument: the message times the local derivative, written with NumPy
#   functions, so that it can be differentiated again.
# * Two formulas that are equal on paper can differ in the computer: 1 − ψ² is rounding where ψ is nearly 1.
# * **That the cost goes down proves nothing.** It went down with the wrong sign.
# * A gradient check sees a wrong slope at the places where it looks. For an op ask for more: a **reference** for the
#   value, the properties of `vg.check_op`, samples that Hypothesis chooses.
# * To know what a check is worth, break the thing on purpose and watch. **Mutants** do it by the dozen.
#
# That was the last tutorial. You began with a nudge at one weight; you can now read the graph of a network, explain
# why its first layers learn slowly, measure it, cure it, and extend the engine that computes it all, and show that it
# is right. One question goes with you: which claim that you believe about deep networks have you never seen fail, and
# how would you break it on purpose?
