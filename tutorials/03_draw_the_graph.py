# %% [markdown] minutes=15
# # 3. Draw the graph
#
# In tutorial 2 the values learned to remember where they came from. What they remember is a picture: boxes, and
# arrows between them. It is the most useful picture there is of a derivative, because *everything* is in it: every
# value, every local derivative, every product on the way. Once you can read it, you do not have to believe a
# gradient: you can follow it with a finger.
#
# So this tutorial has little code and many pictures. We learn to read one box, then one arrow, then a path, then
# several paths at once. At the end the picture moves.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, show

begin("03_draw_the_graph", lang="en")

# %% [markdown]
# ## A box
#
# We begin with one neuron and its cost. `named` gives a tensor the name that stands in its box; what has no name gets
# no box, but becomes part of the formula of the next one.

# %%
w, b = vg.Tensor(0.8, "w"), vg.Tensor(0.1, "b")
z = (w * 0.7 + b).named("z")
a = vg.sigmoid(z).named("a")
C = ((a - 1) ** 2 / 2).named("C")

show(vg.draw(C), "One neuron and its cost: w and b lead to z, z to a, a to C; thick arrows lead back from C to all")

# %% tags=["hidden"]
first = vg.backprop(C)
assert f"{a.item():.4f}" == "0.6593"
assert f"{first[a]:.4f}" == "-0.3407"
assert f"{first[z]:.5f}" == "-0.07654"
assert f"{first[w]:.5f}" == "-0.05358"

# %% [markdown]
# Each box has a head and two rows.
#
# * In the head stands the **name**, and how the value was made: a = σ(z). The colour of the head tells the kind: blue
#   for leaves, orange for sums and products, green for activations, pink for the cost.
# * **value** was computed on the way forward, from left to right. a is 0.6593, as in tutorial 1.
# * **grad** is the cotangent, and came on the way back, from right to left. It always answers the same question: *how
#   many nudges come out at C for one that goes in here?* At a it is −0.3407. At C it is 1: C itself moves by one
#   nudge for one.
#
# If there is a third row, it is the local derivative that the box hands on to the left.
#
# ## An arrow
#
# Neighbours are joined by two lanes. The thin grey arrow is the way forward, along which the value went. The coloured
# one leads back, and on it stands the **local derivative**: ×σ′(z) = 0.2246, or ×0.7. (To a leaf above or below the
# two lanes share one line, with a head at either end.)
#
# The rule for reading it is the rule of tutorial 2: *grad on the right, times what stands on the arrow, is grad on
# the left.*

# %%
cotangents = vg.backprop(C)
slope = a.item() * (1 - a.item())
print(f"at a:        {cotangents[a]:.5f}")
print(f"at z:  {cotangents[a]:.4f} × {slope:.4f} = {cotangents[a] * slope:.5f}")
print(f"at w: {cotangents[z]:.5f} × 0.7    = {cotangents[z] * 0.7:.5f}")

# %% tags=["hidden"]
assert f"{slope:.4f}" == "0.2246"
assert math.isclose(cotangents[a] * slope, cotangents[z], rel_tol=1e-12)
assert math.isclose(cotangents[z] * 0.7, cotangents[w], rel_tol=1e-12)

# %% [markdown]
# Find these three numbers in the picture. You have now read all of it: there is nothing in such a graph but boxes and
# arrows of this kind.
#
# ## A chain of four
#
# Now four neurons in a row, each with a weight and a bias of its own. It is the chain that the whole series turns on.
#
# Before you run the cell, take a guess. Which of the four biases will have the smallest grad? And how much smaller
# than the largest will it be: half, a tenth, a hundredth?

# %%
subscripts = "₁₂₃₄"
weights = [vg.Tensor(v, f"w{k}") for k, v in zip(subscripts, (0.8, -0.6, 0.9, -0.4), strict=True)]
biases = [vg.Tensor(v, f"b{k}") for k, v in zip(subscripts, (0.1, -0.2, 0.3, 0.05), strict=True)]

