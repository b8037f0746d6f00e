# %% [markdown] minutes=20
# # 6. The vanishing chain
#
# In tutorial 1 two neurons stood in a row, and of the pull at the second bias about a seventh was left at the first.
# That was one neuron more on the way. In tutorial 5 a network with one hidden layer learned to read digits. One would
# think that more layers can only help: a deep network can do whatever a shallow one does, and more.
#
# Yet for a long time hardly anybody managed to train one. The first layers did not learn. This tutorial finds the
# reason in the smallest deep network there is: neurons in a row, one a layer. We look at each factor of the chain
# rule, ask how small it is, how small it has to be, and whether there is a way out.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.lab import neuron_chain
from tinygrad_vg.lab.chain_terms import small_changes
from tinygrad_vg.lab.identity_neurons import with_identity_layers
from tinygrad_vg.lab.random_chains import random_chains
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("06_vanishing_chain", lang="en")

# %% [markdown]
# ## Four neurons in a row
#
# Each neuron hears the one before it and nothing else:
#
# $$z_j = w_j a_{j-1} + b_j \qquad a_j = \sigma(z_j) \qquad j = 1, 2, 3, 4 \qquad\qquad C = \tfrac12 (a_4 - y)^2$$
#
# a₀ is the input. The library builds such a chain for us; the weights are ordinary ones, none is larger than 1.
#
# How fast will each neuron learn? A step of gradient descent (tutorial 5) moves a bias by −η·∂C/∂b, where η is the
# **learning rate**. So the size of ∂C/∂b says how fast a neuron learns, and one calls it its **learning speed**.
#
# Make a guess before you go on. The fourth neuron stands right at the output, the first at the far end, three neurons
# away. How many times faster does the fourth learn?

# %%
w, b, a0, y = (0.8, -0.6, 0.9, -0.4), (0.1, -0.2, 0.3, 0.05), 0.7, 0.0
chain = neuron_chain(w, b, a0, y)
gradients = vg.backprop(chain.cost, wrt=chain.b)

for bias in chain.b:
    print(f"∂C/∂{bias.name} = {gradients[bias]: .3e}")
print(f"the fourth learns {abs(gradients[chain.b[3]] / gradients[chain.b[0]]):.0f} times faster than the first")

# %% tags=["hidden"]
assert f"{gradients[chain.b[0]]:.3e}" == "2.798e-04"
assert f"{abs(gradients[chain.b[3]] / gradients[chain.b[0]]):.0f}" == "396"

# %% [markdown]
# 396 times. While the fourth bias moves by a step, the first moves by a four-hundredth of it. And nothing about this
# chain is extreme.
#
# ## Look at the factors
#
# Where did it get lost? Here is the chain with the way back from C to b₁. Follow the blue arrows from right to left,
# and watch how they get thinner.

# %%
show(
    vg.draw(chain.cost, wrt=chain.b[0]),
    "Four neurons in a row and the cost; the way back from C to b₁ leads through all four and gets thinner each time",
)

# %% [markdown]
# `vg.explain` writes the same way out as a product, as in tutorials 1 and 3.

# %%
story = vg.explain(chain.cost, wrt=chain.b[0])
print(story)

# %% [markdown]
# A nudge at b₁ reaches z₁ as it is. The first neuron passes on σ′(z₁) of it. Each further neuron first multiplies by
# its weight, then by the slope of its sigmoid: a factor **wσ′(z)** for every neuron on the way. At the end stands
# ∂C/∂a₄, what the cost makes of it.
#
# $$\frac{\partial C}{\partial b_1} = \sigma'(z_1) \cdot w_2\sigma'(z_2) \cdot w_3\sigma'(z_3) \cdot w_4\sigma'(z_4) \cdot \frac{\partial C}{\partial a_4}$$
#
# And ∂C/∂b₄? It is σ′(z₄)·∂C/∂a₄: the tail of the same product. The two differ by the factors in between, and by
# nothing else.

