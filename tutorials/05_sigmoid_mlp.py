# %% [markdown] minutes=20
# # 5. A network that learns to read
#
# We have numbers that remember, pictures of what they remember, and a judge. Time to build something. In this
# tutorial neurons become layers, a gradient becomes a step downhill, and at the end a network of sigmoid neurons
# reads handwritten digits that it has never seen.
#
# On the way there are two questions that look like details, and are not: *what exactly should be made small?* And:
# *if one layer is good, are four better?*

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("05_sigmoid_mlp", lang="en")

# %% [markdown]
# ## Four points that one neuron cannot learn
#
# The smallest famous problem of all: **XOR**, exclusive or. Two inputs, each 0 or 1; the answer is 1 if exactly one
# of them is 1.

# %%
corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
xor = np.array([0, 1, 1, 0])

for corner, answer in zip(corners, xor, strict=True):
    print(corner, "→", answer)

# %% [markdown]
# A neuron computes z = w₁x₁ + w₂x₂ + b and says *yes* where z is above 0. The border between yes and no, z = 0, is a
# straight line. Take a pencil: can one line separate the two 1s from the two 0s? It cannot, for they sit crosswise.
# What one neuron cannot do, several together can.
#
# ## A layer
#
# A **layer** is a row of neurons that all see the same inputs. Each neuron has a weight for each input, and we write
# all of them into one table w: a row for each input, a column for each neuron. The samples go into a table x as well:
# *rows are samples*. Then the sums of all neurons for all samples are a single matrix product:
#
# $$z = x\,w + b \qquad a = \sigma(z)$$

# %%
rng = np.random.default_rng(5)
w = rng.normal(size=(2, 3))  # 2 inputs, 3 neurons
b = rng.normal(size=3)

z = corners @ w + b
print("x", corners.shape, "@ w", w.shape, "+ b", b.shape, "= z", z.shape)

# %% [markdown]
# Look at the shapes. The product has the shape (4, 3): four samples, three neurons. But b has the shape (3,): each
# neuron has *one* bias, and NumPy adds it to all four rows. This is called **broadcasting**.
#
# It is convenient, and it has a consequence for the way back. Each bias is used four times, once for each sample. So
# there are four paths from it to the cost, and over paths we add.
#
# ### Exercise 5.1: a layer backwards
#
# Somebody has computed the cotangent g = ∂C/∂z of a layer, an array of the shape of z. Pass the message on: write
# ∂C/∂x, ∂C/∂w and ∂C/∂b. Each must have the shape of what it belongs to.
#
# For w, think of one weight at first: w[i, j] leads from input i to neuron j, and the slope of z[s, j] is x[s, i],
# for each sample s. So the shares x[s, i]·g[s, j] are added over s. Which matrix product is that?


# %% tags=["exercise"]
def layer_backwards(g, x, w, b):
    """∂C/∂x, ∂C/∂w and ∂C/∂b of z = x @ w + b, where g = ∂C/∂z."""
    ...


# %% tags=["solution"]
def layer_backwards(g, x, w, b):
    """∂C/∂x, ∂C/∂w and ∂C/∂b of z = x @ w + b, where g = ∂C/∂z."""
    return g @ w.T, x.T @ g, g.sum(axis=0)


# %% tags=["check"]
with check(
    "5.1", hint="g is (n, out), w is (in, out), x is (n, in). .T turns a table on its side; b: add over samples."
):
    answered(layer_backwards)
    trial = np.random.default_rng(51)
    for n, n_in, n_out in ((4, 2, 3), (1, 5, 2), (7, 3, 3), (6, 1, 1)):
        at = [trial.normal(size=shape) for shape in ((n, n_in), (n_in, n_out), (n_out,))]
        g = trial.normal(size=(n, n_out))
        _, pullback = vg.vjp(lambda x, w, b: x @ w + b, *at)
        given = layer_backwards(g, *at)
        assert len(given) == 3, f"three arrays, please, not {len(given)}"
        for name, found, due in zip("xwb", given, pullback(g), strict=True):
            assert np.shape(found) == due.shape, f"∂C/∂{name} has shape {np.shape(found)}, but {name} has {due.shape}"
            size = np.max(np.abs(due))
            assert np.max(np.abs(found - due)) < 1e-9 * size, f"∂C/∂{name} has the right shape, but other numbers"

