# %% [markdown] minutes=20
# # 7. Learning speeds
#
# Tutorial 6 followed the gradient along a chain with one neuron a layer, and it vanished: a factor of ten was lost
# with every neuron, usually. But no real network is such a chain. With thirty neurons a layer, a nudge has thirty
# ways to get from one layer to the next, and the shares of all the paths are added.
#
# Does the sum make up for the small factors? We measure it on handwritten digits: at the start, and while the network
# learns. On the way we find a law that predicts the answer, and a famous picture that shows something else than it
# seems to.

# %%
import math

import numpy as np
from threadpoolctl import threadpool_limits

import tinygrad_vg as vg
from tinygrad_vg.drawing import draw_network
from tinygrad_vg.lab.neurons import bias_gradients
from tinygrad_vg.lab.speeds import initial_speeds, train_and_measure
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("07_learning_speeds", lang="en")
one_thread = threadpool_limits(1)  # matrices as small as ours are multiplied faster on one thread

# %% [markdown]
# ## A speed for each neuron
#
# Here are the first thousand training images of MNIST, and a fresh network with two hidden layers of thirty neurons.
# Its weights and biases are drawn at random: biases from N(0, 1), the weights of a neuron with n inputs from N(0,
# 1/n), that is, with standard deviation 1/√n. The number of inputs n is called the **fan-in**.
#
# The cost is the cross-entropy of tutorial 5, on average over the thousand images. A bias learns as fast as ∂C/∂b is
# large (tutorial 6). The picture draws it as a bar in each neuron, for six of each thirty.

# %%
X, y = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 30, 10], seed=0)


def cost(net, X, y):
    return vg.nn.losses.cross_entropy(net.logits(X), y)


show(
    draw_network(net, cost(net, X, y), inputs=False, output=False),
    "Two columns of six neurons with bars for ∂C/∂b; the bars of the second hidden layer are longer",
)

# %% [markdown]
# Compare the columns. The neurons of the second hidden layer, the one nearer to the cost, learn faster.
#
# One network is one throw of the dice. So let us throw twenty times and count, in the six pairs side by side, how
# often the second layer's neuron is the faster one.

# %%
faster = []
for seed in range(20):
    first, second = bias_gradients(vg.nn.MLP([784, 30, 30, 10], seed=seed), X, y)
    faster.append(np.sum(np.abs(second[:6]) > np.abs(first[:6])))
print("faster in the second layer:", *faster)
print(f"on average {np.mean(faster):.1f} of 6")

# %% tags=["hidden"]
assert 5 <= np.mean(faster) <= 5.7
assert sum([count > 3 for count in faster]) == 20

# %% [markdown]
# About five of six, and more than half of them in each of the twenty networks. So it is no accident.
#
# ## A speed for each layer
#
# To compare layers we want one number a layer. Write δˡ for the list of all ∂C/∂b in layer l, here thirty numbers,
# and ‖δˡ‖ for its length: the root of the sum of the squares. This is the **learning speed of the layer**.
#
# $$\delta^l = \frac{\partial C}{\partial b^l} \qquad\qquad \lVert \delta^l \rVert = \sqrt{\sum_j (\delta^l_j)^2}$$
#
# ### Exercise 7.1: measure it
#
# Write `speeds(net, X, y)`: the list of ‖δˡ‖ of the *hidden* layers of a network, from the first to the last. A
# network has `net.layers`, each layer has its biases `.b`, and `vg.backprop` gives the cotangent of every tensor.


# %% tags=["exercise"]
def speeds(net, X, y):
    """‖δˡ‖ of each hidden layer, as a list."""
    ...


# %% tags=["solution"]
def speeds(net, X, y):
    """‖δˡ‖ of each hidden layer, as a list."""
    biases = [layer.b for layer in net.layers[:-1]]
    found = vg.backprop(cost(net, X, y), wrt=biases)
    return [float(np.linalg.norm(found[b])) for b in biases]


