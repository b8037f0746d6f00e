# %% [markdown] minutes=20
# # 11. Gradients of gradients
#
# A gradient says which way is down. It does not say how far. In every training of this series there was a number that
# we had to choose ourselves, the learning rate, and nothing in the gradient told us whether it should be 0.1 or 10.
#
# The missing number is hidden in the slope *of the slope*: does it soon get flat where we are going, or does it go on
# like this? So we differentiate a derivative. First we look at how the engine can do that, since it was built for
# going back once. Then we use it: to find the bottom of a valley in one step, to run into a trap, and to ask a
# network of 23,860 parameters how far it wants to go.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("11_gradients_of_gradients", lang="en")

# %% [markdown]
# ## A slope has a slope
#
# In tutorial 1 we found the slope of the sigmoid, σ′(z), a hill with its top of a quarter at z = 0. A hill has slopes
# itself. `vg.grad` takes a function and gives the function that is its derivative; so we can apply it to what it
# gave.

# %%
first = vg.grad(vg.sigmoid)
second = vg.grad(first)

for z in (-2.0, 0.0, 2.0):
    print(f"z = {z:4.1f}: σ = {vg.sigmoid(z):.4f}, σ′ = {first(z):.4f}, σ″ = {second(z):8.4f}")

# %% [markdown]
# σ″, read "sigma two-prime", is the **second derivative**: how many nudges σ′ moves for one at z. Before you look at
# the picture, predict: where is σ″ zero? Where is it positive, where negative?

# %%
zs = np.linspace(-6, 6, 121)
with plot(
    "Three curves. σ climbs like an S, σ′ is a hill, σ″ is a wave: positive left of 0, zero at 0, negative right of it",
) as axes:
    axes.plot(zs, vg.sigmoid(zs), label="σ")
    axes.plot(zs, [first(z) for z in zs], "--", label="σ′")
    axes.plot(zs, [second(z) for z in zs], "-.", label="σ″")
    axes.axhline(0, color="gray", linewidth=0.8)
    axes.set(xlabel="z", title="the sigmoid, its slope, and the slope of its slope")
    axes.legend()

# %% tags=["hidden"]
at_zero, beyond = float(first(0.0)), float(second(2.0))
assert at_zero == 0.25
assert second(0.0) == 0.0
assert beyond < 0 < second(-2.0)
bends = [float(second(z)) for z in zs]
assert 0.09 < max(bends) < 0.1

# %% [markdown]
# Where the hill goes up, on the left, σ″ is positive; where it goes down, negative; on the top, at z = 0, it is zero.
# It is largest on the flanks of the hill, and even there less than 0.1. A quarter for σ′, a tenth for σ″: keep both
# in mind for the end.
#
# ## One rule, two uses
#
# How can the engine do that? In tutorial 2 we saw that a node keeps a rule, its **vjp**: message in, message out. The
# rule of the sigmoid is one line in a table. We can fetch it and call it ourselves. It takes the message g, the
# output a and the input z, and multiplies the message by the local derivative.

# %%
rule = vg.sigmoid.op.vjps[0]

a = vg.sigmoid(0.66)
print("the rule with numbers:", rule(1.0, a, 0.66))

# %% tags=["hidden"]
assert f"{rule(1.0, a, 0.66):.4f}" == "0.2246"

# %% [markdown]
# 0.2246, our old friend from tutorial 1. Now the point. The line of the table is an ordinary NumPy expression; it
# does not mind what it is given. Give it Tensors.

# %%
z = vg.Tensor(0.66, name="z")
a = vg.sigmoid(z).named("a")
slope = rule(1.0, a, z)

print("the rule with Tensors:", slope)
slope.backward()
print("its derivative:", z.grad)

# %% tags=["hidden"]
assert f"{slope.item():.4f}" == "0.2246"
assert math.isclose(float(z.grad), float(vg.grad(vg.grad(vg.sigmoid))(0.66)), rel_tol=1e-12)
assert f"{float(z.grad):.4f}" == "-0.0716"

