# %% [markdown] minutes=20
# # 4. Who checks the checker?
#
# A wrong gradient raises no error. The network still learns a little, the cost still falls a little, and somebody
# spends a week on the learning rate. So gradients have to be checked, and tutorial 1 has told us how: nudge, watch,
# compare. It is called **gradient checking**, and everybody who does it runs into the same three questions:
#
# * how large shall the nudge be?
# * how close is close enough?
# * and what if the gradient is 1e-11?
#
# The usual answers are "1e-5", "1e-5" and silence. We shall see the last one break the first two, and find better
# answers to all three.

# %%
import math

import numpy as np
from hypothesis import find, settings

import tinygrad_vg as vg
from tinygrad_vg import strategies
from tinygrad_vg.tutorials import answered, begin, check, plot

begin("04_gradient_checking", lang="en")

# %% [markdown]
# ## A subject to try on
#
# We take neurons in a row again, each with the weight 0.8 and no bias, so that aₖ = σ(0.8·aₖ₋₁). `deep(x, n)` is what
# comes out behind n of them, and `true_slope(x, n)` is its derivative, as you wrote it in tutorial 1: a product of
# local slopes. It knows nothing of nudges.


# %%
def deep(x, n):
    for _ in range(n):
        x = vg.sigmoid(0.8 * x)
    return x


def true_slope(x, n):
    product = 1.0
    for _ in range(n):
        x = vg.sigmoid(0.8 * x)
        product = product * 0.8 * x * (1 - x)
    return product


print(f" 1 neuron:  a = {deep(1.0, 1):.4f}, slope {true_slope(1.0, 1):.2e}")
print(f"15 neurons: a = {deep(1.0, 15):.4f}, slope {true_slope(1.0, 15):.2e}")

# %% [markdown]
# ## How large a nudge?
#
# Now let the step h run from 1 down to 1e-13, and see by how much the two differences of tutorial 1 miss the slope of
# a single neuron. One point might be lucky, so we try 25 and show the worst. What do you expect: the smaller, the
# better?


# %%
points = np.linspace(0.5, 1.5, 25)
steps = 10.0 ** np.linspace(0, -13, 53)


def forward(f, x, h):
    return (f(x + h) - f(x)) / h


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def miss(difference, n, h):
    """How far a difference misses the slope behind n neurons, relative to the slope; the worst of 25 points."""
    found = difference(lambda x: deep(x, n), points, h)
    return np.max(np.abs(found / true_slope(points, n) - 1))


# %%
with plot("Two curves like a slanted U: with smaller steps the errors fall at first, and then rise again") as axes:
    for difference, label in ((forward, "forward difference"), (central, "central difference")):
        axes.loglog(steps, [miss(difference, 1, h) for h in steps], label=label)
    axes.set(xlabel="← it rounds        step h        it truncates →", ylabel="relative error, worst of 25")
    axes.legend(loc="lower left")

# %% tags=["hidden"]
lowest = {f: min(miss(f, 1, h) for h in steps) for f in (forward, central)}
at_lowest = {f: min(steps, key=lambda h, f=f: miss(f, 1, h)) for f in (forward, central)}
assert 3e-9 < lowest[forward] < 1e-7
assert 3e-12 < lowest[central] < 3e-10
assert 1e-9 < at_lowest[forward] < 1e-6
assert 1e-7 < at_lowest[central] < 1e-3
assert 5e-8 < miss(central, 1, 1e-8) < 5e-6

# %% [markdown]
# Both curves are a **U**. On the right arm the nudge is too large: the function is bent, and the straight line
# through two of its points is not yet the tangent. The difference **truncates**. On the left arm it is too small: f(x
# + h) and f(x − h) agree in nearly all of their 16 digits, and what is left is mostly **rounding**.
#
# Both arms have a law. The error of truncation is about h for the forward and about h² for the central difference:
# look at the slopes on the right. The error of rounding is about ε/h for both, where ε = 2.2e-16 is the relative
# precision of a number in the computer.

# %% tags=["hidden"]
assert f"{np.finfo(float).eps:.1e}" == "2.2e-16"

# %% [markdown]
# ### Exercise 4.1: the bottom of the U
#
# So the error is roughly h + ε/h for the forward difference, and roughly h² + ε/h for the central one. Where is each
# the smallest? Find a good step for both. (Think where the two parts are equal, or read it from the picture and
# convince yourself that the law agrees.)

