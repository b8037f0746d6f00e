# Wrong answers, each of which the check of its exercise must reject.


# %% 7.1: the output layer among them
def speeds(net, X, y):
    biases = [layer.b for layer in net.layers]
    found = vg.backprop(cost(net, X, y), wrt=biases)
    return [float(np.linalg.norm(found[b])) for b in biases]


# %% 7.1: forgets the root
def speeds(net, X, y):
    biases = [layer.b for layer in net.layers[:-1]]
    found = vg.backprop(cost(net, X, y), wrt=biases)
    return [float(np.sum(found[b] ** 2)) for b in biases]


# %% 7.1: the sum of the sizes
def speeds(net, X, y):
    biases = [layer.b for layer in net.layers[:-1]]
    found = vg.backprop(cost(net, X, y), wrt=biases)
    return [float(np.sum(np.abs(found[b]))) for b in biases]


# %% 7.1: of the weights
def speeds(net, X, y):
    weights = [layer.w for layer in net.layers[:-1]]
    found = vg.backprop(cost(net, X, y), wrt=weights)
    return [float(np.linalg.norm(found[w])) for w in weights]


# %% 7.1: from the last to the first
def speeds(net, X, y):
    biases = [layer.b for layer in net.layers[:-1]]
    found = vg.backprop(cost(net, X, y), wrt=biases)
    return [float(np.linalg.norm(found[b])) for b in reversed(biases)]


# %% 7.1: the biases instead of their gradients
def speeds(net, X, y):
    return [float(np.linalg.norm(layer.b.data)) for layer in net.layers[:-1]]


# %% 7.2: the mean instead of the root of the mean square
def layer_cost(v):
    z = np.sqrt(v) * np.random.default_rng(0).standard_normal(100_000)
    return 1 / np.mean(vg.sigmoid(z) * vg.sigmoid(-z))


# %% 7.2: takes the variance for the standard deviation
def layer_cost(v):
    z = v * np.random.default_rng(0).standard_normal(100_000)
    return 1 / np.sqrt(np.mean((vg.sigmoid(z) * vg.sigmoid(-z)) ** 2))


# %% 7.2: the factor and not what it costs
def layer_cost(v):
    z = np.sqrt(v) * np.random.default_rng(0).standard_normal(100_000)
    return np.sqrt(np.mean((vg.sigmoid(z) * vg.sigmoid(-z)) ** 2))


# %% 7.2: forgets the root
def layer_cost(v):
    z = np.sqrt(v) * np.random.default_rng(0).standard_normal(100_000)
    return 1 / np.mean((vg.sigmoid(z) * vg.sigmoid(-z)) ** 2)


# %% 7.3: the entropy of one choice among ten
def blind_cost(labels):
    p = np.bincount(labels, minlength=10) / len(labels)
    return float(-np.sum(p * np.log(p)))


# %% 7.3: a tenth for each digit
def blind_cost(labels):
    return float(-10 * (0.1 * np.log(0.1) + 0.9 * np.log(0.9)))


# %% 7.3: the mean over the answers
def blind_cost(labels):
    p = np.bincount(labels, minlength=10) / len(labels)
    return float(-np.mean(p * np.log(p) + (1 - p) * np.log(1 - p)))


# %% 7.3: in bits
def blind_cost(labels):
    p = np.bincount(labels, minlength=10) / len(labels)
    return float(-np.sum(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


# %% 7.3: answers of one half
def blind_cost(labels):
    return 10 * math.log(2)
