# %% [markdown] minutes=20
# # 2. Values that remember
#
# In tutorial 1 we multiplied five slopes by hand, and it was a pleasure once. A network has a hundred thousand
# weights. We need numbers that do it for us, and the idea is small enough to write it on this page:
#
# *every value remembers which values it was made from, and with which local derivatives.*
#
# Then a message can be sent back from the end to the beginning, and multiply on its way. We write that engine in
# forty lines, break it in three ways, mend it, and find at the end that the real one of this library is built in the
# same way.

# %%
import math

import numpy as np

import tinygrad_vg as vg
from tinygrad_vg.tutorials import answered, begin, check, plot, show

begin("02_tensor_and_op_nodes", lang="en")

# %% [markdown]
# ## A value that remembers
#
# Two operations will do for a start, + and ×. Their local derivatives you know: a sum passes a nudge of either part
# on as it is, a product multiplies it by the other factor.


# %%
class Value:
    """A number that remembers what it was made from."""

    def __init__(self, data, made_from=()):
        self.data = data
        self.made_from = made_from  # pairs: a value, and the local derivative with respect to it
        self.grad = 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])


# %% [markdown]
# This is what is called an **op node**: the result of an operation together with a note of how it came about. Let us
# make the sum of a neuron, z = wx + b, and look at the notes.

# %%
w, x, b = Value(0.8), Value(0.7), Value(0.1)
wx = w * x
z = wx + b

print(f"z = {z.data:.2f}")
for name, value in (("z", z), ("wx", wx), ("w", w)):
    print(f"{name} was made from", [(f"{source.data:.2f}", slope) for source, slope in value.made_from])

# %% tags=["hidden"]
assert f"{z.data:.2f}" == "0.66"
assert [(source.data, slope) for source, slope in wx.made_from] == [(0.8, 0.7), (0.7, 0.8)]

# %% [markdown]
# z was made from wx and b, each with slope 1. wx was made from w, with slope 0.7, and from x, with slope 0.8. w was
# made from nothing: we wrote it down ourselves. Such a value is called a **leaf**.
#
# ## Send a message back
#
# Now the chain rule. z itself moves by 1 nudge for one at z, so we begin with the message 1 at z. Whoever gets a
# message writes it down in its `grad`, and passes it on to each value it was made from, multiplied by the slope on
# the way.


# %%
def send(value, message):
    value.grad += message
    for source, slope in value.made_from:
        send(source, message * slope)


send(z, 1.0)
print(f"∂z/∂w = {w.grad:.1f}, ∂z/∂x = {x.grad:.1f}, ∂z/∂b = {b.grad:.1f}")

# %% tags=["hidden"]
assert (w.grad, x.grad, b.grad) == (0.7, 0.8, 1.0)

# %% [markdown]
# Four lines, and all three derivatives came out of one sending. This is the great thing about going backwards: to try
# out every weight of a network with a nudge takes one run per weight; one message sent back reaches them all.
#
# ### Exercise 2.1: teach it the sigmoid
#
# Our engine knows + and ×. To make a neuron of it, it needs one more operation. Write `sigmoid(v)`: it takes a Value
# and gives the Value σ(v), with the right note about what it was made from.


# %% tags=["exercise"]
def sigmoid(v):
    """The Value σ(v), made from v."""
    ...


# %% tags=["solution"]
def sigmoid(v):
    """The Value σ(v), made from v."""
    a = 1 / (1 + math.exp(-v.data))
    return Value(a, [(v, a * (1 - a))])


# %% tags=["check"]
with check("2.1", hint="Look at __add__: a new Value, and a list with one pair. The slope of σ is a(1 − a), a number."):
    answered(sigmoid)
    for at in (-2.0, 0.3, 1.5):
        v = Value(at)
        a = sigmoid(v)
        assert isinstance(a, Value), f"sigmoid(Value({at})) should be a Value, not of type {type(a).__name__}"
        assert math.isclose(a.data, 1 / (1 + math.exp(-at)), rel_tol=1e-12), f"σ({at}) is not {a.data}"
        assert len(a.made_from) == 1, f"it is made from one value, but remembers {len(a.made_from)}"
        send(a * a * a, 1.0)
        tried = [1 / (1 + math.exp(-at - h)) ** 3 for h in (1e-5, -1e-5)]
        tried = (tried[0] - tried[1]) / 2e-5
        assert math.isclose(v.grad, tried, rel_tol=1e-6), (
            f"σ(v)³ at v = {at}: sent back {v.grad:.6f}, tried {tried:.6f}"
        )