signal = 0.7  # the input
for k, weight, bias in zip(subscripts, weights, biases, strict=True):
    total = (weight * signal + bias).named(f"z{k}")
    signal = vg.sigmoid(total).named(f"a{k}")
cost = ((signal - 0) ** 2 / 2).named("C")  # the wanted output is 0

show(vg.draw(cost), "Four neurons in a row and the cost; the arrows back are thick and dark at C, thin and pale at b₁")

# %% tags=["hidden"]
at_biases = [vg.backprop(cost)[bias] for bias in biases]
assert f"{at_biases[0] * 1e4:.3f}e-4" == "2.798e-4"
assert f"{at_biases[3]:.4f}" == "0.1107"
assert 390 < at_biases[3] / at_biases[0] < 400

# %% [markdown]
# At b₄ the grad is 0.1107, at b₁ it is 2.798e-4. That is about 400 times less, and nobody has chosen strange numbers.
#
# Look at the coloured arrows first, and not at the numbers. Their width and colour show how much has come back so
# far, *on a logarithmic scale*: one step thinner means so many times less, not so much less. From right to left they
# get thinner and paler at each neuron. One can see a gradient vanish from the other end of the room.
#
# ## A path
#
# Which factors made b₁'s grad so small? Tell `draw` which variable you mean, `wrt`, and it marks the path and
# collects what stands on its arrows.

# %%
show(
    vg.draw(cost, wrt=biases[0]),
    "The same chain with the path from b₁ to C marked, and below it a table of the five terms and their products",
)
chain = vg.explain(cost, wrt=biases[0])
print(chain)

# %% tags=["hidden"]
assert len(chain.terms) == 5
assert math.isclose(math.prod(term.value for term in chain.terms), at_biases[0], rel_tol=1e-12)
assert max(abs(term.value) for term in chain.terms[:-1]) < 0.25

# %% [markdown]
# The first line is the chain rule, written out by the machine:
#
# $$\frac{\partial C}{\partial b_1} = \sigma'(z_1) \cdot w_2\sigma'(z_2) \cdot w_3\sigma'(z_3) \cdot w_4\sigma'(z_4) \cdot \frac{\partial C}{\partial a_4}$$
#
# A weight and the σ′ behind it are written as one term, because they belong to the same neuron. `draw` and `explain`
# tell the same story: read the *value* column as the factors, and the last column from below as what has come back so
# far. Each of the four factors in front of ∂C/∂a₄ is below 0.25 in size. That is where the 400 went.
#
# ### Exercise 3.1: between any two
#
# *grad* is always about C. But the labels on the arrows know nothing of C, and so the picture answers more questions
# than that. Read these two from the picture of the chain, with four digits of what you need:
#
# * how many nudges come out at a₃ for one at a₁?
# * how many come out at z₄ for one at b₂?
#
# You may type in a product of numbers; Python multiplies.

# %% tags=["exercise"]
da3_da1 = ...
dz4_db2 = ...

# %% tags=["solution"]
da3_da1 = (-0.6) * 0.2291 * 0.9 * 0.2274  # w₂ · σ′(z₂) · w₃ · σ′(z₃), all arrows between a₃ and a₁
dz4_db2 = -0.4 * 0.2274 * 0.9 * 0.2291 * 1  # from z₄ back to b₂: w₄ · σ′(z₃) · w₃ · σ′(z₂) · 1