# %%
names = [term.text for term in story.terms]
with plot(
    "Left, five bars: four factors below a quarter, and ∂C/∂a₄ above it. Right, from C back to b₁ what is left falls "
    "by a factor of four to ten with each neuron",
    panels=2,
    width=9.2,
    height=3.4,
) as (left, right):
    left.bar(names, [abs(term.value) for term in story.terms])
    left.axhline(0.25, color="C1", linewidth=1.2, linestyle="--", label="¼")
    left.legend(loc="upper left")
    left.set(title="Each factor, without its sign")
    right.bar(names, [abs(term.product) for term in story.terms], color="C2")
    right.set(title="What is left, from C back to here", yscale="log", ylim=(1e-4, 1))
    for axes in (left, right):
        axes.tick_params(axis="x", labelsize=8)

# %% tags=["hidden"]
assert all([abs(term.value) < 0.25 for term in story.terms[:4]])
assert abs(story.terms[4].value) > 0.25
assert story.value == story.terms[0].product
shrinks = [abs(term.value) for term in story.terms[1:4]]
assert 1 / 11 < min(shrinks) < max(shrinks) < 1 / 4

# %% [markdown]
# Look at the left picture first. No bar but the last reaches the dashed line at a quarter. None is to blame alone;
# all are ordinary. Now the right one, from right to left: each neuron takes its share of what has come so far. On a
# logarithmic scale that makes a staircase, and the staircase leads down to 2.798e-04. This is the **vanishing
# gradient**.
#
# ## The same from the front
#
# Tutorial 1 said that you may always check by trying. Nudge b₁ by Δ and follow the change forwards:
#
# $$\Delta a_1 \approx \sigma'(z_1)\,\Delta b_1 \qquad \Delta a_2 \approx w_2\sigma'(z_2)\,\Delta a_1 \qquad \dots$$
#
# Each ≈ is the slope taken for the curve, and the error of that should fall to a *quarter* when the nudge is halved.
# Does it, even after four neurons?

# %%
nudges = 0.5 ** np.arange(8)
errors = small_changes(w, b, a0, nudges)["C"]
for nudge, error, ratio in zip(nudges[1:], errors[1:], errors[:-1] / errors[1:], strict=True):
    print(f"Δb₁ = {nudge:.4f}: ΔC is off by {error:.2e}, {ratio:.2f} times less than before")

# %% tags=["hidden"]
assert 3.9 < errors[-2] / errors[-1] < 4.1

# %% [markdown]
# It does. So the product is right, and we can lean on it.
#
# ### Exercise 6.1: all the biases at once
#
# In exercise 1.3 you wrote down one product of five slopes. Now write all of ∂C/∂b₁ … ∂C/∂b_L, for a chain of any
# length L. Do not multiply each product anew: begin at the cost and go back, taking the product along.


# %% tags=["exercise"]
def bias_gradients(w, b, a0, y):
    """The list ∂C/∂b₁ … ∂C/∂b_L for a chain with these weights and biases."""
    ...


# %% tags=["solution"]
def bias_gradients(w, b, a0, y):
    """The list ∂C/∂b₁ … ∂C/∂b_L for a chain with these weights and biases."""
    a, slopes = a0, []
    for w_j, b_j in zip(w, b, strict=True):
        a = 1 / (1 + math.exp(-(w_j * a + b_j)))
        slopes.append(a * (1 - a))
    found, message = [], a - y
    for w_j, slope in zip(reversed(w), reversed(slopes), strict=True):
        message = message * slope  # now at z_j, and so at b_j
        found.append(message)
        message = message * w_j  # now at the activation before
    return found[::-1]


# %% tags=["check"]
with check("6.1", hint="Forwards: keep σ′(z_j) = a_j(1 − a_j). Backwards: begin with a_L − y; slope, note it, weight."):
    answered(bias_gradients)
    rng = np.random.default_rng(61)
    for length in (1, 2, 3, 6, 9):
        tried_w, tried_b = rng.normal(size=length).tolist(), rng.normal(size=length).tolist()
        tried = neuron_chain(tried_w, tried_b, 0.4, 0.9)
        judge = vg.backprop(tried.cost, wrt=tried.b)
        answer = bias_gradients(tried_w, tried_b, 0.4, 0.9)
        assert len(answer) == length, f"a chain of {length} has {length} biases, your list has {len(answer)} numbers"
        for j, (own, bias) in enumerate(zip(answer, tried.b, strict=True), start=1):
            seen = f"in a chain of {length}, ∂C/∂b{j}: yours is {float(own):.6g}, backprop gives {judge[bias]:.6g}"
            assert math.isclose(own, judge[bias], rel_tol=1e-9), seen