# %% [markdown]
# The same number, but this time it *remembers*. The rule did its multiplications with values that take notes, so the
# slope is a value like any other, with a graph behind it, and one can go back through that graph. That is the whole
# secret: **one rule, two uses**. With arrays in, a sweep is fast and forgets. With Tensors in, the sweep itself is
# recorded.
#
# `vg.backprop(…, create_graph=True)` sends Tensors back instead of arrays. Here is what it builds.

# %%
z = vg.Tensor(0.66, name="z")
a = vg.sigmoid(z).named("a")
message = vg.Tensor(1.0, name="g")
slope = vg.backprop(a, message, wrt=[z], create_graph=True)[z].named("slope")
show(
    vg.draw(slope),
    "The graph of a slope: z leads to a, then z, a and the message g lead on to slope = g·a·σ(−z) = 0.2246",
)

# %% tags=["hidden"]
messages = vg.backprop(slope)
assert f"{messages[z]:.4f}" == "-0.0716"
assert f"{messages[a]:.4f}" == "0.3407"
assert f"{messages[message]:.4f}" == "0.2246"
assert f"{messages[z] - messages[a] * 0.2246:.4f}" == "-0.1481"

# %% [markdown]
# Read it from left to right. First a is made from z, that was the forward pass. Then z and a together with the
# message g make the slope: that was the sweep, and it became more graph. The rule writes σ′ as a·σ(−z), which is the
# a(1 − a) that you know, since 1 − σ(z) = σ(−z).
#
# Now go back. There are *two* paths from the slope to z. The one on the outside has −0.1481. The one through a has
# 0.3407 × 0.2246. Together they make the −0.0716 in the box of z, which is σ″(0.66). It is the diamond of tutorial 2
# once more; nothing new had to be invented for second derivatives.
#
# The honest judge of tutorials 1 and 4 looks at second derivatives, too, if one asks for `order=2`.

# %%
print(vg.check_gradients(lambda z: vg.sigmoid(z), np.array([-1.5, 0.66, 3.0]), order=2))

# %% [markdown]
# ## How far?
#
# Now use it. Here is a function whose lowest point we know: f(x) = eˣ − 2x. Its slope, eˣ − 2, is zero at x = ln 2 =
# 0.6931….
#
# We stand at x = 2. The slope f′ says: down is to the left. How far? Pretend for a moment that f is a parabola, with
# the height, the slope and the curvature that it has right here. For a step s,
#
# $$f(x + s) \approx f(x) + s\,f'(x) + \tfrac12 s^2 f''(x)$$
#
# f″ is called the **curvature**. The parabola's own slope is f′ + s f″, and it is zero at
#
# $$s = -\frac{f'(x)}{f''(x)}$$
#
# That answers the question: *the steeper, the further; the more curved, the less far.* To take this step, look again,
# and repeat, is **Newton's method**.


# %%
def f(x):
    return np.exp(x) - 2 * x


slope_of_f = vg.grad(f)
curvature_of_f = vg.grad(slope_of_f)
off = {"newton": [], "gradient": []}
x, u = 2.0, 2.0
for _ in range(13):
    off["newton"].append(abs(x - math.log(2)))
    off["gradient"].append(abs(u - math.log(2)))
    x = x - slope_of_f(x) / curvature_of_f(x)  # Newton: the step is computed
    u = u - 0.3 * slope_of_f(u)  # gradient descent: the learning rate 0.3 is our choice

for k in range(6):
    print(f"after {k} steps: Newton is off by {off['newton'][k]:.0e}, gradient descent by {off['gradient'][k]:.0e}")