# %% tags=["exercise"]
best_h_forward = ...
best_h_central = ...

# %% tags=["solution"]
best_h_forward = np.finfo(float).eps ** (1 / 2)  # h = ε/h where h² = ε
best_h_central = np.finfo(float).eps ** (1 / 3)  # h² = ε/h where h³ = ε

# %% tags=["check"]
with check("4.1", hint="h = ε/h means h² = ε. And h² = ε/h means …? ε is about 2e-16."):
    answered(best_h_forward, best_h_central)
    places = np.random.default_rng(41).uniform(-1, 1, size=100)
    for name, difference, h in (("forward", forward, best_h_forward), ("central", central, best_h_central)):
        assert 0 < h < 1, f"a step between 0 and 1 for the {name} difference, please, not {h}"
        for f, slope in ((np.tanh, 1 - np.tanh(places) ** 2), (np.exp, np.exp(places))):
            errors = {k: np.max(np.abs(difference(f, places, k) / slope - 1)) for k in [h, *steps]}
            times = errors[h] / min(errors.values())
            assert times < 30, f"{name} difference of {f.__name__}: your step misses by {times:.0f} times the least"

# %% [markdown]
# So the central difference, with a step near 6e-6, is right to ten or eleven digits. One may call this the first
# answer: *central, with h about 1e-5*.

# %% tags=["hidden"]
assert f"{np.finfo(float).eps ** (1 / 3):.0e}".replace("e-0", "e-") == "6e-6"

# %% [markdown]
# ## How close is close enough?
#
# The difference and the gradient never agree exactly. A common check accepts them if they differ by less than, say,
# 1e-5. Behind 8 neurons we let it judge four gradients: the right one, and three wrong ones. What will it say?

# %%
right = true_slope(1.0, 8)
tried = central(lambda x: deep(x, 8), 1.0, 1e-5)

for name, gradient in (("right", right), ("twice", 2 * right), ("minus", -right), ("zero", 0.0)):
    verdict = "accepted" if abs(gradient - tried) < 1e-5 else "rejected"
    print(f"{name}: {gradient:9.2e} {verdict}")

# %% tags=["hidden"]
assert f"{right:.2e}" == "1.40e-06"
assert f"{right * 1e6:.1f}e-6" == "1.4e-6"
assert all(abs(gradient - tried) < 1e-5 for gradient in (right, 2 * right, -right, 0.0))

# %% [markdown]
# It accepts them all. The gradient is 1.4e-6, and a check that forgives 1e-5 cannot see it at all. This is an
# **absolute tolerance**, and the most popular tools have one. The smaller the gradient, the blinder they are, and the
# gradients of deep networks are small.
#
# What we should ask is how far the two are apart *compared with their size*. This is the **relative error**:
#
# $$\frac{|g - n|}{\max(|g|, |n|)}$$
#
# It is 0.5 for a gradient twice too large, whether it is 1 or 1e-100. So the second answer is: *relative, always.*
#
# ## And what if the gradient is 1e-11?
#
# Let us put the two answers to work: a central difference with h = 1e-5, and the relative error. The gradient is
# right. The row of neurons gets longer.

# %%
depths = list(range(1, 21))
sizes = [abs(true_slope(1.0, n)) for n in depths]
by_central = [miss(central, n, 1e-5) for n in depths]
by_best = [min(miss(central, n, h) for h in steps) for n in depths]

with plot(
    "Left, the slope falls evenly with depth and crosses the rounding level. Right, the errors rise to 1",
    panels=2,
    width=8.8,
    height=3.6,
) as (left, right_panel):
    left.semilogy(depths, sizes, "o-", label="the slope")
    left.axhline(1.1e-16 / 1e-5, color="C1", linestyle="--", label="rounding of a difference, h = 1e-5")
    left.set(xlabel="neurons in a row", ylabel="size", ylim=(1e-16, 1e2))
    left.legend(loc="upper right", fontsize=8)
    right_panel.semilogy(depths, by_central, "o-", label="h = 1e-5")
    right_panel.semilogy(depths, by_best, "s-", label="the best h of all")
    right_panel.set(xlabel="neurons in a row", ylabel="relative error, central difference", ylim=(1e-12, 1e2))
    right_panel.legend(loc="lower right", fontsize=8)