# %% tags=["check"]
with check("3.1", hint="Put a finger on a₃, walk back to a₁, and write down what stands on each coloured arrow."):
    answered(da3_da1, dz4_db2)
    w2, w3, w4 = [weight.item() for weight in weights[1:]]
    b2, b3, b4 = [bias.item() for bias in biases[1:]]
    a1_now = vg.sigmoid(0.8 * 0.7 + 0.1)
    tried_a = vg.grad(lambda a1: vg.sigmoid(w3 * vg.sigmoid(w2 * a1 + b2) + b3))(a1_now)
    tried_b = vg.grad(lambda b: w4 * vg.sigmoid(w3 * vg.sigmoid(w2 * a1_now + b) + b3) + b4)(b2)
    assert math.isclose(da3_da1, tried_a, rel_tol=0.01), f"∂a₃/∂a₁: {da3_da1:.5g} is not what comes out at a₃"
    assert math.isclose(dz4_db2, tried_b, rel_tol=0.01), f"∂a₃/∂a₁ is right; ∂z₄/∂b₂: {dz4_db2:.5g} is not"

# %% [markdown]
# ## Two paths
#
# In a chain there is one path from each variable to the cost. Now let two neurons *share* a weight and a bias: the
# second one uses the same w and b as the first. (Networks that read a text word by word do this.)

# %%
w, b = vg.Tensor(1.5, "w"), vg.Tensor(-0.5, "b")
a1 = vg.sigmoid((w * 0.7 + b).named("z₁")).named("a₁")
a2 = vg.sigmoid((w * a1 + b).named("z₂")).named("a₂")
C = ((a2 - 1) ** 2 / 2).named("C")

show(
    vg.draw(C, wrt=w),
    "Two neurons with the same w and b: two coloured paths lead from C to w, one through a₁, one past it",
)

# %% [markdown]
# Follow the coloured arrows from C to the left. At z₂ they part: one goes through a₁ and z₁ to w, the other goes to w
# at once. (Dashed arrows carry a gradient too, but not to the variable we asked for.) The line below the table says
# what becomes of it:

# %%
chain = vg.explain(C, wrt=w)
for path in chain.paths:
    print(f"{path.text} = {path.value:.5f}")
print(f"sum of {chain.count} paths: {chain.value:.5f}")

# %% tags=["hidden"]
assert [f"{path.value:.5f}" for path in chain.paths] == ["-0.05865", "-0.02253"]
assert f"{chain.value:.5f}" == "-0.08117"
assert math.isclose(sum(path.value for path in chain.paths), vg.backprop(C)[w], rel_tol=1e-12)

# %% [markdown]
# −0.05865 comes by the short path and −0.02253 by the long one: together −0.08117, which is the grad in the box of w.
# (The last digits are rounded one by one.) This is the sentence of tutorial 2 as a picture: **along a path multiply,
# over the paths add.** And it is the whole of backprop.
#
# ## A shortcut
#
# If each path brings its own share, then one can build a path on purpose. Here is the two-neuron network of tutorial
# 1 again, with one arrow more: a₁ is not only sent through the second neuron, but also *added* to what comes out of
# it.
#
# Which of the two paths to b₁ will carry more?

# %%
w1, b1 = vg.Tensor(0.8, "w₁"), vg.Tensor(0.1, "b₁")
w2, b2 = vg.Tensor(-0.6, "w₂"), vg.Tensor(-0.2, "b₂")
a1 = vg.sigmoid((w1 * 0.7 + b1).named("z₁")).named("a₁")
s2 = vg.sigmoid((w2 * a1 + b2).named("z₂")).named("s₂")
a2 = (a1 + s2).named("a₂")
C = ((a2 - 2) ** 2 / 2).named("C")

show(
    vg.draw(C, wrt=b1),
    "A neuron with a shortcut around it: the path past the neuron is thick and dark, the one through it is thinner",
)

# %% tags=["hidden"]
past, through = [path.value for path in vg.explain(C, wrt=b1).paths]
assert f"{past:.4f}" == "-0.2214"
assert f"{through:.5f}" == "0.03042"
assert 7 < -past / through < 8