# %%
at = np.linspace(0.1, 2.2, 80)
here = 2.0
parabola = f(here) + (at - here) * slope_of_f(here) + (at - here) ** 2 / 2 * curvature_of_f(here)
with plot(
    "Left, f and the parabola that touches it at x = 2, with its bottom at 1.27. Right, on a log scale, how far both "
    "methods are off: gradient descent falls on a straight line, Newton's method plunges",
    panels=2,
    width=8.4,
    height=3.2,
) as (left, right):
    left.plot(at, f(at), label="f")
    left.plot(at, parabola, "--", label="its parabola at x = 2")
    left.plot(2.0, f(2.0), "o", color="C0")
    left.plot(here - slope_of_f(here) / curvature_of_f(here), parabola.min(), "v", color="C1")
    left.set(xlabel="x", title="where to step to", ylim=(0, 4))
    left.legend()
    right.semilogy(off["gradient"], "o-", label="gradient descent")
    right.semilogy([v for v in off["newton"] if v > 1e-15], "v--", label="Newton")
    right.set(xlabel="steps", ylabel="off by (log scale)", title="how far from ln 2")
    right.legend()

# %% tags=["hidden"]
assert f"{math.log(2):.4f}" == "0.6931"
assert f"{here - float(slope_of_f(here) / curvature_of_f(here)):.2f}" == "1.27"
newton = off["newton"]
assert [f"{v:.1e}" for v in newton[3:6]] == ["9.2e-03", "4.2e-05", "8.9e-10"]
assert newton[6] < 1e-14
assert all(0.9 < newton[k + 1] / (newton[k] ** 2 / 2) < 1.1 for k in (3, 4))
ratios = [off["gradient"][k + 1] / off["gradient"][k] for k in range(4, 12)]
assert all(0.38 < r < 0.42 for r in ratios)

# %% [markdown]
# Compare the two columns. Gradient descent gets better by the same factor, about 0.4, in every step: a straight line
# on the right. Newton's error goes 9.2e-03, 4.2e-05, 8.9e-10: **each error is about half the square of the one
# before**, so the number of right digits doubles. After six steps there are no digits left to win.
#
# ## Many weights: the Hessian
#
# With several weights a slope becomes a gradient, an array. And the curvature? Each entry of the gradient can change
# with each weight. So there is a whole table of second derivatives, with ∂²C/∂wᵢ∂wⱼ in row i and column j: *how much
# does the gradient of wᵢ move for a nudge at wⱼ?* This table is the **Hessian** H.
#
# Take a valley that is long in one direction and a hundred times narrower in the other.


# %%
def valley(w):
    return (w[0] ** 2 + 100 * w[1] ** 2) / 2


start = np.array([-10.0, 1.0])
print("gradient:", vg.grad(valley)(start))
print("Hessian:")
print(vg.hessian(valley)(start))

# %% tags=["hidden"]
assert vg.hessian(valley)(start).tolist() == [[1, 0], [0, 100]]
assert vg.grad(valley)(start).tolist() == [-10, 100]

# %% [markdown]
# The gradient is (−10, 100). It points almost straight across the valley, although the way to the bottom, at (0, 0),
# is nearly all along it. The Hessian knows better: curvature 1 along the valley, 100 across.
#
# The parabola becomes a bowl, and Newton's step s is where the bowl is flat. There the gradient g and what the
# Hessian adds to it cancel:
#
# $$g + H s = 0$$
#
# These are as many linear equations as there are weights; `np.linalg.solve(H, g)` gives the s with H s = g.
#
# ### Exercise 11.1: one step of Newton's
#
# Write `newton_step(f, w)`: it takes a function of an array and the array w where we stand, and gives the array where
# one Newton step leads. Use `vg.grad` and `vg.hessian`.


# %% tags=["exercise"]
def newton_step(f, w):
    """Where one step of Newton's method leads from w."""
    ...


# %% tags=["solution"]
def newton_step(f, w):
    """Where one step of Newton's method leads from w."""
    return w - np.linalg.solve(vg.hessian(f)(w), vg.grad(f)(w))