# %% [markdown]
# ## A network
#
# Layers in a row make a network: the activations of one are the inputs of the next. It is called a **multilayer
# perceptron**, MLP for short, and `MLP([2, 2, 1])` is one with 2 inputs, a **hidden layer** of 2 neurons (hidden
# because nobody outside sees what it says), and 1 output. The weights begin as random numbers; `seed` says which.

# %%
network = MLP([2, 2, 1], seed=0)
for parameter in network.parameters():
    print(parameter.name, parameter.shape)

with vg.no_grad():
    print("says at first:", network(corners).ravel().round(2))

# %% [markdown]
# Nine numbers that are to be found. Before they have learned anything, the network says about the same to all four
# corners.
#
# ## What should be made small?
#
# The **quadratic cost** of tutorial 1, ½(a − y)², is the natural idea: how far is the answer a from the wanted one,
# y? But follow it back through the output neuron. Its slope by z is (a − y)·σ′(z). Now imagine a neuron that is
# *quite wrong and quite sure*: y = 1, and z = −6, so that a is almost 0. How fast will it learn?

# %%
zs = np.linspace(-8, 8, 161)
a = vg.sigmoid(zs)
with plot(
    "Two curves over z where 1 is wanted: |a − y|·σ′ is a hill that falls to 0 on the far left; |a − y| stays at 1 there"
) as axes:
    axes.plot(zs, np.abs(a - 1) * a * (1 - a), label="quadratic cost: |a − y|·σ′(z)")
    axes.plot(zs, np.abs(a - 1), label="cross-entropy: |a − y|")
    axes.set(xlabel="z of the output neuron, where y = 1 is wanted", ylabel="size of ∂C/∂z", ylim=(-0.05, 1.05))
    axes.legend()

# %% tags=["hidden"]
slope_at = {z: float(vg.grad(lambda z: (vg.sigmoid(z) - 1) ** 2 / 2)(z)) for z in (-6.0,)}
assert f"{-slope_at[-6.0]:.4f}" == "0.0025"
assert vg.sigmoid(-800.0) == 0

# %% [markdown]
# Look at the far left, where the neuron is most wrong. The quadratic cost has a slope of 0.0025 there: the neuron is
# saturated, σ′ is nearly 0, and it hardly learns at all. The more wrong, the slower. No good teacher works like that.
#
# The other curve belongs to a cost that was made to get rid of that σ′, the **cross-entropy**:
#
# $$C = -\big[\,y \ln a + (1 - y) \ln(1 - a)\,\big] \qquad\qquad \frac{\partial C}{\partial z} = a - y$$
#
# Read it for y = 1: C = −ln a, the *surprise* at hearing that the right answer had the probability a. And its slope
# by z is a − y, nothing else: ∂C/∂a = (a − y)/(a(1 − a)), times σ′ = a(1 − a), and the two cancel. The more wrong,
# the faster.
#
# ### Exercise 5.2: a cross-entropy that does not break
#
# The formula breaks where it matters most: at z = −800 the computer says a = 0, and ln 0 is −∞. So one computes it
# from z, before the sigmoid. The z of an output neuron is called its **logit**.
#
# Write C as a function of the logit z and the wanted answer y, for numbers and arrays alike (one C for each element).
# It must be right for moderate z, and finite at z = ±800. This helps: −ln σ(z) = ln(1 + e⁻ᶻ), and the library has
# `vg.softplus(t)`, which is ln(1 + eᵗ) for any t.


# %% tags=["exercise"]
def cross_entropy(z, y):
    """−[y ln σ(z) + (1−y) ln(1−σ(z))], for any z."""
    ...


# %% tags=["solution"]
def cross_entropy(z, y):
    """−[y ln σ(z) + (1−y) ln(1−σ(z))], for any z."""
    return y * vg.softplus(-z) + (1 - y) * vg.softplus(z)  # 1 − σ(z) is σ(−z)


