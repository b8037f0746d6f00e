# Wrong answers, each of which the check of its exercise must reject.

# %% 3.1: forgets the weights
da3_da1 = 0.2291 * 0.2274
dz4_db2 = 0.2274 * 0.2291

# %% 3.1: takes the σ′ of a₁ for that of a₃
da3_da1 = 0.2246 * -0.6 * 0.2291 * 0.9
dz4_db2 = -0.4 * 0.2274 * 0.9 * 0.2291

# %% 3.1: goes on to C
da3_da1 = -0.6 * 0.2291 * 0.9 * 0.2274 * -0.4 * 0.2473 * 0.4477
dz4_db2 = -0.4 * 0.2274 * 0.9 * 0.2291

# %% 3.1: adds along the path
da3_da1 = -0.6 + 0.2291 + 0.9 + 0.2274
dz4_db2 = -0.4 + 0.2274 + 0.9 + 0.2291

# %% 3.1: the second begins at a₂ instead of b₂
da3_da1 = -0.6 * 0.2291 * 0.9 * 0.2274
dz4_db2 = -0.4 * 0.2274 * 0.9


# %% 3.2: one path only
def sum_over_paths(arrows, start, end):
    if start == end:
        return 1.0
    for source, target, slope in arrows:
        if source == start:
            return slope * sum_over_paths(arrows, target, end)
    return 0.0


# %% 3.2: adds along the path, too
def sum_over_paths(arrows, start, end):
    if start == end:
        return 0.0
    return sum(slope + sum_over_paths(arrows, target, end) for source, target, slope in arrows if source == start)


# %% 3.2: multiplies over the paths, too
def sum_over_paths(arrows, start, end):
    if start == end:
        return 1.0
    product = 1.0
    for source, target, slope in arrows:
        if source == start:
            product *= slope * sum_over_paths(arrows, target, end)
    return product


# %% 3.2: loses one of two arrows between the same boxes
def sum_over_paths(arrows, start, end):
    if start == end:
        return 1.0
    slopes = {(source, target): slope for source, target, slope in arrows}
    return sum(
        slope * sum_over_paths(arrows, target, end) for (source, target), slope in slopes.items() if source == start
    )


# %% 3.2: a path that leads nowhere counts as well
def sum_over_paths(arrows, start, end):
    steps = [(target, slope) for source, target, slope in arrows if source == start]
    if not steps:
        return 1.0
    return sum(slope * sum_over_paths(arrows, target, end) for target, slope in steps)