# %% [markdown]
# The path through the neuron brings 0.03042, the one past it −0.2214: seven times as much, for a sum has the local
# derivative 1, and 1 does not shrink anything. This is called a **residual connection**, and it is one of the cures
# of tutorial 9. You have just seen why it works.
#
# ### Exercise 3.2: backprop from a list of arrows
#
# Write backprop in its purest form. You are given the arrows of a graph as a list of triples (from, to, local
# derivative), as in `("w", "z", 0.7)`, and you are to find how many nudges come out at `end` for one at `start`: over
# all paths from `start` to `end`, the sum of the products.
#
# Arrows never lead in a circle. Two arrows may join the same two boxes, as in x·x. If there is no path, the answer is
# 0; and from a box to itself it is 1.


# %% tags=["exercise"]
def sum_over_paths(arrows, start, end):
    """The sum over all paths from start to end of the product of what stands on the arrows."""
    ...


# %% tags=["solution"]
def sum_over_paths(arrows, start, end):
    """The sum over all paths from start to end of the product of what stands on the arrows."""
    if start == end:
        return 1.0
    # each path begins with an arrow away from start and goes on from where that leads
    return sum(slope * sum_over_paths(arrows, target, end) for source, target, slope in arrows if source == start)


# %% tags=["check"]
with check("3.2", hint="A path is a first arrow, and then a path from where it leads. The function may call itself."):
    answered(sum_over_paths)
    two = [("x", "u", 2.0), ("x", "v", 3.0), ("u", "y", 5.0), ("v", "y", 7.0)]
    assert math.isclose(sum_over_paths(two, "x", "y"), 31), "x→u→y with 2 and 5, x→v→y with 3 and 7: that makes 10 + 21"
    rng = np.random.default_rng(32)
    for _ in range(30):
        boxes = [vg.Tensor(1.0, "n0")]
        arrows = []
        for k in range(1, 7):
            sources, slopes = rng.integers(k, size=2), rng.choice([-3, -2, -1, 1, 2, 3], size=2) / 2
            boxes.append(sum(slope * boxes[i] for i, slope in zip(sources, slopes, strict=True)))
            arrows += [(f"n{i}", f"n{k}", float(slope)) for i, slope in zip(sources, slopes, strict=True)]
        shuffled = [arrows[i] for i in rng.permutation(len(arrows))]
        by_engine = vg.backprop(boxes[-1])
        for i, box in enumerate(boxes):
            found, due = sum_over_paths(shuffled, f"n{i}", "n6"), float(by_engine.get(box, 0.0))
            assert math.isclose(found, due, rel_tol=1e-9), (
                f"from n{i} to n6 you find {found:.5g}, the engine {due:.5g}; the arrows were {arrows}"
            )

# %% [markdown]
# ## A million million paths
#
# If you wrote it as we did, it walks every path. Remember the doubling of tutorial 2, y + y again and again. How many
# paths has a graph of 40 doublings?

# %%
x = vg.Tensor(1.0, "x")
y = x
for _ in range(40):
    y = y + y
y.named("y")

chain = vg.explain(y, wrt=x)
print(f"{chain.count:,} paths, and their sum is {chain.value:,.0f}")

# %% tags=["hidden"]
assert chain.count == 2**40 == chain.value == 1_099_511_627_776

# %% [markdown]
# 1,099,511,627,776 paths through 41 boxes, and yet the answer was there at once. Nobody walked them. At each box the
# messages are added *first* and then passed on, once. So backprop gets the sum over all paths without looking at a
# single one of them. It is this, and not the chain rule, that makes large networks possible.
#
# ## A hole in the graph
#
# Pictures are good at showing what is *not* there. Here somebody wanted to print a₁ and took its number with `.data`;
# the code below then went on with the number instead of the tensor. It runs, and the cost is right. Look for the
# first neuron.

# %%
a1 = vg.sigmoid((w1 * 0.7 + b1).named("z₁")).named("a₁")
value = a1.data  # only a number: it does not remember anything
a2 = vg.sigmoid((w2 * value + b2).named("z₂")).named("a₂")
C = ((a2 - 1) ** 2 / 2).named("C")

