# %% [markdown] minutes=20
# # 8. Exploding, and unstable
#
# In tutorials 6 and 7 the gradient vanished on its way back: by a factor of ten with every neuron of a chain, by a
# factor of five with every layer of a network. The reason was the slope of the sigmoid, a quarter at most.
#
# But the weights are ours. What if we make them so large that every factor is above 1? Then the gradient should
# *grow* on its way back, and the first layers should learn fastest. This tutorial tries it, looks at what becomes of
# it, and finds that vanishing and exploding are two faces of one thing.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.lab import neuron_chain
from tinygrad_vg.lab.jacobians import factors_of
from tinygrad_vg.lab.random_chains import (
    critical_scale,
    growth_in_chains,
    growth_in_layers,
    predicted_growth,
    random_chains,
)
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("08_exploding_and_unstable", lang="en")

# %% [markdown]
# ## Weights of a hundred
#
# A chain of four neurons again, as in tutorial 6: z_j = w_j a_{j−1} + b_j, a_j = σ(z_j), and C = ½(a₄ − y)². All
# weights are 100, the input a₀ is ½, and y = 0.
#
# Large weights alone are no help, we know: they drive z far away from 0, where the sigmoid is flat. So we take the
# biases such that z = 0 at every neuron. Since a₀ = ½, that needs b₁ = −50; then a₁ = σ(0) = ½ again, and so on.
#
# Predict: how large is the factor wσ′(z) of each neuron? And ∂C/∂b₁, if ∂C/∂b₄ is 0.125?

# %%
chain = neuron_chain([100.0] * 4, [-50.0] * 4, a0=0.5, y=0.0)
gradients = vg.backprop(chain.cost, wrt=chain.b)
for bias in chain.b:
    print(f"∂C/∂{bias.name} = {gradients[bias]}")

# %% tags=["hidden"]
assert [float(gradients[b]) for b in chain.b] == [1953.125, 78.125, 3.125, 0.125]
assert gradients[chain.b[0]] / gradients[chain.b[2]] == 625

# %% [markdown]
# Each factor is 100 · ¼ = 25, and from right to left the gradient grows by 25 with every neuron: 0.125, 3.125,
# 78.125, 1953.125. Between b₃ and b₁ it is a factor of 625. Where the kindest chain of tutorial 6 lost a factor of
# 16, this one gains one of 625. This is the **exploding gradient**.

# %%
show(
    vg.draw(chain.cost, wrt=chain.b[0]),
    "The chain with weights of 100: the arrows back from C to b₁ turn orange, as the gradients grow from 0.125 to 1953",
)

# %% [markdown]
# Compare it with the same picture in tutorial 6. There the arrows got thinner towards the left. Here they are orange
# as soon as what has come back is larger than 1.
#
# ### Exercise 8.1: balance a chain
#
# For this we had to choose the biases with care. Write `balance(w, a0)`: for any list of weights and any input, the
# list of biases with which every neuron is at its steepest point.


# %% tags=["exercise"]
def balance(w, a0):
    """Biases that make every z of the chain zero."""
    ...


# %% tags=["solution"]
def balance(w, a0):
    """Biases that make every z of the chain zero."""
    inputs = [a0] + [0.5] * (len(w) - 1)  # where z = 0 the neuron says ½
    return [-w_j * a for w_j, a in zip(w, inputs, strict=True)]


# %% tags=["check"]
with check("8.1", hint="b_j must cancel w_j times what the neuron hears. The first hears a₀; what do the others hear?"):
    answered(balance)
    rng = np.random.default_rng(81)
    for length in (1, 2, 5):
        w_try, a = (60 * rng.standard_normal(length)).tolist(), float(rng.random())
        b_try = list(balance(w_try, a))
        assert len(b_try) == length, f"{length} weights need {length} biases, not {len(b_try)}"
        for j, (w_j, b_j) in enumerate(zip(w_try, b_try, strict=True), start=1):
            a = float(vg.sigmoid(w_j * a + b_j))
            seen = (
                f"neuron {j} of {length}, with w = {w_j:.2f}: its slope is {a * (1 - a):.4g}, and it could be steeper"
            )
            assert math.isclose(a, 0.5, rel_tol=1e-6), seen