# %% [markdown]
# ## The kindest chain
#
# Perhaps our chain was unlucky. How well could it go? You know that σ′ is never larger than a quarter (tutorial 1).
# So as long as a weight is not larger than 1,
#
# $$|w_j\,\sigma'(z_j)| \le \tfrac14$$
#
# and ∂C/∂b₁ must be smaller than ∂C/∂b₃ by at least two such factors, whatever one does.
#
# ### Exercise 6.2: lose as little as possible
#
# Build the kindest chain of four neurons: choose four weights between −1 and 1, and four biases, so that ∂C/∂b₁ is as
# large as it can be in comparison with ∂C/∂b₃. The input is a₀ = 0.7. (By how much is it smaller then?)

# %% tags=["exercise"]
kind_w = ...
kind_b = ...

# %% tags=["solution"]
kind_w = [1.0, 1.0, 1.0, 1.0]
kind_b = [-0.7, -0.5, -0.5, -0.5]  # every z is zero, so every a is ½ and every σ′ a quarter

# %% tags=["check"]
with check("6.2", hint="σ′ is largest where z = 0. Which b₁ makes z₁ = 0? What is a₁ then, and which b₂ fits to it?"):
    answered(kind_w, kind_b)
    assert len(kind_w) == len(kind_b) == 4, "a chain of four neurons needs four weights and four biases"
    assert max(np.abs(kind_w)) <= 1, f"the weights should lie between −1 and 1, but one is {max(kind_w, key=abs)}"
    tried = neuron_chain(kind_w, kind_b, a0=0.7)
    judge = vg.backprop(tried.cost, wrt=tried.b)
    assert judge[tried.b[0]] != 0, "∂C/∂b₁ is zero: nothing gets through this chain"
    loss = abs(judge[tried.b[2]] / judge[tried.b[0]])
    assert loss < 16.01, f"∂C/∂b₃ is {loss:.2f} times ∂C/∂b₁ here, and there is a chain with less"

# %% tags=["hidden"]
kindest = neuron_chain([1.0] * 4, [-0.7, -0.5, -0.5, -0.5], 0.7)
found = vg.backprop(kindest.cost, wrt=kindest.b)
assert math.isclose(found[kindest.b[2]] / found[kindest.b[0]], 16, rel_tol=1e-12)

# %% [markdown]
# Sixteen times smaller: that is the *best* case. This is where the sixteen of Michael Nielsen's book comes from ("a
# factor of 16 (or more)"). With weights up to 1, ten neurons cost at least a factor of four to the ninth.
#
# ## The usual chain
#
# And what does one usually get? Before training, weights are drawn at random. Let us draw a hundred thousand chains,
# with weights and biases from the normal distribution with mean 0 and standard deviation 1, written N(0, 1), and an
# input somewhere between 0 and 1.

# %%
drawn = random_chains(100_000, 8, np.random.default_rng(6))
factors = np.exp(drawn.log_terms[1:])  # |w_j σ′(z_j)| of neurons 2 to 8
losses = np.exp(drawn.log_loss())  # |∂C/∂b_j : ∂C/∂b₁|, a row for each j

print(f"|w| < 1:      {np.mean(np.abs(drawn.w) < 1):.1%}")
print(f"|wσ′(z)| < ¼: {np.mean(factors < 0.25):.1%}")
print(f"|wσ′(z)| ≥ 1: {np.mean(factors >= 1):.4%}")
print(
    f"|∂C/∂b₃ : ∂C/∂b₁| is above 16 in {np.mean(losses[2] > 16):.0%} of chains, and {np.median(losses[2]):.0f} in the middle"
)

