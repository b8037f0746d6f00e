# Wrong answers, each of which the check of its exercise must reject.


# %% 2.1: gives a number
def sigmoid(v):
    return 1 / (1 + math.exp(-v.data))


# %% 2.1: does not remember
def sigmoid(v):
    return Value(1 / (1 + math.exp(-v.data)))


# %% 2.1: the slope without the factor 1 − a
def sigmoid(v):
    a = 1 / (1 + math.exp(-v.data))
    return Value(a, [(v, a)])


# %% 2.1: the slope at a instead of v
def sigmoid(v):
    a = 1 / (1 + math.exp(-v.data))
    again = 1 / (1 + math.exp(-a))
    return Value(a, [(v, again * (1 - again))])


# %% 2.1: the sign in the exponent
def sigmoid(v):
    a = 1 / (1 + math.exp(v.data))
    return Value(a, [(v, a * (1 - a))])


# %% 2.2: always right
comes_out_right = dict.fromkeys(["x * y + y", "x + x", "(x + y) * (y + y)", "(x + y) * (x * y)"], True)

# %% 2.2: wrong as soon as anything is used twice
comes_out_right = {"x * y + y": False, "x + x": False, "(x + y) * (y + y)": False, "(x + y) * (x * y)": False}

# %% 2.2: one of them answered
comes_out_right = {"x + x": False}


# %% 2.3: layer by layer
def right_order(root):
    return layer_by_layer(root)


# %% 2.3: layer by layer, with what comes again put at the end twice
def right_order(root):
    order = [root]
    for value in order[:1000]:
        order += [source for source, _ in value.made_from]
    return order


# %% 2.3: not reversed
def right_order(root):
    done = []

    def visit(value):
        if value not in done:
            for source, _ in value.made_from:
                visit(source)
            done.append(value)

    visit(root)
    return done


# %% 2.3: appended before what it was made from
def right_order(root):
    done = []

    def visit(value):
        if value not in done:
            done.append(value)
            for source, _ in value.made_from:
                visit(source)

    visit(root)
    return done


# %% 2.3: without root
def right_order(root):
    return layer_by_layer(root)[1:]