# %% tags=["check"]
with check("7.1", hint="backprop(cost(net, X, y)) is a dictionary: look up layer.b. The last layer is not hidden."):
    answered(speeds)
    for hidden in ([5], [6, 4], [5, 4, 3]):
        tried = vg.nn.MLP([784, *hidden, 10], seed=71)
        judge, _ = vg.training.LearningSpeed(X[:50], y[:50]).measure(tried, cost)
        answer = list(speeds(tried, X[:50], y[:50]))
        seen = f"a network with {len(hidden)} hidden layers: your list has {len(answer)} numbers"
        assert len(answer) == len(hidden), seen
        for place, (own, true) in enumerate(zip(answer, judge, strict=True), start=1):
            seen = f"hidden layer {place} of {len(hidden)}: yours is {own:.6g}, the library's is {true:.6g}"
            assert math.isclose(own, true, rel_tol=1e-6), seen

# %% [markdown]
# ## Two, three, four hidden layers
#
# Michael Nielsen's book measured this for networks with two, three and four hidden layers of thirty, one network
# each. Here are his numbers, and ours for twenty networks each.

# %%
book = {2: (0.066, 0.309), 3: (0.0118, 0.0600, 0.283), 4: (0.00298, 0.0171, 0.0695, 0.285)}
fresh = {depth: initial_speeds([30] * depth, X, y, range(20)) for depth in book}
for depth, found in fresh.items():
    print(f"{depth} hidden layers, growing towards the output in {found.increasing} of 20 networks")
    print("   the book's one:       ", *[f"{value:8.5f}" for value in book[depth]])
    print("   the middle of twenty: ", *[f"{value:8.5f}" for value in np.median(found.norms, axis=0)])

# %%
with plot(
    "Three lines over the hidden layers on a logarithmic scale; each climbs in even steps of a factor of five and ends "
    "near 0.3; the book's points lie on them"
) as axes:
    for k, (depth, found) in enumerate(fresh.items()):
        layers = np.arange(1, depth + 1)
        axes.semilogy(layers, np.median(found.norms, axis=0), "o-", label=f"{depth} hidden layers")
        low, high = found.norms.min(axis=0), found.norms.max(axis=0)
        axes.fill_between(layers, low, high, color=f"C{k}", alpha=0.2, linewidth=0)
        axes.semilogy(layers, book[depth], "x", color="0.5", label="the book" if depth == 4 else None)
    axes.set(xlabel="hidden layer", ylabel="‖δ‖ before training", xticks=range(1, 5))
    axes.legend()

# %% tags=["hidden"]
assert all([found.increasing == 20 for found in fresh.values()])
for depth, found in fresh.items():
    assert np.all(found.norms.min(axis=0) < book[depth])
    assert np.all(book[depth] < found.norms.max(axis=0))
    assert all([0.25 < found.norms[:, -1].mean() < 0.34])
steps = [np.median(found.factors) for found in fresh.values()]
assert all([4.4 < step < 5.6 for step in steps])
four = fresh[4].norms[:, -1] / fresh[4].norms[:, 0]
assert 95 < np.median(four) < 135

# %% [markdown]
# In every one of the sixty networks the speed grows from each hidden layer to the next, and the book's numbers lie in
# the midst of ours. With four hidden layers the first learns about 100 times slower than the last.
#
# And look how even the steps are. The scale is logarithmic; equal steps mean equal *factors*. Each layer costs about
# a factor of five, whichever layer it is. That asks for a law.
#
# ## The law
#
# Take one step back, from a hidden layer to the one before. In the words of tutorial 2: neuron j collects the
# messages of all neurons k behind it, each multiplied by the weight between them, and multiplies the sum by its own
# slope.
#
# $$\delta_j = \sigma'(z_j) \sum_{k=1}^{30} w_{jk}\,\delta_k$$
#
# **The sum.** The weights are random with mean 0, so the thirty shares have random signs and mostly cancel. Of a sum
# of such numbers the *squares* add up: on average the square of the sum is 1/30 of ‖δ‖², because 1/30 is the mean of
# w². There are thirty neurons that each get so much; together they have ‖δ‖² again. So the many paths make up for the
# small *weights*, on average exactly, and for nothing more.
#
# **The slope.** What is left is σ′(z), again at most a quarter. For lengths it is the mean of the squares that
# counts, so each layer multiplies ‖δ‖ by the *root of the mean square* of σ′(z), in short **rms**.
#
# **How spread is z?** The bias gives it the variance 1. The thirty terms wa, each of variance a²/30, add the mean of
# a², which comes out as 0.30. So z is about N(0, 1.30).
#
# ### Exercise 7.2: what a layer costs
#
# Write `layer_cost(v)`: the factor 1/rms σ′(z) for z from N(0, v), where v is the *variance*. Draw many z, or use a
# sum over a fine grid, weighted by the density e^(−z²/2v). An error of one percent does not matter.


