# %% [markdown] minutes=15
# # 1. The chain rule, one nudge at a time
#
# A network learns by asking each of its weights the same question: *if you were a hair larger, what would become of
# the answer?* A large network asks it a million times a second, but it is always this one question, and in this
# tutorial we put it to a single neuron, slowly.
#
# We answer it in two ways that have nothing in common. First by trying: nudge the weight and watch. Then by
# multiplying: follow the nudge from station to station. When both give the same number to ten digits, you will know
# two things for good: what the chain rule says, and how to find out whether you got it right.
#
# You need what a derivative is, the one of 1/u and of eˣ, and some Python. Three exercises wait on the way; each has
# a check below it that says *not yet* until it is solved.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("01_chain_rule", lang="en")

# %% [markdown]
# ## One neuron
#
# A neuron has an input x, a **weight** w and a **bias** b. It computes in two steps: a sum, and then a function that
# squeezes any number into the range from 0 to 1, the **sigmoid** σ.
#
# $$z = w x + b \qquad\qquad a = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# a is called the **activation**: what the neuron says to the next one.


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def neuron(w, x, b):
    return sigmoid(w * x + b)


x, w, b = 0.7, 0.8, 0.1
print(f"z = {w * x + b:.4f}")
print(f"a = {neuron(w, x, b):.4f}")

# %% tags=["hidden"]
assert f"{w * x + b:.2f}" == "0.66"
assert f"{neuron(w, x, b):.4f}" == "0.6593"

# %% [markdown]
# So with these numbers z is 0.66 and the neuron says 0.6593. Now for the question.
#
# ## Nudge the weight
#
# We make w larger by a thousandth, and look at what has moved.

# %%
nudge = 0.001

dz = ((w + nudge) * x + b) - (w * x + b)
da = neuron(w + nudge, x, b) - neuron(w, x, b)

print(f"w moved by {nudge}")
print(f"z moved by {dz:.7f}, that is {dz / nudge:.4f} nudges")
print(f"a moved by {da:.7f}, that is {da / nudge:.4f} nudges")

# %% tags=["hidden"]
assert f"{dz / nudge:.4f}" == "0.7000"
assert f"{da / nudge:.4f}" == "0.1572"

# %% [markdown]
# The size of the nudge was our choice and means nothing. What means something is the **ratio**: the activation moves
# by 0.1572 nudges. This ratio is the slope of a as a function of w, and in the limit of ever smaller nudges it is the
# derivative, ∂a/∂w. (The round ∂ says that there are other variables, which stand still in the meantime.)
#
# If you remember one thing of this page, let it be this reading of a derivative: *∂a/∂w is how many nudges come out
# for one that goes in.*
#
# ## Follow the nudge
#
# The nudge did not jump from w to a. It went to z first, and what arrived at z went on to a. Let us look at the two
# stations one at a time.
#
# **From w to z.** z = wx + b is a straight line in w, with slope x. One nudge goes in, x = 0.7 of a nudge comes out.
#
# **From z to a.** How steep is the sigmoid here? Try it.

# %%
z = w * x + b
slope_w_to_z = x
slope_z_to_a = (sigmoid(z + nudge) - sigmoid(z)) / nudge

print(f"w → z: {slope_w_to_z:.4f}")
print(f"z → a: {slope_z_to_a:.4f}")
print(f"their product: {slope_w_to_z * slope_z_to_a:.4f}")

# %% tags=["hidden"]
assert f"{slope_z_to_a:.4f}" == "0.2246"
assert f"{slope_w_to_z * slope_z_to_a:.4f}" == "0.1572"

# %% [markdown]
# Of each nudge that arrives at z, 0.2246 come out at a. And 0.7 times 0.2246 is 0.1572: the number we measured.
#
# Of course it is. Think of two gears. If the second turns 0.7 times for each turn of the first, and the third 0.2246
# times for each turn of the second, then the third turns 0.7 × 0.2246 times for each turn of the first. The second
# gear passes on what reaches it, *and does not care where it came from*. That is why slopes in a row are multiplied:
#
# $$\frac{\partial a}{\partial w} = \frac{\partial z}{\partial w} \cdot \frac{\partial a}{\partial z} = x \cdot \sigma'(z)$$
#
# This is the **chain rule**. The slope of each single station, seen from nowhere but that station, is called its
# **local slope** or **local derivative**.