# %% tags=["check"]
with check("11.1", hint="g + H s = 0 means H s = −g. The answer is the new place, w + s, not the step s."):
    answered(newton_step)
    rng = np.random.default_rng(111)
    for n in (2, 3, 5):
        mixed = rng.normal(size=(n, n))
        goal, w_try = rng.normal(size=(2, n))
        hollow = mixed @ mixed.T + np.eye(n)
        went = newton_step(lambda w, goal=goal, hollow=hollow: (w - goal) @ hollow @ (w - goal) / 2, w_try)
        assert np.shape(went) == (n,), f"w has shape ({n},), but your answer has shape {np.shape(went)}"
        missed = np.linalg.norm(went - goal) / np.linalg.norm(goal - w_try)
        assert missed < 1e-6, f"in a bowl with {n} weights one step should lead to the bottom; {missed:.0%} are left"
    start_try = np.array([0.3, -0.8, 1.1])
    went = newton_step(lambda w: np.sum(np.exp(w)) + (w @ w) ** 2, start_try)
    size = start_try @ start_try
    bent = np.diag(np.exp(start_try) + 4 * size) + 8 * np.outer(start_try, start_try)
    left = np.exp(start_try) + 4 * size * start_try + bent @ (went - start_try)
    assert np.linalg.norm(left) < 1e-6, "right in bowls, but where f is no bowl g + H s is not zero"

# %% [markdown]
# Now watch both ways down the valley. Gradient descent must choose its learning rate for the *narrow* direction:
# above 2/100 the steps across the valley grow instead of shrinking. We take 0.018, nearly the largest that works.

# %%
way = [start]
while np.linalg.norm(way[-1]) > 0.01:
    way.append(way[-1] - 0.018 * vg.grad(valley)(way[-1]))
way = np.array(way)
print(f"gradient descent: {len(way) - 1} steps until it is nearer than 0.01")

bottom = start - np.linalg.solve(vg.hessian(valley)(start), vg.grad(valley)(start))
print("Newton: 1 step, to", bottom)

# %%
grid_1, grid_2 = np.meshgrid(np.linspace(-11, 2, 90), np.linspace(-1.3, 1.3, 90))
with plot(
    "Seen from above, a long narrow valley. Gradient descent zigzags across it and creeps along; Newton's step is one "
    "straight line to the bottom",
    width=8.4,
    height=3.0,
) as axes:
    axes.contour(grid_1, grid_2, valley(np.array([grid_1, grid_2])), levels=12, colors="gray", linewidths=0.6)
    axes.plot(way[:, 0], way[:, 1], ".-", color="C1", linewidth=1, label="gradient descent")
    axes.plot(*zip(start, bottom, strict=True), "v--", color="C0", label="Newton")
    axes.set(xlabel="w₁, along", ylabel="w₂, across", title="two ways down")
    axes.legend(loc="lower right")

# %% tags=["hidden"]
assert len(way) - 1 == 381
assert np.abs(bottom).max() < 1e-12
assert f"{1 - 0.018 * 100:.1f}" == "-0.8"
assert f"{1 - 0.018:.3f}" == "0.982"

# %% [markdown]
# 381 steps against one. In each of them w₂ is multiplied by 1 − 0.018 · 100 = −0.8, that is the zigzag, and w₁ by 1 −
# 0.018 = 0.982, that is the creeping. The momentum of tutorial 9 was a cure for the same illness that needs no
# Hessian. Newton's step needs no cure: it divides each direction by its own curvature.
#
# ## The trap
#
# It sounds too good. Here is a network in which it goes wrong, and it could not be smaller: two neurons in a row
# without σ, without biases, input 1, wanted output 1. What comes out is w₁w₂.
#
# $$C = \tfrac12 (w_1 w_2 - 1)^2$$
#
# All points with w₁w₂ = 1 are perfect. We start at (0.4, 0.1), and let Newton run.