# %% tags=["exercise"]
def layer_cost(v):
    """1 / rms σ′(z), where z is normal with mean 0 and variance v."""
    ...


# %% tags=["solution"]
def layer_cost(v):
    """1 / rms σ′(z), where z is normal with mean 0 and variance v."""
    z = np.sqrt(v) * np.random.default_rng(72).standard_normal(400_000)
    slope = vg.sigmoid(z) * vg.sigmoid(-z)
    return 1 / np.sqrt(np.mean(slope**2))


# %% tags=["check"]
with check(
    "7.2", hint="z = √v times standard normal numbers. Square σ′(z), take the mean, then the root, then 1 over it."
):
    answered(layer_cost)
    nodes, share = np.polynomial.hermite_e.hermegauss(80)
    for v_try in (1e-6, 0.3, 1.3, 4.0, 9.0):
        z_try = math.sqrt(v_try) * nodes
        true = 1 / np.sqrt(share @ (vg.sigmoid(z_try) * vg.sigmoid(-z_try)) ** 2 / share.sum())
        own = float(layer_cost(v_try))
        assert math.isclose(own, true, rel_tol=0.03), (
            f"for variance {v_try:g} yours is {own:.3f}; we get another number"
        )

# %% [markdown]
# What does the law say for v = 1.30, and what do networks say? We take eight hidden layers, to have seven steps.

# %%
z = math.sqrt(1.30) * np.random.default_rng(1).standard_normal(1_000_000)
law = 1 / np.sqrt(np.mean((vg.sigmoid(z) * vg.sigmoid(-z)) ** 2))
eight = {init: initial_speeds([30] * 8, X, y, range(20), init=init) for init in ("default", "large")}
print(f"the law: a factor of {law:.2f} a layer")
for init, found in eight.items():
    print(f"{init} weights:", *[f"{value:.2f}" for value in np.median(found.factors, axis=0)])

# %%
with plot(
    "The factor lost from each hidden layer to the next. Default weights stay near the law's line at 4.88; with large "
    "weights the first step costs about 4, all others about 1.6"
) as axes:
    steps = np.arange(1, 8)
    for found, words in zip(eight.values(), ("weights N(0, 1/n)", "weights N(0, 1)"), strict=True):
        axes.plot(steps, np.median(found.factors, axis=0), "o-", label=words)
    axes.axhline(law, color="C2", linestyle="--", label="the law")
    axes.set(xlabel="from hidden layer l to l + 1", ylabel="how much ‖δ‖ grows", ylim=(0, 8), xticks=steps)
    axes.legend()

# %% tags=["hidden"]
assert f"{law:.2f}" == "4.88"
assert math.isclose(np.mean(vg.sigmoid(z) ** 2), 0.30, rel_tol=0.01)
usual, wide = (np.median(eight[init].factors, axis=0) for init in ("default", "large"))
assert np.all((usual > 4.3) & (usual < 5.5))
assert eight["default"].increasing == 20
assert 3.3 < wide[0] < 4.5
assert np.all((wide[1:] > 1.3) & (wide[1:] < 1.9))
elsewhere = {"over 200 seeds": (4.83, 5.10)}

# %% [markdown]
# The law says 4.88, and the networks follow it at every depth. (Measured elsewhere over 200 networks, the medians are
# from 4.83 to 5.10.) So a network vanishes slower than a chain, which loses a factor of ten a neuron; but it does
# vanish, and with each layer by the same factor. The answer to the question of tutorial 6 is: thirty paths are just
# enough to make up for weights of size 1/√30, and σ′ remains.
#
# The second line is for weights N(0, 1), which the book's *text* speaks of, while its program draws N(0, 1/n). They
# are larger, the sum over the paths now *gains* a factor of √30; but with them z is large, too, and many neurons are
# saturated. What remains is a loss of less than 2 a layer. (The first step costs more: the first layer has 784
# inputs, and its neurons are the most saturated of all.) Whoever repeats an experiment should look twice which
# weights were drawn.
#
# ## While it learns
#
# So far the networks were untrained. Perhaps learning mends it: the first layer is slow in the beginning, then it
# catches up? The book trains on our thousand images for 500 **epochs**, each a single step with all of them, with the
# learning rate η = 0.1 and weight decay λ = 5. **Weight decay** makes every weight a bit smaller in each step, here
# by the factor 1 − ηλ/1000 = 0.9995.
#
# We do the same with four hidden layers. (In `float32`, numbers with seven digits: it takes half the time.) Before
# you run it: what will the ratio of the last to the first speed be at the end?