# %% [markdown]
# ## Is it fast learning?
#
# A large gradient at the first neuron sounds like fast learning. Let us take one step of gradient descent on the
# biases, with the learning rate 0.1 of tutorial 7, and look at the gradient again.

# %%
moved = [float(b.data - 0.1 * gradients[b]) for b in chain.b]
after = neuron_chain([100.0] * 4, moved, a0=0.5, y=0.0)
again = vg.backprop(after.cost, wrt=after.b)
for before, now in zip(chain.b, after.b, strict=True):
    print(f"{now.name}: from {before.data:.2f} to {now.data:8.2f}, ∂C/∂{now.name} is now {again[now]:.0e}")

# %% tags=["hidden"]
assert f"{moved[0]:.0f}" == "-245"
assert f"{100 * 0.5 + moved[0]:.0f}" == "-195"
assert 0 < again[after.b[0]] < 1e-160
assert 0 < again[after.b[3]] < 1e-40

# %% [markdown]
# The bias b₁ was thrown from −50 to −245, so that z₁ is now about −195. There the sigmoid is flat, and so it is at
# the other neurons. Of a gradient of nearly two thousand less than 1e-160 is left after *one* step. The chain will
# never move again. An exploding gradient is not fast learning. It is a jump into saturation.
#
# ## On a knife's edge
#
# And how firm is such a balance, even without a step? In a real network the input changes with each image. We balance
# a chain for the input ½, then give it slightly different ones, and watch how ∂C/∂b₁ compares with ∂C/∂b₄.


# %%
def first_to_fourth(weight, a0):
    """|∂C/∂b₁ : ∂C/∂b₄| of a chain that is balanced for the input ½."""
    chain = neuron_chain([weight] * 4, [-weight / 2] * 4, a0)
    found = vg.backprop(chain.cost, wrt=chain.b)
    return abs(found[chain.b[0]] / found[chain.b[3]])


inputs = 0.5 + np.linspace(-0.05, 0.05, 101)
with plot(
    "Over the input from 0.45 to 0.55: for w = 4 the ratio is nearly 1 everywhere; for w = 20 a hill up to 125 "
    "that soon falls below 1; for w = 100 a needle at one half and nothing around it"
) as axes:
    for weight, style in ((4.0, "--"), (20.0, "-."), (100.0, "-")):
        ratios = [first_to_fourth(weight, a0) for a0 in inputs]
        axes.semilogy(inputs, ratios, style, label=f"w = {weight:.0f}")
    axes.set(xlabel="input a₀", ylabel="∂C/∂b₁ : ∂C/∂b₄", ylim=(1e-12, 1e6))
    axes.legend(loc="lower left")

# %% tags=["hidden"]
assert first_to_fourth(100.0, 0.5) == 25**3 == 15625
assert first_to_fourth(100.0, 0.505) < 1e-20
assert first_to_fourth(20.0, 0.5) == 125
assert first_to_fourth(20.0, 0.55) < 0.001
assert 0.9 < first_to_fourth(4.0, 0.55) < 1

# %% [markdown]
# With w = 100 and the input ½ the first neuron learns 15,625 times faster than the fourth. With the input 0.505 it is
# less than 1e-20 times as fast. So the same chain explodes for one image and vanishes for the next. The larger the
# weights, the narrower the needle.
#
# Here is a better word for what we see. The gradient of a deep network is **unstable**: it is a product of many
# factors, and nothing holds such a product near 1.
#
# ## The product is a walk
#
# To see that clearly, take logarithms. The logarithm of a product is the *sum* of the logarithms of its factors. So
# on the way back each neuron makes one step on the logarithmic scale: down, if its factor is below 1, up, if it is
# above. With random weights the steps are random, and the gradient goes on a **random walk**.
#
# Here are twenty random chains of thirty neurons, with weights and biases from N(0, 1).

# %%
drawn = random_chains(20_000, 31, np.random.default_rng(8))
steps = drawn.log_terms[1:] / math.log(10)  # log₁₀ |wσ′(z)| of thirty neurons, the powers of ten
walks = np.vstack([np.zeros(20_000), np.cumsum(steps[::-1], axis=0)])
drift, spread = steps.mean(), steps.std()
print(f"one step: {drift:.2f} on average, with a standard deviation of {spread:.2f}")