# %%
def two_neurons(w):
    return (w[0] * w[1] - 1) ** 2 / 2


w = np.array([0.4, 0.1])
newton_way = [w]
for k in range(5):
    g, H = vg.grad(two_neurons)(w), vg.hessian(two_neurons)(w)
    print(f"step {k}: w = ({w[0]:6.3f}, {w[1]:6.3f})   C = {two_neurons(w):.4f}   ‖gradient‖ = {np.linalg.norm(g):.0e}")
    w = w - np.linalg.solve(H, g)
    newton_way.append(w)

# %% tags=["hidden"]
assert f"{two_neurons(newton_way[0]):.4f}" == "0.4608"
assert f"{two_neurons(newton_way[4]):.4f}" == "0.5000"
assert np.abs(newton_way[4]).max() < 1e-12

# %% [markdown]
# The gradient vanished as promised, digits doubling. But look at the cost: it went *up*, from 0.4608 to 0.5000, and
# there it stays. Newton has found (0, 0), a place where nothing is learned and the gradient is zero.
#
# We asked for the wrong thing. Newton's method looks for a place where the gradient is zero, and *any* such place
# will do. What kind of place it is, the Hessian tells. There are always directions, at right angles to each other, in
# which a bowl curves for itself, and the curvatures in these directions are called the **eigenvalues** of the
# Hessian.

# %%
print("eigenvalues at (0, 0):", np.linalg.eigvalsh(vg.hessian(two_neurons)(np.zeros(2))))
print("eigenvalues at (1, 1):", np.linalg.eigvalsh(vg.hessian(two_neurons)(np.ones(2))))

# %%
w = np.array([0.4, 0.1])
descent = [w]
for _ in range(60):
    w = w - 0.2 * vg.grad(two_neurons)(w)
    descent.append(w)

grid_1, grid_2 = np.meshgrid(np.linspace(-1, 2, 120), np.linspace(-1, 1.6, 120))
with plot(
    "Seen from above, the cost of two neurons. From (0.4, 0.1) Newton's steps lead to the saddle at (0, 0), gradient "
    "descent leads to the curve w₁w₂ = 1",
    height=4.0,
) as axes:
    height = two_neurons(np.array([grid_1, grid_2]))
    axes.contour(grid_1, grid_2, height, levels=np.linspace(0.02, 2, 15), colors="gray", linewidths=0.6)
    axes.plot(*np.array(newton_way).T, "v--", label="Newton")
    axes.plot(*np.array(descent).T, ".-", label="gradient descent")
    axes.plot(grid_1[0, 65:], 1 / grid_1[0, 65:], color="C2", label="w₁w₂ = 1: perfect")
    axes.set(xlabel="w₁", ylabel="w₂", title="where they end", ylim=(-1, 1.6))
    axes.legend(loc="lower left")

# %% tags=["hidden"]
assert np.allclose(np.linalg.eigvalsh(vg.hessian(two_neurons)(np.zeros(2))), [-1, 1], rtol=1e-12)
assert two_neurons(descent[-1]) < 1e-9
assert np.allclose(np.linalg.eigvalsh(vg.hessian(two_neurons)(np.ones(2))), [0, 2], rtol=1e-12, atol=1e-12)


def three_neurons(w):
    return (w[0] * w[1] * w[2] - 1) ** 2 / 2


assert not vg.hessian(three_neurons)(np.zeros(3)).any()

# %% [markdown]
# At (0, 0) one curvature is +1 and the other −1: up in one direction, down in the other, like a mountain pass. That
# is called a **saddle**. At (1, 1) the curvatures are 0 and 2: along the curve of perfect points the ground is level,
# across it the ground rises. Gradient descent has no trouble with the saddle here. It always goes *down*, and so it
# slides off to one side. (Only from the line w₂ = −w₁ it would be led straight to the pass.)
#
# In tutorial 7 you saw that a small gradient is not an optimum. Here is the smallest network that shows it, and it
# has to do with depth: at (0, 0) each weight waits for the other one. With three neurons in a row, C = ½(w₁w₂w₃ −
# 1)², not only the gradient but every entry of the Hessian is zero at the origin. The deeper, the flatter.
#
# ## Too large a table
#
# There is a second objection. Our two weights have a Hessian of 2 × 2. Here is a network that reads digits, small by
# any standard.