# %%
X32 = X.astype(np.float32)


def trained(depth, weight_decay, epochs=500, seed=0):
    net = vg.nn.MLP([784] + [30] * depth + [10], seed=seed, dtype=np.float32)
    course = train_and_measure(net, X32, y, epochs=epochs, lr=0.1, weight_decay=weight_decay)
    return net, course


net4, course4 = trained(4, 5 / 1000)
ratio = course4.norms[:, -1] / course4.norms[:, 0]
for epoch in (0, 50, 250, 499):
    print(f"epoch {epoch:3}: the last layer learns {ratio[epoch]:5.1f} times faster than the first")

# %%
with plot(
    "‖δ‖ of four hidden layers over 500 epochs on a logarithmic scale: all fall steeply in the first fifty epochs and "
    "then stay apart, the first always the lowest, about a factor of a hundred below the last"
) as axes:
    for layer, style in enumerate((":", "-.", "--", "-")):
        axes.semilogy(course4.norms[:, layer], style, label=f"hidden layer {layer + 1}")
    axes.set(xlabel="epoch", ylabel="‖δ‖")
    axes.legend()

# %% tags=["hidden"]
assert 1 - 0.1 * 5 / 1000 == 0.9995
assert 100 < ratio[0] < 125
assert 40 < ratio[50] < 60
assert 45 < ratio[250] < 70
assert 70 < ratio[499] < 105
assert 35 < ratio.min() < 50
assert 15 < np.sum(ratio > 100) < 45
assert np.all(np.diff(course4.norms, axis=1) > 0)
book = {0: 95.8, 50: 50.6, 250: 69.8, 499: 112.6, "above 100": 88}

# %% [markdown]
# This is the book's famous picture. The first layer does not catch up. It is the slowest in each of the 500 epochs;
# the ratio falls to less than 50 and rises again to nearly 90. The book's own run had 95.8 at the beginning, 50.6 at
# epoch 50, 69.8 at epoch 250 and 112.6 at the end.
#
# Is that so for every seed? With three and four hidden layers it is: in twenty runs each, measured elsewhere, the
# first layer was slower than the last in every epoch. (That it is *more than 100 times* slower, as one reads, holds
# in 88 of the book's 500 epochs.) With two hidden layers it depends on the dice. Here are two of them.

# %%
with plot(
    "The ratio of last to first speed for two networks with two hidden layers: one stays above 1, one dips below"
) as axes:
    pairs = {}
    for seed, style in ((0, "-"), (3, "--")):
        _, course = trained(2, 5 / 1000, epochs=120, seed=seed)
        pairs[seed] = course.norms[:, -1] / course.norms[:, 0]
        axes.plot(pairs[seed], style, label=f"seed {seed}")
    axes.axhline(1, color="C3", linestyle=":", linewidth=1.5, label="equally fast")
    axes.set(xlabel="epoch", ylabel="last : first", ylim=(0, 6.5))
    axes.legend()

# %% tags=["hidden"]
assert pairs[0].min() > 1.3
assert pairs[3].min() < 0.9
elsewhere = {"of twenty seeds below 1 at epoch 100": 0.4}

# %% [markdown]
# With seed 3 the first layer overtakes for a while. At epoch 100 it is ahead in about four networks of ten (measured
# elsewhere, over twenty seeds).
#
# ## What has it learned?
#
# All the speeds in the big picture fell by a factor of a hundred or more. Often one reads a small gradient as good
# news: near the bottom of a valley the slope is small. So, how good is the network with four hidden layers now?

# %%
said = net4(X32).data
print(f"cost: {course4.cost[-1]:.4f}")
print(f"‖δ‖ of the first layer: {course4.norms[-1, 0]:.0e}")
print(f"digits right: {np.mean(said.argmax(axis=1) == y):.1%}")
print(f"its answers: {set(said.argmax(axis=1).tolist())}")

