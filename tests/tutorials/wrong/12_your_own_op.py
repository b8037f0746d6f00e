# Wrong answers, each of which the check of its exercise must reject.

# %% 12.1: no op, only a function (which the engine differentiates by itself)
good = [
    (np.array([[1.0, -2.0, 0.3], [0.7, 1.5, -0.4]]), np.array([[0.5, 1.0, 2.0], [-0.7, 1.2, 0.3]])),
    (np.array([[0.8], [-1.1]]), np.array([[1.0, -0.5, 2.0]])),
]
words = ("σ({1}·{0}) + {1}·{0}·σ′({1}·{0})", "{0}²·σ′({1}·{0})")


def d_sigmoid(z):
    return vg.sigmoid(z) * vg.sigmoid(-z)


def by_x(g, out, x, beta):
    return g * (vg.sigmoid(beta * x) + beta * x * d_sigmoid(beta * x))


def by_beta(g, out, x, beta):
    return g * x * x * d_sigmoid(beta * x)


def value(x, beta):
    return x * vg.sigmoid(beta * x)


def swish(x, beta):
    return x * vg.sigmoid(beta * x)


my_samples = good

# %% 12.1: forgets the second path from x
swish = vg.primitive(value, (lambda g, out, x, beta: g * vg.sigmoid(beta * x), by_beta), name="swish", local=words)
my_samples = good

# %% 12.1: forgets the inner slope β
swish = vg.primitive(
    value,
    (lambda g, out, x, beta: g * (vg.sigmoid(beta * x) + x * d_sigmoid(beta * x)), by_beta),
    name="swish",
    local=words,
)
my_samples = good

# %% 12.1: one x missing in the rule of β
swish = vg.primitive(value, (by_x, lambda g, out, x, beta: g * x * d_sigmoid(beta * x)), name="swish", local=words)
my_samples = good

# %% 12.1: forgets g
swish = vg.primitive(value, (by_x, lambda g, out, x, beta: x * x * d_sigmoid(beta * x)), name="swish", local=words)
my_samples = good

# %% 12.1: sums the gradient of β itself, down to a number
swish = vg.primitive(
    value, (by_x, lambda g, out, x, beta: np.sum(g * x * x * d_sigmoid(beta * x))), name="swish", local=words
)
my_samples = good

# %% 12.1: the rules exchanged
swish = vg.primitive(value, (by_beta, by_x), name="swish", local=words)
my_samples = good

# %% 12.1: β beside the σ instead of inside
swish = vg.primitive(
    lambda x, beta: beta * x * vg.sigmoid(x),
    (
        lambda g, out, x, beta: g * beta * (vg.sigmoid(x) + x * d_sigmoid(x)),
        lambda g, out, x, beta: g * x * vg.sigmoid(x),
    ),
    name="swish",
    local=words,
)
my_samples = good

# %% 12.1: right once, wrong when differentiated again
swish = vg.primitive(
    value, (by_x, lambda g, out, x, beta: g * vg.stop_gradient(x * x * d_sigmoid(beta * x))), name="swish", local=words
)
my_samples = good

# %% 12.1: no rule for β
swish = vg.primitive(value, (by_x, None), name="swish", local=words)
my_samples = good

# %% 12.1: nothing for the pictures
swish = vg.primitive(value, (by_x, by_beta), name="swish")
my_samples = good

# %% 12.1: right, but with a single number as sample
swish = vg.primitive(value, (by_x, by_beta), name="swish", local=words)
my_samples = [(0.5, 1.0)]

# %% 12.1: right, but nothing is ever stretched
swish = vg.primitive(value, (by_x, by_beta), name="swish", local=words)
my_samples = good[:1]

# %% 12.1: right, but only x is ever stretched
swish = vg.primitive(value, (by_x, by_beta), name="swish", local=words)
my_samples = [*good[:1], (np.array([0.3, -1.0, 2.0]), good[0][1])]
