# Wrong answers, each of which the check of its exercise must reject.

# %% 10.1: one of them is not recognised by the AND
even_input = (1, 1, 0, 0)
odd_input = (1, 0, 1, 1)

# %% 10.1: exchanged
even_input = (1, 0, 1, 1)
odd_input = (1, 0, 1, 0)

# %% 10.1: three bits
even_input = (1, 0, 1)
odd_input = (1, 0, 1, 1)

# %% 10.1: the input that is left out is both
even_input = (1, 0, 1, 0.5)
odd_input = (1, 0, 1, 0.5)


# %% 10.2: a chain; right, but as deep as it is long
def parity_gates(names):
    gates, last = [], names[0]
    for k, name in enumerate(names[1:]):
        gates.append(Gate(f"g{k}", "XOR", (last, name)))
        last = gates[-1].name
    return gates


# %% 10.2: one gate of many inputs
def parity_gates(names):
    return [Gate("g", "XOR", tuple(names))]


# %% 10.2: right where the number of inputs is a power of 2
def parity_gates(names):
    gates, level = [], list(names)
    while len(level) > 1:
        above = []
        for one, other in zip(level[::2], level[1::2], strict=False):
            gates.append(Gate(f"g{len(gates)}", "XOR", (one, other)))
            above.append(gates[-1].name)
        level = above
    return gates


# %% 10.2: a tree of OR
def parity_gates(names):
    gates, waiting = [], list(names)
    while len(waiting) > 1:
        gates.append(Gate(f"g{len(gates)}", "OR", (waiting.pop(0), waiting.pop(0))))
        waiting.append(gates[-1].name)
    return gates


# %% 10.2: takes from the end, where the new ones are put
def parity_gates(names):
    gates, waiting = [], list(names)
    while len(waiting) > 1:
        gates.append(Gate(f"g{len(gates)}", "XOR", (waiting.pop(), waiting.pop())))
        waiting.append(gates[-1].name)
    return gates


# %% 10.3: an OR
xor_w1, xor_b1 = [[10, 10], [10, 10]], [-5, -15]
xor_w2, xor_b2 = [[10], [0]], [-5]

# %% 10.3: one but not the other is right for one of the two
xor_w1, xor_b1 = [[10, 0], [0, 10]], [-5, -5]
xor_w2, xor_b2 = [[10], [-10]], [-5]

# %% 10.3: too small to saturate
xor_w1, xor_b1 = [[1, 1], [1, 1]], [-0.5, -1.5]
xor_w2, xor_b2 = [[1], [-1]], [-0.5]

# %% 10.3: the negation
xor_w1, xor_b1 = [[10, 10], [10, 10]], [-5, -15]
xor_w2, xor_b2 = [[-10], [10]], [5]

# %% 10.3: a row for each hidden neuron at the output
xor_w1, xor_b1 = [[10, 10], [10, 10]], [-5, -15]
xor_w2, xor_b2 = [[10, -10]], [-5]