# %% tags=["check"]
with check("5.2", hint="−ln σ(z) = softplus(−z). And 1 − σ(z) = σ(−z): what is −ln of that?"):
    answered(cross_entropy)
    with np.errstate(all="ignore"):
        trial = np.random.default_rng(52)
        z_try, y_try = trial.uniform(-6, 6, size=50), trial.uniform(0, 1, size=50)
        a_try = vg.sigmoid(z_try)
        due = -(y_try * np.log(a_try) + (1 - y_try) * np.log(1 - a_try))
        found = cross_entropy(z_try, y_try)
        assert np.shape(found) == (50,), f"50 logits should give 50 costs, not an array of shape {np.shape(found)}"
        worst = np.argmax(np.abs(found - due))
        assert np.allclose(found, due, rtol=1e-8, atol=0), (
            f"at z = {z_try[worst]:.2f}, y = {y_try[worst]:.2f} it is {due[worst]:.4f}, not {found[worst]:.4f}"
        )
        for z_far, y_far in ((-800, 1.0), (800, 0.0)):
            far = float(cross_entropy(np.array(float(z_far)), y_far))
            assert math.isclose(far, 800, rel_tol=1e-9), f"at z = {z_far}, y = {y_far:.0f} it gives {far}"
        for z_at, y_at in ((2.0, 0.0), (-3.0, 1.0), (0.5, 0.3)):
            slope = float(vg.grad(lambda z, y=y_at: cross_entropy(z, y))(z_at))
            assert math.isclose(slope, vg.sigmoid(z_at) - y_at, rel_tol=1e-8), f"its slope is {slope:.6f}, not a − y"

# %% [markdown]
# In the library this is `losses.cross_entropy(logits, y)`: it adds over the outputs and takes the mean over the
# samples. `network.logits(x)` gives the logits, `network(x)` the activations.
#
# ## Downhill
#
# The gradient says for each weight how many nudges come out at C for one that goes in. To make C smaller, we move
# each weight *against* it, by a small multiple η, the **learning rate**:
#
# $$w \leftarrow w - \eta\,\frac{\partial C}{\partial w}$$
#
# All weights at once, then a new gradient, and again. This is **gradient descent**.
#
# ### Exercise 5.3: one step
#
# Write `descend(parameters, rate)`. Each parameter p is a Tensor that has its gradient in `p.grad`. Its new value is
# set by `p.update(array)`. And remember the surprise of tutorial 2: `+=` has a memory. After the step the gradient is
# used up, so set `p.grad = None`.


# %% tags=["exercise"]
def descend(parameters, rate):
    """One step downhill; uses the gradients up."""
    ...


# %% tags=["solution"]
def descend(parameters, rate):
    """One step downhill; uses the gradients up."""
    for p in parameters:
        p.update(p.data - rate * p.grad)
        p.grad = None


# %% tags=["check"]
with check("5.3", hint="For each p: p.update(p.data − rate · p.grad), and then p.grad = None."):
    answered(descend)
    trial = MLP([2, 3, 1], seed=53)
    expected = [p.data for p in trial.parameters()]
    for rate in (0.5, 0.1, 2.0):
        slopes = vg.grad(lambda *p: losses.cross_entropy(trial.bind(p).logits(corners), xor), argnums=range(4))(
            *expected
        )
        expected = [value - rate * slope for value, slope in zip(expected, slopes, strict=True)]
        losses.cross_entropy(trial.logits(corners), xor).backward()
        descend(trial.parameters(), rate)
        for p, value in zip(trial.parameters(), expected, strict=True):
            off = np.max(np.abs(p.data - value)) / np.max(np.abs(value))
            assert off < 1e-9, f"after a step with rate {rate}, {p.name} is not where it should be"

# %% [markdown]
# ## XOR, learned
#
# The library's `vg.optim.SGD` does such steps; `opt.step()` uses the gradients up. Here are a thousand of them, on
# all four corners at once.


# %%
def learn_xor(sizes, seed, steps=1000):
    """A network trained on the four corners, and its cost at every step."""
    network = MLP(sizes, seed=seed)
    opt = vg.optim.SGD(network.parameters(), lr=2.0)
    costs = []
    for _ in range(steps):
        C = losses.cross_entropy(network.logits(corners), xor)
        C.backward()
        opt.step()
        costs.append(C.item())
    return network, costs


one, one_costs = learn_xor([2, 1], seed=0)
two, two_costs = learn_xor([2, 2, 1], seed=0)
for name, net in (("one neuron", one), ("with a hidden layer", two)):
    print(f"{name}:", net(corners).data.ravel().round(2))