# %% tags=["hidden"]
assert f"{course4.cost[-1]:.3f}" == "3.246"
assert course4.norms[-1, 0] < 2e-5
assert np.mean(said.argmax(axis=1) == y) == np.max(np.bincount(y)) / len(y)
assert f"{np.mean(said.argmax(axis=1) == y):.1%}" == "11.7%"
assert set(said.argmax(axis=1).tolist()) == {7}
assert np.all(course4.norms[0] > 100 * course4.norms[-1])

# %% [markdown]
# It has learned nothing, or almost. 11.7 % of the thousand images are sevens, and it says "seven" to each of them.
# But the cost, about 3.246, is not just any number.
#
# ### Exercise 7.3: the best that a blind network can do
#
# Suppose that a network cannot see the image. It has to give the same ten answers a₀ … a₉ to each, but it may choose
# them well. The cross-entropy of answer k, on average over the images, is
#
# $$-\left[\,p_k \ln a_k + (1 - p_k) \ln (1 - a_k)\,\right]$$
#
# where p_k is the share of the images that show the digit k. Which a_k makes that smallest? Set the derivative to
# zero. Then write `blind_cost(labels)`: the smallest cost, summed over the ten answers. Every digit occurs among the
# labels.


# %% tags=["exercise"]
def blind_cost(labels):
    """The lowest cost of a network whose ten answers are the same for each image."""
    ...


# %% tags=["solution"]
def blind_cost(labels):
    """The lowest cost of a network whose ten answers are the same for each image."""
    p = np.bincount(labels, minlength=10) / len(labels)
    return float(-np.sum(p * np.log(p) + (1 - p) * np.log(1 - p)))  # the best a_k is p_k itself


# %% tags=["check"]
with check(
    "7.3", hint="The derivative is −p/a + (1 − p)/(1 − a); it is zero where the answer is as often yes as it is true."
):
    answered(blind_cost)
    rng = np.random.default_rng(73)
    for _ in range(3):
        labels = np.concatenate([np.arange(10), rng.choice(10, size=200, p=rng.dirichlet(np.ones(10)))])
        logits = np.zeros(10)
        p_try = np.bincount(labels, minlength=10) / len(labels)
        for _ in range(60):  # Newton's method on the ten logits
            a_try = vg.sigmoid(logits)
            logits -= np.clip((a_try - p_try) / (a_try * (1 - a_try)), -1, 1)
        lowest = float(vg.nn.losses.cross_entropy(np.tile(logits, (len(labels), 1)), labels))
        own = float(blind_cost(labels))
        assert own > lowest * (1 - 1e-6), (
            f"{own:.4f} is too good: by trial we cannot get below {lowest:.4f} for some labels"
        )
        assert own < lowest * (1 + 1e-6), (
            f"{own:.4f}, but for the same labels we found constant answers with a lower cost"
        )

# %%
shares = np.bincount(y) / len(y)
floor = -np.sum(shares * np.log(shares) + (1 - shares) * np.log(1 - shares))
with plot(
    "The cost over 500 epochs: a fall in the first twenty, then flat, on the dashed line of the blind network"
) as axes:
    axes.plot(course4.cost, label="four hidden layers")
    axes.axhline(floor, color="C1", linestyle="--", label=f"a blind network: {floor:.4f}")
    axes.set(xlabel="epoch", ylabel="cost", ylim=(3, 6))
    axes.legend()

# %% tags=["hidden"]
assert f"{floor:.4f}" == "3.2459"
assert abs(course4.cost[-1] - floor) < 0.0002
assert course4.cost[100] - floor < 0.05

# %% [markdown]
# The best blind network has a cost of 3.2459. Ours differs from it by less than 0.0002. It knows how often each digit
# occurs, and next to nothing else. This is a **plateau**: the slope is nearly zero in all directions, and yet the
# cost is far above that of a network that reads digits, like the one of tutorial 5. *A small gradient is not an
# optimum.*
#
# ## What weight decay made
#
# One question is left. If all has come to rest, why is the ratio still about 90 and even growing? Let us repeat the
# training without weight decay, λ = 0. And let us measure a second thing. ‖δˡ‖ is the length of the **mean** over the
# images of their gradients; gradients of different images may cancel in it. So we also take the **mean of the
# lengths**, where nothing can cancel.