# %% [markdown]
# ## The diamond
#
# So far every value was used once. Things get interesting where one is used twice:
#
# $$u = x + x \qquad v = x \cdot x \qquad y = u \cdot v$$
#
# The way from y back to x forks and comes together again, like a diamond. With x = 3, y is 6 · 9 = 54. And since y =
# 2x³, its derivative is 6x², also 54. What does our engine say?

# %%
x = Value(3.0)
u = x + x
v = x * x
y = u * v

send(y, 1.0)
print(f"y = {y.data:.0f}, ∂y/∂x = {x.grad:.0f}")

# %% tags=["hidden"]
assert (y.data, x.grad, u.grad, v.grad) == (54, 54, 9, 6)

# %% [markdown]
# It is right, and the reason is two characters long: the `+=` in `send`. A message of 9 comes through u, on each of
# two edges: that makes 9 + 9 = 18. A message of 6 comes through v, again on two edges, each with slope 3: that makes
# 18 + 18 = 36. And 18 + 36 = 54.
#
# Why add? Nudge x. The nudge runs along *all* the ways at once, each delivers its share at y, and the shares add up.
# This is the other half of the chain rule: **along a path the slopes are multiplied, and over the paths the products
# are added.**

# %%
t = vg.Tensor(3.0, "x")
s = (t + t).named("u")
q = (t * t).named("v")
show(vg.draw((s * q).named("y")), "A diamond: x leads to u and to v, each on two edges, and both lead to y = 54")

# %% [markdown]
# ## The first break: = instead of +=
#
# What if one forgets the plus?


# %%
def send_forgetful(value, message):
    value.grad = message  # the message that comes last wins
    for source, slope in value.made_from:
        send_forgetful(source, message * slope)


x = Value(3.0)
send_forgetful((x + x) * (x * x), 1.0)
print(f"∂y/∂x = {x.grad:.0f}")

# %% tags=["hidden"]
assert x.grad == 18

# %% [markdown]
# 18: one path of the four survived. Nothing complains, no error is raised; the number is wrong and looks like any
# other. This is how wrong gradients usually look.
#
# ### Exercise 2.2: when does it go unnoticed?
#
# The forgetful engine is not always wrong. For each of these expressions, say whether its ∂/∂x comes out right all
# the same: `True` or `False`. Think of the paths; x = 3 and y = 5.

# %% tags=["exercise"]
comes_out_right = {
    "x * y + y": ...,
    "x + x": ...,
    "(x + y) * (y + y)": ...,
    "(x + y) * (x * y)": ...,
}

# %% tags=["solution"]
comes_out_right = {
    "x * y + y": True,  # x is used once; that y is used twice is y's trouble
    "x + x": False,  # two paths
    "(x + y) * (y + y)": True,  # one path from x
    "(x + y) * (x * y)": False,  # two paths, through different factors
}

# %% tags=["check"]
with check("2.2", hint="Count the paths from the result back to x. The forgetful engine keeps one of them."):
    answered(comes_out_right)
    for expression, guess in comes_out_right.items():
        results = []
        for sender in (send, send_forgetful):
            x, y = Value(3.0), Value(5.0)
            sender(eval(expression), 1.0)
            results.append(x.grad)
        assert guess == (results[0] == results[1]), f"not so for {expression}"
    assert len(comes_out_right) == 4, "there were four expressions"

# %% [markdown]
# ## The second break: too many messages
#
# `send` is right for every graph, but look what it costs. Double a number again and again: y = x + x, then y + y, and
# so on. Each time the number of paths doubles, and `send` walks each of them.


# %%
def count_messages(value):
    return 1 + sum(count_messages(source) for source, _ in value.made_from)


def doubled(times):
    y = Value(1.0)
    for _ in range(times):
        y = y + y
    return y


doublings = list(range(17))
messages = [count_messages(doubled(n)) for n in doublings]
print(f"{doublings[-1]} doublings: {messages[-1]:,} messages")