# %% tags=["hidden"]
assert abs(one_costs[-1] - math.log(2)) < 1e-3
assert f"{math.log(2):.3f}" == "0.693"
assert np.allclose(one(corners).data, 0.5, rtol=0.02)
assert two_costs[-1] < 0.05
assert np.array_equal(two(corners).data.ravel() > 0.5, xor == 1)

# %% [markdown]
# The single neuron gives up: it says 0.5 to everything, the best that a straight line can do, and its cost stays at
# ln 2 = 0.693. With a hidden layer of two neurons the answers are right. How do they do it? Let us colour the square
# by what each network says.

# %%
side = np.linspace(-0.4, 1.4, 61)
square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
with plot(
    "Left, the costs: one neuron stays at 0.69, the network falls to 0. Right: a dark band runs between two straight lines",
    panels=2,
    width=8.6,
    height=3.6,
) as (left, right):
    left.plot(one_costs, label="one neuron")
    left.plot(two_costs, label="2 hidden neurons")
    left.set(xlabel="step", ylabel="cost", ylim=(0, 1))
    left.legend()
    said = two(square).data.reshape(61, 61)
    right.contourf(side, side, said, levels=np.linspace(0, 1, 11), cmap="cividis")
    for marker, answer in (("o", 0), ("s", 1)):
        right.scatter(*corners[xor == answer].T, marker=marker, s=90, color="white", edgecolor="black")
    right.set(xlabel="x₁", ylabel="x₂", aspect="equal", xticks=[0, 1], yticks=[0, 1])
    right.set_title("bright: yes, dark: no\n□ should be yes, ○ no", fontsize=10)
    right.grid(visible=False)

# %% tags=["hidden"]
assert two(np.array([[0.5, 0.5]])).item() < 0.1
assert abs(two_costs[200] - 0.69) < 0.01
resting, _ = learn_xor([2, 2, 1], seed=0, steps=200)
slopes = vg.backprop(losses.cross_entropy(resting.logits(corners), xor))
assert all(np.linalg.norm(slopes[p]) < 0.02 for p in resting.parameters())

# %% [markdown]
# Each hidden neuron draws a line of its own, and the output neuron puts the two together: *no* between the lines,
# *yes* outside. Two straight lines make a band, and a band can do what one line cannot.
#
# Look at the cost on the way, too. It lingers at 0.69 for a while, as if the network had given up like the single
# neuron, and then it falls. On such a plateau all gradients are small, and it is not the end. That a small gradient
# does not mean a good place will come back in tutorial 7.
#
# And is it sure to succeed? Another seed:

# %%
for sizes in ([2, 2, 1], [2, 3, 1]):
    network, costs = learn_xor(sizes, seed=1)
    print(sizes, f"cost {costs[-1]:.3f}", network(corners).data.ravel().round(2))

# %% tags=["hidden"]
stuck, stuck_costs = learn_xor([2, 2, 1], seed=1)
assert stuck_costs[-1] > 0.4
assert stuck_costs[-1] > 0.97 * stuck_costs[-300]
assert costs[-1] < 0.05
assert max(two_costs[:20]) < 0.9
elsewhere = {"measured with this code: of seeds 0 … 9 with two hidden neurons": "9 learn it"}

# %% [markdown]
# Seed 1 ends in a place where three corners get the same answer, and from there the cost hardly falls any further.
# With a third hidden neuron it finds a way out. (Of the seeds 0 to 9, this is the only one that gets stuck with two
# neurons.) So never trust a single run: the seed is part of the experiment.
#
# ## Digits
#
# Now for the real thing: **MNIST**, handwritten digits of 28 × 28 pixels. The library carries a sample with it, 1000
# digits to learn from, and 1000 others, which the network never learns from, to be examined with: the **validation**
# data.

# %%
data = vg.datasets.mnist_sample()
images, labels = data.train
print("images", images.shape, "labels", labels.shape)

with plot("Ten handwritten digits in a row, with what they mean above them", panels=10, width=9, height=1.3) as panels:
    for axes, image, label in zip(panels, images, labels, strict=False):
        axes.imshow(image.reshape(28, 28), cmap="gray_r")
        axes.set_title(str(label))
        axes.set_axis_off()