# %% [markdown]
# ### Exercise 1.1: the other two
#
# Nobody said that only the weight may be nudged. How many nudges come out at a for one at the bias b? And for one at
# the input x?
#
# Do not compute it with the code above. Think of the first station, z = wx + b: what does it make of a nudge at b,
# and of one at x? The second station is the same as before.

# %% tags=["exercise"]
da_db = ...
da_dx = ...

# %% tags=["solution"]
da_db = 1 * 0.2246  # z moves exactly as much as b does
da_dx = 0.8 * 0.2246  # z = wx + b is a line in x, too, and its slope is w

# %% tags=["check"]
with check("1.1", hint="One nudge at b: by how much does wx + b grow? One nudge at x: x is multiplied by w."):
    answered(da_db, da_dx)
    tried_b = (neuron(w, x, b + 1e-6) - neuron(w, x, b)) / 1e-6
    tried_x = (neuron(w, x + 1e-6, b) - neuron(w, x, b)) / 1e-6
    assert math.isclose(da_db, tried_b, rel_tol=1e-3), "we nudged b, and something else came out at a"
    assert math.isclose(da_dx, tried_x, rel_tol=1e-3), "b is right; we nudged x, and something else came out at a"

# %% [markdown]
# Here is the neuron as a picture. The library draws it, and you will meet what is behind it in the next tutorial; for
# now look at the arrows that lead back. Each carries its local derivative, and the product of those on the way from a
# is called *grad* in the boxes.

# %%
w_, b_ = vg.Tensor(w, "w"), vg.Tensor(b, "b")
z_ = (w_ * x + b_).named("z")
a_ = vg.sigmoid(z_).named("a")
show(vg.draw(a_), "The neuron as a graph: w and b lead to z, z to a; the arrows back carry 0.7, 1 and σ′(z) = 0.2246")

# %% [markdown]
# ## The slope of the sigmoid
#
# One local slope we still had to find by trying: that of σ. It has a formula, and it is worth the four lines. Write
# σ(z) = 1/u with u = 1 + e⁻ᶻ. This is two stations again, from z to u and from u to σ:
#
# * from z to u: the slope of e⁻ᶻ is −e⁻ᶻ;
# * from u to σ: the slope of 1/u is −1/u².
#
# Multiply; the two minus signs cancel:
#
# $$\sigma'(z) = \frac{e^{-z}}{(1 + e^{-z})^2} = \frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}} = \sigma(z)\,(1 - \sigma(z))$$
#
# So a neuron that knows what it says, a, knows its own slope, too: a(1 − a).

