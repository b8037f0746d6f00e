# %% [markdown] minutes=20
# # 9. Cures
#
# Here is a patient: a network with four hidden layers of sigmoid neurons. It has been shown a thousand digits, five
# times over, and it still guesses. A network with a single hidden layer, trained in the same way, has learned
# something by then.
#
# You know what it suffers from. Tutorials 6 and 7 found that the gradient fades on its way back, tutorial 8 that this
# is one face of a gradient that is a long product. Now we treat it. There are five cures in everybody's cupboard:
# another cost, another **initialisation**, another activation function, connections that skip a layer, and momentum.
# Do they all work? Against the same thing? And does it help to take all of them at once?
#
# We give them one at a time, then together, and then take them away again one by one. Before each, say what you
# expect. Four exercises wait on the way.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.lab import cures
from tinygrad_vg.nn import MLP, losses
from tinygrad_vg.training import LearningSpeed, accuracy, fit
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("09_cures", lang="en")

# %% [markdown]
# ## The patient
#
# Its layers have 784, 30, 30, 30, 30 and 10 units, its cost is the quadratic one, and it is trained in
# **mini-batches** of ten with the learning rate η = 0.1. Five rounds through the thousand digits that come with the
# library make 500 steps.
#
# Of every network we ask two questions.
#
# * **Does the gradient get through?** As in tutorial 7 we average the gradient with respect to the biases of layer l
#   over the digits; ‖δˡ‖ is the length of this average. We look at it before training, and at how many times larger
#   it is in the last hidden layer than in the first.
# * **Does the network learn?** After the 500 steps we let it read a thousand other digits. To guess is to be right on
#   about 10 % of them.

# %%
digits = vg.datasets.mnist_sample()
probe = LearningSpeed(*digits.train)


def quadratic(net, X, y):
    return losses.quadratic(net(X), y)


def network(layers=4, **change):
    """The patient, or what a change makes of it."""
    return cures.deep_network(cures.Cure("", **change), [784, *[30] * layers, 10], seed=0)


# %%
def attempt(name, cost, layers=4, lr=0.1, momentum=0.0, **change):
    """Ask both questions; give ‖δ‖ of each hidden layer, how many per cent are right, and the trained network."""
    net = network(layers, **change)
    norms, _ = probe.measure(net, cost)
    optimizer = vg.optim.SGD(net.parameters(), lr, momentum)
    fit(net, cost, digits.train, epochs=5, optimizer=optimizer, seed=0, progress=False)
    right = 100 * accuracy(net, *digits.validation)
    print(f"‖δ¹‖ {norms[0]:.1e}   last/first {norms[-1] / norms[0]:7.2f}   right {right:3.0f} %   {name}")
    return norms, right, net


shallow = attempt("one hidden layer", quadratic, layers=1)
patient = attempt("four: the patient", quadratic)


# %% tags=["hidden"]
def ratio_of(found):
    return found[0][-1] / found[0][0]


assert 30 < shallow[1] < 50
assert 8 < patient[1] < 13
assert 100 < ratio_of(patient) < 120
assert 0.0004 < patient[0][0] < 0.0005
assert 5 * 1000 / 10 == 500

# %% [markdown]
# There it is. The first layer of the patient has a gradient more than 100 times smaller than the fourth, and the
# whole network has learned nothing. (One hidden layer gets about 40 % right: not much either, but the quadratic cost
# has a share in that, as you will see.)
#
# ## Where could one intervene?
#
# Take the chain of four neurons of tutorial 6, one neuron a layer. The gradient of its first bias is
#
# $$\frac{\partial C}{\partial b_1} = \sigma'(z_1) \cdot w_2\,\sigma'(z_2) \cdot w_3\,\sigma'(z_3) \cdot w_4\,\sigma'(z_4) \cdot \frac{\partial C}{\partial a_4}$$
#
# The formula is a list of everything that can be treated:
#
# * the last factor, ∂C/∂a₄: by another **cost**;
# * the weights w₂, w₃, w₄, and with them the places z at which σ′ is looked up: by another **initialisation**;
# * σ′ itself: by another **activation function**;
# * that there is only this one path from C to b₁: by **residual connections**, which lay a second one;
# * nothing of it, but the steps that are made with it: by **momentum** and the learning rate.