# %% tags=["hidden"]
assert images.shape == (1000, 784) == data.validation[0].shape
assert 28 * 28 == 784

# %% [markdown]
# Each image becomes a row of 784 numbers, the brightness of its pixels. The network gets 784 inputs, a hidden layer
# of 30, and 10 outputs, one for each digit; the output that says the most is the answer. The label 3 means that
# output 3 should say 1 and all others 0.
#
# That makes 23,860 parameters. We have a loss and a network, so before we train it, we ask the judge of tutorial 4:
# are the gradients right? `bind` puts other parameters in, and `sample=10` looks at ten elements of each.

# %%
reader = MLP([784, 30, 10], seed=0)
few, few_labels = images[:10], labels[:10]


def loss_of(*parameters):
    return losses.cross_entropy(reader.bind(parameters).logits(few), few_labels)


print(vg.check_gradients(loss_of, *reader.parameters(), sample=10))

# %% tags=["hidden"]
assert sum(p.size for p in reader.parameters()) == 23_860

# %% [markdown]
# ## Mini-batches
#
# Shall we compute the gradient over all 1000 images before each step? One does better to look at ten at a time. Ten
# images, chosen at random, give a rough idea of the direction, a hundred times cheaper; and a hundred rough steps
# lead much further than one exact one. Ten images are called a **mini-batch**, once through all of them is an
# **epoch**, and the whole is **stochastic gradient descent**, SGD.
#
# `vg.training.fit` does that. We train the same network, from the same weights and with the same η, with both costs.
# Which one will be ahead after the first epoch, and why?


# %%
def quadratic(model, X, y):
    return losses.quadratic(model(X), y)


def entropy(model, X, y):
    return losses.cross_entropy(model.logits(X), y)


histories, readers = {}, {}
for name, loss in (("quadratic cost", quadratic), ("cross-entropy", entropy)):
    readers[name] = MLP([784, 30, 10], seed=0)
    histories[name] = vg.training.fit(
        readers[name], loss, data.train, epochs=20, batch_size=10, lr=0.5, validation=data.validation, seed=0
    )
    print(f"{name}: {histories[name].accuracy[0]:.0%} after one epoch, {histories[name].accuracy[-1]:.0%} after 20")

# %%
with plot(
    "Two curves: the accuracy with cross-entropy jumps up at once, with the quadratic cost it climbs slowly"
) as axes:
    for name, history in histories.items():
        axes.plot(range(1, 21), 100 * history.accuracy, "o-", label=name)
    axes.set(xlabel="epoch", ylabel="% right of 1000 unseen digits", ylim=(0, 100), xticks=[1, 5, 10, 15, 20])
    axes.legend(loc="lower right")

# %% tags=["hidden"]
starts = {name: history.accuracy[0] for name, history in histories.items()}
ends = {name: history.accuracy[-3:].mean() for name, history in histories.items()}
assert starts["quadratic cost"] < 0.45 < 0.6 < starts["cross-entropy"]
assert all(0.82 < end < 0.90 for end in ends.values())
eager, careful = MLP([784, 30, 10], seed=0), MLP([784, 30, 10], seed=0)
faster = vg.training.fit(
    eager, quadratic, data.train, epochs=1, batch_size=10, lr=3.0, validation=data.validation, seed=0
)
assert faster.accuracy[0] > 0.5
whole = vg.training.fit(
    careful, entropy, data.train, epochs=1, batch_size=1000, lr=0.5, validation=data.validation, seed=0
)
assert whole.accuracy[0] < 0.4
book = {"the book, ch. 5, one hidden layer of 30, 50,000 training images, 30 epochs, in %": 96.48}

# %% [markdown]
# Both learn to read. But the cross-entropy is at some seventy per cent when the quadratic cost is still at thirty:
# output neurons that are quite wrong and quite sure get moving at once. Later the two come close to each other. (To
# be fair to the quadratic cost: with a larger learning rate, such as η = 3, it starts faster, too.)
#
# After 20 epochs about 86 of 100 unseen digits are right. That is not bad for 1000 examples and a few lines; with all
# 50,000 training images of MNIST this network comes to 96.48 % in Nielsen's book, whose fifth chapter we follow. Here
# are ten that ours gets wrong. Be fair to it: could you read them all?