# %%
X, y = vg.datasets.mnist_sample().train
net = vg.nn.MLP([784, 30, 10], seed=0)
params = [p.data for p in net.parameters()]
count = sum(p.size for p in params)
print(f"{count:,} parameters, {count**2:,} second derivatives, {count**2 * 8 / 1e9:.1f} GB")

# %% tags=["hidden"]
assert count == 23_860
assert count**2 == 569_299_600
assert len(X) == 1_000
assert f"{count**2 * 8 / 1e9:.1f}" == "4.6"

# %% [markdown]
# 569,299,600 numbers, and one sweep for each row of the table. Nobody wants that. But look at what we *use* a Hessian
# for: we want to know what happens to the gradient when we move along a direction v. That is H v, an array as small
# as the gradient itself: a **Hessian–vector product**, or **hvp**. And for this there is a trick. Write ⟨g, v⟩ for
# the sum of gᵢvᵢ. With v held still,
#
# $$H v = \nabla \,\langle \nabla f, v \rangle$$
#
# In words: take the gradient, multiply it by v and add up, which gives *one number*; and take the gradient of that
# number. Two sweeps, however many weights there are.
#
# ### Exercise 11.2: H times v
#
# Write `times_v(f, w, v)`, which gives H v for the Hessian of f at w, without ever making H. Two calls of `vg.grad`
# do it, one inside the other. (`vg.hvp` exists; leave it alone for now.)


# %% tags=["exercise"]
def times_v(f, w, v):
    """The Hessian of f at w, times v."""
    ...


# %% tags=["solution"]
def times_v(f, w, v):
    """The Hessian of f at w, times v."""
    return vg.grad(lambda w: np.sum(vg.grad(f)(w) * v))(w)


# %% tags=["check"]
with check("11.2", hint="The outer grad gets a function of w that gives one number: np.sum of the inner gradient × v."):
    answered(times_v)
    rng = np.random.default_rng(112)
    mixed = rng.normal(size=(6, 6))
    w_try, v_try = rng.normal(size=(2, 6))
    got = times_v(lambda w: np.sum(np.tanh(mixed @ w) ** 2), w_try, v_try)
    want = vg.hessian(lambda w: np.sum(np.tanh(mixed @ w) ** 2))(w_try) @ v_try
    assert np.shape(got) == (6,), f"H v has as many entries as v, 6; yours has shape {np.shape(got)}"
    worst = float(np.max(np.abs(got - want)) / np.max(np.abs(want)))
    assert worst < 1e-10, f"compared with the whole Hessian times v, yours is off by {worst:.0e} of it"
    sent, counts = [], []

    def counting(g, out, x):
        sent.append(1)
        return 2 * g * x

    square = vg.primitive(lambda x: x * x, (counting,), name="square")
    for n in (4, 40):
        sent.clear()
        times_v(lambda w: np.sum(np.exp(square(np.sin(w)))), np.ones(n), np.ones(n))
        counts.append(len(sent))
    few, many = counts
    assert few == many, f"right, but it sent {few} messages for 4 weights and {many} for 40: is there a Hessian inside?"

