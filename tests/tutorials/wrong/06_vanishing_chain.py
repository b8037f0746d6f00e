# Wrong answers, each of which the check of its exercise must reject.


# %% 6.1: forgets the weights
def bias_gradients(w, b, a0, y):
    a, slopes = a0, []
    for w_j, b_j in zip(w, b, strict=True):
        a = 1 / (1 + math.exp(-(w_j * a + b_j)))
        slopes.append(a * (1 - a))
    found, message = [], a - y
    for slope in reversed(slopes):
        message = message * slope
        found.append(message)
    return found[::-1]


# %% 6.1: each bias gets the weight of its own neuron too
def bias_gradients(w, b, a0, y):
    a, slopes = a0, []
    for w_j, b_j in zip(w, b, strict=True):
        a = 1 / (1 + math.exp(-(w_j * a + b_j)))
        slopes.append(a * (1 - a))
    found, message = [], a - y
    for w_j, slope in zip(reversed(w), reversed(slopes), strict=True):
        message = message * w_j * slope
        found.append(message)
    return found[::-1]


# %% 6.1: in the order of the way back
def bias_gradients(w, b, a0, y):
    tried = neuron_chain(w, b, a0, y)
    found = vg.backprop(tried.cost, wrt=tried.b)
    return [float(found[bias]) for bias in reversed(tried.b)]


# %% 6.1: the sign of the cost's slope
def bias_gradients(w, b, a0, y):
    tried = neuron_chain(w, b, a0, y)
    found = vg.backprop(tried.cost, wrt=tried.b)
    return [-float(found[bias]) for bias in tried.b]


# %% 6.1: forgets the target
def bias_gradients(w, b, a0, y):
    tried = neuron_chain(w, b, a0, 0.0)
    found = vg.backprop(tried.cost, wrt=tried.b)
    return [float(found[bias]) for bias in tried.b]


# %% 6.1: only the first
def bias_gradients(w, b, a0, y):
    tried = neuron_chain(w, b, a0, y)
    return [float(vg.backprop(tried.cost, wrt=tried.b)[tried.b[0]])]


# %% 6.2: the largest weights, but no biases
kind_w = [1.0, 1.0, 1.0, 1.0]
kind_b = [0.0, 0.0, 0.0, 0.0]

# %% 6.2: biases as if every neuron heard the input
kind_w = [1.0, 1.0, 1.0, 1.0]
kind_b = [-0.7, -0.7, -0.7, -0.7]

# %% 6.2: larger weights than are allowed
kind_w = [4.0, 4.0, 4.0, 4.0]
kind_b = [-2.8, -2.0, -2.0, -2.0]

# %% 6.2: weights that are too small
kind_w = [0.5, 0.5, 0.5, 0.5]
kind_b = [-0.35, -0.25, -0.25, -0.25]

# %% 6.2: three neurons
kind_w = [1.0, 1.0, 1.0]
kind_b = [-0.7, -0.5, -0.5]


# %% 6.3: half of the stretch
def stretch(w):
    w = abs(w)
    if w <= 4:
        return 0.0
    a = (1 + math.sqrt(1 - 4 / w)) / 2
    return math.log(a / (1 - a)) / w


# %% 6.3: measured in z instead of a
def stretch(w):
    w = abs(w)
    if w <= 4:
        return 0.0
    a = (1 + math.sqrt(1 - 4 / w)) / 2
    return 2 * math.log(a / (1 - a))


# %% 6.3: the distance between the roots, which is one in σ(z)
def stretch(w):
    return math.sqrt(1 - 4 / abs(w)) if abs(w) > 4 else 0.0


# %% 6.3: raises where there is no root
def stretch(w):
    w = abs(w)
    a = (1 + math.sqrt(1 - 4 / w)) / 2
    return 2 * math.log(a / (1 - a)) / w


# %% 6.3: none for negative weights
def stretch(w):
    if w <= 4:
        return 0.0
    a = (1 + math.sqrt(1 - 4 / w)) / 2
    return 2 * math.log(a / (1 - a)) / w


# %% 6.4: too large a weight
w1, b1, w2, c = 1.0, -0.5, 4.0, 1.5

# %% 6.4: forgets the quarter
w1, b1, w2, c = 0.01, -0.005, 100.0, 49.5

# %% 6.4: forgets what is to be taken off
w1, b1, w2, c = 0.01, -0.005, 400.0, 0.0

# %% 6.4: takes off too much
w1, b1, w2, c = 0.01, -0.005, 400.0, 200.0