back = np.arange(31)
with plot("Twenty ragged lines fall from 0 to about −30 and spread out like a fan around a straight line") as axes:
    axes.plot(back, walks[:, :20], color="C0", alpha=0.45, linewidth=1)
    axes.plot(back, drift * back, color="C1", label="average")
    for sign in (-2, 2):
        axes.plot(back, drift * back + sign * spread * np.sqrt(back), color="C1", linestyle="--")
    axes.plot([], [], color="C1", linestyle="--", label="± 2 · spread · √steps")
    axes.set(xlabel="neurons on the way back", ylabel="log₁₀ of what is left")
    axes.legend()

# %% tags=["hidden"]
assert -1.02 < drift < -0.98
assert 0.47 < spread < 0.50
assert math.isclose(walks[30].mean(), 30 * drift, rel_tol=1e-9)
assert math.isclose(walks[30].std(), spread * math.sqrt(30), rel_tol=0.03)
within = np.abs(walks[30] - 30 * drift) < 2 * spread * math.sqrt(30)
assert 0.93 < within.mean() < 0.97
assert 400 < 10 ** (spread * math.sqrt(30)) < 500
assert 0.63 < np.mean(np.abs(walks[30] - 30 * drift) < spread * math.sqrt(30)) < 0.73
assert abs(np.corrcoef(steps[0], steps[1])[0, 1]) < 0.03

# %% [markdown]
# Two things are to be seen. The walk has a **drift**: on average a step is −1, a factor of ten, so after n neurons
# the walk is at −n. And it has a **spread**: a single step varies by about a half, up or down, and independent steps
# add up to √n times that. After thirty neurons about two thirds of the chains lie within a factor of 500 of the
# middle, the others further out.
#
# The drift decides between vanishing and exploding, and it is a number like any other. There are infinitely many ways
# to be below 0, infinitely many to be above, and a single one to be 0. That is why stability is the exception. And
# even with a drift of 0 the walk would go away from where it started, by √n.
#
# ## Turn up the weights
#
# Now we turn one knob, the scale s of the weights, and look at the drift. In a layer of n neurons the weights are
# from N(0, s²/n) (so s = 1 is what tutorial 7 used), the biases stay at N(0, 1). We measure by which factor the
# gradient changes with each layer on its way back: below 1 it vanishes, above it explodes.

# %%
scales = np.geomspace(1, 64, 13)
with plot(
    "The factor a layer over the scale of the weights. Single neurons stay below 0.2 and fall again; layers of ten stay "
    "below 1; layers of a hundred cross 1 near a scale of 11 and follow the theory for infinitely wide ones"
) as axes:
    alone = [growth_in_chains(s, 2000, 20, np.random.default_rng(0)) for s in scales]
    axes.loglog(scales, alone, "o-", label="single neurons")
    for width, style in ((10, "s-"), (100, "^-")):
        measured = [np.median([growth_in_layers(s, width, 20, seed) for seed in range(9)]) for s in scales]
        axes.loglog(scales, measured, style, label=f"layers of {width}")
    axes.loglog(scales, [predicted_growth(s) for s in scales], "--", label="infinitely wide layers, theory")
    axes.axhline(1, color="0.5", linestyle=":", linewidth=1.5)
    axes.set(xlabel="scale s of the weights", ylabel="factor a layer", ylim=(0.01, 4))
    axes.legend(loc="lower left", fontsize=8.5)
print(f"theory: the factor is 1 at s = {critical_scale(predicted_growth):.2f}")

# %% tags=["hidden"]
assert f"{critical_scale(predicted_growth):.2f}" == "10.26"
assert max(alone) < 0.22
assert alone[-1] < 1e-6
for s in (1, 4, 8):
    assert all([growth_in_layers(s, 100, 20, seed) < 1 for seed in range(5)])
for s in (16, 32):
    assert all([growth_in_layers(s, 100, 20, seed) > 1 for seed in range(5)])
    assert np.median([growth_in_layers(s, 10, 20, seed) for seed in range(20)]) < 1