# %%
with plot(
    "Left, a histogram of log₁₀|wσ′(z)|: a hill, four fifths of it left of a quarter, and hardly anything at 1 or beyond. Right, "
    "the middle chain loses a factor of ten with each neuron, more than the kindest one",
    panels=2,
    width=9.2,
    height=3.6,
) as (left, right):
    left.hist(np.log10(factors.ravel()), bins=np.linspace(-4, 0.5, 91), density=True)
    left.axvline(np.log10(0.25), color="C1", linestyle="--", linewidth=1.2, label="¼")
    left.axvline(0, color="C3", linestyle=":", linewidth=1.5, label="1")
    left.set(title="One factor of a random chain", xlabel="log₁₀ |wσ′(z)|", ylabel="density")
    left.legend(loc="upper left")
    low, middle, high = np.quantile(losses, [0.05, 0.5, 0.95], axis=1)
    neurons = np.arange(1, 9)
    right.fill_between(neurons, low, high, alpha=0.25, linewidth=0, label="nine chains of ten")
    right.semilogy(neurons, middle, "o-", label="the middle one")
    right.semilogy(neurons, 4.0 ** (neurons - 1), "--", label="the kindest, |w| ≤ 1: 4 a neuron")
    right.set(title="How much faster neuron j learns than the first", xlabel="neuron j")
    right.legend(loc="upper left")

# %% tags=["hidden"]
assert 0.675 < np.mean(np.abs(drawn.w) < 1) < 0.69
assert 0.80 < np.mean(factors < 0.25) < 0.82
assert np.mean(factors >= 1) < 1 / 10_000
assert 0.097 < np.exp(np.mean(np.log(factors))) < 0.102  # about 0.1
assert 0.88 < np.mean(losses[2] > 16) < 0.92
assert np.quantile(losses[2], 0.95) > 100 * np.quantile(losses[2], 0.05)
assert 74 < np.median(losses[2]) < 84
assert np.allclose(np.log10(middle[1:]), 0.985 * np.arange(1, 8), rtol=0.1)
alone = [random_chains(100_000, 1, np.random.default_rng(7), a0=a).log_terms for a in (0.0, 1.0)]
assert 0.76 < np.mean(alone[0] < math.log(0.25)) < 0.78
assert 0.88 < np.mean(alone[1] < math.log(0.25)) < 0.90

# %% [markdown]
# On the left, the factors of all neurons. The book says that *usually* |wσ′(z)| is below a quarter, because usually
# |w| < 1. Now we know what "usually" means: |w| < 1 in two thirds of the draws, the factor below a quarter in four
# fifths. Most of the others lie between a quarter and 1. A factor of 1 or more is so rare that you find less than one
# in 10,000.
#
# On the right, what comes of it. The geometric mean of the factors is about 0.1, and so the middle chain loses a
# factor of *ten* with every neuron. Between the third and the first it is about 80 instead of 16. Look at the band,
# too: it gets wider and wider. Some chains are a hundred times worse than others. Keep that in mind for tutorial 8.
#
# (One chain in ten does better than 16: these weights may be larger than 1, and a few are.)
#
# Why is the factor above a quarter less often than the weight above 1? There are two reasons. The bias moves z away
# from 0, where σ′ is smaller: even with the input a = 0 the factor is below a quarter in 77 % of draws. And w stands
# twice in wσ′(wa + b): a large w makes the factor in front large, but it also drives z further away from 0. The
# louder the input, the more this counts: for a = 1 it is 89 %.
#
# ## When does it not vanish?
#
# A chain keeps its gradient if its factors are about 1. So the question is when |wσ′(wa + b)| can be 1 or more. Since
# σ′ is a quarter at most, |w| must be at least 4. But that is not all: z must stay near 0 at the same time. How much
# freedom does the input a have?
#
# Take w = 8 and b = −4 and try out all a between 0 and 1.

# %%
inputs = np.linspace(0, 1, 401)
with plot(
    "Three hills of |wσ′(wa + b)| over the input a: for w = 4 the top touches 1; for w = 8 the hill is above 1 on a "
    "stretch in the middle; for w = 30 it is high and narrow"
) as axes:
    for weight, style in ((4, "--"), (8, "-"), (30, "-.")):
        z = weight * inputs - weight / 2  # b = −w/2, so that the top is at a = ½
        axes.plot(inputs, weight * vg.sigmoid(z) * vg.sigmoid(-z), style, label=f"w = {weight}")
    axes.axhline(1, color="C3", linestyle=":", linewidth=1.5)
    axes.set(xlabel="a", ylabel="|wσ′(wa + b)|")
    axes.legend()