# %%
free4, free = trained(4, 0.0)
with plot(
    "Left: with weight decay the ratio of the mean gradients stays between 40 and 115, without it falls to about 1. "
    "Right: the ratio of the mean lengths is above 100 in both",
    panels=2,
    width=9.2,
    height=3.4,
) as (left, right):
    for course, style, words in ((course4, "-", "λ = 5"), (free, "--", "λ = 0")):
        left.semilogy(course.norms[:, -1] / course.norms[:, 0], style, label=words)
        right.semilogy(course.sample_norms[:, -1] / course.sample_norms[:, 0], style, label=words)
    left.set(title="Length of the mean: last : first", xlabel="epoch", ylim=(0.7, 400))
    right.set(title="Mean of the lengths: last : first", xlabel="epoch", ylim=(0.7, 400))
    left.legend()
    right.legend(loc="lower left")

# %%
for words, net in (("λ = 5", net4), ("λ = 0", free4)):
    push = (net(X32).data - (y[:, None] == np.arange(10))).mean(axis=0)
    print(f"{words}: what all images together still want of the ten outputs: {np.linalg.norm(push):.1e}")

# %% tags=["hidden"]
ends = [c.norms[-1, -1] / c.norms[-1, 0] for c in (course4, free)]
assert 70 < ends[0] < 105
assert 0.9 < ends[1] < 1.5
alone = [c.sample_norms[:, -1] / c.sample_norms[:, 0] for c in (course4, free)]
assert min([a.min() for a in alone]) > 100
assert 100 < alone[1][-1] < 115
pushes = [np.linalg.norm((net(X32).data - (y[:, None] == np.arange(10))).mean(axis=0)) for net in (net4, free4)]
assert pushes[0] > 20 * pushes[1]
shared = course4.norms[0] / course4.sample_norms[0]
assert np.all((shared > 0.7) & (shared < 0.8))
assert alone[0][-1] > 1.5 * alone[0][0]
assert abs(free.cost[-1] - floor) < 0.001
assert np.all((free.norms[-1] > 2e-5) & (free.norms[-1] < 7e-5))

# %% [markdown]
# Look at the left panel. Without weight decay the ratio falls from over 100 to about 1: by the book's measure, all
# layers would then learn equally fast. Look at the right panel: of the gradient of a single image, on average, the
# first layer gets over 100 times less than the last, in every epoch, with weight decay or without. (With it the
# factor even grows, since smaller weights pass less on.)
#
# Both are true. At the start the images pull largely in the same direction: the mean is about three quarters as long
# as the single gradients, in every layer. So the two measures say the same: the gradient vanishes. On the plateau
# what the images have in common is used up. Each still pulls, one to the left, one to the right, and in the mean they
# cancel; the small rest is about the same in every layer and says nothing about the way it came. The vanishing has
# not gone away. The mean no longer shows it.
#
# And with weight decay? In each step it makes the weights of the output layer a bit smaller, which moves the ten
# answers a bit, nearly the same for all images. The biases have to push back, again and again. This common push is
# what the last lines print; without weight decay it is more than twenty times smaller. It goes back through all the
# layers and gets thinner on its way. So it is the weight decay that keeps the late factor of a hundred in the picture
# alive. (It depends on the 1000 in λ/1000, too: that is the number of images one trains on.)
#
# ## What to take with you
#
# * The learning speed ‖δˡ‖ of a layer grows towards the output: in *every* fresh network with weights N(0, 1/n) that
#   we tried, and by a factor of about five a layer.
# * The law: many paths make up for weights N(0, 1/n), and 1/rms σ′(z) = 4.88 remains.
# * Four hidden layers learn nothing but the frequencies of the digits in 500 epochs. **A small gradient is not an
#   optimum.**
# * The length of a mean is not the mean of lengths. Where gradients cancel, ask for each image by itself.
# * One seed is one throw. What holds for twenty is worth telling; what holds for one should be told as such.
#
# With larger weights a layer cost less than 2, and nothing says that it must be a loss. Could a layer *gain*?
# Tutorial 8 turns the weights up until the gradient explodes.