# %%
def larger(n_in, n_out, rng):
    """Weights four times as large as the patient's; the biases are 0."""
    return rng.standard_normal((n_in, n_out)) * 4 / np.sqrt(n_in)


def cross_entropy(net, X, y):
    return losses.cross_entropy(net.logits(X), y)


def last_to_first(cost, **change):
    norms, _ = probe.measure(network(**change), cost)
    return norms[-1] / norms[0]


# %% [markdown]
# ### Exercise 9.1: which of them help the first layer?
#
# The patient's ratio ‖δ⁴‖/‖δ¹‖ before training is above 100. Each of six changes is made by itself, all else stays.
# Which of them bring the ratio down to less than half? Answer with `True` or `False`.
#
# Do not run anything. Ask of each: is the factor that it changes found in ∂C/∂b₁ and ∂C/∂b₄ alike, or in one of them
# only?

# %% tags=["exercise"]
halves_the_ratio = {
    "cross-entropy as the cost": ...,
    "weights four times as large": ...,
    "ReLU, slope 1 or 0, instead of the sigmoid": ...,
    "residual connections": ...,
    "momentum": ...,
    "ten times the learning rate": ...,
}

# %% tags=["solution"]
halves_the_ratio = {
    "cross-entropy as the cost": False,  # the last factor is shared by all layers: it cancels in the ratio
    "weights four times as large": True,  # w₂, w₃, w₄ are missing in ∂C/∂b₄
    "ReLU, slope 1 or 0, instead of the sigmoid": True,  # and so are σ′(z₁), σ′(z₂), σ′(z₃)
    "residual connections": True,  # the second path leads past them
    "momentum": False,  # it does not touch the gradient
    "ten times the learning rate": False,  # neither does this
}

# %% tags=["check"]
with check(
    "9.1", hint="In ‖δ⁴‖/‖δ¹‖ all factors that both have cancel. What is made with the gradient comes after it."
):
    answered(halves_the_ratio)
    before = last_to_first(quadratic)
    measured = {
        "cross-entropy as the cost": last_to_first(cross_entropy),
        "weights four times as large": last_to_first(quadratic, init=larger),
        "ReLU, slope 1 or 0, instead of the sigmoid": last_to_first(quadratic, activation="relu"),
        "residual connections": last_to_first(quadratic, kind="residual"),
        "momentum": last_to_first(quadratic, momentum=0.9),
        "ten times the learning rate": last_to_first(quadratic, faster=10.0),
    }
    assert halves_the_ratio.keys() == measured.keys(), "there were six changes, each with its own name"
    wrong = [name for name, after in measured.items() if halves_the_ratio[name] != (after < before / 2)]
    assert not wrong, f"{len(wrong)} of six are not so, among them: {wrong[0]}"

# %% [markdown]
# ## The cost: the last factor
#
# With the quadratic cost of one output neuron, C = ½(a − y)², the first thing to come back is ∂C/∂z = (a − y)·σ′(z).
# There is a σ′ in it before the journey has begun. A neuron that is saturated *and wrong* gets almost no message that
# it is.
#
# The **cross-entropy** of tutorial 5 was made so that this σ′ cancels: ∂C/∂z = a − y. Let us draw both for a neuron
# that should say 0.

# %%
zs = np.linspace(-6, 6, 121)
a = vg.sigmoid(zs)
with plot("The cross-entropy pulls the harder the more wrong the neuron is; the quadratic cost gives up on it") as axes:
    axes.plot(zs, a, label="cross-entropy: a − y")
    axes.plot(zs, a * a * (1 - a), label="quadratic cost: (a − y)·σ′(z)")
    axes.set(xlabel="z of an output neuron that should say y = 0", ylabel="∂C/∂z")
    axes.legend()