# %% tags=["hidden"]
assert f"{true_slope(1.0, 15):.1e}" == "1.2e-11"
assert 0.1 < miss(central, 15, 1e-5) < 3
assert miss(central, 20, 1e-5) > 0.5
assert 0.01 < min(miss(central, 20, h) for h in steps) < 0.15
assert 4 < (sizes[0] / sizes[-1]) ** (1 / 19) < 6

# %% [markdown]
# On the left: each neuron takes a factor of about five from the slope. But it takes nothing from a itself, which
# stays between 0.6 and 0.7, and the rounding of a difference is a rounding of a. So the rounding stays where it is,
# at 1e-11, and the slope sinks towards it.
#
# On the right: at 15 neurons the slope is 1.2e-11, and the central difference has no digit left. A check with a
# relative tolerance now calls a *right* gradient wrong. Choosing another h helps for some layers more, but nobody
# knows the best one beforehand, and behind 20 neurons even it is off by several per cent.
#
# So that is the dilemma: with an absolute tolerance the check is blind, and without it it sees ghosts. There are two
# ways out. One is to know how much one knows. The other is not to subtract.

# %% tags=["hidden"]
assert all(0.6 < deep(1.0, n) < 0.7 for n in depths)

# %% [markdown]
# ## To know how much one knows
#
# A good measurement comes with an **error bound**: the wall is three metres long, give or take a finger.
# `vg.numerical_gradient` does this for derivatives. It takes nine steps, each a quarter of the one before,
# extrapolates to h = 0, and watches how much the answer still moves, and how much the function jitters.

# %%
for n in (1, 8, 12, 20):
    value, bound = vg.numerical_gradient(lambda x, n=n: deep(x, n), 1.0, method="finite")
    print(f"{n:2} neurons: {value:10.3e} ± {bound:.0e}   true: {true_slope(1.0, n):10.3e}")

# %% tags=["hidden"]
for n in (1, 8, 12, 20):
    value, bound = vg.numerical_gradient(lambda x, n=n: deep(x, n), 1.0, method="finite")
    assert abs(value - true_slope(1.0, n)) <= bound
assert bound > abs(true_slope(1.0, 20))

# %% [markdown]
# Look at the last line. The bound is larger than the value: *I do not know*, says this judge, and that is the truth.
# An honest judge needs three verdicts and not two.
#
# ### Exercise 4.2: three verdicts
#
# Write `verdict_on(backward, numerical, bound)`. `backward` is the gradient to be judged; the true one lies somewhere
# in numerical ± bound, and that is all we know. Return
#
# * `"fail"` if `backward` lies outside of numerical ± bound;
# * `"pass"` if it lies inside, and the bound is at most a thousandth of the size of `numerical`;
# * `"unresolved"` if it lies inside, but the bound is larger than that.
#
# It shall say the same if all three numbers are multiplied by 1e-100.


# %% tags=["exercise"]
def verdict_on(backward, numerical, bound):
    """The verdict on a gradient: "pass", "fail" or "unresolved"."""
    ...


# %% tags=["solution"]
def verdict_on(backward, numerical, bound):
    """The verdict on a gradient: "pass", "fail" or "unresolved"."""
    if abs(backward - numerical) > bound:
        return "fail"
    return "pass" if bound <= abs(numerical) / 1000 else "unresolved"


# %% tags=["check"]
with check(
    "4.2", hint="First: is it outside? Then: is the bound small against |numerical|? No fixed number of any size."
):
    answered(verdict_on)
    cases = [
        (2.0, 2.0, 1e-6, "pass"),
        (2.0, 2.0000001, 1e-6, "pass"),
        (2.01, 2.0, 1e-6, "fail"),
        (1.99, 2.0, 1e-6, "fail"),
        (2.0, 2.1, 0.5, "unresolved"),
        (2.0, -0.1, 5.0, "unresolved"),
        (20.0, 2.1, 0.5, "fail"),
        (0.0, 2.0, 1e-6, "fail"),
    ]
    for scale in (1.0, -1.0, 1e-11, -1e-11, 1e-100, 1e50):
        for g, n, bound, due in cases:
            three = g * scale, n * scale, bound * abs(scale)
            said = verdict_on(*three)
            assert said == due, "backward {:.3g}, numerical {:.3g} ± {:.1g}: {!r} is not right".format(*three, said)