# %% [markdown]
# Recorded messages cost more than plain ones, but not much: an hvp costs a few sweeps, not 23,860.
#
# ## How far does the network want to go?
#
# Now the question of the beginning, put to the network. The cost C is the mean cross-entropy over 1,000 digits. Its
# gradient g is one long array, in four parts. We go from the parameters θ in the direction −g, by the learning rate
# η, and pretend again that C is a parabola along the way:
#
# $$C(\theta - \eta g) \approx C - \eta \,\lVert g \rVert^2 + \tfrac12 \eta^2 \,\langle g, H g \rangle$$
#
# H g is one hvp. The bottom of this parabola is at η* = ‖g‖²/⟨g, H g⟩.


# %%
def cost(*params):
    return vg.nn.losses.cross_entropy(net.bind(params).logits(X), y)


def dot(a, b):
    return sum(np.sum(p * q) for p, q in zip(a, b, strict=True))


C, g = vg.value_and_grad(cost, range(4))(*params)
Hg = vg.hvp(cost, params, g)
best = dot(g, g) / dot(g, Hg)
after = cost(*[p - best * q for p, q in zip(params, g, strict=True)])

print(f"C = {C:.2f}, ‖g‖² = {dot(g, g):.2f}, ⟨g, Hg⟩ = {dot(g, Hg):.2f}, so η* = {best:.2f}")
print(f"the parabola promises C = {C - best * dot(g, g) / 2:.2f}; a step of η* gives C = {after:.2f}")

# %%
etas = np.linspace(0, 1.3, 27)
real = [cost(*[p - e * q for p, q in zip(params, g, strict=True)]) for e in etas]
promised = [C - e * dot(g, g) + e**2 / 2 * dot(g, Hg) for e in etas]
with plot(
    "The cost along the direction of the gradient, and the parabola from one hvp: they leave together, and the bottom "
    "of the parabola is close to that of the cost",
) as axes:
    axes.plot(etas, real, "o-", markersize=4, label="the cost, 27 times computed")
    axes.plot(etas, promised, "--", label="the parabola, from one hvp")
    axes.axvline(best, color="gray", linewidth=0.8)
    axes.annotate("η*", (best, 12), (4, 0), textcoords="offset points")
    axes.set(xlabel="learning rate η of one step", ylabel="cost C after it", ylim=(0, 14))
    axes.legend(loc="lower right")

# %% tags=["hidden"]
assert (f"{C:.2f}", f"{best:.2f}", f"{after:.2f}") == ("8.09", "0.44", "3.35")
assert f"{C - best * dot(g, g) / 2:.2f}" == "3.37"
for seed in range(5):
    other = vg.nn.MLP([784, 30, 10], seed=seed)
    theirs = [p.data for p in other.parameters()]

    def their_cost(*params, other=other):
        return vg.nn.losses.cross_entropy(other.bind(params).logits(X), y)

    C_0, g_0 = vg.value_and_grad(their_cost, range(4))(*theirs)
    eta_0 = dot(g_0, g_0) / dot(g_0, vg.hvp(their_cost, theirs, g_0))
    won = C_0 - their_cost(*[p - eta_0 * q for p, q in zip(theirs, g_0, strict=True)])
    assert 0.35 < eta_0 < 0.7, eta_0
    assert 0.7 < won / (eta_0 * dot(g_0, g_0) / 2) < 1.1, won / (eta_0 * dot(g_0, g_0) / 2)

# %% [markdown]
# A single step takes the cost from 8.09 to 3.35, and the parabola had promised 3.37. Nobody tried out learning rates:
# one gradient and one hvp told that 0.44 is a good step here. Look at the dots, too. They fall and rise again. A
# learning rate that is too large does not make learning faster, it steps over the valley. (The far side of this
# valley is less steep than the parabola's: a parabola knows only the place where it was made.)
#
# (That is one network at its first step; with the seeds 0 to 4, η* lies between 0.35 and 0.7. Further on the
# curvature changes, so one would have to ask again.)
#
# ## Each layer wants its own
#
# Now the deep network of this series: four hidden layers of 30. We put the question to each layer by itself, and move
# only its weights and biases, along its own part of the gradient, v. The **curvature along v** is ⟨v, H v⟩/‖v‖².