# %% tags=["hidden"]
at_4 = vg.sigmoid(np.array(4.0))
assert f"{at_4:.3f}" == "0.982"
assert f"{at_4 * at_4 * (1 - at_4):.3f}" == "0.017"

# %% [markdown]
# Look at z = 4, where the neuron is sure and wrong. The cross-entropy pulls with 0.982, the quadratic cost with
# 0.017.
#
# What will it do for the patient? And for the network with one hidden layer?

# %%
shallow_ce = attempt("one hidden layer", cross_entropy, layers=1)
four_ce = attempt("four, cross-entropy", cross_entropy)

# %% tags=["hidden"]
assert 70 < shallow_ce[1] < 86
assert 8 < four_ce[1] < 13
assert 100 < ratio_of(four_ce) < 125
assert 3.5 < four_ce[0][0] / patient[0][0] < 4.5

# %% [markdown]
# For the shallow network it is a great cure: nearly 80 % instead of about 40 %. In the deep one the first layer's
# gradient grows four times, as does every other layer's, so the ratio stays where it was, above 100. The patient
# still guesses.
#
# A cost treats the last factor. It is a good thing to have, and we keep it from here on; but the gradient is lost
# behind it.
#
# ## Initialisation: the weights
#
# What does a layer do to δ on its way back? Two things: it multiplies it with the weights, and then with the slopes
# f′(z), where f is the activation function. If the weights are drawn at random with **standard deviation** s, and δ
# comes from a layer of n units, this makes the length of δ larger by about
#
# $$\sqrt{n}\,s \;\times\; \operatorname{rms} f'(z)$$
#
# where **rms** is the root of the mean of the squares. The first factor belongs to the weights, the second to the
# activation function, and what we want is a product of 1. Let us measure both on the way from layer 3 to layer 2, and
# see what δ really was multiplied by. (We take the length of δ for each digit by itself here, and then the mean.)


# %%
def a_layers_factor(name, activation, init):
    """√n·s and rms f′(z) on the way from layer 3 to layer 2, and by what the length of δ changes there."""
    net = MLP([784, 30, 30, 30, 30, 10], activation, init, seed=0)
    lengths = probe.measure(net, cross_entropy)[1]
    z = net.layers[1].logits(net.layers[0](digits.train[0]))
    slopes = vg.backprop(np.sum(net.layers[1].activation(z)), wrt=[z])[z]
    weights, slope = math.sqrt(30) * net.layers[2].w.data.std(), math.sqrt(np.mean(slopes**2))
    print(f"weights {weights:.2f} × slopes {slope:.2f} = {weights * slope:.2f}", end="   ")
    print(f"measured {lengths[1] / lengths[2]:.2f}   {name}")
    return weights, slope, lengths[1] / lengths[2]


as_it_was = a_layers_factor("sigmoid, as it was", "sigmoid", "default")
with_larger = a_layers_factor("sigmoid, larger weights", "sigmoid", larger)

# %% tags=["hidden"]
assert f"{as_it_was[0]:.2f} {as_it_was[1]:.2f} {as_it_was[2]:.2f}" == "0.98 0.20 0.20"
assert f"{with_larger[0]:.2f} {with_larger[1]:.2f} {with_larger[2]:.2f}" == "3.96 0.16 0.61"

# %% [markdown]
# Read the first line. The weights are innocent: they multiply by 0.98. The patient's weights have s = 1/√n, and this
# is what that choice is for. The slopes multiply by 0.20, and there is the whole illness, a fifth of the gradient
# left at each layer.
#
# So let the weights make up for it: four times as large, since σ′ is a quarter at best. (The biases start at 0 here,
# as is usual.) The second line shows why this is only half a cure. Larger weights make larger z, larger z lie further
# out, where the sigmoid is flatter, and the mean slope falls to 0.16. It is the tug of war of tutorial 6: w pulls
# |wσ′| up and σ′ pulls it down. What is left is 0.61 a layer instead of 0.20.