# %%
unseen, truth = data.validation
with vg.no_grad():
    answers = readers["cross-entropy"](unseen).argmax(axis=1)
misread = np.flatnonzero(answers != truth)[:10]
with plot(
    "Ten digits that were misread, with the answer of the network above them", panels=10, width=9, height=1.3
) as panels:
    for axes, k in zip(panels, misread, strict=True):
        axes.imshow(unseen[k].reshape(28, 28), cmap="gray_r")
        axes.set_title(f"{answers[k]}?")
        axes.set_axis_off()

# %% [markdown]
# ## If one layer is good, are four better?
#
# One hidden layer of 30 neurons can do this. Surely a second one will do it better, and a third, and a fourth: they
# can look for strokes first, then for loops, then for digits. The network with four hidden layers contains far more
# possibilities than the one with one. Write down what you expect, then run.

# %%
deeper = {}
for hidden in (1, 2, 3, 4):
    network = MLP([784] + [30] * hidden + [10], seed=0)
    history = vg.training.fit(
        network, entropy, data.train, epochs=12, batch_size=10, lr=0.5, validation=data.validation, seed=0
    )
    deeper[hidden] = history.accuracy
    print(f"hidden layers: {hidden}, right after 12 epochs: {history.accuracy[-1]:.0%}")

# %%
with plot(
    "Four curves, one a depth: each further hidden layer makes the network start later; four layers hardly start"
) as axes:
    for hidden, curve in deeper.items():
        axes.plot(range(1, 13), 100 * curve, "o-", label=f"{hidden} hidden")
    axes.axhline(10, color="0.5", linestyle=":")
    axes.annotate("guessing", (12, 10), (0, -12), textcoords="offset points", ha="right")
    axes.set(xlabel="epoch", ylabel="% right of 1000 unseen digits", ylim=(0, 100), xticks=[1, 4, 8, 12])
    axes.legend(loc="center right")

# %% tags=["hidden"]
first_epochs = [curve[:4].mean() for curve in deeper.values()]
assert first_epochs == sorted(first_epochs, reverse=True)
assert deeper[4][:5].max() < 0.25
assert deeper[1][-1] > 0.8
elsewhere = {"measured with this code: seeds 0, 1, 2 after 20 epochs, 4 hidden layers": (0.29, 0.37, 0.20)}

# %% [markdown]
# The other way round. Each further layer makes the network start *later*, and the one with four hidden layers spends
# its first epochs at guessing. (So it was with each of the three seeds that we tried.) Nothing is wrong with the
# gradients: they are checked. Nothing is wrong with the network: it contains all that the small one can do. It does
# not learn, and the reason has been before our eyes since tutorial 1. One picture shows it, the network with four
# hidden layers as it is before it has learned anything. Look at the bars from right to left.

# %%
deep = MLP([784, 30, 30, 30, 30, 10], seed=0)
C = losses.cross_entropy(deep.logits(images), labels)
show(
    vg.drawing.draw_network(deep, C, inputs=False, scale="log"),
    "Five columns of neurons with bars for ∂C/∂b on a log scale, which get shorter from the output to the first layer",
)

# %% tags=["hidden"]
by_layer = [float(np.linalg.norm(vg.backprop(C)[layer.b])) for layer in deep.layers]
assert by_layer == sorted(by_layer)
assert by_layer[-1] / by_layer[0] > 100
assert by_layer[-2] / by_layer[0] > 30

# %% [markdown]
# ## What to take with you
#
# * A **layer** is one matrix product, one broadcast bias, one σ. Backwards: g·wᵀ, xᵀ·g, and the sum of g over the
#   samples.
# * The **quadratic cost** learns slowly where a neuron is wrong and sure; the **cross-entropy**, computed from
#   **logits**, has the slope a − y.
# * **SGD**: a mini-batch, its gradient, a step against it, with a learning rate η.
# * One run is one seed. Try several before you believe.
# * Deeper is not better by itself: with sigmoid neurons each further layer makes the start later.
#
# Why do the first layers hardly learn? In the next tutorial we take the network apart until four neurons are left,
# and look at the factors one by one.