# %% [markdown]
# The dotted line is at 1. For w = 4 the hill just touches it, at one single a. For w = 8 there is a stretch in the
# middle where the factor is above 1. For w = 30 the hill is high, but narrow: a small change of a, and the neuron is
# saturated. The bias only moves the hill to the left or to the right; the length of the stretch depends on w alone.
#
# ### Exercise 6.3: how long is the stretch?
#
# Write `stretch(w)`: the length of the range of a in which |wσ′(wa + b)| ≥ 1, and 0 if there is none. (This is a
# problem of the book.) The stretch ends where σ(z)(1 − σ(z)) = 1/|w|. That is a quadratic equation for σ(z); from
# σ(z) you get z by z = ln(σ/(1 − σ)), and from z the distance in a. Or find the ends by searching. w may be negative.


# %% tags=["exercise"]
def stretch(w):
    """The length of the range of a in which |wσ′(wa + b)| ≥ 1."""
    ...


# %% tags=["solution"]
def stretch(w):
    """The length of the range of a in which |wσ′(wa + b)| ≥ 1."""
    w = abs(w)
    if w <= 4:
        return 0.0
    a = (1 + math.sqrt(1 - 4 / w)) / 2  # the larger root of σ(1 − σ) = 1/w
    z = math.log(a / (1 - a))  # the other end is at −z
    return 2 * z / w


# %% tags=["check"]
with check(
    "6.3", hint="From z = −z₀ to z = z₀ is a distance of 2z₀. By how much does a move when z = wa + b moves by 1?"
):
    answered(stretch)
    for tried_w in (0.5, 3.0, -2.0):
        assert stretch(tried_w) == 0, (
            f"with w = {tried_w} the factor never reaches 1, but your stretch is {stretch(tried_w)}"
        )
    for tried_w in (4.1, 5.0, 8.0, 30.0, 100.0, -6.0):
        z = abs(tried_w) * stretch(tried_w) / 2  # at the end of the stretch
        at_end = abs(tried_w) * vg.sigmoid(z) * vg.sigmoid(-z)
        seen = f"w = {tried_w}: at the ends of your stretch of {stretch(tried_w):.4f} the factor is {at_end:.4f}, not 1"
        assert stretch(tried_w) > 0, f"with w = {tried_w} there is a stretch, but yours is {stretch(tried_w)}"
        assert math.isclose(at_end, 1, rel_tol=2e-3), seen

# %% [markdown]
# Which weight gives the most freedom?

# %%
weights = np.linspace(4, 60, 20_001)
roots = (1 + np.sqrt(1 - 4 / weights)) / 2
lengths = 2 / weights * np.log(roots / (1 - roots))
best = np.argmax(lengths)
with plot("The length of the stretch over |w|: zero at 4, a steep rise to 0.45 near 6.9, then a slow fall") as axes:
    axes.plot(weights, lengths)
    axes.plot(weights[best], lengths[best], "o", color="C1")
    spot = (weights[best], lengths[best])
    axes.annotate(f"{lengths[best]:.3f} at |w| = {weights[best]:.2f}", spot, (10, 0), textcoords="offset points")
    axes.set(xlabel="|w|", ylabel="length of the stretch of a", ylim=(0, 0.5))

# %% tags=["hidden"]
assert f"{lengths[best]:.2f}" == "0.45"
assert f"{lengths[best]:.3f}" == "0.448"
assert f"{weights[best]:.1f}" == "6.9"
at_100 = (1 + math.sqrt(1 - 4 / 100)) / 2
assert f"{2 / 100 * math.log(at_100 / (1 - at_100)):.2f}" == "0.09"

# %% [markdown]
# At |w| = 6.9 it is longest, and there it is 0.45. So in the very best case the neuron keeps its gradient for not
# even half of what the neuron before it may say, and the bias has to put that half into the right place. With w = 100
# only 0.09 is left. Large weights alone are no way out.
#
# ## A neuron that does nothing
#
# There is one more way to look at it. A deep network can surely do what a shallow one does: let the additional layers
# hand on what they are given. Can a sigmoid neuron do that, give back its input x?
#
# ### Exercise 6.4: the identity neuron
#
# Find four numbers w₁, b, w₂ and c, so that
#
# $$w_2\,\sigma(w_1 x + b) - c \approx x \qquad \text{for all } x \text{ from } 0 \text{ to } 1$$
#
# with an error below a thousandth. (Another problem of the book. In a network, w₂ and c belong to the next layer: c
# goes into its bias.) Think of the S of the sigmoid under a magnifying glass: where is it straight, and how steep?

# %% tags=["exercise"]
w1, b1, w2, c = ..., ..., ..., ...