# %%
four_larger = attempt("four, larger weights", cross_entropy, init=larger)

# %% tags=["hidden"]
assert 5 < ratio_of(four_larger) < 8
assert 58 < four_larger[1] < 82

# %% [markdown]
# Not healed, but it learns: about 70 % are right, and the ratio has come down from over 100 to about 6.
#
# ## ReLU: the slopes
#
# If the slopes are the illness, change the slopes. The **ReLU** (rectified linear unit) is f(z) = max(0, z). Its
# slope is 1 where z is positive, and 0 where it is not.

# %%
with plot("Three slopes: σ′ is a low hill, tanh′ a hill of height 1, that of ReLU a step from 0 to 1") as axes:
    for name, f in (("sigmoid", vg.sigmoid), ("tanh", np.tanh), ("ReLU", vg.relu)):
        z = vg.Tensor(np.linspace(-6, 6, 1201))
        axes.plot(z.data, vg.backprop(np.sum(f(z)), wrt=[z])[z], label=name)
    axes.set(xlabel="z", ylabel="f′(z)", ylim=(-0.05, 1.1))
    axes.legend(loc="center left")

# %% [markdown]
# On the right half of the picture a ReLU passes a message on *whole*, however large z is: it does not saturate there.
# On the left half it passes on nothing at all. About half of the z are negative, so half of the squared slopes are 1
# and half are 0: their mean is ½, and rms f′ is about √½. The weights have to make up for that.
#
# ### Exercise 9.2: weights for ReLU
#
# Write `relu_weights(n_in, n_out, rng)`: an array of shape (n_in, n_out) of random numbers with mean 0, so large that
# a layer of ReLUs with biases 0 keeps the mean square of the signal that goes *through it, forwards*.
# `rng.standard_normal((n_in, n_out))` gives you numbers with standard deviation 1.
#
# Each z is a sum of n_in products of a weight and an input. Its mean square is n_in · s² · (the mean square of the
# inputs). Then ReLU cuts off one half of the z.


# %% tags=["exercise"]
def relu_weights(n_in, n_out, rng):
    """Random weights with which a ReLU layer keeps the mean square of its inputs."""
    ...


# %% tags=["solution"]
def relu_weights(n_in, n_out, rng):
    """Random weights with which a ReLU layer keeps the mean square of its inputs."""
    return rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)


# %% tags=["check"]
with check("9.2", hint="n_in · s² · ½ is to be 1. What is s? And the variance is s², not s."):
    answered(relu_weights)
    rng = np.random.default_rng(92)
    for n_in, n_out in ((300, 300), (600, 150), (150, 600)):
        kept = []
        for _ in range(5):
            signal = vg.relu(rng.normal(size=(100, n_in)))
            drawn = np.asarray(relu_weights(n_in, n_out, rng))
            assert drawn.shape == (n_in, n_out), f"the shape should be {(n_in, n_out)}, but is {drawn.shape}"
            kept.append(np.mean(vg.relu(signal @ drawn) ** 2) / np.mean(signal**2))
        kept = np.mean(kept)
        assert 0.8 < kept < 1.25, f"from {n_in} to {n_out} units the mean square is multiplied by {kept:.3g}"

# %% [markdown]
# These weights are known as **He initialisation**, after the first author of the paper of 2015 that derived them. For
# tanh there is **Glorot initialisation**, of 2010: tanh has slope 1 in the middle, so its weights may stay near 1/√n.
#
# For a layer of ReLUs that goes from 30 to 30 units the same s also keeps δ on its way back: √30 · √(2/30) · √½ = 1.
# Does it?