# %%
zs = np.linspace(-6, 6, 241)
with plot(
    "Two panels. Left, σ climbs from 0 to 1 like an S. Right, its slope σ′ is a hill with its top of a quarter at z = 0",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    left.plot(zs, sigmoid(zs))
    left.plot(z, sigmoid(z), "o", color="C1")
    left.annotate("our neuron", (z, sigmoid(z)), (10, -12), textcoords="offset points")
    left.set(title="σ(z)", xlabel="z", ylim=(-0.05, 1.05))
    right.plot(zs, sigmoid(zs) * (1 - sigmoid(zs)))
    right.axhline(0.25, color="C1", linewidth=1, linestyle="--")
    right.annotate("¼", (-6, 0.25), (0, 5), textcoords="offset points")
    right.set(title="σ′(z), its slope", xlabel="z", ylim=(-0.015, 0.3))

# %% tags=["hidden"]
slopes_at = {k: sigmoid(k) * (1 - sigmoid(k)) for k in (0, 2, 4)}
assert slopes_at[0] == 0.25 == max(sigmoid(zs) * (1 - sigmoid(zs)))
assert f"{slopes_at[2]:.3f}" == "0.105"
assert f"{slopes_at[4]:.3f}" == "0.018"

# %% [markdown]
# Look at the hill on the right for a while, because the whole series is about it. At its top, at z = 0, it is **a
# quarter** high and no more. At z = ±2 it is 0.105, at z = ±4 only 0.018: out there the neuron has made up its mind,
# it says almost 0 or almost 1, and hardly listens to a nudge any more. One says that it is **saturated**.
#
# Whatever arrives at a sigmoid neuron, at most a quarter of it comes out.
#
# ### Exercise 1.2: a neuron that knows its slopes
#
# Write a function that gives the three slopes of a neuron, ∂a/∂w, ∂a/∂x and ∂a/∂b, at any point. No nudges this time:
# multiply local slopes.


# %% tags=["exercise"]
def slopes(w, x, b):
    """∂a/∂w, ∂a/∂x and ∂a/∂b of a = σ(wx + b)."""
    ...


# %% tags=["solution"]
def slopes(w, x, b):
    """∂a/∂w, ∂a/∂x and ∂a/∂b of a = σ(wx + b)."""
    a = sigmoid(w * x + b)
    da_dz = a * (1 - a)
    return x * da_dz, w * da_dz, da_dz


# %% tags=["check"]
with check("1.2", hint="Compute a first; a(1 − a) is the slope of the second station, shared by all three."):
    answered(slopes)
    rng = np.random.default_rng(12)
    h = 1e-5
    for w_try, x_try, b_try in rng.uniform(-2, 2, size=(20, 3)):
        by_rule = slopes(w_try, x_try, b_try)
        by_trying = (
            (neuron(w_try + h, x_try, b_try) - neuron(w_try - h, x_try, b_try)) / (2 * h),
            (neuron(w_try, x_try + h, b_try) - neuron(w_try, x_try - h, b_try)) / (2 * h),
            (neuron(w_try, x_try, b_try + h) - neuron(w_try, x_try, b_try - h)) / (2 * h),
        )
        for name, rule, tried in zip("wxb", by_rule, by_trying, strict=True):
            place = f"w = {w_try:.2f}, x = {x_try:.2f}, b = {b_try:.2f}"
            assert math.isclose(rule, tried, rel_tol=1e-6), f"∂a/∂{name} at {place}: {rule:.6f}, but tried {tried:.6f}"

# %% [markdown]
# ## The honest judge
#
# How did that check know? It did what we did in the beginning: it tried. It knows no derivative and no chain rule, it
# can only call `neuron`. That makes it a good judge. A second look at your formula would fall for the same mistake
# twice; trying cannot make the mistakes that formulas make.
#
# But it is not perfect, and we should know how good it is. There are two ways to try: a nudge to one side, or one to
# both sides.
#
# $$\frac{f(w + h) - f(w)}{h} \qquad\text{or}\qquad \frac{f(w + h) - f(w - h)}{2h}$$
#
# These are called the **forward** and the **central difference**, together **finite differences**, because the nudge
# h is finite: small, but not nothing. Let us see how far each is from the true slope as h gets smaller.


# %%
def forward(f, at, h):
    return (f(at + h) - f(at)) / h


def central(f, at, h):
    return (f(at + h) - f(at - h)) / (2 * h)


def as_w(w):
    return neuron(w, x, b)


true = x * sigmoid(z) * (1 - sigmoid(z))
errors = {}
print("    h     forward   central")
for k in range(1, 13):
    h = 10.0**-k
    errors[k] = abs(forward(as_w, w, h) / true - 1), abs(central(as_w, w, h) / true - 1)
    print(f"1e-{k:<2}   {errors[k][0]:8.0e}  {errors[k][1]:8.0e}")

# %% tags=["hidden"]
assert all(8 < errors[k][0] / errors[k + 1][0] < 12 for k in (1, 2, 3, 4, 5))
assert all(80 < errors[k][1] / errors[k + 1][1] < 120 for k in (1, 2, 3))
assert abs(central(as_w, w, 1e-5) / true - 1) < 1e-10
assert abs(central(as_w, w, 1e-12) / true - 1) > 1e-6

# %% [markdown]
# Read the columns downwards. With every tenth of h the forward difference gets ten times better, the central one *a
# hundred times*: what the nudge to the right exaggerates, the nudge to the left plays down, and most of it cancels.
# At h = 1e-5 the central difference agrees with the formula to ten digits. Two computations that share nothing agree
# to ten digits: that is why one can trust both.
#
# Further down both get *worse*. The computer keeps 16 digits of a. With a nudge of 1e-12, f(w + h) and f(w − h) agree
# in nearly all of them, and what is left is mostly rounding. So: a small nudge, but not too small. (How small
# exactly, and what to do where no nudge is good enough, is the story of tutorial 4.)
#
# ## Two neurons and a cost
#
# Nothing keeps us from adding stations. Let the first neuron speak to a second one, and let a **cost** say how far
# the answer of the second is from the wanted one, y:
#
# $$z_1 = w_1 x + b_1 \quad a_1 = \sigma(z_1) \qquad z_2 = w_2 a_1 + b_2 \quad a_2 = \sigma(z_2) \qquad C = \tfrac12 (a_2 - y)^2$$
#
# To learn is to make C smaller. So the question for w₁ is: how many nudges come out at C?


# %%
def cost(w1, b1, w2, b2, x, y):
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return (a2 - y) ** 2 / 2


print(f"C = {cost(w1=0.8, b1=0.1, w2=-0.6, b2=-0.2, x=0.7, y=1.0):.4f}")

# %% [markdown]
# ### Exercise 1.3: five stations
#
# Write ∂C/∂w₁ as a product of local slopes. The way is w₁ → z₁ → a₁ → z₂ → a₂ → C, so there are five of them. Go one
# arrow at a time, and at each ask only what this station does to a nudge.


# %% tags=["exercise"]
def dC_dw1(w1, b1, w2, b2, x, y):
    """How many nudges come out at the cost for one at w₁."""
    ...


# %% tags=["solution"]
def dC_dw1(w1, b1, w2, b2, x, y):
    """How many nudges come out at the cost for one at w₁."""
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return x * (a1 * (1 - a1)) * w2 * (a2 * (1 - a2)) * (a2 - y)


# %% tags=["check"]
with check("1.3", hint="z₂ = w₂a₁ + b₂ is a line in a₁ with slope w₂; the slope of ½(a₂ − y)² is a₂ − y."):
    answered(dC_dw1)
    rng = np.random.default_rng(13)
    h = 1e-4
    for w1, b1, w2, b2, x_try, y in rng.uniform(0.5, 2, size=(20, 6)) * rng.choice([-1, 1], size=(20, 6)):
        up, down = cost(w1 + h, b1, w2, b2, x_try, y), cost(w1 - h, b1, w2, b2, x_try, y)
        tried, rule = (up - down) / (2 * h), dC_dw1(w1, b1, w2, b2, x_try, y)
        assert math.isclose(rule, tried, rel_tol=1e-5), f"your product is {rule:.6g}, but trying gives {tried:.6g}"

# %% [markdown]
# ## What is left of a nudge
#
# Here are the five factors at one point, from w₁ at the far end of the chain to C. The library writes x and σ′(z₁) as
# one term, w₂ and σ′(z₂) as another, because they belong to the same neuron. Read the last column from the bottom up:
# it is what has come back from C so far.

# %%
w1, b1 = vg.Tensor(0.8, "w₁"), vg.Tensor(0.1, "b₁")
w2, b2 = vg.Tensor(-0.6, "w₂"), vg.Tensor(-0.2, "b₂")
z1 = (w1 * 0.7 + b1).named("z₁")
a1 = vg.sigmoid(z1).named("a₁")
z2 = (w2 * a1 + b2).named("z₂")
a2 = vg.sigmoid(z2).named("a₂")
C = ((a2 - 1.0) ** 2 / 2).named("C")

print(vg.explain(C, wrt=w1))

# %%
show(
    vg.draw(C, wrt=w1),
    "Two neurons and the cost as a graph; the way back from C to w₁ gets thinner at each neuron it goes through",
)

# %% tags=["hidden"]
gradients = vg.backprop(C)
assert f"{gradients[a2]:.4f}" == "-0.6446"
assert f"{gradients[z2]:.4f}" == f"{gradients[b2]:.4f}" == "-0.1477"
assert f"{gradients[z1]:.4f}" == f"{gradients[b1]:.4f}" == "0.0199"
assert 7 < -gradients[b2] / gradients[b1] < 8

# %% [markdown]
# At the output the cost pulls with −0.6446. Behind the second neuron, at its bias b₂, −0.1477 is left. Behind the
# first, at b₁, it is 0.0199: seven times less, for one neuron more on the way. The numbers in between are not to
# blame for it one by one, they are all quite ordinary; there is just one factor more, it contains a σ′, and no σ′ is
# larger than a quarter.
#
# Now imagine a network of ten such layers. Tutorial 6 does.
#
# ## What to take with you
#
# * A derivative says **how many nudges come out for one that goes in**.
# * The **chain rule**: the slopes of stations in a row are multiplied, since a station does not care where a nudge
#   comes from.
# * σ′(z) = a(1 − a), a quarter at best, and almost nothing where the neuron is **saturated**.
# * **Finite differences** try instead of computing. They share no mistake with a formula, which makes them an honest
#   judge.
#
# To multiply five factors by hand is a pleasure once. Next we let the numbers themselves remember where they came
# from, so that they can do it for us.