show(vg.draw(C), "Only w₂ and b₂ lead to the cost; the first neuron is missing, and its output is the number 0.6593")
print(vg.explain(C, wrt=w1))

# %% tags=["hidden"]
assert f"{float(value):.4f}" == "0.6593"
assert vg.explain(C, wrt=w1).value == 0

# %% [markdown]
# It is not there. 0.6593 stands in the formula of z₂ like any other constant, and w₁ would never learn anything. If a
# network refuses to learn, draw it: a missing arrow is easier to see than to think of.
#
# ## Layers
#
# The boxes may hold arrays. Then a picture shows the shape and the **norm** ‖·‖ of a value (the square root of the
# sum of the squares, its length) instead of its numbers, and the arrows carry matrices. Here is a network as one
# really has it: four layers of sigmoid neurons that look at 1000 handwritten digits, at the level of layers.

# %%
X, digits = vg.datasets.mnist_sample().train
network = vg.nn.MLP([784, 30, 30, 30, 10], seed=1)
C = vg.nn.losses.quadratic(network(X), digits)

show(
    vg.draw(C, level="layer"),
    "Four layers in a row, one box each; the bar at the foot of a box, its gradient, is shorter in each earlier layer",
)

# %% tags=["hidden"]
norms = [float(np.linalg.norm(vg.backprop(C)[layer.b])) for layer in network.layers]
assert abs(norms[3] / norms[0] - 100) < 10
assert norms == sorted(norms)
assert len(X) == 1000

# %% [markdown]
# Same picture, same story: the bars at the foot of the boxes are ‖∂C/∂b‖ of each layer, again on a logarithmic scale.
# The first layer's is about 100 times shorter than the last one's. Tutorial 5 builds such networks, and tutorial 7
# asks what becomes of the bars while they learn.
#
# ## Make it move
#
# One thing no printed picture can do: let you pull at a weight. `vg.explore` writes the chain of four neurons as a
# web page, one file that needs no network.

# %%
page = vg.explore(cost, "03_explorer.html", wrt=biases[0])
print(f"Open {page.resolve()} in your browser.")

# %% [markdown]
# Open it, and try three things.
#
# 1. Press *start*, and then *step* again and again. First the values appear, from left to right; then the gradients,
#    from right to left. Say each next grad aloud before you press.
# 2. Pull w₃ to 0. Which grads become 0, and which do not? Why does b₃ still learn?
# 3. Try to make ∂C/∂b₁ as large as you can. You will find that large weights alone do not do it. Look at what happens
#    to σ′ when a weight grows. (Tutorial 8 knows the trick; the button *large w, z≈0: explode* does, too.)

# %% tags=["hidden"]
weights[2].update(0.0)
signal = 0.7
for weight, bias in zip(weights, biases, strict=True):
    signal = vg.sigmoid(weight * signal + bias)
without = vg.backprop((signal - 0) ** 2 / 2)
assert [without[t] == 0 for t in biases] == [True, True, False, False]
assert [without[t] == 0 for t in weights] == [True, True, False, False]
weights[2].update(0.9)
assert "large w, z≈0: explode" in page.read_text(encoding="utf-8")

# %% [markdown]
# ## What to take with you
#
# * A box has a **value**, from the way forward, and a **grad**, its cotangent, from the way back.
# * On each arrow back stands a **local derivative**: grad on the right times the label is grad on the left.
# * Along a path multiply, over the paths add. Backprop gets the sum without walking the paths.
# * Width and colour show on a logarithmic scale how much comes back; a missing arrow shows where nothing does.
# * `vg.draw(C)`, `vg.draw(C, wrt=b)`, `vg.explain(C, wrt=b)`, `vg.explore(C, "page.html")`: use them on your own
#   functions.
#
# All these pictures show what the engine *believes*. If one of its local derivatives were wrong, the picture would
# show the wrong number in beautiful type. How can we know that they are right? This is the question of tutorial 4.