# %% tags=["solution"]
w1 = 0.01  # so small that z moves by a hundredth only: there the S is straight, with slope ¼
b1 = -w1 / 2  # z = 0 in the middle, at x = ½
w2 = 4 / w1  # makes up for w₁ and for the quarter
c = w2 / 2 - 1 / 2  # at x = ½ the neuron says ½, and w₂/2 − c should be ½

# %% tags=["check"]
with check("6.4", hint="With a small w₁, σ(w₁x + b) is a straight line in x with slope w₁/4, if z is near 0."):
    answered(w1, b1, w2, c)
    x = np.linspace(0, 1, 201)
    off = np.abs(w2 * vg.sigmoid(w1 * x + b1) - c - x)
    assert off.max() < 1e-3, f"at x = {x[off.argmax()]:.2f} it is off by {off.max():.4f}"

# %% [markdown]
# Now put two such neurons in a row. The second is given w₂ times what the first says, and multiplies it by its own
# w₁. Together that is w₂w₁ = 4. So seen from inside, a row of identity neurons is a chain with weights 4, at z = 0:
# the one place on the knife's edge where |wσ′(z)| is 4 · ¼ = 1.

# %%
even = neuron_chain([4.0] * 20, [-2.0] * 20, a0=0.5)
usual = random_chains(10_001, 20, np.random.default_rng(8))
found = vg.backprop(even.cost, wrt=even.b)
print(f"20 neurons, w = 4 and z = 0: ∂C/∂b₂₀ : ∂C/∂b₁ = {found[even.b[-1]] / found[even.b[0]]:.1f}")
print(f"20 neurons, drawn at random, the middle chain: {np.exp(np.median(usual.log_loss()[-1])):.0e}")

# %% tags=["hidden"]
assert math.isclose(found[even.b[-1]] / found[even.b[0]], 1, rel_tol=1e-12)
assert 1e17 < np.exp(np.median(usual.log_loss()[-1])) < 1e20
assert 0.001**2 / 96 < 1e-7

# %% [markdown]
# And in a real network? We train one with a hidden layer of thirty for a moment, as in tutorial 5, and then put
# thirty layers of identity neurons behind the hidden one.

# %%
digits = vg.datasets.mnist_sample()
net = vg.nn.MLP([784, 30, 10], seed=0)


def cost(net, X, y):
    return vg.nn.losses.cross_entropy(net.logits(X), y)


vg.training.fit(net, cost, digits.train, epochs=5, lr=0.5, seed=0, progress=False)
for more in (0, 1, 30):
    deeper = with_identity_layers(net, 0.001, more)
    print(f"{more:2} layers put in: {vg.training.accuracy(deeper, *digits.validation):.1%} of new digits are right")

# %% tags=["hidden"]
rates = [vg.training.accuracy(with_identity_layers(net, 0.001, n), *digits.validation) for n in (0, 1, 30)]
assert rates[0] == rates[1] == rates[2]
said = [with_identity_layers(net, 0.001, n)(digits.validation[0]).data.argmax(axis=1) for n in (0, 1, 30)]
assert np.array_equal(said[0], said[1])
assert np.array_equal(said[0], said[2])
assert 0.8 < rates[0] < 0.9

# %% [markdown]
# The same, and they give each single image the same name. So there *is* a network with 31 hidden layers that reads
# digits as well as the shallow one. Deep networks do not fail because they could not do it. They fail because
# learning does not get there: from random weights, the first layers hardly hear what the cost wants of them.
#
# ## What to take with you
#
# * ∂C/∂b₁ has one factor **wσ′(z)** for every neuron on the way. That is all the vanishing gradient is: a product of
#   many ordinary numbers below 1.
# * With |w| ≤ 1 a neuron costs *at least* a factor of 4. With weights N(0, 1) it is about 10.
# * The factor reaches 1 only if |w| ≥ 4 and z is near 0 at the same time, which is so for less than half of the range
#   of a, at best.
# * A network that passes everything on exists, in one place on a knife's edge. So it is learning that fails, and not
#   what a deep network could do.
#
# All this was one neuron a layer. In a network with thirty, a nudge has thirty ways from layer to layer, and the
# shares of all the paths are added (tutorial 2). Could the sum make up for the small factors? Tutorial 7 measures it.
