# Wrong answers, each of which the check of its exercise must reject.

# %% 4.1: the smaller, the better
best_h_forward = 1e-15
best_h_central = 1e-15

# %% 4.1: one step for both
best_h_forward = 1.5e-8
best_h_central = 1.5e-8

# %% 4.1: exchanged
best_h_forward = 6e-6
best_h_central = 1.5e-8

# %% 4.1: no step at all
best_h_forward = 0.0
best_h_central = 0.0


# %% 4.2: with an absolute tolerance
def verdict_on(backward, numerical, bound):
    if abs(backward - numerical) > bound + 1e-8:
        return "fail"
    return "pass" if bound <= abs(numerical) / 1000 else "unresolved"


# %% 4.2: says unresolved before it has looked
def verdict_on(backward, numerical, bound):
    if bound > abs(numerical) / 1000:
        return "unresolved"
    return "fail" if abs(backward - numerical) > bound else "pass"


# %% 4.2: forgets that gradients may be negative
def verdict_on(backward, numerical, bound):
    if abs(backward - numerical) > bound:
        return "fail"
    return "pass" if bound <= numerical / 1000 else "unresolved"


# %% 4.2: sees only what is too large
def verdict_on(backward, numerical, bound):
    if backward - numerical > bound:
        return "fail"
    return "pass" if bound <= abs(numerical) / 1000 else "unresolved"


# %% 4.2: two verdicts
def verdict_on(backward, numerical, bound):
    return "fail" if abs(backward - numerical) > bound else "pass"


# %% 4.3: forgets to divide
def complex_step(f, x):
    return f(x + 1e-20j).imag


# %% 4.3: a real step
def complex_step(f, x):
    return (f(x + 1e-6) - f(x)) / 1e-6


# %% 4.3: the step of a difference
def complex_step(f, x):
    return f(x + 1e-5j).imag / 1e-5


# %% 4.3: subtracts all the same, and divides by ih
def complex_step(f, x):
    return (f(x + 1e-20j) - f(x)) / 1e-20j


# %% 4.3: the real part
def complex_step(f, x):
    return f(x + 1e-20j).real / 1e-20


# %% 4.4: the message alone
def mended_rule(g, out, x):
    return g


# %% 4.4: adds the message
def mended_rule(g, out, x):
    return g + x / out


# %% 4.4: right for positive x
def mended_rule(g, out, x):
    return g * abs(x) / out


# %% 4.4: forgets the root's denominator
def mended_rule(g, out, x):
    return g * x


# %% 4.4: as it was
def mended_rule(g, out, x):
    return x / out
