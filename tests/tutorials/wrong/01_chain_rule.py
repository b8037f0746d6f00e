# Wrong answers, each of which the check of its exercise must reject.

# %% 1.1: no difference between the two
da_db = 0.2246
da_dx = 0.2246

# %% 1.1: forgets the second station
da_db = 1.0
da_dx = 0.8

# %% 1.1: takes the slope in w for the one in x
da_db = 0.2246
da_dx = 0.7 * 0.2246


# %% 1.2: forgets the second station
def slopes(w, x, b):
    return x, w, 1.0


# %% 1.2: the slope of σ without the factor 1 − a
def slopes(w, x, b):
    a = sigmoid(w * x + b)
    return x * a, w * a, a


# %% 1.2: adds the slopes of stations in a row
def slopes(w, x, b):
    a = sigmoid(w * x + b)
    return x + a * (1 - a), w + a * (1 - a), 1 + a * (1 - a)


# %% 1.2: w and x exchanged
def slopes(w, x, b):
    a = sigmoid(w * x + b)
    return w * a * (1 - a), x * a * (1 - a), a * (1 - a)


# %% 1.2: two slopes only
def slopes(w, x, b):
    a = sigmoid(w * x + b)
    return x * a * (1 - a), w * a * (1 - a)


# %% 1.3: forgets the weight between the neurons
def dC_dw1(w1, b1, w2, b2, x, y):
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return x * (a1 * (1 - a1)) * (a2 * (1 - a2)) * (a2 - y)


# %% 1.3: the sign of the cost's slope
def dC_dw1(w1, b1, w2, b2, x, y):
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return x * (a1 * (1 - a1)) * w2 * (a2 * (1 - a2)) * (y - a2)


# %% 1.3: the derivative by w₂
def dC_dw1(w1, b1, w2, b2, x, y):
    a1 = sigmoid(w1 * x + b1)
    a2 = sigmoid(w2 * a1 + b2)
    return a1 * (a2 * (1 - a2)) * (a2 - y)


# %% 1.3: raises
def dC_dw1(w1, b1, w2, b2, x, y):
    return x * sigmoid_slope(w1 * x + b1)
