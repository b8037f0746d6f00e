# Wrong answers, each of which the check of its exercise must reject.


# %% 8.1: as if every neuron heard the input
def balance(w, a0):
    return [-w_j * a0 for w_j in w]


# %% 8.1: as if the first heard one half
def balance(w, a0):
    return [-w_j / 2 for w_j in w]


# %% 8.1: the wrong sign
def balance(w, a0):
    return [w_j * a for w_j, a in zip(w, [a0] + [0.5] * (len(w) - 1), strict=True)]


# %% 8.1: as if a neuron with z at 0 said 0
def balance(w, a0):
    return [-w[0] * a0] + [0.0] * (len(w) - 1)


# %% 8.1: only the first
def balance(w, a0):
    return [-w[0] * a0]


# %% 8.2: forgets the slopes
def deltas(net, x, digit):
    a = x
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
    found = [a - (np.arange(10) == digit)]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(net.layers[k + 1].w.data @ found[-1])
    return found[::-1]


# %% 8.2: the slopes of the layer behind
def deltas(net, x, digit):
    a, slopes = x, []
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
        slopes.append(a * (1 - a))
    found = [a - (np.arange(10) == digit)]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(net.layers[k + 1].w.data @ (slopes[k + 1] * found[-1]))
    return found[::-1]


# %% 8.2: the quadratic cost
def deltas(net, x, digit):
    a, slopes = x, []
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
        slopes.append(a * (1 - a))
    found = [(a - (np.arange(10) == digit)) * slopes[-1]]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(slopes[k] * (net.layers[k + 1].w.data @ found[-1]))
    return found[::-1]


# %% 8.2: transposed
def deltas(net, x, digit):
    a, slopes = x, []
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
        slopes.append(a * (1 - a))
    found = [a - (np.arange(10) == digit)]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(slopes[k] * (net.layers[k + 1].w.data.T @ found[-1]))
    return found[::-1]


# %% 8.2: the wrong sign
def deltas(net, x, digit):
    a, slopes = x, []
    for layer in net.layers:
        a = vg.sigmoid(a @ layer.w.data + layer.b.data)
        slopes.append(a * (1 - a))
    found = [(np.arange(10) == digit) - a]
    for k in range(len(net.layers) - 2, -1, -1):
        found.append(slopes[k] * (net.layers[k + 1].w.data @ found[-1]))
    return found[::-1]


# %% 8.2: without the output layer
def deltas(net, x, digit):
    C = vg.nn.losses.cross_entropy(net.logits(x[None]), np.array([digit]))
    biases = [layer.b for layer in net.layers[:-1]]
    found = vg.backprop(C, wrt=biases)
    return [found[b] for b in biases]


# %% 8.2: from the last to the first
def deltas(net, x, digit):
    C = vg.nn.losses.cross_entropy(net.logits(x[None]), np.array([digit]))
    biases = [layer.b for layer in net.layers]
    found = vg.backprop(C, wrt=biases)
    return [found[b] for b in reversed(biases)]