# %%
relu_as_it_was = a_layers_factor("ReLU, weights as before", "relu", "default")
relu_he = a_layers_factor("ReLU, He", "relu", "he")
tanh_glorot = a_layers_factor("tanh, Glorot", "tanh", "glorot_normalised")
print()
four_relu = attempt("four, ReLU, He", cross_entropy, activation="relu", init="he")

# %% tags=["hidden"]
assert f"{relu_as_it_was[2]:.2f} {relu_he[2]:.2f} {tanh_glorot[2]:.2f}" == "0.72 1.06 0.85"
assert 1.3 < ratio_of(four_relu) < 2.2
assert 70 < four_relu[1] < 87

# %% [markdown]
# 1.06 a layer: the gradient gets through, and the patient reads digits as well as the shallow network. Without the
# new weights ReLU would leave 0.72 a layer, which is no illness with four layers, but one with forty. And look at
# tanh: 0.85. An activation and its initialisation belong together.
#
# ## Residual connections: a second path
#
# The next cure keeps the sigmoid as it is, and the weights, too. It lets each layer *add* something to what comes in,
# instead of replacing it:
#
# $$\text{plain: } a' = f(a w + b) \qquad\qquad \text{residual: } a' = a + f(a w + b)$$
#
# The bare a in the sum is called a **residual connection**, or shortcut. Here is a chain of two such neurons.

# %%
x = vg.Tensor(0.7, "x")
w1, w2 = vg.Tensor(0.8, "w₁"), vg.Tensor(-0.6, "w₂")
a1 = (x + vg.sigmoid((w1 * x).named("z₁"))).named("a₁")
a2 = (a1 + vg.sigmoid((w2 * a1).named("z₂"))).named("a₂")
show(vg.draw(a2, wrt=x), "Two residual neurons: from x to a₂ there is a way through both, and one past both")

# %% [markdown]
# Count the paths from a₂ back to x: at each neuron a message can go through it or past it, so there are four; the
# last line under the picture lists what each contributes. Along each the slopes are multiplied, and over the paths
# the products are added, as in tutorial 2. One of the four goes past both neurons, and its product is 1 · 1.
#
# ### Exercise 9.3: a layer with a shortcut
#
# Write `with_shortcut(x, w, b)` for a whole layer of sigmoid neurons with n inputs and n outputs. x is a row of n
# numbers, w has the shape (n, n), b the shape (n,); use `vg.sigmoid`.


# %% tags=["exercise"]
def with_shortcut(x, w, b):
    """What a residual layer of sigmoid neurons makes of x."""
    ...


# %% tags=["solution"]
def with_shortcut(x, w, b):
    """What a residual layer of sigmoid neurons makes of x."""
    return x + vg.sigmoid(x @ w + b)


# %% tags=["check"]
with check("9.3", hint="The plain layer is vg.sigmoid(x @ w + b). The shortcut is added outside of the sigmoid."):
    answered(with_shortcut)
    rng = np.random.default_rng(93)
    for n in (1, 2, 5):
        x_try, w_try, b_try = rng.normal(size=n), rng.normal(size=(n, n)), rng.normal(size=n)
        through, plain = with_shortcut(x_try, w_try, b_try), vg.sigmoid(x_try @ w_try + b_try)
        assert np.shape(through) == (n,), f"of {n} numbers it should make {n}, but the shape is {np.shape(through)}"
        matrix = vg.jacobian(lambda x, w=w_try, b=b_try: with_shortcut(x, w, b))(x_try)
        own = vg.jacobian(lambda x, w=w_try, b=b_try: vg.sigmoid(x @ w + b))(x_try)
        past = "what a nudge does, less what it does to a plain layer, should be the nudge itself: the identity matrix"
        np.testing.assert_allclose(matrix - own + 1, np.eye(n) + 1, rtol=1e-9, err_msg=past)
        np.testing.assert_allclose(through, x_try + plain, rtol=1e-9, err_msg="its slopes are right, its values not")

