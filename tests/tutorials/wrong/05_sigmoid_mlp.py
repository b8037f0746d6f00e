# Wrong answers, each of which the check of its exercise must reject.


# %% 5.1: the bias's gradient is not summed over the samples
def layer_backwards(g, x, w, b):
    return g @ w.T, x.T @ g, g


# %% 5.1: the mean over the samples
def layer_backwards(g, x, w, b):
    return g @ w.T, x.T @ g, g.mean(axis=0)


# %% 5.1: w is not transposed
def layer_backwards(g, x, w, b):
    return g @ w, x.T @ g, g.sum(axis=0)


# %% 5.1: the gradient of w is transposed
def layer_backwards(g, x, w, b):
    return g @ w.T, g.T @ x, g.sum(axis=0)


# %% 5.1: one sample only
def layer_backwards(g, x, w, b):
    return g @ w.T, np.outer(x[0], g[0]), g[0]


# %% 5.1: another order
def layer_backwards(g, x, w, b):
    return x.T @ g, g.sum(axis=0), g @ w.T


# %% 5.2: by way of a
def cross_entropy(z, y):
    a = 1 / (1 + np.exp(-z))
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


# %% 5.2: forgets the second half
def cross_entropy(z, y):
    return y * vg.softplus(-z)


# %% 5.2: the signs exchanged
def cross_entropy(z, y):
    return y * vg.softplus(z) + (1 - y) * vg.softplus(-z)


# %% 5.2: a mean where one cost for each is wanted
def cross_entropy(z, y):
    return np.mean(vg.softplus(z) - y * z)


# %% 5.2: clips a, and so is wrong far away
def cross_entropy(z, y):
    a = np.clip(1 / (1 + np.exp(-z)), 1e-12, 1 - 1e-12)
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


# %% 5.3: uphill
def descend(parameters, rate):
    for p in parameters:
        p.update(p.data + rate * p.grad)
        p.grad = None


# %% 5.3: does not forget the gradient
def descend(parameters, rate):
    for p in parameters:
        p.update(p.data - rate * p.grad)


# %% 5.3: forgets the learning rate
def descend(parameters, rate):
    for p in parameters:
        p.update(p.data - p.grad)
        p.grad = None


# %% 5.3: the weights only
def descend(parameters, rate):
    for p in parameters:
        if p.ndim == 2:
            p.update(p.data - rate * p.grad)
        p.grad = None


# %% 5.3: changes nothing, since a new value is not bound
def descend(parameters, rate):
    for p in parameters:
        p = p - rate * p.grad
        p.grad = None
