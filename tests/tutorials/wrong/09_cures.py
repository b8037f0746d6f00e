# Wrong answers, each of which the check of its exercise must reject.

# %% 9.1: all of them help
halves_the_ratio = dict.fromkeys(halves_the_ratio, True)

# %% 9.1: the cost is thought to help the first layer more than the last
halves_the_ratio = dict(zip(halves_the_ratio, [True, True, True, True, False, False], strict=True))

# %% 9.1: longer steps are taken for a larger gradient
halves_the_ratio = dict(zip(halves_the_ratio, [False, True, True, True, True, True], strict=True))

# %% 9.1: one of them answered
halves_the_ratio = {"momentum": False}


# %% 9.2: forgets what ReLU cuts off
def relu_weights(n_in, n_out, rng):
    return rng.standard_normal((n_in, n_out)) / np.sqrt(n_in)


# %% 9.2: the variance for the standard deviation
def relu_weights(n_in, n_out, rng):
    return rng.standard_normal((n_in, n_out)) * 2 / n_in


# %% 9.2: counts the outputs; right where there are as many
def relu_weights(n_in, n_out, rng):
    return rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_out)


# %% 9.2: transposed
def relu_weights(n_in, n_out, rng):
    return rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)


# %% 9.2: uniform numbers, whose variance is a third
def relu_weights(n_in, n_out, rng):
    return rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(2 / n_in)


# %% 9.3: the plain layer
def with_shortcut(x, w, b):
    return vg.sigmoid(x @ w + b)


# %% 9.3: the shortcut ends inside of the sigmoid
def with_shortcut(x, w, b):
    return vg.sigmoid(x + x @ w + b)


# %% 9.3: no sigmoid
def with_shortcut(x, w, b):
    return x + x @ w + b


# %% 9.3: multiplied instead of added
def with_shortcut(x, w, b):
    return x * vg.sigmoid(x @ w + b)


# %% 9.3: without the bias
def with_shortcut(x, w, b):
    return x + vg.sigmoid(x @ w)


# %% 9.4: uphill
def momentum_step(theta, v, g, lr, mu):
    v = mu * v + lr * g
    return theta + v, v


# %% 9.4: moves by the old velocity
def momentum_step(theta, v, g, lr, mu):
    return theta + v, mu * v - lr * g


# %% 9.4: the learning rate multiplies the velocity, too
def momentum_step(theta, v, g, lr, mu):
    v = lr * (mu * v - g)
    return theta + v, v


# %% 9.4: a mean of old and new instead of a sum
def momentum_step(theta, v, g, lr, mu):
    v = mu * v - (1 - mu) * lr * g
    return theta + v, v


# %% 9.4: gives θ alone
def momentum_step(theta, v, g, lr, mu):
    return theta + mu * v - lr * g