# %% [markdown]
# The **Jacobian** of the layer, the matrix of all its slopes, is now the identity matrix plus what it was before. For
# one neuron: the factor wσ′ has become 1 + wσ′. However small wσ′ may be, the product no longer dies of it.
#
# So the patient keeps its sigmoids and its weights, and gets shortcuts past its layers 2, 3 and 4. (Not past layer 1:
# the digits have 784 numbers, and the layer 30, so they cannot be added.)

# %%
four_residual = attempt("four, residual", cross_entropy, kind="residual")

# %% tags=["hidden"]
assert 0.9 < ratio_of(four_residual) < 1.1
assert 70 < four_residual[1] < 86

# %% [markdown]
# The first layer's gradient is now as large as the last one's, with all the sigmoids in place. The patient learns as
# well as the shallow network.
#
# ## Momentum: the steps
#
# The last cure comes after the gradient. Plain gradient descent forgets each step as soon as it is made. **Momentum**
# keeps a **velocity** v, as a ball does that rolls downhill: each step keeps a part μ of the velocity and adds the
# new gradient g to it. Then the parameters θ move by the new velocity:
#
# $$v \leftarrow \mu v - \eta\,g \qquad\qquad \theta \leftarrow \theta + v$$
#
# ### Exercise 9.4: a step with momentum
#
# Write it as a function. It gives the new θ and the new v. Then think about what happens if the gradient is the same
# at every step: how fast does the ball roll in the end?


# %% tags=["exercise"]
def momentum_step(theta, v, g, lr, mu):
    """The new θ and the new v after a step with the gradient g."""
    ...


# %% tags=["solution"]
def momentum_step(theta, v, g, lr, mu):
    """The new θ and the new v after a step with the gradient g."""
    v = mu * v - lr * g
    return theta + v, v


# %% tags=["check"]
with check("9.4", hint="First v, then θ with the v that is already new. The step leads downhill, against g."):
    answered(momentum_step)
    rng = np.random.default_rng(94)
    theta, v, g = rng.normal(size=(3, 4))
    result = momentum_step(theta, v, g, 0.1, 0.9)
    assert isinstance(result, tuple | list), "give two things: the new θ and the new v"
    assert len(result) == 2, f"give two things, the new θ and the new v, not {len(result)}"
    rolled, _ = momentum_step(theta, v, 0 * g, 0.1, 0.9)
    np.testing.assert_allclose(rolled - theta, 0.9 * v, rtol=1e-9, err_msg="without a gradient it rolls on by μv")
    plain, _ = momentum_step(theta, v, g, 0.1, 0.0)
    np.testing.assert_allclose(plain - theta, -0.1 * g, rtol=1e-9, err_msg="with μ = 0 it is plain gradient descent")
    parameter = vg.Tensor(theta)
    optimizer = vg.optim.SGD([parameter], 0.1, 0.9)
    place, speed = theta, 0 * v
    for k in range(30):
        np.sum((parameter - 1) ** 2).backward()
        optimizer.step()
        place, speed = momentum_step(place, speed, 2 * (place - 1), 0.1, 0.9)
        np.testing.assert_allclose(place, parameter.data, rtol=1e-9, err_msg=f"on Σ(θ − 1)², after {k + 1} steps")

# %% [markdown]
# With a gradient that stays the same, v settles where v = μv − ηg, so at v = −ηg/(1 − μ). With μ = 0.9 that is ten
# times a plain step. Where the gradient points to and fro instead, the velocities cancel; that is why momentum is
# loved in narrow valleys.
#
# And the patient?

# %%
four_momentum = attempt("four, momentum 0.9", cross_entropy, momentum=0.9)

# %% tags=["hidden"]
assert f"{1 / (1 - 0.9):.0f}" == "10"
assert ratio_of(four_momentum) == ratio_of(four_ce)
assert 8 < four_momentum[1] < 20
book = {"plain": (10.6, 38.7, 10.6), "momentum": (86.7, 90.3, 89.0), "lr=1": (85.5, 90.0, 89.8)}  # 50,000 images
assert 50_000 / 10 == 5000