# %%
with plot("The number of messages doubles with every doubling, while the number of values grows by one") as axes:
    axes.semilogy(doublings, messages, "o-", label="messages that send passes on")
    axes.semilogy(doublings, [n + 1 for n in doublings], "s-", label="values in the graph")
    axes.set(xlabel="doublings", ylabel="how many (log scale)")
    axes.legend()

# %% tags=["hidden"]
assert messages[16] == 131_071 == 2**17 - 1
assert 2**51 - 1 > 2e15

# %% [markdown]
# 131,071 messages through 17 values. With 50 doublings it would be more than 2e15, and we would wait for years.
#
# The cure: **wait**. A value that gets several messages should add them all up first and pass on the sum, once.
# Because the slope multiplies whatever comes, σ′·m₁ + σ′·m₂ is the same as σ′·(m₁ + m₂). Then each value is visited a
# single time. What has been added up at a value when its turn comes, the derivative of the end result with respect to
# it, is called its **cotangent**.
#
# ## The third break: the wrong order
#
# But when has a value got all its messages? Let us try the most obvious order: first the end, then what it was made
# from, then what these were made from, layer by layer.


# %%
def layer_by_layer(root):
    order = [root]
    for value in order:  # the list grows as we walk along it
        for source, _ in value.made_from:
            if source not in order:
                order.append(source)
    return order


def sweep(root, order):
    """Visit each value of `order` once, and pass on what it has got by then."""
    root.grad = 1.0
    for value in order(root):
        for source, slope in value.made_from:
            source.grad += value.grad * slope


x = Value(3.0)
a = x * x
y = a + a * a  # x² + x⁴
sweep(y, layer_by_layer)
print(f"sweep: ∂y/∂x = {x.grad:.0f}")
print(f"truth: 2x + 4x³ = {2 * 3 + 4 * 3**3}")

# %% tags=["hidden"]
assert x.grad == 6
assert 2 * 3 + 4 * 3**3 == 114

# %% [markdown]
# 6 instead of 114. What happened? y was made from a and from a·a. So a came second in the row, passed on what it had,
# the 1 from y, and was done. Then a·a had its turn and sent a message of 18 to a. It arrived, it was written down,
# and it was never passed on: a had already spoken.
#
# The rule is plain: **no value speaks before everything that was made from it has spoken.**
#
# ### Exercise 2.3: the right order
#
# Write `right_order(root)`: a list of all values that `root` was made from, root included, each of them exactly once,
# and each *before* the values that it was made from itself. `sweep(y, right_order)` then gives the right answer.
#
# There are several ways. One is to ask whether a value still waits for somebody. Another is to make the list the
# other way round: a value goes on the list after everything it was made from; and then read it backwards.


# %% tags=["exercise"]
def right_order(root):
    """All values behind root, each once, each before those it was made from."""
    ...


# %% tags=["solution"]
def right_order(root):
    """All values behind root, each once, each before those it was made from."""
    done, finished = [], set()

    def visit(value):
        if value not in finished:
            finished.add(value)
            for source, _ in value.made_from:
                visit(source)
            done.append(value)  # everything it was made from is on the list by now

    visit(root)
    return done[::-1]


# %% tags=["check"]
with check(
    "2.3", hint="visit(value): first visit all it was made from, then append it; skip what was visited; reverse."
):
    answered(right_order)
    rng = np.random.default_rng(23)
    for _ in range(20):
        made = [Value(k) for k in rng.uniform(0.5, 1.5, size=2)]
        for _ in range(12):
            one, other = (made[k] for k in rng.integers(len(made), size=2))
            made.append(one * other if rng.random() < 0.5 else one + other)
        order = list(right_order(made[-1]))
        assert order[:1] == made[-1:], "the first of the list should be root itself"
        assert len(set(order)) == len(order), "a value is on the list twice"
        for place, value in enumerate(order):
            for source, _ in value.made_from:
                assert source in order, "a value that another was made from is missing"
                assert order.index(source) > place, "a value stands before another one that was made from it"
    assert len(right_order(doubled(40))) == 41, "40 doublings are 41 values"

# %% [markdown]
# ## The real one
#
# Here is the example that broke our sweep again, with the library's own value. It is called a **Tensor**, since it
# holds an array of any shape, a single number among them. Everything that you have met has its place in it.