# %% [markdown]
# ## Not to subtract
#
# The trouble comes from the minus sign in f(x + h) − f(x − h). Is there a way to nudge and not to subtract? There is,
# and it is one of the loveliest tricks of numerical mathematics. Nudge *sideways*.
#
# A complex number has a second part, the imaginary one, with i² = −1. Let us nudge by i·h. For a smooth f,
#
# $$f(x + ih) = f(x) + ih \cdot f'(x) - \tfrac12 h^2 \cdot f''(x) - \ldots$$
#
# The value is in the real part, and the slope is in the imaginary part, *by itself*. Nobody has to subtract anything
# to get it out. This is called the **complex step**.

# %%
h = 1e-20
nudged = deep(1.0 + h * 1j, 15)
print(f"real part:          {nudged.real:.16f}   the value")
print(f"imaginary part / h: {nudged.imag / h:.16e}")
print(f"true slope:         {true_slope(1.0, 15):.16e}")

# %% tags=["hidden"]
assert abs(nudged.imag / h / true_slope(1.0, 15) - 1) < 1e-13
assert all(abs(deep(1.0 + 1e-20j, n).imag / 1e-20 / true_slope(1.0, n) - 1) < 1e-13 for n in range(1, 60))

# %% [markdown]
# Behind 15 neurons, where the difference had no digit left, the complex step is right to 13 digits and more. And the
# step was 1e-20: it may be as small as one likes, for with nothing to subtract there is nothing to round away.
#
# ### Exercise 4.3: the complex step
#
# Write it as a function: `complex_step(f, x)` gives f′(x) for a function f that computes on complex numbers. It
# should be right to 12 digits for any smooth f, also where f′ is tiny.


# %% tags=["exercise"]
def complex_step(f, x):
    """The derivative of f at x by a complex step."""
    ...


# %% tags=["solution"]
def complex_step(f, x):
    """The derivative of f at x by a complex step."""
    tiny = 1e-20
    return f(x + 1j * tiny).imag / tiny


# %% tags=["check"]
with check("4.3", hint="One call of f at x + ih; what you look for is in .imag. A small h costs nothing here."):
    answered(complex_step)
    subjects = {
        "sin(50x)": (lambda x: np.sin(50 * x), lambda x: 50 * np.cos(50 * x)),
        "1e-30·exp(x)": (lambda x: 1e-30 * np.exp(x), lambda x: 1e-30 * np.exp(x)),
        "deep(x, 15)": (lambda x: deep(x, 15), lambda x: true_slope(x, 15)),
        "5 + x³": (lambda x: 5 + x**3, lambda x: 3 * x**2),
    }
    for name, (f, slope) in subjects.items():
        for x in (0.3, 0.7, 1.9):
            found, due = complex_step(f, x), slope(x)
            assert np.isrealobj(found), f"a derivative is a real number here, not {found!r:.60}"
            assert math.isclose(found, due, rel_tol=1e-12), f"{name} at {x}: {found:.15g}, but it is {due:.15g}"

# %% [markdown]
# ## When the complex step lies
#
# A judge must be judged, too. f has to be *smooth all the way*, in the complex numbers as well. These two functions
# are the same for every real x. Are their complex steps?

# %%
for name, f in (("x³ + x²", lambda x: x**3 + x**2), ("x³ + |x|²", lambda x: x**3 + np.abs(x) ** 2)):
    print(
        f"{name:9} at 1: by complex step {f(1.0 + 1e-20j).imag / 1e-20:.1f}, by difference {central(f, 1.0, 1e-5):.1f}"
    )

# %% tags=["hidden"]
assert np.isclose((1.0 + 1e-20j) ** 3 + np.abs(1.0 + 1e-20j) ** 2, 2)
assert math.isclose(((1.0 + 1e-20j) ** 3 + np.abs(1.0 + 1e-20j) ** 2).imag / 1e-20, 3.0)

# %% [markdown]
# |x| looks at the length of a complex number and throws the imaginary part away. With it goes its share of the slope,
# without a warning. So neither judge is enough alone: differences are honest but short-sighted, the complex step sees
# to the bottom of the sea but can be fooled. *Together* they are strong.
#
# ## All of it in one line
#
# `vg.check_gradients` does what we have done by hand. It compares backward, element by element, with differences that
# come with a bound. Where these cannot tell, it asks the complex step, but only if every operation on the way is
# known to be smooth, and believes it only if the two do not contradict each other. There is no absolute tolerance in
# it.
#
# Here it checks a row of 15 neurons by all of its weights.


# %%
def row(weights):
    a = 1.0
    for k in range(15):
        a = vg.sigmoid(weights[k] * a)
    return a