assert 1.55 < np.mean([growth_in_layers(32, 100, 20, seed) for seed in range(5)]) < 1.75
assert 0.58 < np.mean([growth_in_layers(4, 100, 20, seed) for seed in range(5)]) < 0.62
assert 1e-5 < 0.6**20 < 1e-4
assert 1e4 < 1.65**20 < 1e5

# %% [markdown]
# Random chains of single neurons vanish at every scale. At best about 0.2 of the gradient gets through a neuron; then
# larger weights make it worse again, because z becomes large and σ′ small. Whoever wants an explosion there must
# balance each neuron by hand, as we did.
#
# Wide layers are different. In a sum over a hundred paths there are always some neurons that happen to have z near 0,
# and they are enough. So the factor goes on growing with s, and there is a **critical scale**: below it the gradient
# vanishes, above it explodes. For infinitely wide layers theory puts it at 10.26, and layers of a hundred come close.
# At s = 4 a layer passes on 0.6, and twenty layers less than 1e-4. At s = 32 it is about 1.65 a layer, and twenty
# make more than 1e4 of it.
#
# ## The product of matrices
#
# For layers the factors are matrices. In tutorial 7 we wrote one step back for a single neuron; here it is for the
# whole layer, as the book has it:
#
# $$\delta^l = \Sigma'(z^l)\,(w^{l+1})^T\,\delta^{l+1}$$
#
# δˡ is the list of the ∂C/∂z of layer l, for one image the same as ∂C/∂b. Σ′(z) is the diagonal matrix with σ′(z) of
# each neuron, so to multiply by it is to multiply each entry by its slope. The book's w has a row for each neuron;
# our `layer.w` has a *column* for each, so its transpose is written `w @ delta` here.
#
# With the cross-entropy of tutorial 5 the last one is δᴸ = aᴸ − y: the answers minus the wanted ones, 1 for the right
# digit and 0 for the others.
#
# ### Exercise 8.2: backprop by hand
#
# Write `deltas(net, x, digit)`: the list δ¹, δ² … δᴸ for *one* image x (784 numbers) and the digit it shows, in a
# network of sigmoid layers with ten outputs. `layer.w.data` has shape (inputs, neurons), `layer.b.data` (neurons,).


# %% tags=["exercise"]
def deltas(net, x, digit):
    """δ of each layer, the output layer included, as a list of arrays."""
    ...


# %% tags=["solution"]
def deltas(net, x, digit):
    """δ of each layer, the output layer included, as a list of arrays."""
    a, slopes = x, []
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
        slopes.append(a * (1 - a))
    found = [a - (np.arange(10) == digit)]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(slopes[k] * (net.layers[k + 1].w.data @ found[-1]))
    return found[::-1]


# %% tags=["check"]
X, y = vg.datasets.mnist_sample().train
with check(
    "8.2", hint="Forwards: keep a(1 − a) of each layer. Backwards: δ of layer k is slopes[k] * (w of k + 1 @ δ)."
):
    answered(deltas)
    for place, hidden in enumerate(([6], [7, 5], [5, 5, 4])):
        tried = vg.nn.MLP([784, *hidden, 10], seed=82)
        biases = [layer.b for layer in tried.layers]
        C = vg.nn.losses.cross_entropy(tried.logits(X[place : place + 1]), y[place : place + 1])
        judge = vg.backprop(C, wrt=biases)
        answer = list(deltas(tried, X[place], y[place]))
        assert len(answer) == len(biases), f"{len(biases)} layers have {len(biases)} δ, not {len(answer)}"
        for layer, (own, bias) in reversed(list(enumerate(zip(answer, biases, strict=True), start=1))):
            assert np.shape(own) == bias.shape, f"δ{layer} should have shape {bias.shape}, yours has {np.shape(own)}"
            off = np.linalg.norm(own - judge[bias]) / np.linalg.norm(judge[bias])
            assert off < 1e-8, f"sizes {tried.sizes}: δ{layer} is off by {off:.1e} of its length"