# %% [markdown]
# Nothing has changed: the ratio is the same, as it must be, and the patient guesses. Ten times almost nothing is
# still almost nothing.
#
# In fairness, it shortens the wait. We have measured that elsewhere, with all 50,000 images of MNIST, shown once:
# 5,000 steps instead of 500. From three seeds, the plain patient was right on 10.6, 38.7 and 10.6 %, with momentum on
# 86.7, 90.3 and 89.0 %. But a learning rate of 1 without any momentum gave 85.5, 90.0 and 89.8 %. Here momentum was a
# longer step and no more. It carries a network across the flat stretch sooner; that there is a flat stretch it does
# not change.
#
# ## All at once
#
# Now we are curious: cross-entropy, ReLU, He initialisation, residual connections *and* momentum. What do you expect?

# %%
everything = {"activation": "relu", "init": "he", "kind": "residual", "momentum": 0.9}
too_much = attempt("all at once", cross_entropy, **everything)

# %% tags=["hidden"]
assert too_much[1] < 30
assert too_much[0][0] / patient[0][0] > 1000

# %% [markdown]
# It guesses, like the patient in the beginning. Is the gradient lost again? No: look at ‖δ¹‖, it is more than 1,000
# times what the patient had. The dose is too high. The learning rate was chosen for faint gradients; now they are
# strong, and momentum makes the steps up to ten times as long.
#
# What did such steps do? Let us ask each hidden ReLU whether it is anything but 0 for any of the digits.


# %%
def silent(net):
    """How many ReLUs of each hidden layer are 0 for all digits."""
    a, counts = digits.train[0], []
    with vg.no_grad():
        for layer in net.layers[:-1]:
            counts.append(int(np.sum(np.all(layer.logits(a) <= 0, axis=0))))
            a = layer(a)
    return counts


print("silent ReLUs of 30 in each layer, η = 0.1: ", silent(too_much[2]))
together = attempt("all at once, η = 0.01", cross_entropy, lr=0.01, **everything)
print("silent ReLUs of 30 in each layer, η = 0.01:", silent(together[2]))

# %% tags=["hidden"]
assert min(silent(too_much[2])) > 20
assert sum(silent(together[2])) < 40
assert 60 < together[1] < 87

# %% [markdown]
# With η = 0.1 nearly all of the ReLUs are **dead**: a step too long has pushed their z below 0 for every digit. There
# the slope is 0, no message comes through, and they have no way of their own to wake up again. This is the price of a
# function whose slope is exactly 0 on one side.
#
# With a tenth of the learning rate most of them live, and the network reads digits. Cures are not simply added up:
# who changes the size of the gradient has to choose the steps anew.
#
# ## Take them away again
#
# Which of the five did it? The way to find out is an **ablation**: take away one at a time, and leave all the rest.

# %%
without = {
    "cross-entropy": {},
    "ReLU": {"activation": "sigmoid"},
    "He initialisation": {"init": "default"},
    "residual connections": {"kind": "plain"},
    "momentum": {"momentum": 0.0},
    "ReLU and residual": {"activation": "sigmoid", "kind": "plain"},
}
left = {"nothing": together[1]}
for name, change in without.items():
    cost = quadratic if name == "cross-entropy" else cross_entropy
    left[name] = attempt(f"without {name}", cost, lr=0.01, **{**everything, **change})[1]

# %%
with plot(
    "Without any single cure many digits are still read; without ReLU and residual connections it guesses"
) as axes:
    axes.barh(list(left), left.values(), color=["C2", *["C0"] * 5, "C1"])
    axes.axvline(10, color="C3", linewidth=1.5, linestyle="--")
    axes.annotate("a guess", (10, 6), (8, -3), textcoords="offset points")
    axes.grid(visible=False)
    axes.invert_yaxis()
    axes.set(xlabel="right, in %", ylabel="taken away")