# %%
net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=0)
params = [p.data for p in net.parameters()]
g = vg.grad(cost, range(len(params)))(*params)
slopes, curvatures = [], []
for layer in range(5):
    v = [q if k // 2 == layer else np.zeros_like(q) for k, q in enumerate(g)]
    slopes.append(math.sqrt(dot(v, v)))
    curvatures.append(dot(v, vg.hvp(cost, params, v)) / dot(v, v))
    print(f"layer {layer + 1}: ‖v‖ = {slopes[-1]:.3f}, curvature along it = {curvatures[-1]:8.4f}")

# %%
with plot(
    "Bars on a log scale for the five layers: the gradient grows from layer to layer; the curvature is about a "
    "thousandth in the first three layers and above 1 in the last",
) as axes:
    layers = np.arange(1, 6)
    axes.bar(layers - 0.2, slopes, width=0.4, label="‖v‖, the gradient")
    axes.bar(layers + 0.2, np.abs(curvatures), width=0.4, label="|curvature| along it")
    axes.set(yscale="log", xlabel="layer (5 is the output)", title="steepness and curvature of each layer")
    axes.legend()

# %% tags=["hidden"]
assert slopes == sorted(slopes)
assert 200 < slopes[4] / slopes[0] < 350
assert curvatures[0] < 0
by_seed = []
for seed in range(4):
    net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=seed)
    theirs = [p.data for p in net.parameters()]
    g_0 = vg.grad(cost, range(10))(*theirs)
    bent = []
    for layer in (0, 4):
        v = [q if k // 2 == layer else np.zeros_like(q) for k, q in enumerate(g_0)]
        bent.append(dot(v, vg.hvp(cost, theirs, v)) / dot(v, v))
    by_seed.append((abs(bent[1] / bent[0]), bent[0] < 0))
assert 2000 < by_seed[0][0] < 2600
assert all(500 < ratio < 5000 for ratio, _ in by_seed)
assert [negative for _, negative in by_seed].count(True) == 3
net = vg.nn.MLP([784, 30, 30, 30, 30, 10], seed=0)

# %% [markdown]
# That the gradient vanishes towards the first layer you know. See what the curvature does: it vanishes, too, and even
# faster. At the first layer it is more than 2000 times smaller than at the output (between 500 and 5000 times with
# the seeds 0 to 3). The reason is the same. Every second derivative with respect to b₁ still contains, for each
# neuron on the way, a factor wσ′ or wσ″; and a tenth is no better than a quarter. So the first layer does not lie on
# a steep slope of a narrow valley. It lies on a **plateau**: hardly any slope, and hardly any curvature.
#
# This says two things. A learning rate that suits the output layer is far too small for the first, and none suits
# both. And Newton's method would not save us as it stands: in three of these four networks the curvature along the
# first layer's gradient is *negative*. The parabola opens downwards, it has a top and no bottom, and the top is where
# Newton's step would lead. That, and the size of the Hessian, is why deep networks are trained with the cures of
# tutorial 9 instead.
#
# ## What to take with you
#
# * A rule that is an ordinary expression serves twice: with arrays it computes a gradient, with Tensors it records
#   one, which can be differentiated again, to any order.
# * The gradient says which way, the **curvature** how far. **Newton's method** goes to the bottom of the parabola, or
#   of the bowl: the number of right digits doubles with each step.
# * It looks for a zero of the gradient and may find a **saddle**. The **eigenvalues** of the **Hessian** tell what
#   was found.
# * Nobody needs a whole Hessian: H v = ∇⟨∇f, v⟩ costs a few sweeps. One such product tells how far a network wants to
#   step.
# * In a deep sigmoid network the first layer has lost its slope *and* its curvature.
#
# You can now ask of any function not only where down is, but how the ground bends there. All of it rested on the
# table of rules being right. What if the function that you need is not in the table?