report = vg.check_gradients(row, np.full(15, 0.8))
print(report)

# %% tags=["hidden"]
(found,) = report.inputs
assert found.checked == 15
assert found.decided["complex step"] >= 2
assert found.decided["finite difference"] >= 8
assert 1e-11 < found.smallest < 2e-11
assert found.largest > 0.1

# %% [markdown]
# Read the report from left to right: 15 of 15 elements checked, all of them pass; they are spread over ten powers of
# ten, from 1.5e-11 upwards; and below it says who has decided, the differences for the larger ones, the complex step
# for the smallest.
#
# Now we break one of the 15: the eighth neuron forgets a factor, and takes a for a(1 − a).


# %%
def forgetful_rule(g, out, z):
    return g * out


forgetful_sigmoid = vg.primitive(
    lambda z: 1 / (1 + np.exp(-z)), (forgetful_rule,), name="forgetful_sigmoid", analytic=True
)


def broken_row(weights):
    a = 1.0
    for k in range(15):
        a = (forgetful_sigmoid if k == 7 else vg.sigmoid)(weights[k] * a)
    return a


report = vg.check_gradients(broken_row, np.full(15, 0.8), raises=False)
(found,) = report.inputs
for verdict, count in found.counts.items():
    print(f"{verdict}: {count}")
print("culprit:", report.culprit)

# %% tags=["hidden"]
assert {str(verdict): count for verdict, count in found.counts.items() if count} == {"pass": 7, "fail": 8}
assert report.culprit.startswith("forgetful_sigmoid")
assert f"{vg.check_gradients(row, np.full(15, 0.8)).inputs[0].smallest:.1e}" == "1.5e-11"

# %% [markdown]
# Seven weights pass and eight fail. Which seven? Those between the broken neuron and the end: backward comes from
# there, and the mistake has not happened yet. And the report has a name for us. It has looked at each node by itself,
# where all numbers are of ordinary size, and found the one whose rule does not fit. (`vg.certify_backward` does only
# this; it works at any depth.)
#
# ## Kinks
#
# Not every function has a derivative everywhere. The **ReLU**, max(0, z), which replaces the sigmoid in many
# networks, has a **kink** at 0: slope 0 on the left, slope 1 on the right. What will the three judges say there:
# backward, the central difference, the forward difference?

# %%
print("backward:          ", vg.grad(vg.relu)(0.0))
print("central difference:", central(vg.relu, 0.0, 1e-5))
print("forward difference:", forward(vg.relu, 0.0, 1e-5))
report = vg.check_gradients(vg.relu, 0.0, raises=False)
print(*[str(verdict) for verdict, count in report.inputs[0].counts.items() if count])

# %% tags=["hidden"]
assert (vg.grad(vg.relu)(0.0), central(vg.relu, 0.0, 1e-5), forward(vg.relu, 0.0, 1e-5)) == (0, 0.5, 1)
assert [str(verdict) for verdict, count in report.inputs[0].counts.items() if count] == ["kink"]
assert vg.check_gradients(vg.relu, 0.0, kinks=True)

# %% [markdown]
# Three judges, three answers, and none of them is wrong: 0, 0.5 and 1 all lie between the two slopes. It is the
# question that has no answer. So there is a verdict of its own for it, *kink*, which does not pass until you say that
# you expect one (`kinks=True`). In practice one checks at random points, which hit a kink with probability zero.
# Round numbers such as 0 are not random points.
#
# ## Let somebody else look for the point
#
# All these checks have one weakness in common: they look where *we* look. Here is a function with a rule of our own,
# softabs(x) = √(1 + x²), a smooth |x|. Its slope is x/√(1 + x²). We check it at three points, positive, negative and
# large, with the best of differences.


# %%
def softabs_value(x):
    return np.sqrt(1 + x * x)


def softabs_rule(g, out, x):
    return x / out  # there is a bug in this line


softabs = vg.primitive(softabs_value, (softabs_rule,), name="softabs", analytic=True)

for x in (0.3, -1.2, 50.0):
    print(f"at {x:5}: backward {vg.grad(softabs)(x):.10f}, difference {central(softabs_value, x, 1e-5):.10f}")

# %% tags=["hidden"]
for x in (0.3, -1.2, 50.0):
    assert math.isclose(vg.grad(softabs)(x), central(softabs_value, x, 1e-5), rel_tol=1e-7)