# %% tags=["hidden"]
assert all(left[name] > 60 for name in ("ReLU", "He initialisation", "residual connections", "momentum"))
assert 30 < left["cross-entropy"] < 70
assert left["ReLU and residual"] < 20
five_seeds = {"nothing": (57.8, 81.5), "cross-entropy": (44.9, 66.5), "another": (72.0, 84.0), "two": (8.9, 16.6)}

# %% [markdown]
# Three things can be read from it.
#
# * **Take away ReLU, or He's weights, or the residual connections: the network goes on reading.** Each of them is a
#   cure for the same illness, and those that remain suffice. Only if ReLU *and* the residual connections are gone,
#   the gradient fades again, and all the rest cannot make up for it.
# * **Take away the cross-entropy, and it gets worse.** That cure treats something else, so no other takes its place.
# * **Take away momentum, and nothing is missed**, in these 500 steps on this network.
#
# Beware of reading more from it. These are single runs, and a run is a throw of dice: over five seeds "nothing taken
# away" gave from 57.8 to 81.5 %, without cross-entropy from 44.9 to 66.5 %, without one of the other four from 72.0
# to 84.0 %, without ReLU and residual connections from 8.9 to 16.6 %. Seed by seed, it was worse without
# cross-entropy each time; but of the other four no order can be read.
#
# ## Deeper
#
# With four layers three cures do the same job. Do they still do it with sixteen? We need not train to see how the
# gradient fares.

# %%
kinds = {
    "sigmoid, as it was": {},
    "sigmoid, larger weights": {"init": larger},
    "ReLU, He": {"activation": "relu", "init": "he"},
    "sigmoid, residual": {"kind": "residual"},
}
depths = [2, 4, 8, 16]
deeper = {name: [last_to_first(cross_entropy, layers=n, **change) for n in depths] for name, change in kinds.items()}

with plot(
    "With depth the ratio grows to 10¹⁰ for plain sigmoids; with ReLU or residual connections it stays near 1"
) as axes:
    for (name, ratios), marker in zip(deeper.items(), "osD^", strict=True):
        axes.plot(depths, ratios, marker=marker, label=name)
    axes.set(xlabel="hidden layers", ylabel="‖δ‖ of the last over the first", xticks=depths, yscale="log")
    axes.legend()

# %% tags=["hidden"]
assert 1e10 < deeper["sigmoid, as it was"][-1] < 1e11
assert 300 < deeper["sigmoid, larger weights"][-1] < 1000
assert all(0.25 < ratio < 4 for name in ("ReLU, He", "sigmoid, residual") for ratio in deeper[name])

# %% [markdown]
# Plain sigmoids: a factor of more than 1e10 with sixteen layers. Larger weights: still some hundreds. ReLU with its
# own weights, and residual connections around the old sigmoids, stay between a quarter and 4 at all four depths. That
# is what one wants of a cure: not that it helps at one depth, but that it makes depth harmless.
#
# ## What to take with you
#
# * Ask of each cure **which factor of ∂C/∂b₁ it changes**. The cost changes the last one, initialisation the weights,
#   ReLU the slopes, a residual connection adds a path; momentum and the learning rate change none.
# * Going back through a layer multiplies δ by about **√n·s × rms f′(z)**. An activation and its initialisation are
#   chosen together, so that this is 1.
# * 1 + wσ′ instead of wσ′: a product of such factors has nothing to vanish with, as long as wσ′ is small.
# * A strong gradient wants smaller steps; ReLUs can be killed by a step too long.
# * An **ablation** shows which cures stand in for each other. Quote it with its spread over seeds.
#
# So we can give a network depth, if we must. But look again at the numbers: the network with *one* hidden layer reads
# these digits as well as all our patients do. What is depth for?