# %% [markdown]
# Now `vg.explain` for a network with four hidden layers, as in tutorial 7. Its factors are matrices, and the table
# gives their **spectral norm**: by how much a matrix can lengthen a list of numbers at most. (It writes the product
# for rows, so the order is the other way round.)

# %%
digits, labels = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=0)
loss = vg.nn.losses.cross_entropy(net.logits(digits[:1]), labels[:1])
print(vg.explain(loss, wrt=net.layers[0].b))

# %% tags=["hidden"]
norms = [term.matrix.spectral_norm for term in vg.explain(loss, wrt=net.layers[0].b).terms if term.matrix]
assert len(norms) == 4
assert max(norms) < 0.5
assert 0.02 < math.prod(norms) < 0.025

# %% [markdown]
# All four spectral norms are below 0.5. So none of these matrices can lengthen a message, whatever it is: each takes
# away at least half, and on average more. Here vanishing is not even a matter of chance.
#
# ## Balanced, and yet unstable
#
# One could think that the critical scale is the solution: take s so that the factor is 1. Let us see what the product
# of the matrices does there. A matrix has many **singular values**: in one direction it stretches by the largest, in
# others by smaller ones. We take a network of layers of a hundred at s = 11, and multiply 1, 2, 5 and 10 of its
# matrices.

# %%
plain = vg.nn.MLP([100] * 12, seed=0)
critical = plain.bind([vg.Tensor(11 * p.data) if p.ndim == 2 else p for p in plain.parameters()])
products = factors_of(critical, np.random.default_rng(0).random((1, 100)), np.array([3])).products()
spectra = {n: np.linalg.svd(products[-n][0], compute_uv=False) for n in (1, 2, 5, 10)}
with plot(
    "Singular values in order, largest first, for products of 1, 2, 5 and 10 matrices: all curves start "
    "between 3 and 20, and each falls off more steeply than the one before"
) as axes:
    for (n, values), style in zip(spectra.items(), ("-", "--", "-.", ":"), strict=True):
        axes.semilogy(np.arange(1, 51), values[:50], style, label=f"layers: {n}")
    axes.set(xlabel="number of the singular value", ylabel="it stretches by", ylim=(1e-14, 1e3))
    axes.legend(loc="lower left")

for n, values in spectra.items():
    print(
        f"{n:2} layers: rms {np.sqrt(np.mean(values**2)):.2f}, largest {values[0]:5.2f}, in the middle {values[50]:.0e}"
    )

# %% tags=["hidden"]
sizes = {n: np.sqrt(np.mean(values**2)) for n, values in spectra.items()}
assert all([0.5 < size < 2 for size in sizes.values()])
assert all([values[0] > 2.5 for values in spectra.values()])
assert spectra[10][0] > 5
assert 0.01 < spectra[1][50] < 0.1
assert spectra[10][50] < 1e-10
assert np.sum(spectra[10] > 0.1) < 20

# %% [markdown]
# The average length is kept: the rms of the singular values stays near 1, as it should at the critical scale. But
# look at the curves. After ten layers a few directions are stretched by more than 5, while half of all directions are
# shrunk below 1e-10. On average nothing vanishes and nothing explodes; in truth nearly everything vanishes and a
# little explodes. Each direction is on a walk of its own.
#
# So the size of random weights alone is no cure for sigmoid layers. What could help is to make *each factor* close to
# 1 by itself, in all directions, so that there is nothing to balance.
#
# ## What to take with you
#
# * With w = 100 and z = 0 every factor is 25, and the gradient **explodes**: 625 times from b₃ to b₁. One step later
#   all neurons are saturated.
# * A product of many random factors is a **random walk** of logarithms. Its drift decides between vanishing and
#   exploding, its spread grows like √n. Near 1 it stays only by balance.
# * Random chains vanish at every scale of the weights; wide layers have a **critical scale**.
# * For layers the factors are matrices Σ′(z)wᵀ. Even where the average length is kept, most directions vanish.
# * So the trouble is not that gradients are small. They are **unstable**, and layers learn at very different speeds.
#
# Each factor has three parts: a slope, a weight, and the fact that there is no way around it. Which of the three
# would you change? Tutorial 9 changes them all, one at a time.