# %% [markdown]
# Three times right. And yet there is a bug in it, and perhaps you have seen it. To find it without seeing it, we hand
# over the search. **Hypothesis** is a library that makes up examples: we say what an example looks like, and what
# should hold for all of them. `strategies.expressions` makes up little programs that use softabs in company of other
# operations, and what should hold is that backward and the complex step agree.

# %%
tried = []


def goes_wrong(program):
    (x,) = program.leaves
    backward, exact = vg.grad(program)(x), program(x + 1e-20j).imag / 1e-20
    wrong = abs(backward - exact) > 1e-9 * abs(exact)
    tried.append((program, wrong))
    return wrong


programs = strategies.expressions(
    ops=["{0} + {1}", "{0} * {1}", "np.sin({0})", softabs], leaves=(1, 1), nodes=(1, 4), max_dims=0
)
smallest = find(programs, goes_wrong, settings=settings(derandomize=True, database=None, deadline=None))
first_found = next(program for program, wrong in tried if wrong)
print(f"programs tried: {len(tried)}")
print(f"the first that goes wrong: {first_found}")
print(f"the smallest:              {smallest}")

# %% tags=["hidden"]
assert 1 <= len(smallest.steps) <= 2 < len(first_found.steps) + 1
assert len(tried) < 2000

# %% [markdown]
# Hypothesis did two things. It **found** a program for which backward is wrong. And then it **shrank** it: it threw
# away one line after the other and made the numbers rounder, as long as it still went wrong. What is left is a line
# or two, about the smallest there is: softabs(x) and, for instance, t0 + t0.
#
# So softabs alone is right, and twice softabs is wrong. What is different? The message. Alone, softabs is the end of
# the graph, and the message that comes to its rule is 1. In t0 + t0 it is 2. And the rule never looks at it.
#
# ### Exercise 4.4: mend it
#
# Write the rule as it should be: it is given the message g (the cotangent), the value `out`, and the argument x, and
# passes on the message for x.


# %% tags=["exercise"]
def mended_rule(g, out, x):
    """The message for x, when g has come to out = √(1 + x²)."""
    ...


# %% tags=["solution"]
def mended_rule(g, out, x):
    """The message for x, when g has come to out = √(1 + x²)."""
    return g * x / out


# %% tags=["check"]
with check(
    "4.4", hint="Grad on the right times the local derivative is grad on the left: what is missing in the rule?"
):
    answered(mended_rule)
    mended = vg.primitive(softabs_value, (mended_rule,), name="mended", analytic=True)
    rng = np.random.default_rng(44)
    for x in rng.uniform(0.2, 3, size=10) * rng.choice([-1, 1], size=10):
        for text, f in (
            ("softabs(x)", mended),
            ("softabs(x) + softabs(x)", lambda x: mended(x) + mended(x)),
            ("-3·softabs(x)", lambda x: -3 * mended(x)),
            ("sin(softabs(softabs(x)))", lambda x: np.sin(mended(mended(x)))),
        ):
            backward, exact = vg.grad(f)(x), f(x + 1e-20j).imag / 1e-20
            assert math.isclose(backward, exact, rel_tol=1e-9), (
                f"{text} at x = {x:.2f}: backward {backward:.6f}, complex step {exact:.6f}"
            )

# %% [markdown]
# There is a moral in it for checks of every kind. Ours had always sent the message 1, and 1 is the one number that
# hides a forgotten factor. `vg.check_gradients` sends a *random* cotangent, and never all ones. So it would have seen
# this bug at the first point:

# %%
report = vg.check_gradients(softabs, 0.3, raises=False)
print(report.inputs[0].worst.verdict, "by", report.culprit)

# %% tags=["hidden"]
assert not report
assert report.culprit.startswith("softabs")

# %% [markdown]
# ## What to take with you
#
# * A difference is wrong twice: it **truncates** with a large step and **rounds** with a small one. Central, with h
#   near 1e-5, is the bottom of the U.
# * Compare **relatively**. An absolute tolerance is blind where gradients are small.
# * Behind 15 neurons no difference can tell. A **bound** makes it say so, and the **complex step**, which does not
#   subtract, still sees.
# * A kink is a question without an answer; say when you expect one.
# * Let **Hypothesis** choose the examples, and never send only ones.
# * `vg.check_gradients(f, *inputs)` is all of this in one line. Use it on every derivative that you write.
#
# Our gradients are checked, and from now on we trust them. What can one do with gradients that one trusts? Let a
# network learn to read: tutorial 5.