# %%
x = vg.Tensor(3.0, name="x")
a = (x * x).named("a")
y = (a + a * a).named("y")

print("y is", y)
print("y was made by", y.node.op.name, "from", [t.name or t.node.op.name for t in y.node.inputs])
print("x was made by", x.node)

y.backward()
print("∂y/∂x =", x.grad)

# %% tags=["hidden"]
assert x.grad == 114
assert [t.birth for t in (x, a, y)] == sorted([t.birth for t in (x, a, y)])
assert {t.name: g for t, g in vg.backprop(y).items() if t.name}["a"] == 19

# %% [markdown]
# This time it is right. The **node** of a tensor is its note: the operation, `node.op`, and what it was made from,
# `node.inputs`. A leaf has none.
#
# And how does the library find the right order? By an idea that is even shorter than yours: a value can only be made
# from values that are there already. So each tensor is given a number at its birth, counted upwards, and the sweep
# always goes on with **the youngest that has got a message**. Whatever was made from it is younger still, and has
# spoken.

# %%
for tensor, cotangent in vg.backprop(y).items():
    print(f"born as number {tensor.birth}: {tensor.name or 'a·a'} has cotangent {cotangent}")

show(vg.draw(y), "x leads to a, and a to y on three edges; the cotangent of a is 19, the sum over them, and x has 114")

# %% [markdown]
# `vg.backprop` shows the whole sweep: the cotangent of every tensor, the youngest first. a has 19: a 1 straight from
# y, and 18 by way of a·a.
#
# One thing differs from our forty lines. Our values noted slopes as numbers. For arrays a slope would be a matrix,
# often a huge one, with mostly zeros in it. So a node does not keep the slope but a *rule* that multiplies a message
# by it: message in, message out. Such a rule is called a **vjp**, a vector–Jacobian product. Otherwise it is the same
# sweep.

# %%
w = vg.Tensor([[0.5, -1.0], [2.0, 0.3]], name="w")  # four weights at once
x_data = np.array([0.7, 0.1])  # a plain array is a constant: nobody asks for its derivative
loss = np.sum(vg.sigmoid(w @ x_data) ** 2)
loss.backward()
print(w.grad)
print(vg.check_gradients(lambda w: np.sum(vg.sigmoid(w @ x_data) ** 2), w))

# %% [markdown]
# All four derivatives at once, and NumPy's own functions work on Tensors. The last lines are the honest judge of
# tutorial 1, with error bounds of its own; tutorial 4 is about it.
#
# ## Two things that surprise people
#
# **`+=` has a memory.** A leaf adds up *all* messages, also those of a second call of `backward`. That is meant: so
# one can sum gradients over several pieces of data. But whoever wants to begin anew has to say so.

# %%
p = vg.Tensor(3.0, name="p")
for _ in range(2):
    (p * p).backward()
    print("after one more backward:", p.grad)

p.grad = None
(p * p).backward()
print("after p.grad = None:", p.grad)

# %% tags=["hidden"]
assert p.grad == 6

# %% [markdown]
# **Depth.** `send` calls itself, and Python allows about a thousand calls inside each other. A long chain of
# operations breaks such an engine. The library counts births and keeps a list instead, so it does not mind.

# %%
deep = vg.Tensor(1.0, name="start")
long = deep
for _ in range(20_000):
    long = long * 1.0001
long.backward()
print(f"20,000 factors of 1.0001: ∂/∂start = {deep.grad:.3f}, and 1.0001²⁰⁰⁰⁰ = {1.0001**20_000:.3f}")

# %% [markdown]
# ## What to take with you
#
# * A value that remembers what it was made from, and the local derivatives, is all it takes: the rest is passing
#   messages back.
# * Along a path multiply, over paths add: that is why it says `+=`.
# * Each value speaks once, and only after everything that was made from it. By then it holds its **cotangent**.
# * Tensors are such values with arrays in them; rules (**vjp**) take the place of slopes; `.node` is the memory,
#   `.grad` the sum of messages.
# * Wrong gradients raise no errors. So they have to be checked.
#
# You have seen a few drawn graphs by now. The next tutorial is about reading them.
